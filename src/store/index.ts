/**
 * Versioned keys: revisions, compare-and-set, ordered watch, compaction.
 *
 * Knows nothing of objects: a value is bytes. Start with the interface in `store.ts`.
 */
export { BackendError } from './backend.ts';
export type { LogBackend, LogRecord, LogState } from './backend.ts';
export { LogStore } from './log-store.ts';
export { openMemoryStore } from './memory/memory-store.ts';
export { backupSqliteStore, openSqliteStore, restoreSqliteStore } from './sqlite/sqlite-store.ts';
export type { SqliteStoreOptions } from './sqlite/sqlite-store.ts';
export {
  CompactedError,
  StoreCorruptError,
  StoreFailedError,
  StoreFormatError,
  StoreFullError,
  StoreInUseError,
} from './store.ts';
export type {
  Change,
  ChangeGroup,
  CommitResult,
  Entry,
  RangeOptions,
  RangeResult,
  Store,
  Write,
} from './store.ts';
