import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Clock } from '#base';
import { type ChangeGroup, CompactedError, type Store, type Write } from './store.ts';

/** A clock that the suite can move; the simulator's is one. */
export interface ContractClock extends Clock {
  advance(durationMs: number): Promise<void>;
}
export interface ContractSubject {
  readonly store: Store;
  readonly clock: ContractClock;
  readonly [Symbol.asyncDispose]: () => PromiseLike<void>;
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Writes that must succeed; the result is the last revision. */
export async function put(
  store: Store,
  key: string,
  text: string | undefined,
  more: Partial<Write> = {},
): Promise<number> {
  const value = text === undefined ? undefined : bytes(text);
  const result = await store.commit([{ key, value, ...more }]);
  assert(result.ok, `write of ${key} goes through`);
  return result.revisions[0] ?? 0;
}

function shown(changes: ChangeGroup): string[] {
  return changes.map(({ key, value, previous }) => {
    const text = (of: Uint8Array | undefined): string =>
      of === undefined ? '-' : new TextDecoder().decode(of);
    return `${key}=${text(value)} was ${text(previous?.value)}`;
  });
}

async function keysOf(store: Store, prefix: string, atRevision?: number): Promise<string[]> {
  const { entries } = await store.range(prefix, { atRevision });
  return entries.map(({ key, value }) => `${key}=${new TextDecoder().decode(value)}`);
}

/** What every implementation of `Store` must do. */
export function storeContract(name: string, open: () => Promise<ContractSubject>): void {
  suite(`Store: ${name}`, () => {
    commits(open);
    ranges(open);
    subscriptions(open);
    compaction(open);
    expiry(open);
  });
}

function commits(open: () => Promise<ContractSubject>): void {
  test('commit() gives rising revisions and get() shows the last value', async () => {
    await using subject = await open();
    const { store } = subject;
    assert.equal(store.revision, 0);
    const first = await put(store, '/a', 'one', { expected: 0 });
    const second = await put(store, '/a', 'two', { expected: first });
    assert(second > first);
    assert.equal(store.revision, second);
    const entry = await store.get('/a');
    assert.deepEqual(
      { ...entry, value: Buffer.from(entry?.value ?? []).toString() },
      {
        key: '/a',
        value: 'two',
        revision: second,
        created: first,
      },
    );
    assert.equal(await store.get('/b'), undefined);
  });

  test('commit() refuses a stale revision and shows what is there', async () => {
    await using subject = await open();
    const { store } = subject;
    const first = await put(store, '/a', 'one');
    for (const expected of [0, first + 1]) {
      const stale = await store.commit([{ key: '/a', value: bytes('two'), expected }]);
      assert(!stale.ok && stale.index === 0);
      assert.equal(stale.current?.revision, first);
      assert.deepEqual(Buffer.from(stale.current.value), Buffer.from('one'));
    }
    const missing = await store.commit([{ key: '/b', value: bytes('x'), expected: first }]);
    assert.deepEqual(missing, { ok: false, index: 0, current: undefined });
  });

  test('a deletion needs something to delete, and a key begins anew after it', async () => {
    await using subject = await open();
    const { store } = subject;
    const first = await put(store, '/a', 'one');
    await put(store, '/a', undefined, { expected: first });
    assert.equal(await store.get('/a'), undefined);
    const again = await store.commit([{ key: '/a', value: undefined }]);
    assert.deepEqual(again, { ok: false, index: 0, current: undefined });
    const reborn = await put(store, '/a', 'two', { expected: 0 });
    assert.equal((await store.get('/a'))?.created, reborn);
  });

  test('all writes of a commit happen or none', async () => {
    await using subject = await open();
    const { store } = subject;
    await put(store, '/b', 'old');
    const before = store.revision;
    const refused = await store.commit([
      { key: '/a', value: bytes('x') },
      { key: '/b', value: bytes('new'), expected: 0 },
    ]);
    assert(!refused.ok && refused.index === 1 && refused.current?.key === '/b');
    assert.deepEqual(await keysOf(store, '/'), ['/b=old']);
    const granted = await store.commit([
      { key: '/a', value: bytes('x'), expected: 0 },
      { key: '/b', value: undefined },
      { key: '/c', value: bytes('y') },
    ]);
    assert.deepEqual(granted, { ok: true, revisions: [before + 1, before + 2, before + 3] });
    assert.deepEqual(await keysOf(store, '/'), ['/a=x', '/c=y']);
  });

  test('of writes at the same time with the same expectation one wins', async () => {
    await using subject = await open();
    const { store } = subject;
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        store.commit([{ key: '/a', value: bytes(String(index)), expected: 0 }]),
      ),
    );
    assert.equal(results.filter(({ ok }) => ok).length, 1);
    const winner = results.findIndex(({ ok }) => ok);
    for (const result of results)
      if (!result.ok)
        assert.equal(Buffer.from(result.current?.value ?? []).toString(), `${winner}`);
  });

  test('keys and values of every kind come back as they were', async () => {
    await using subject = await open();
    const { store } = subject;
    const keys = ['/__proto__', '/a b', '/ünï/☃', '/𐍈', '/a\u0000b', `/${'k'.repeat(5000)}`];
    const big = new Uint8Array(1_500_000).fill(7);
    for (const key of keys) await put(store, key, key);
    await store.commit([
      { key: '/big', value: big },
      { key: '/empty', value: new Uint8Array() },
    ]);
    for (const key of keys)
      assert.equal(Buffer.from((await store.get(key))?.value ?? []).toString(), key);
    assert.equal(Buffer.compare((await store.get('/big'))?.value ?? bytes(''), big), 0);
    assert.equal((await store.get('/empty'))?.value.length, 0);
    await assert.rejects(store.commit([{ key: '/\ud800', value: big }]), TypeError);
  });
}

