import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#io';
import { openSqliteStore, StoreFullError } from '#store';

function smallDisk(megabytes: number): Disposable & { readonly directory: string } {
  const directory = mkdtempSync(join(tmpdir(), 'tandem-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tandem-full', directory]);
  return {
    directory,
    [Symbol.dispose]: () => {
      execFileSync('umount', ['-l', directory]);
      rmSync(directory, { recursive: true });
    },
  };
}

test('a full disk refuses writes whole, goes on reading, and recovers when there is room', async () => {
  using disk = smallDisk(8);
  const path = join(disk.directory, 'store.db');
  const filling = join(disk.directory, 'filling');
  writeFileSync(filling, new Uint8Array(2 * 1024 * 1024));
  const written = new Map<string, number>();
  {
    await using store = await openSqliteStore({ path, clock: systemClock });
    const value = new Uint8Array(3000).fill(120);
    const write = async (index: number): Promise<boolean> => {
      const pair = [`/a/${index}`, `/b/${index}`];
      try {
        const result = await store.commit(pair.map((key) => ({ key, value, expected: 0 })));
        assert(result.ok);
        for (const [at, key] of pair.entries()) written.set(key, result.revisions[at] ?? 0);
        return true;
      } catch (error) {
        assert(error instanceof StoreFullError, String(error));
        return false;
      }
    };
    let index = 0;
    for (let granted = true; granted && index < 20_000; index += 8) {
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, more) => write(index + more)),
      );
      granted = results.every(Boolean);
    }
    assert(index < 20_000, 'The disk fills up');
    assert.match(store.refusal ?? '', /the disk is full/);
    assert.equal((await store.range('/')).entries.length, written.size);
    assert.equal((await store.get('/a/0'))?.value.length, 3000);
    rmSync(filling);
    // The store looks for room by itself, without anybody writing.
    const deadlineMs = Date.now() + 10_000;
    while (store.refusal !== undefined && Date.now() < deadlineMs) await systemClock.sleep(50);
    assert.equal(store.refusal, undefined);
    assert(await write(1_000_000));
  }
  await using again = await openSqliteStore({ path, clock: systemClock });
  const { entries } = await again.range('/');
  assert.deepEqual(new Map(entries.map(({ key, revision }) => [key, revision])), written);
});
