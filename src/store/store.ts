/** One key as it stands. `revision` is that of its last write, `created` that of its first. */
export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly revision: number;
  readonly created: number;
}
export interface Write {
  readonly key: string;
  /** Absent: delete; fails like a wrong `expected` when there is nothing to delete. */
  readonly value: Uint8Array | undefined;
  /** The revision the caller read; 0: the key must not exist; absent: whatever is there. */
  readonly expected?: number | undefined;
  /** The key is deleted, as by a write, this long after the commit. */
  readonly ttlMs?: number | undefined;
}
/** All writes of a commit happen or none. They get consecutive revisions, in their order. */
export type CommitResult =
  | { readonly ok: true; readonly revisions: readonly number[] }
  | { readonly ok: false; readonly index: number; readonly current: Entry | undefined };

export interface Change {
  readonly key: string;
  readonly revision: number;
  /** Absent: deleted. */
  readonly value: Uint8Array | undefined;
  /** What was there before; absent when the key is new. Its value is read when it is looked at. */
  readonly previous: Entry | undefined;
}
/** Changes of one or more commits that became durable together, in the order of their revisions. */
export type ChangeGroup = readonly Change[];

export interface RangeOptions {
  /** As it was at this revision; default: now. Throws `CompactedError` when it is no longer kept. */
  readonly atRevision?: number | undefined;
  /** Only keys after this one. */
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}
export interface RangeResult {
  readonly entries: readonly Entry[];
  /** The revision that was read. */
  readonly revision: number;
  readonly more: boolean;
}

/**
 * Everything the layers above may know of storage: versioned keys in one order of revisions.
 * Implemented by `memory`, `sqlite` (and later `etcd`) behind one contract suite. Nothing is
 * acknowledged, read or watched before it is durable. Failures: `CompactedError`, `StoreFullError`
 * (writes are refused, reads go on), `StoreFailedError` (the backend is broken; the process must end).
 */
export interface Store extends AsyncDisposable {
  /** Newest durable revision. Never goes back, not even over a restore. */
  readonly revision: number;
  /** The oldest revision that can be read and watched from. */
  readonly compactedRevision: number;
  /** Undefined while writes are taken, else why not (for /readyz). */
  readonly refusal: string | undefined;
  get(key: string): Promise<Entry | undefined>;
  /** Keys that start with `prefix`, in the order of their UTF-16 code units. */
  range(prefix: string, options?: RangeOptions): Promise<RangeResult>;
  commit(writes: readonly Write[]): Promise<CommitResult>;
  /**
   * Calls `listener` with every change under `prefix` after `afterRevision`: first what is past,
   * then what comes, without gap or double. A listener is called before the commit that caused the
   * change is acknowledged. Throws `CompactedError` (as a rejection) when the past is no longer kept.
   */
  subscribe(
    prefix: string,
    afterRevision: number,
    listener: (changes: ChangeGroup) => void,
  ): Promise<Disposable>;
  /** Forgets how things were before `revision`; what was current then stays. */
  compact(revision: number): Promise<void>;
  /** Writes a consistent copy to `path` while the store goes on. */
  backup(path: string): Promise<void>;
}

export class CompactedError extends Error {
  override readonly name = 'CompactedError';
  readonly compactedRevision: number;
  constructor(asked: number, compactedRevision: number) {
    super(`Cannot read revision ${asked}: history up to ${compactedRevision} was compacted`);
    this.compactedRevision = compactedRevision;
  }
}
export class StoreFullError extends Error {
  override readonly name = 'StoreFullError';
}
export class StoreFailedError extends Error {
  override readonly name = 'StoreFailedError';
}

/** What is stored is not what was written: nothing of it is served. */
export class StoreCorruptError extends Error {
  override readonly name = 'StoreCorruptError';
}
/** Another process has the store open. */
export class StoreInUseError extends Error {
  override readonly name = 'StoreInUseError';
}
/** The store was written by a newer version. */
export class StoreFormatError extends Error {
  override readonly name = 'StoreFormatError';
}
