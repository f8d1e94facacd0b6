import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSimClock } from '#sim';
import { bytes, put } from '../contract.test.ts';
import { StoreCorruptError, StoreFormatError, StoreInUseError } from '../store.ts';
import { openSqliteStore, restoreSqliteStore } from './sqlite-store.ts';

function place(): Disposable & { readonly path: string; readonly directory: string } {
  const directory = mkdtempSync(join(tmpdir(), 'tandem-files-'));
  return {
    directory,
    path: join(directory, 'server', 'store.db'),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  };
}
const clock = createSimClock();

test('what was written is there when the store is opened again, with its history', async () => {
  using at = place();
  {
    await using store = await openSqliteStore({ path: at.path, clock });
    await put(store, '/a', '1');
    await put(store, '/a', '2');
    await put(store, '/b', '1', { ttlMs: 1000 });
    await put(store, '/c', '1');
    await put(store, '/c', undefined);
  }
  assert(!existsSync(`${at.path}-wal`), 'A store that was closed leaves one file');
  await using store = await openSqliteStore({ path: at.path, clock });
  assert.equal(store.revision, 5);
  const before = await store.range('/', { atRevision: 1 });
  assert.deepEqual(
    before.entries.map(({ value }) => Buffer.from(value).toString()),
    ['1'],
  );
  assert.equal((await store.range('/')).entries.length, 2);
  const gone = new Promise<string>((resolve) => {
    void store.subscribe('/', 5, ([change]) => resolve(change?.key ?? ''));
  });
  await clock.advance(1500);
  assert.equal(await gone, '/b');
});

test('a store in use names its holder', async () => {
  using at = place();
  await using _store = await openSqliteStore({ path: at.path, clock });
  await assert.rejects(openSqliteStore({ path: at.path, clock }), (error) => {
    assert(error instanceof StoreInUseError);
    assert.match(error.message, new RegExp(`is in use by process ${process.pid}$`));
    return true;
  });
});

test('a newer format is refused, naming both versions; what is no store is left alone', async () => {
  using at = place();
  await (await openSqliteStore({ path: at.path, clock }))[Symbol.asyncDispose]();
  {
    using database = new DatabaseSync(at.path);
    database.exec('PRAGMA user_version = 7');
  }
  await assert.rejects(openSqliteStore({ path: at.path, clock }), (error) => {
    assert(error instanceof StoreFormatError);
    assert.match(
      error.message,
      /its format is version 7, this version of Tandem reads formats up to 1$/,
    );
    return true;
  });
  const other = join(at.directory, 'other.db');
  {
    using database = new DatabaseSync(other);
    database.exec('CREATE TABLE mine (x)');
  }
  await assert.rejects(openSqliteStore({ path: other, clock }), StoreFormatError);
});

test('an older format is migrated in one step after a backup, or not at all', async () => {
  using at = place();
  {
    await using store = await openSqliteStore({ path: at.path, clock });
    await put(store, '/a', '1');
  }
  const failing = {
    newest: 2,
    migrations: {
      1: (database: DatabaseSync) => {
        database.exec('CREATE TABLE half (x)');
        throw new Error('power failure');
      },
    },
  };
  await assert.rejects(
    openSqliteStore({ path: at.path, clock, formats: failing }),
    /power failure/,
  );
  const working = {
    newest: 2,
    migrations: { 1: (database: DatabaseSync) => database.exec('CREATE TABLE half (x)') },
  };
  await using store = await openSqliteStore({ path: at.path, clock, formats: working });
  assert.deepEqual((await store.get('/a'))?.value, new Uint8Array(bytes('1')));
  assert(existsSync(`${at.path}.format-1`));
});

test('a restored backup goes on past everything that was handed out', async () => {
  using at = place();
  const saved = join(at.directory, 'saved');
  let last = 0;
  {
    await using store = await openSqliteStore({ path: at.path, clock });
    await put(store, '/a', 'kept');
    await store.backup(saved);
    for (let count = 0; count < 5; count++) last = await put(store, '/b', 'lost');
  }
  await restoreSqliteStore(saved, at.path);
  await using store = await openSqliteStore({ path: at.path, clock });
  assert(store.revision > last && store.compactedRevision > last);
  const { entries, revision } = await store.range('/');
  assert.deepEqual(
    entries.map(({ key }) => key),
    ['/a'],
  );
  assert.equal((await store.range('/', { atRevision: revision })).entries.length, 1);
  assert((await put(store, '/b', 'new', { expected: 0 })) > revision);
  assert(existsSync(`${at.path}.replaced`));
});

test('a record that was edited, and one that is missing, are found at open', async () => {
  for (const edit of [
    "UPDATE log SET value = 'other' WHERE revision = 2",
    'DELETE FROM log WHERE revision = 2',
    "UPDATE log SET key = '/x' WHERE revision = 2",
  ]) {
    using at = place();
    {
      await using store = await openSqliteStore({ path: at.path, clock });
      for (const key of ['/a', '/b', '/c']) await put(store, key, 'x');
    }
    {
      using database = new DatabaseSync(at.path);
      database.exec(edit);
    }
    await assert.rejects(openSqliteStore({ path: at.path, clock }), StoreCorruptError, edit);
  }
});
