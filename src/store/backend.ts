/** One line of the log: what became of a key at a revision. */
export interface LogRecord {
  readonly key: string;
  readonly revision: number;
  /** Revision of the key's first write; 0 marks a deletion. */
  readonly created: number;
  /** Revision of the record of the same key before this one; 0 when there is none. */
  readonly previous: number;
  /** When it is to be deleted, in milliseconds since the epoch; 0: never. */
  readonly expiresMs: number;
  /** Absent: deleted. */
  readonly value: Uint8Array | undefined;
}

/** Where a log stands when it is opened. */
export interface LogState {
  /** Newest revision; at least the base of a log that was restored. */
  readonly revision: number;
  readonly compactedRevision: number;
}

/**
 * The seam under the store's logic: a durable log of records, read by revision. The real one is
 * SQLite with a writer thread; its twin in memory injects faults.
 */
export interface LogBackend {
  /** Where it stood when it was opened. */
  readonly state: LogState;
  /** Shows every record that is kept, oldest first, their values left out. */
  load(each: (record: LogRecord) => void): void;
  /** All or none; resolves when they are durable. One call at a time. Rejects with `BackendError`. */
  append(records: readonly LogRecord[]): Promise<void>;
  read(revision: number): LogRecord | undefined;
  /** Up to `limit` records with `after` < revision <= `upTo`. */
  page(after: number, upTo: number, limit: number): readonly LogRecord[];
  /** Drops what is superseded or deleted at or before `revision`. */
  compact(revision: number): Promise<void>;
  /** Resolves when writing works again. */
  probe(): Promise<void>;
  backup(path: string): Promise<void>;
  close(): Promise<void>;
}

/** `refused`: nothing was written and it may work later (disk full). `failed`: it is broken. */
export class BackendError extends Error {
  override readonly name = 'BackendError';
  readonly kind: 'refused' | 'failed';
  constructor(kind: 'refused' | 'failed', message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