function ranges(open: () => Promise<ContractSubject>): void {
  test('range() gives the keys under a prefix in order, page by page', async () => {
    await using subject = await open();
    const { store } = subject;
    const names = Array.from({ length: 1200 }, (_, index) => `/p/${(index * 7919) % 1200}`);
    await store.commit(names.map((key) => ({ key, value: bytes(key) })));
    await store.commit([
      { key: '/o', value: bytes('before') },
      { key: '/q', value: bytes('after') },
    ]);
    const seen: string[] = [];
    let more = true;
    while (more) {
      const page = await store.range('/p/', { after: seen.at(-1), limit: 100 });
      seen.push(...page.entries.map(({ key }) => key));
      more = page.more;
    }
    assert.deepEqual(
      seen,
      names.toSorted((a, b) => (a < b ? -1 : 1)),
    );
    const exact = await store.range('/p/', { limit: 1200 });
    assert.deepEqual([exact.entries.length, exact.more], [1200, false]);
    assert.deepEqual((await store.range('/none/')).entries, []);
  });

  test('range() shows how it was at an earlier revision', async () => {
    await using subject = await open();
    const { store } = subject;
    const revisions = [
      await put(store, '/a', '1'),
      await put(store, '/b', '1'),
      await put(store, '/a', '2'),
      await put(store, '/b', undefined),
      await put(store, '/b', '2'),
    ];
    const want = [['/a=1'], ['/a=1', '/b=1'], ['/a=2', '/b=1'], ['/a=2'], ['/a=2', '/b=2']];
    for (const [index, revision] of revisions.entries()) {
      assert.deepEqual(await keysOf(store, '/', revision), want[index]);
      const page = await store.range('/', { atRevision: revision });
      assert.equal(page.revision, revision);
    }
    await assert.rejects(store.range('/', { atRevision: store.revision + 1 }), RangeError);
  });
}

