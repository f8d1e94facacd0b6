import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { configMaps as configMapKind, pods as podKind, typeTables } from '#kube/kinds';
import { isStatus } from '#machinery';
import { StoreFullError } from '#store';
import { createCodec } from '#wire';
import { admin, at, startTestServer, type TestServer } from './fixture.test.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const deployments = '/apis/apps/v1/namespaces/default/deployments';
const configMap = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...more },
  data: { a: '1' },
});
const deployment = (replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'web', image: 'web:1' }] },
    },
  },
});
const applyHeaders = { 'content-type': 'application/apply-patch+yaml' };

async function fill(api: TestServer, count: number): Promise<void> {
  for (let index = 0; index < count; index++)
    await api.call('POST', configMaps, {
      body: configMap(`c${index}`, { labels: { even: String(index % 2 === 0) } }),
    });
}
const names = (list: unknown): readonly unknown[] =>
  (at(list, 'items') as readonly unknown[]).map((item) => at(item, 'metadata.name'));

suite('Verbs', () => {
  test('pages show one moment, whatever is written between them', async () => {
    await using api = await startTestServer();
    await fill(api, 5);
    const first = await api.call('GET', `${configMaps}?limit=2`);
    assert.deepEqual(names(first.json), ['c0', 'c1']);
    assert.equal(at(first.json, 'metadata.remainingItemCount'), 3);
    await api.call('DELETE', `${configMaps}/c3`);
    await api.call('POST', configMaps, { body: configMap('c22') });
    const token = String(at(first.json, 'metadata.continue'));
    const second = await api.call('GET', `${configMaps}?limit=9&continue=${token}`);
    assert.deepEqual(names(second.json), ['c2', 'c3', 'c4']);
    assert.equal(
      at(second.json, 'metadata.resourceVersion'),
      at(first.json, 'metadata.resourceVersion'),
    );
    const now = await api.call('GET', configMaps);
    assert.deepEqual(names(now.json), ['c0', 'c1', 'c2', 'c22', 'c4']);
  });

  test('selectors choose by labels and fields', async () => {
    await using api = await startTestServer();
    await fill(api, 4);
    const even = await api.call('GET', `${configMaps}?labelSelector=even%3Dtrue`);
    assert.deepEqual(names(even.json), ['c0', 'c2']);
    const one = await api.call('GET', `${configMaps}?fieldSelector=metadata.name%3Dc3`);
    assert.deepEqual(names(one.json), ['c3']);
    const watch = await api.watch(
      `${configMaps}?watch=1&labelSelector=even%3Dtrue&resourceVersion=${String(at(even.json, 'metadata.resourceVersion'))}`,
    );
    const patch = { metadata: { labels: { even: 'false' } } };
    const headers = { 'content-type': 'application/merge-patch+json' };
    await api.call('PATCH', `${configMaps}/c0`, { body: patch, headers });
    const left = await watch.next();
    assert.equal(at(left, 'type'), 'DELETED');
    assert.equal(at(left, 'object.metadata.labels.even'), 'true');
    watch.stop();
  });

  test('the three patches and apply do what each is for', async () => {
    await using api = await startTestServer();
    const created = await api.call('POST', deployments, { body: deployment(1) });
    assert.equal(created.status, 201, created.bytes.toString());
    const strategic = await api.call('PATCH', `${deployments}/web`, {
      body: {
        spec: { template: { spec: { containers: [{ name: 'side', image: 'side:1' }] } } },
      },
      headers: { 'content-type': 'application/strategic-merge-patch+json' },
    });
    assert.equal(strategic.status, 200, strategic.bytes.toString());
    assert.equal(
      (at(strategic.json, 'spec.template.spec.containers') as readonly unknown[]).length,
      2,
    );
    assert.equal(at(strategic.json, 'metadata.generation'), 2);
    const patched = await api.call('PATCH', `${deployments}/web`, {
      body: [{ op: 'replace', path: '/spec/replicas', value: 3 }],
      headers: { 'content-type': 'application/json-patch+json' },
    });
    assert.equal(at(patched.json, 'spec.replicas'), 3, patched.bytes.toString());
    const conflicting = await api.call('PATCH', `${deployments}/web?fieldManager=me`, {
      body: { ...deployment(5) },
      headers: applyHeaders,
    });
    assert.equal(conflicting.status, 409, conflicting.bytes.toString());
    assert.match(String(at(conflicting.json, 'message')), /Apply failed with 1 conflict/);
    const forced = await api.call('PATCH', `${deployments}/web?fieldManager=me&force=true`, {
      body: deployment(5),
      headers: applyHeaders,
    });
    assert.equal(at(forced.json, 'spec.replicas'), 5, forced.bytes.toString());
    const again = await api.call('PATCH', `${deployments}/web?fieldManager=me`, {
      body: deployment(5),
      headers: applyHeaders,
    });
    assert.equal(
      at(again.json, 'metadata.resourceVersion'),
      at(forced.json, 'metadata.resourceVersion'),
    );
  });

  test('apply creates what is not there', async () => {
    await using api = await startTestServer();
    const created = await api.call('PATCH', `${deployments}/web?fieldManager=me`, {
      body: deployment(2),
      headers: applyHeaders,
    });
    assert.equal(created.status, 201, created.bytes.toString());
    assert.equal(at(created.json, 'metadata.managedFields.0.operation'), 'Apply');
  });

  test('scale reads and writes the replicas', async () => {
    await using api = await startTestServer();
    await api.call('POST', deployments, { body: deployment(1) });
    const scale = await api.call('GET', `${deployments}/web/scale`);
    assert.equal(at(scale.json, 'spec.replicas'), 1, scale.bytes.toString());
    const written = await api.call('PATCH', `${deployments}/web/scale`, {
      body: { spec: { replicas: 4 } },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    assert.equal(at(written.json, 'spec.replicas'), 4, written.bytes.toString());
    const object = await api.call('GET', `${deployments}/web`);
    assert.equal(at(object.json, 'spec.replicas'), 4);
  });

  test('finalizers hold a deleted object until the last is gone', async () => {
    await using api = await startTestServer();
    await api.call('POST', configMaps, { body: configMap('x', { finalizers: ['a.b/c'] }) });
    const held = await api.call('DELETE', `${configMaps}/x`);
    assert.equal(held.status, 200);
    assert.ok(at(held.json, 'metadata.deletionTimestamp'));
    const headers = { 'content-type': 'application/merge-patch+json' };
    const released = await api.call('PATCH', `${configMaps}/x`, {
      body: { metadata: { finalizers: null } },
      headers,
    });
    assert.equal(released.status, 200, released.bytes.toString());
    assert.equal((await api.call('GET', `${configMaps}/x`)).status, 404);
  });

  test('a namespace goes when it is finalized', async () => {
    await using api = await startTestServer();
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } };
    assert.equal((await api.call('POST', '/api/v1/namespaces', { body })).status, 201);
    const held = await api.call('DELETE', '/api/v1/namespaces/n');
    assert.equal(at(held.json, 'status.phase'), 'Terminating', held.bytes.toString());
    const done = await api.call('PUT', '/api/v1/namespaces/n/finalize', {
      body: { ...(held.json as object), spec: { finalizers: [] } },
    });
    assert.equal(done.status, 200, done.bytes.toString());
    assert.equal((await api.call('GET', '/api/v1/namespaces/n')).status, 404);
  });

  test('a Pod that runs gets its grace, one that was never bound goes at once', async () => {
    await using api = await startTestServer();
    const pods = '/api/v1/namespaces/default/pods';
    const pod = (name: string, nodeName: string | undefined) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { nodeName, containers: [{ name: 'a', image: 'a' }] },
    });
    await api.call('POST', pods, { body: pod('bound', 'n1') });
    await api.call('POST', pods, { body: pod('free', undefined) });
    const bound = await api.call('DELETE', `${pods}/bound`);
    assert.equal(at(bound.json, 'metadata.deletionGracePeriodSeconds'), 30, bound.bytes.toString());
    assert.equal((await api.call('GET', `${pods}/bound`)).status, 200);
    const now = await api.call('DELETE', `${pods}/bound?gracePeriodSeconds=0`);
    assert.equal(now.status, 200);
    assert.equal((await api.call('GET', `${pods}/bound`)).status, 404);
    await api.call('DELETE', `${pods}/free`);
    assert.equal((await api.call('GET', `${pods}/free`)).status, 404);
  });

  test('dry runs and writes that change nothing write nothing', async () => {
    await using api = await startTestServer();
    const dry = await api.call('POST', `${configMaps}?dryRun=All`, { body: configMap('x') });
    assert.equal(dry.status, 201, dry.bytes.toString());
    assert.equal((await api.call('GET', `${configMaps}/x`)).status, 404);
    const created = await api.call('POST', configMaps, { body: configMap('x') });
    const same = await api.call('PUT', `${configMaps}/x`, { body: created.json });
    assert.equal(
      at(same.json, 'metadata.resourceVersion'),
      at(created.json, 'metadata.resourceVersion'),
    );
  });

  test('tables, partial metadata, YAML and protobuf are other forms of the same', async () => {
    await using api = await startTestServer();
    await fill(api, 2);
    const table = await api.call('GET', configMaps, {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' },
    });
    assert.equal(at(table.json, 'kind'), 'Table');
    assert.equal(at(table.json, 'rows.1.cells.0'), 'c1');
    const partial = await api.call('GET', configMaps, {
      headers: { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' },
    });
    assert.equal(at(partial.json, 'items.0.metadata.name'), 'c0', partial.bytes.toString());
    const yaml = await api.call('GET', `${configMaps}/c0`, {
      headers: { accept: 'application/yaml' },
    });
    assert.match(yaml.bytes.toString(), /^kind: ConfigMap\n/);
    const protobuf = await api.call('GET', configMaps, {
      headers: { accept: 'application/vnd.kubernetes.protobuf' },
    });
    assert.equal(protobuf.bytes.toString('latin1', 0, 4), 'k8s\0');
  });

  test('protobuf bodies create as JSON ones do', async () => {
    await using api = await startTestServer();
    const type = 'k8s.io.api.core.v1.ConfigMap';
    const raw = createCodec(typeTables).encodeProtobuf(type, configMap('p'));
    const headers = { 'content-type': 'application/vnd.kubernetes.protobuf' };
    const created = await api.call('POST', configMaps, { raw, headers });
    assert.equal(created.status, 201, created.bytes.toString());
    assert.equal(at(created.json, 'data.a'), '1');
    const options = createCodec(typeTables).encodeProtobuf(
      'k8s.io.apimachinery.pkg.apis.meta.v1.DeleteOptions',
      { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' },
    );
    const deleted = await api.call('DELETE', `${configMaps}/p`, { raw: options, headers });
    assert.equal(deleted.status, 200, deleted.bytes.toString());
  });

  test('a watch from an old version resumes without a gap', async () => {
    await using api = await startTestServer();
    await fill(api, 3);
    const first = await api.call('GET', `${configMaps}/c0`);
    const version = String(at(first.json, 'metadata.resourceVersion'));
    const watch = await api.watch(`${configMaps}?watch=1&resourceVersion=${version}`);
    assert.equal(at(await watch.next(), 'object.metadata.name'), 'c1');
    assert.equal(at(await watch.next(), 'object.metadata.name'), 'c2');
    watch.stop();
  });

  test('sendInitialEvents ends with a marked bookmark', async () => {
    await using api = await startTestServer();
    await fill(api, 1);
    const watch = await api.watch(
      `${configMaps}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    );
    assert.equal(at(await watch.next(), 'type'), 'ADDED');
    const bookmark = await watch.next();
    assert.equal(at(bookmark, 'type'), 'BOOKMARK');
    const annotations = at(bookmark, 'object.metadata.annotations') as Record<string, string>;
    assert.equal(annotations['k8s.io/initial-events-end'], 'true');
    watch.stop();
  });

  test('discovery, OpenAPI, health, version and metrics answer', async () => {
    await using api = await startTestServer();
    const list = await api.call('GET', '/apis', {
      headers: {
        accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
      },
    });
    assert.equal(at(list.json, 'kind'), 'APIGroupDiscoveryList');
    const etag = String(list.headers['etag']);
    const same = await api.call('GET', '/apis', {
      headers: {
        accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
        'if-none-match': etag,
      },
    });
    assert.equal(same.status, 304);
    const core = await api.call('GET', '/api/v1');
    assert.equal(at(core.json, 'kind'), 'APIResourceList');
    const index = await api.call('GET', '/openapi/v3');
    const apps = String(
      at((at(index.json, 'paths') as Record<string, unknown>)['apis/apps/v1'], 'serverRelativeURL'),
    );
    const document = await api.call('GET', apps);
    assert.equal(document.headers['cache-control'], 'public, immutable');
    const schemas = at(document.json, 'components.schemas') as Record<string, unknown>;
    const surge = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
    assert.match(JSON.stringify(schemas['io.k8s.api.apps.v1.RollingUpdateDeployment']), /intstr/);
    assert.equal(at(schemas[surge], 'format'), 'int-or-string');
    const v2 = await api.call('GET', '/openapi/v2');
    assert.equal(at(v2.json, 'swagger'), '2.0');
    const binary = await api.call('GET', '/openapi/v2', {
      headers: { accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' },
    });
    assert.equal(binary.status, 200);
    assert.match(String(binary.headers['content-type']), /spec\.v2\.v1\.0\+protobuf/);
    assert.equal(binary.bytes.subarray(0, 5).toString('latin1'), '\n\x032.0');
    assert.equal((await api.call('GET', '/readyz')).bytes.toString(), 'ok');
    assert.match((await api.call('GET', '/livez?verbose')).bytes.toString(), /livez check passed/);
    assert.equal(at((await api.call('GET', '/version')).json, 'gitVersion'), 'v1.36.2');
    assert.match((await api.call('GET', '/metrics')).bytes.toString(), /apiserver_request_total/);
  });
});

suite('In process', () => {
  test('the API is the same, without bytes', async () => {
    await using api = await startTestServer();
    const client = api.server.apiFor(admin);
    const created = await client.create(configMapKind, {
      ...configMap('x'),
      metadata: { name: 'x', namespace: 'default' },
    });
    assert.ok(Object.isFrozen(created));
    const controller = new AbortController();
    const events = client.watch(configMapKind, {
      resourceVersion: created.metadata.resourceVersion,
      signal: controller.signal,
    });
    const seen = events[Symbol.asyncIterator]();
    const next = seen.next();
    await client.patch(
      configMapKind,
      { name: 'x', namespace: 'default' },
      { type: 'merge', body: { data: { a: '2' } } },
    );
    const batch = await next;
    assert.equal(batch.done, false);
    assert.equal(at(batch.value, '0.object.data.a'), '2');
    controller.abort();
    await client.delete(configMapKind, { name: 'x', namespace: 'default' });
    assert.equal(api.server.reader.get(configMapKind, 'x', 'default'), undefined);
  });

  test('updateMany() writes many objects in one commit and tells each its fate', async () => {
    await using api = await startTestServer();
    await fill(api, 3);
    const before = api.store.revision;
    const results = await api.server.updateMany(
      ['c0', 'c1', 'nobody'].map((name) => ({
        resource: configMapKind,
        name,
        namespace: 'default',
        change: (draft: { data?: Record<string, string> | undefined }) => {
          draft.data = { a: 'many' };
        },
      })),
    );
    assert.deepEqual(
      results.map(({ ok }) => ok),
      [true, true, false],
    );
    assert.equal(api.store.revision, before + 2);
    assert.equal(api.server.reader.get(configMapKind, 'c1', 'default')?.data?.['a'], 'many');
    assert.equal(api.server.reader.list(podKind).length, 0);
  });

  test('updateMany() tells each what hindered a store that takes no writes', async () => {
    await using api = await startTestServer();
    await fill(api, 2);
    api.store.commit = () => Promise.reject(new StoreFullError('Cannot write: the disk is full'));
    const results = await api.server.updateMany(
      ['c0', 'c1'].map((name) => ({
        resource: configMapKind,
        name,
        namespace: 'default',
        change: (draft: { data?: Record<string, string> | undefined }) => {
          draft.data = { a: 'many' };
        },
      })),
    );
    for (const result of results)
      assert(!result.ok && isStatus(result.error, 'StorageReadWriteError'), String(result));
    assert.equal(results.length, 2);
  });
});
