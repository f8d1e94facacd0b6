/**
 * Versioned keys: revisions, compare-and-set, ordered watch, compaction.
 *
 * Knows nothing of objects: a value is bytes. Start with the interface in `store.ts`.
 */
export { CompactedError, StoreFailedError, StoreFullError } from './store.ts';
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
