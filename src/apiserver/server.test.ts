import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { at, startTestServer } from './fixture.test.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, data: Readonly<Record<string, string>> = { a: '1' }) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

suite('API server', () => {
  test('create, get, update and delete go round', async () => {
    await using api = await startTestServer();
    const created = await api.call('POST', configMaps, { body: configMap('x') });
    assert.equal(created.status, 201, created.bytes.toString());
    assert.equal(at(created.json, 'metadata.namespace'), 'default');
    const version = at(created.json, 'metadata.resourceVersion');
    assert.ok(Number(version) > 0);
    const got = await api.call('GET', `${configMaps}/x`);
    assert.deepEqual(got.json, created.json);
    const replaced = await api.call('PUT', `${configMaps}/x`, { body: configMap('x', { a: '2' }) });
    assert.equal(replaced.status, 200, replaced.bytes.toString());
    assert.equal(at(replaced.json, 'data.a'), '2');
    assert.equal(at(replaced.json, 'metadata.uid'), at(created.json, 'metadata.uid'));
    const stale = await api.call('PUT', `${configMaps}/x`, { body: created.json });
    assert.equal(stale.status, 409);
    assert.equal(
      at(stale.json, 'message'),
      'Operation cannot be fulfilled on configmaps "x": the object has been modified; please apply your changes to the latest version and try again',
    );
    const deleted = await api.call('DELETE', `${configMaps}/x`);
    assert.equal(deleted.status, 200);
    assert.equal(at(deleted.json, 'status'), 'Success');
    const gone = await api.call('GET', `${configMaps}/x`);
    assert.equal(gone.status, 404);
    assert.equal(at(gone.json, 'message'), 'configmaps "x" not found');
  });

  test('a watch sees what is there, then every change', async () => {
    await using api = await startTestServer();
    await api.call('POST', configMaps, { body: configMap('x') });
    const watch = await api.watch(`${configMaps}?watch=1`);
    assert.equal(at(await watch.next(), 'object.metadata.name'), 'x');
    await api.call('PUT', `${configMaps}/x`, { body: configMap('x', { a: '2' }) });
    assert.equal(at(await watch.next(), 'type'), 'MODIFIED');
    await api.call('DELETE', `${configMaps}/x`);
    assert.equal(at(await watch.next(), 'type'), 'DELETED');
    watch.stop();
    await watch.ended;
  });
});
