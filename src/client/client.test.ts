import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  isStatus,
  StatusError,
  TerminalError,
  type KubeObject,
  type ResourceName,
} from '#machinery';
import { createSimClock, seededRandom } from '#sim';
import { createFakeApi } from './fake-api.ts';
import { createInformer, keyOf } from './informer.ts';
import { runElected, runNodeLease, leaseResource } from './lease.ts';
import { createWorkQueue } from './loop.ts';
import { createOwnWrites } from './own-writes.ts';
import { createRecorder } from './recorder.ts';

interface Thing extends KubeObject {
  readonly spec?: { readonly size?: number };
}
const things: ResourceName<Thing> = {
  group: 'test',
  version: 'v1',
  kind: 'Thing',
  plural: 'things',
  namespaced: true,
};
const events: ResourceName<KubeObject & { count?: number; message?: string }> = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
};
const thing = (name: string, size = 1) => ({
  apiVersion: 'test/v1',
  kind: 'Thing',
  metadata: { namespace: 'ns', name, labels: { size: String(size) } },
  spec: { size },
});

function world() {
  const clock = createSimClock();
  const random = seededRandom(1);
  const failures: StatusError[] = [];
  const api = createFakeApi({
    clock,
    random,
    before: (verb) => {
      if (verb === 'list' && failures.length > 0) throw failures.shift();
    },
  });
  return { clock, random, api, failures, stop: new AbortController() };
}

suite('createInformer()', () => {
  test('lists, follows, keeps its indexes and freezes what it gives', async () => {
    const { api, clock, stop } = world();
    await api.create(things, thing('a'));
    const informer = createInformer(api, things, {
      clock,
      indexes: { size: (one) => [String(one.spec?.size)] },
    });
    const seen: string[] = [];
    informer.onChange(({ key, object, old }) =>
      seen.push(`${old === undefined ? '+' : object === undefined ? '-' : '~'}${key}`),
    );
    const running = informer.run(stop.signal);
    await informer.synced;
    await clock.settle();
    const b = await api.create(things, thing('b', 2));
    await api.update(things, { ...b, spec: { size: 1 } });
    await clock.settle();
    assert.deepEqual(informer.by('size', '1').map(keyOf), ['ns/a', 'ns/b']);
    assert.deepEqual(informer.by('size', '2'), []);
    await api.delete(things, { namespace: 'ns', name: 'a' });
    await clock.settle();
    assert.deepEqual(seen, ['+ns/a', '+ns/b', '~ns/b', '-ns/a']);
    assert.deepEqual(informer.list().map(keyOf), ['ns/b']);
    assert(Object.isFrozen(informer.get('ns/b')?.spec));
    stop.abort();
    await running;
  });

  test('tries again with back-off while the server fails, and pages its list', async () => {
    const { api, clock, stop, failures } = world();
    for (let i = 0; i < 1203; i++) await api.create(things, thing(`t${i}`));
    failures.push(
      new StatusError('ServiceUnavailable', 'down'),
      new StatusError('Expired', 'page is gone'),
    );
    const informer = createInformer(api, things, { clock });
    const running = informer.run(stop.signal);
    await clock.advance(99);
    assert.equal(informer.hasSynced, false);
    await clock.advance(1000);
    assert.equal(informer.list().length, 1203);
    stop.abort();
    await running;
  });
});

suite('createWorkQueue()', () => {
  test('gives a key once, never to two workers, and again when it was added meanwhile', async () => {
    const { clock, stop } = world();
    const queue = createWorkQueue({ clock });
    const done: string[] = [];
    let inside = 0;
    queue.add('a');
    queue.add('a');
    const running = queue.run(
      async (key) => {
        assert.equal(++inside, 1);
        if (done.length === 0) queue.add('a');
        await clock.sleep(10);
        inside--;
        done.push(key);
        return undefined;
      },
      { workers: 3, signal: stop.signal },
    );
    await clock.advance(100);
    assert.deepEqual(done, ['a', 'a']);
    stop.abort();
    await running;
  });

  test('brings a failed key back after 5 ms, doubled each time, and not after a terminal error', async () => {
    const { clock, stop } = world();
    const queue = createWorkQueue({ clock });
    const atMs: number[] = [];
    queue.add('a');
    const running = queue.run(
      async () => {
        atMs.push(clock.monotonicMs());
        if (atMs.length === 5) throw new TerminalError('no');
        throw new Error('try again');
      },
      { workers: 1, signal: stop.signal },
    );
    await clock.advance(10_000);
    assert.deepEqual(atMs, [0, 5, 15, 35, 75]);
    stop.abort();
    await running;
  });
});

