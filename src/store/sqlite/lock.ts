import { DatabaseSync } from 'node:sqlite';
import type { DatabaseFiles } from '#io';
import { StoreInUseError } from '../store.ts';

/**
 * Holds the store for this process. The lock is a transaction on an empty database beside it: the
 * system drops it with the process, however that ends, so no lock is ever stale.
 */
export function lockStore(path: string, files: DatabaseFiles): Disposable {
  const lockPath = `${path}.lock`;
  const pidPath = `${path}.pid`;
  const database = new DatabaseSync(lockPath, { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    if (!(cause instanceof Error && /locked|busy/.test(cause.message))) throw cause;
    const holder = files.readText(pidPath)?.trim();
    const who = holder === undefined || holder === '' ? 'another process' : `process ${holder}`;
    throw new StoreInUseError(`Cannot open store "${path}": it is in use by ${who}`, { cause });
  }
  files.writeText(pidPath, `${files.processId}\n`);
  return {
    [Symbol.dispose]: () => {
      if (database.isOpen) database.close();
    },
  };
}
