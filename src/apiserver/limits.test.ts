import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { systemClock } from '#io';
import { StatusError } from '#machinery';
import { StoreFailedError, openMemoryStore } from '#store';
import { readEnvelope } from '#wire';
import { at, requestOf, startTestServer, type TestServer } from './fixture.test.ts';
import type { AdmissionPlugin, Attributes, Authenticator, Authorizer, Door } from './index.ts';
import { anonymousAuthenticator, bearerAuthenticator } from './index.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, value = '1') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { a: value },
});
async function fill(api: TestServer, count: number): Promise<void> {
  for (let index = 0; index < count; index++)
    await api.call('POST', configMaps, { body: configMap(`c${index}`) });
}
const allow: Authorizer = {
  name: 'all',
  authorize: () => ({ decision: 'allow', reason: '' }),
};
const named = (name: string, groups: readonly string[] = []): Authenticator => ({
  name: 'test',
  authenticate: async () => ({ name, groups }),
});

suite('Old versions', () => {
  test('a watch from a version that is compacted is told 410', async () => {
    await using store = openMemoryStore({ clock: systemClock });
    {
      await using first = await startTestServer({ store: shared(store) });
      await fill(first, 3);
    }
    await store.compact(store.revision);
    await using api = await startTestServer({ store: shared(store) });
    const gone = await api.call('GET', `${configMaps}?watch=1&resourceVersion=2`);
    assert.equal(at(gone.json, 'type'), 'ERROR');
    assert.equal(at(gone.json, 'object.code'), 410);
    assert.equal(at(gone.json, 'object.reason'), 'Expired');
  });

  test('a page of a version that is compacted is refused with a token that goes on', async () => {
    await using store = openMemoryStore({ clock: systemClock });
    let token = '';
    {
      await using first = await startTestServer({ store: shared(store) });
      await fill(first, 4);
      const page = await first.call('GET', `${configMaps}?limit=2`);
      token = String(at(page.json, 'metadata.continue'));
      await fill(first, 5);
    }
    await store.compact(store.revision);
    await using api = await startTestServer({ store: shared(store) });
    const old = await api.call('GET', `${configMaps}?limit=2&continue=${token}`);
    assert.equal(old.status, 410, old.bytes.toString());
    assert.equal(at(old.json, 'reason'), 'Expired');
    const inconsistent = String(at(old.json, 'metadata.continue'));
    const rest = await api.call('GET', `${configMaps}?continue=${inconsistent}`);
    const names = (at(rest.json, 'items') as unknown[]).map((one) => at(one, 'metadata.name'));
    assert.deepEqual(names, ['c2', 'c3', 'c4']);
  });
});