function subscriptions(open: () => Promise<ContractSubject>): void {
  test('subscribe() gives what is past, then what comes, without gap or double', async () => {
    await using subject = await open();
    const { store } = subject;
    const start = await put(store, '/a/1', 'one');
    await put(store, '/b/1', 'no');
    await put(store, '/a/1', 'two');
    await put(store, '/a/1', undefined);
    const seen: string[] = [];
    using _listening = await store.subscribe('/a/', start, (group) => seen.push(...shown(group)));
    await put(store, '/a/1', 'three');
    await put(store, '/b/1', 'no');
    await put(store, '/a/1', 'four');
    assert.deepEqual(seen, [
      '/a/1=two was one',
      '/a/1=- was two',
      '/a/1=three was -',
      '/a/1=four was three',
    ]);
  });

  test('a listener is called before the commit is acknowledged, and not after it is disposed', async () => {
    await using subject = await open();
    const { store } = subject;
    const order: string[] = [];
    const listening = await store.subscribe('/', store.revision, (group) =>
      order.push(...group.map(({ key }) => `told ${key}`)),
    );
    await Promise.all(
      ['/a', '/b', '/c'].map(async (key) => {
        await put(store, key, 'x');
        order.push(`done ${key}`);
      }),
    );
    for (const key of ['/a', '/b', '/c'])
      assert(order.indexOf(`told ${key}`) < order.indexOf(`done ${key}`), order.join());
    listening[Symbol.dispose]();
    await put(store, '/d', 'x');
    assert(!order.includes('told /d'));
  });

  test('a subscription that catches up during a storm misses nothing', async () => {
    await using subject = await open();
    const { store } = subject;
    const seen: number[] = [];
    const storm = async (client: number): Promise<void> => {
      for (let round = 0; round < 60; round++) await put(store, `/k${client}`, `${round}`);
    };
    const storms = Array.from({ length: 10 }, (_, client) => storm(client));
    await storms[0];
    using _listening = await store.subscribe('/', 0, (group) =>
      seen.push(...group.map(({ revision }) => revision)),
    );
    await Promise.all(storms);
    assert.deepEqual(
      seen,
      Array.from({ length: 600 }, (_, index) => index + 1),
    );
  });

  test('the very value that was written is shown to listeners', async () => {
    await using subject = await open();
    const { store } = subject;
    const value = bytes('mine');
    let told: Uint8Array | undefined;
    using _listening = await store.subscribe('/', 0, ([change]) => {
      told = change?.value;
    });
    await store.commit([{ key: '/a', value }]);
    assert.equal(told, value);
    assert.deepEqual(Buffer.from(value).toString(), 'mine');
  });
}

function compaction(open: () => Promise<ContractSubject>): void {
  test('compact() forgets the past and keeps what is current', async () => {
    await using subject = await open();
    const { store } = subject;
    const old = await put(store, '/a', '1');
    await put(store, '/b', '1');
    const gone = await put(store, '/b', undefined);
    const kept = await put(store, '/a', '2');
    await put(store, '/c', '1');
    await store.compact(kept);
    assert.equal(store.compactedRevision, kept);
    assert.deepEqual(await keysOf(store, '/'), ['/a=2', '/c=1']);
    assert.deepEqual(await keysOf(store, '/', kept), ['/a=2']);
    for (const revision of [old, gone]) {
      await assert.rejects(store.range('/', { atRevision: revision }), CompactedError);
      await assert.rejects(
        store.subscribe('/', revision, () => undefined),
        CompactedError,
      );
    }
    const seen: string[] = [];
    using _listening = await store.subscribe('/', kept, (group) => seen.push(...shown(group)));
    await put(store, '/b', '2', { expected: 0 });
    assert.deepEqual(seen, ['/c=1 was -', '/b=2 was -']);
    await store.compact(old);
    assert.equal(store.compactedRevision, kept);
  });

  test('compact() up to a deletion lets a later life of the key stand alone', async () => {
    await using subject = await open();
    const { store } = subject;
    await put(store, '/a', '1');
    const deleted = await put(store, '/a', undefined);
    await put(store, '/a', '2');
    await store.compact(deleted);
    assert.deepEqual(await keysOf(store, '/', deleted), []);
    const seen: string[] = [];
    using _listening = await store.subscribe('/', deleted, (group) => seen.push(...shown(group)));
    assert.deepEqual(seen, ['/a=2 was -']);
    await store.compact(store.revision);
    assert.deepEqual(await keysOf(store, '/'), ['/a=2']);
  });
}

function expiry(open: () => Promise<ContractSubject>): void {
  test('a key with a time to live is deleted, as by a write, unless it was written again', async () => {
    await using subject = await open();
    const { store, clock } = subject;
    await put(store, '/short', 'x', { ttlMs: 1000 });
    await put(store, '/kept', 'x', { ttlMs: 1000 });
    await put(store, '/kept', 'y');
    await put(store, '/longer', 'x', { ttlMs: 5000 });
    await clock.advance(500);
    assert.deepEqual(await keysOf(store, '/'), ['/kept=y', '/longer=x', '/short=x']);
    const seen: string[] = [];
    const gone = new Promise<void>((resolve) => {
      void store.subscribe('/', store.revision, (group) => {
        seen.push(...shown(group));
        resolve();
      });
    });
    await clock.advance(600);
    await gone;
    assert.deepEqual(seen, ['/short=- was x']);
    assert.deepEqual(await keysOf(store, '/'), ['/kept=y', '/longer=x']);
  });
}