test('createOwnWrites() is caught up only when the cache holds what was written', async () => {
  const { api, clock, stop } = world();
  const informer = createInformer(api, things, { clock });
  const running = informer.run(stop.signal);
  await clock.settle();
  const own = createOwnWrites(informer);
  const a = await api.create(things, thing('a'));
  own.wrote('owner', a);
  assert.equal(own.caughtUp('owner'), false);
  await clock.settle();
  assert.equal(own.caughtUp('owner'), true);
  await api.delete(things, { namespace: 'ns', name: 'a' });
  own.deleted('owner', a);
  assert.equal(own.caughtUp('owner'), false);
  await clock.settle();
  assert.equal(own.caughtUp('owner'), true);
  stop.abort();
  await running;
});

suite('createRecorder()', () => {
  test('counts equal events up and joins similar ones', async () => {
    const { api, clock } = world();
    const recorder = createRecorder({ api, clock, component: 'tester' });
    const object = await api.create(things, thing('a'));
    for (let i = 0; i < 3; i++) recorder.event(object, 'Normal', { reason: 'R', message: 'same' });
    await recorder.flush();
    const [event] = api.all(events);
    assert.equal(event?.count, 3);
    assert.match(event?.metadata.name ?? '', /^a\.[0-9a-f]{16}$/);
    for (let i = 0; i < 14; i++)
      recorder.event(object, 'Normal', { reason: 'Q', message: `differs ${i}` });
    await recorder.flush();
    const joined = api.all(events).filter((one) => one.message?.startsWith('(combined from'));
    assert.equal(joined.length, 1);
    assert.equal(joined[0]?.count, 4);
    for (let i = 0; i < 30; i++) recorder.event(object, 'Normal', { reason: `F${i}`, message: '' });
    await recorder.flush();
    assert.equal(api.all(events).length, 12 + 25 - 17);
  });

  test('writes events.k8s.io events with a series', async () => {
    const { api, clock } = world();
    const recorder = createRecorder({ api, clock, component: 'sched', style: 'events' });
    const object = await api.create(things, thing('a'));
    recorder.event(object, 'Warning', { reason: 'R', message: 'one', action: 'Scheduling' });
    recorder.event(object, 'Warning', { reason: 'R', message: 'two', action: 'Scheduling' });
    await recorder.flush();
    const [event] = api.all({ ...events, group: 'events.k8s.io' });
    assert.partialDeepStrictEqual(event, {
      action: 'Scheduling',
      note: 'two',
      series: { count: 2 },
      regarding: { kind: 'Thing', namespace: 'ns', name: 'a' },
    });
  });
});

test('runNodeLease() creates the lease and renews it every 10 s', async () => {
  const { api, clock, stop } = world();
  const running = runNodeLease({ api, clock, nodeName: 'n1' }, stop.signal);
  await clock.advance(25_000);
  const [lease] = api.all(leaseResource);
  assert.equal(lease?.spec.renewTime, '2026-01-01T00:00:20.000000Z');
  assert.equal(lease?.metadata.namespace, 'kube-node-lease');
  stop.abort();
  await running;
});

test('runElected() has one leader at a time, and the next follows when it stops', async () => {
  const { api, clock } = world();
  const leaders: string[] = [];
  const candidate = (identity: string, signal: AbortSignal) =>
    runElected(
      { api, clock, namespace: 'kube-system', name: 'boss', identity },
      async (lost) => {
        leaders.push(identity);
        await new Promise<void>((resolve) => lost.addEventListener('abort', () => resolve()));
      },
      signal,
    );
  const [first, second] = [new AbortController(), new AbortController()];
  const one = candidate('one', first.signal);
  await clock.advance(100);
  const two = candidate('two', second.signal);
  await clock.advance(60_000);
  assert.deepEqual(leaders, ['one']);
  first.abort();
  await one;
  await clock.advance(3_000);
  assert.deepEqual(leaders, ['one', 'two']);
  second.abort();
  await two;
});

test('createFakeApi() holds to versions, finalizers and the past', async () => {
  const { api, stop } = world();
  const a = await api.create(things, {
    ...thing('a'),
    metadata: { ...thing('a').metadata, finalizers: ['x/y'] },
  });
  await api.patch(
    things,
    { namespace: 'ns', name: 'a' },
    { type: 'merge', body: { spec: { size: 2 } } },
  );
  await assert.rejects(api.update(things, { ...a, spec: { size: 3 } }), (error) =>
    isStatus(error, 'Conflict'),
  );
  const dying = await api.delete(things, { namespace: 'ns', name: 'a' });
  assert(dying?.metadata.deletionTimestamp !== undefined);
  await api.update(things, { ...dying, metadata: { ...dying.metadata, finalizers: [] } });
  assert.deepEqual(api.all(things), []);
  api.compact();
  await assert.rejects(
    async () => {
      for await (const batch of api.watch(things, { resourceVersion: '1', signal: stop.signal }))
        assert.fail(`got ${batch.length}`);
    },
    (error) => isStatus(error, 'Expired'),
  );
});