/** The same store without being closed by the server's test fixture. */
function shared(store: ReturnType<typeof openMemoryStore>): typeof store {
  return new Proxy(store, {
    get: (target, key) => {
      if (key === Symbol.asyncDispose) return async () => {};
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

suite('Watchers', () => {
  test('one that does not read is closed, and nobody waits for it', async () => {
    await using api = await startTestServer();
    const reply = await api.face(requestOf('GET', `${configMaps}?watch=1`));
    assert(typeof reply.body === 'function');
    let backlogBytes = 0;
    const sink = {
      write: (chunk: Uint8Array) => {
        backlogBytes += chunk.length;
        return false;
      },
      get backlogBytes() {
        return backlogBytes;
      },
      drained: () => new Promise<void>(() => {}),
    };
    const watching = reply.body(sink, new AbortController().signal);
    const big = 'x'.repeat(1_000_000);
    for (let index = 0; index < 20; index++)
      await api.call('POST', configMaps, { body: configMap(`big-${index}`, big) });
    await watching;
    assert(backlogBytes < 20e6, `${backlogBytes} bytes were written`);
  });

  test('one that stalls in the first events is not fed without bound', async () => {
    await using api = await startTestServer();
    await fill(api, 1);
    const reply = await api.face(requestOf('GET', `${configMaps}?watch=1`));
    assert(typeof reply.body === 'function');
    let proceed = (): void => {};
    let writes = 0;
    const sink = {
      write: () => (writes++, false),
      backlogBytes: 0,
      drained: () =>
        new Promise<void>((resolve) => {
          proceed = resolve;
        }),
    };
    const watching = reply.body(sink, new AbortController().signal);
    const big = 'x'.repeat(1_000_000);
    for (let index = 0; index < 20; index++)
      await api.call('POST', configMaps, { body: configMap(`big-${index}`, big) });
    proceed();
    await watching;
    assert.equal(writes, 1, 'the first event and no more');
  });

  test('protobuf frames are counted and hold an event', async () => {
    await using api = await startTestServer();
    await fill(api, 1);
    const controller = new AbortController();
    const reply = await api.face(
      requestOf('GET', `${configMaps}?watch=1`, {
        headers: { accept: 'application/vnd.kubernetes.protobuf' },
        signal: controller.signal,
      }),
    );
    assert.equal(reply.headers['content-type'], 'application/vnd.kubernetes.protobuf;stream=watch');
    assert(typeof reply.body === 'function');
    const chunks: Uint8Array[] = [];
    const sink = {
      write: (chunk: Uint8Array) => {
        chunks.push(chunk);
        controller.abort();
        return true;
      },
      backlogBytes: 0,
      drained: async () => {},
    };
    await reply.body(sink, controller.signal);
    const frame = Buffer.concat(chunks);
    assert.equal(frame.readUInt32BE(0), frame.length - 4);
    assert.equal(frame.toString('latin1', 6, 11), 'ADDED');
    const envelope = readEnvelope(frame.subarray(frame.indexOf('k8s\0')));
    assert.deepEqual([envelope.apiVersion, envelope.kind], ['v1', 'ConfigMap']);
  });

  test('events of both groups are the same objects', async () => {
    await using api = await startTestServer();
    const group = '/apis/events.k8s.io/v1/namespaces/default/events';
    const core = '/api/v1/namespaces/default/events';
    const watchGroup = await api.watch(`${group}?watch=1&fieldSelector=reason%3DTested`);
    const watchCore = await api.watch(`${core}?watch=1&fieldSelector=reason%3DTested`);
    const created = await api.call('POST', core, {
      body: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'e' },
        involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
        reason: 'Tested',
        message: 'a text',
        type: 'Normal',
      },
    });
    assert.equal(created.status, 201, created.bytes.toString());
    const asGroup = await api.call('GET', `${group}/e`);
    assert.equal(at(asGroup.json, 'apiVersion'), 'events.k8s.io/v1');
    assert.equal(at(asGroup.json, 'note'), 'a text');
    assert.equal(at(asGroup.json, 'regarding.name'), 'p');
    assert.equal(at(await watchGroup.next(), 'object.note'), 'a text');
    assert.equal(at(await watchCore.next(), 'object.message'), 'a text');
    assert.equal((await api.call('DELETE', `${group}/e`)).status, 200);
    assert.equal((await api.call('GET', `${core}/e`)).status, 404);
    assert.equal(at(await watchGroup.next(), 'type'), 'DELETED');
    assert.equal(at(await watchCore.next(), 'type'), 'DELETED');
    watchGroup.stop();
    watchCore.stop();
  });

  test('autoscalers of both versions are the same objects', async () => {
    await using api = await startTestServer();
    const path = (version: string) =>
      `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`;
    const created = await api.call('POST', path('v1'), {
      body: {
        apiVersion: 'autoscaling/v1',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'h' },
        spec: {
          maxReplicas: 3,
          targetCPUUtilizationPercentage: 70,
          scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' },
        },
      },
    });
    assert.equal(created.status, 201, created.bytes.toString());
    assert.equal(at(created.json, 'spec.targetCPUUtilizationPercentage'), 70);
    const newer = await api.call('GET', `${path('v2')}/h`);
    assert.equal(at(newer.json, 'spec.metrics.0.resource.target.averageUtilization'), 70);
    const listed = await api.call('GET', path('v1'));
    assert.equal(at(listed.json, 'items.0.spec.targetCPUUtilizationPercentage'), 70);
  });
});

suite('Steps', () => {
  test('a wrong token is 401 even where anonymous callers are welcome', async () => {
    await using api = await startTestServer({
      authenticators: [bearerAuthenticator([], ['a']), anonymousAuthenticator()],
      authorizers: [allow],
    });
    const wrong = await api.call('GET', '/version', { headers: { authorization: 'Bearer x' } });
    assert.equal(wrong.status, 401);
    assert.equal((await api.call('GET', '/version')).status, 200);
  });

  test('impersonation is asked for thing by thing', async () => {
    const asked: string[] = [];
    const authorizer: Authorizer = {
      name: 'test',
      authorize: ({ user, verb, resource, name }: Attributes) => {
        asked.push(`${user.name} ${verb} ${resource} ${name}`);
        const denied = verb === 'impersonate' && name === 'boss';
        return { decision: denied ? 'deny' : 'allow', reason: '' };
      },
    };
    await using api = await startTestServer({
      authenticators: [named('me')],
      authorizers: [authorizer],
    });
    const headers = { 'impersonate-user': 'you', 'impersonate-group': 'a, b' };
    assert.equal((await api.call('GET', configMaps, { headers })).status, 200);
    assert.deepEqual(asked, [
      'me impersonate users you',
      'me impersonate groups a',
      'me impersonate groups b',
      'you list configmaps ',
    ]);
    const refused = await api.call('GET', configMaps, {
      headers: { 'impersonate-user': 'boss' },
    });
    assert.equal(refused.status, 403);
    const alone = await api.call('GET', configMaps, { headers: { 'impersonate-group': 'a' } });
    assert.equal(alone.status, 400);
  });

  test('selectors are part of what is authorised', async () => {
    const seen: Attributes[] = [];
    const authorizer: Authorizer = {
      name: 'test',
      authorize: (attributes) => {
        seen.push(attributes);
        return { decision: 'allow', reason: '' };
      },
    };
    await using api = await startTestServer({
      authenticators: [named('me')],
      authorizers: [authorizer],
    });
    await api.call(
      'GET',
      '/api/v1/pods?fieldSelector=spec.nodeName%3Dn1&labelSelector=a%20in%20(b)',
    );
    assert.deepEqual(seen[0]?.fieldSelector, [
      { field: 'spec.nodeName', operator: '=', value: 'n1' },
    ]);
    assert.equal(seen[0]?.labelSelector?.[0]?.key, 'a');
    const bad = await api.call('GET', '/api/v1/pods?labelSelector=%28');
    assert.equal(bad.status, 400);
  });

  test('past the limit of work at hand clients are told to come back', async () => {
    let proceed = (): void => {};
    const held = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    const slow: AdmissionPlugin = { name: 'slow', mutate: () => held };
    await using api = await startTestServer({
      authenticators: [named('me')],
      authorizers: [allow],
      admission: [slow],
      inFlightMax: 1,
    });
    const first = api.call('POST', configMaps, { body: configMap('a') });
    const second = await api.call('GET', configMaps);
    assert.equal(second.status, 429);
    assert.equal(second.headers['retry-after'], '1');
    proceed();
    assert.equal((await first).status, 201);
    assert.equal((await api.call('GET', configMaps)).status, 200);
  });

  test('documents that a client has are not sent again', async () => {
    await using api = await startTestServer();
    for (const path of ['/openapi/v2', '/openapi/v3/api/v1']) {
      const first = await api.call('GET', path);
      const etag = String(first.headers['etag']);
      const again = await api.call('GET', path, { headers: { 'if-none-match': etag } });
      assert.equal(again.status, 304, path);
      assert.equal(again.bytes.length, 0);
    }
  });

  test('what admission took for a door is settled by what the door did', async () => {
    const settled: boolean[] = [];
    const plugin: AdmissionPlugin = {
      name: 'test',
      mutate() {},
      settle: (request, committed) => {
        if (request.subresource === 'eviction') settled.push(committed);
      },
    };
    const door: Door = {
      group: '',
      resource: 'pods',
      subresource: 'eviction',
      handle: async (asked) => {
        await asked.admit('CREATE', undefined);
        assert.deepEqual(settled, [], 'nothing is settled before the write');
        throw new StatusError('Conflict', 'somebody was faster');
      },
    };
    await using api = await startTestServer({ admission: [plugin], doors: [door] });
    const path = '/api/v1/namespaces/default/pods/p/eviction';
    assert.equal((await api.call('POST', path, { body: {} })).status, 409);
    assert.deepEqual(settled, [false]);
  });

  test('a broken store is told once, and /readyz says what is wrong', async () => {
    const told: Error[] = [];
    const store = openMemoryStore({ clock: systemClock });
    const broken = new Proxy(store, {
      get: (target, key) => {
        if (key === 'commit') return async () => await Promise.reject(new StoreFailedError('torn'));
        if (key === 'refusal') return 'the disk is torn';
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    await using api = await startTestServer({
      store: broken,
      onStoreFailed: (error) => told.push(error),
    });
    for (const name of ['a', 'b'])
      assert.equal((await api.call('POST', configMaps, { body: configMap(name) })).status, 500);
    assert.deepEqual(
      told.map(({ message }) => message),
      ['torn'],
    );
    const ready = await api.call('GET', '/readyz');
    assert.equal(ready.status, 500);
    assert.match(ready.bytes.toString(), /\[-\]etcd failed: the disk is torn/);
  });
});
