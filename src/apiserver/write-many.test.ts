import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, pods } from '#kube/kinds';
import type { ConfigMap } from '#kube/kinds';
import { creation, deletion, updating } from '#machinery';
import type { GroupResult, SystemWrite } from '#machinery';
import { admin, startTestServer } from './fixture.test.ts';

function map(name: string, data: Record<string, string> = {}): SystemWrite {
  return creation<ConfigMap>({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', labels: { a: 'b' } },
    data,
  });
}
function put(name: string, key: string, value: string): SystemWrite {
  return updating<ConfigMap>(configMaps, { name, namespace: 'default' }, (draft) => {
    draft.data = { ...draft.data, [key]: value };
  });
}
function reasons(results: readonly GroupResult[]): readonly string[] {
  return results.map((result) => (result.ok ? 'ok' : result.error.reason));
}

test('Groups are written whole or not at all, each by itself', async () => {
  await using api = await startTestServer();
  const { server } = api;
  await server.writeMany([[map('there')]]);
  const before = api.store.revision;
  const results = await server.writeMany([
    [map('a'), map('b')],
    [map('c'), map('there')],
    [map('d'), put('missing', 'k', 'v')],
    [map('e'), map('Not A Name')],
    [put('there', 'k', 'v'), map('f')],
  ]);
  assert.deepEqual(reasons(results), ['ok', 'AlreadyExists', 'NotFound', 'Invalid', 'ok']);
  const names = server.reader.list(configMaps, 'default').map(({ metadata }) => metadata.name);
  assert.deepEqual(names.toSorted(), ['a', 'b', 'f', 'there']);
  assert.equal(api.store.revision, before + 4);
  const [first] = results;
  assert.ok(first?.ok === true);
  const made = first.objects[0];
  assert.equal(made?.metadata.managedFields, undefined);
  assert.ok(made?.metadata.uid !== '' && made?.metadata.creationTimestamp !== '');
  assert.deepEqual(
    await server.apiFor(admin).get(configMaps, { name: 'a', namespace: 'default' }),
    made,
  );
});

test('Groups that change one object take turns, and those of others are not lost', async () => {
  await using api = await startTestServer();
  const { server } = api;
  await server.writeMany([[map('m')]]);
  const keys = Array.from({ length: 40 }, (_, index) => `k${index}`);
  const halves = [keys.slice(0, 20), keys.slice(20)];
  const done = await Promise.all(
    halves.map((half) => server.writeMany(half.map((key) => [put('m', key, 'v')]))),
  );
  assert.deepEqual(
    reasons(done.flat()),
    keys.map(() => 'ok'),
  );
  const stored = server.reader.get(configMaps, 'm', 'default');
  assert.deepEqual(Object.keys(stored?.data ?? {}).toSorted(), keys.toSorted());
});

test('A change that changes nothing writes nothing; one that throws ends its group', async () => {
  await using api = await startTestServer();
  const { server } = api;
  await server.writeMany([[map('m', { k: 'v' })]]);
  const before = api.store.revision;
  const failing = updating<ConfigMap>(configMaps, { name: 'm', namespace: 'default' }, () => {
    throw new Error('no more');
  });
  const results = await server.writeMany([[put('m', 'k', 'v')], [map('x'), failing]]);
  assert.deepEqual(reasons(results), ['ok', 'InternalError']);
  assert.equal(api.store.revision, before);
  const immutable = updating<ConfigMap>(
    configMaps,
    { name: 'm', namespace: 'default' },
    (draft) => {
      draft.data = { 'not a key': 'v' };
    },
  );
  assert.deepEqual(reasons(await server.writeMany([[immutable]])), ['Invalid']);
});

test('Deletes go with their group; what ends in steps is refused', async () => {
  await using api = await startTestServer();
  const { server } = api;
  await server.writeMany([[map('a')], [map('b')]]);
  const at = (name: string) => ({ name, namespace: 'default' });
  const results = await server.writeMany([
    [deletion(configMaps, at('a')), map('c')],
    [deletion(configMaps, at('gone')), map('d')],
    [deletion(configMaps, at('gone'), false), map('e')],
    [deletion(configMaps, at('b')), map('c')],
  ]);
  assert.deepEqual(reasons(results), ['ok', 'ok', 'NotFound', 'AlreadyExists']);
  const names = server.reader.list(configMaps, 'default').map(({ metadata }) => metadata.name);
  assert.deepEqual(names.toSorted(), ['b', 'c', 'd']);
  const pod = creation({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  } as never);
  assert.deepEqual(reasons(await server.writeMany([[pod]])), ['ok']);
  assert.deepEqual(reasons(await server.writeMany([[deletion(pods, at('p'))]])), ['BadRequest']);
});

test('What was handed in stays the caller’s own', async () => {
  await using api = await startTestServer();
  const data = { k: 'v' };
  const labels = { a: 'b' };
  const created = creation<ConfigMap>({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { generateName: 'g-', namespace: 'default', labels },
    data,
  });
  const [result] = await api.server.writeMany([[created]]);
  assert.ok(result?.ok === true);
  assert.match(result.objects[0]?.metadata.name ?? '', /^g-[a-z0-9]{5}$/);
  data.k = 'other';
  labels.a = 'other';
  assert.equal(api.server.reader.list(configMaps, 'default')[0]?.data?.['k'], 'v');
});
