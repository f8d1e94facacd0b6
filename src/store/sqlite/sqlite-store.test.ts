import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSimClock } from '#sim';
import { storeContract } from '../contract.test.ts';
import { openSqliteStore } from './sqlite-store.ts';

storeContract('sqlite', async () => {
  const clock = createSimClock();
  const directory = mkdtempSync(join(tmpdir(), 'tandem-store-'));
  const store = await openSqliteStore({ path: join(directory, 'store.db'), clock });
  return {
    store,
    clock,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true });
    },
  };
});
