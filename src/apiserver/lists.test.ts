import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { systemClock } from '#io';
import { typeTables } from '#kube/kinds';
import { createCodec, parseYaml } from '#wire';
import { at, startTestServer, type TestServer } from './fixture.test.ts';

const pods = '/api/v1/namespaces/default/pods';
const pod = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { text: 'a' }, annotations: { t: 'a <b> & "c"\n- d: é' } },
  spec: { containers: [{ name: 'c', image: 'i', command: ['sh', '-c', 'echo: {1}'] }] },
});
async function fill(api: TestServer, count: number): Promise<void> {
  for (let index = 0; index < count; index++)
    await api.call('POST', pods, { body: pod(`p${String(index).padStart(4, '0')}`) });
}

suite('Lists made piece by piece', () => {
  for (const count of [0, 1, 3])
    test(`of ${count} say the same in every form`, async () => {
      await using api = await startTestServer();
      await fill(api, count);
      const json = await api.call('GET', pods);
      const plain = json.json;
      assert.equal((at(plain, 'items') as unknown[]).length, count);
      const pretty = await api.call('GET', `${pods}?pretty=true`);
      assert.equal(pretty.bytes.toString(), `${JSON.stringify(plain, undefined, 2)}\n`);
      const yaml = await api.call('GET', pods, { headers: { accept: 'application/yaml' } });
      assert.deepEqual((await parseYaml(yaml.bytes)).value, plain, yaml.bytes.toString());
      const accept = 'application/vnd.kubernetes.protobuf';
      const binary = await api.call('GET', pods, { headers: { accept } });
      const codec = createCodec(typeTables);
      assert.deepEqual(
        binary.bytes,
        codec.encodeProtobuf('k8s.io.api.core.v1.PodList', plain as object),
      );
    });

  test('tables and partial metadata keep their shapes', async () => {
    await using api = await startTestServer();
    await fill(api, 2);
    const table = await api.call('GET', pods, {
      headers: { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' },
    });
    assert.equal(at(table.json, 'kind'), 'Table');
    assert.equal(at(table.json, 'columnDefinitions.0.name'), 'Name');
    assert.equal(at(table.json, 'rows.1.cells.0'), 'p0001');
    assert.equal(at(table.json, 'rows.1.object.kind'), 'PartialObjectMetadata');
    const partial = await api.call('GET', pods, {
      headers: { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' },
    });
    assert.equal(at(partial.json, 'items.1.kind'), 'PartialObjectMetadata');
    assert.equal(at(partial.json, 'items.1.metadata.name'), 'p0001');
    assert.equal(at(partial.json, 'items.1.spec'), undefined);
  });

  test('give others their turn', async () => {
    let turns = 0;
    // Every look at the clock is a millisecond later.
    let ms = 0;
    const clock = {
      ...systemClock,
      nowMs: () => systemClock.nowMs(),
      monotonicMs: () => ms++,
      after: (delayMs: number, call: () => void) => systemClock.after(delayMs, call),
      sleep: async (delayMs: number, signal?: AbortSignal) => {
        if (delayMs === 0) turns++;
        await systemClock.sleep(delayMs, signal);
      },
    };
    await using api = await startTestServer({ clock });
    await fill(api, 200);
    turns = 0;
    const accept = 'application/json;as=Table;g=meta.k8s.io;v=v1';
    const table = await api.call('GET', pods, { headers: { accept } });
    assert.equal((at(table.json, 'rows') as unknown[]).length, 200);
    assert(turns >= 3, `${turns} turns`);
  });
});
