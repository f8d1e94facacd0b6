import { backup, DatabaseSync, type StatementSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import type { Clock, Logger } from '#base';
import type { DatabaseFiles } from '#io';
import { BackendError, type LogBackend, type LogRecord, type LogState } from '../backend.ts';
import { StoreCorruptError } from '../store.ts';
import { Checkpoints } from './checkpoints.ts';
import { readMeta } from './format.ts';
import type { WriterReply, WriterRequest } from './messages.ts';
import { checksumOf, packRecords } from './record.ts';

export interface SqliteBackendOptions {
  readonly path: string;
  /** Open, of our format, and from now on the backend's. */
  readonly reader: DatabaseSync;
  readonly lock: Disposable;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly files: DatabaseFiles;
}

interface Asked {
  readonly resolve: () => void;
  readonly reject: (error: BackendError) => void;
}
/** A request before it has its number. */
type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never;

// https://www.sqlite.org/rescode.html: the low byte is the primary code.
const refusals: Readonly<Record<number, string>> = {
  8: 'it is read-only',
  10: 'input/output error',
  13: 'the disk is full',
  14: 'its files cannot be opened',
};
/** Pages that a group writes beside its records: the tail of the log, its parents, the sums. */
const groupBytes = 4 * 4096;

/** SQLite as a log: a writer thread appends, this thread reads. */
export class SqliteBackend implements LogBackend {
  readonly state: LogState;
  readonly #options: SqliteBackendOptions;
  readonly #reader: DatabaseSync;
  readonly #read: StatementSync;
  readonly #page: StatementSync;
  readonly #worker: Worker;
  readonly #checkpoints: Checkpoints;
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;
  #ended: string | undefined;

  constructor(options: SqliteBackendOptions) {
    this.#options = options;
    this.#reader = options.reader;
    const columns = 'revision, key, created, previous, expires_ms, value, checksum';
    this.#read = this.#reader.prepare(`SELECT ${columns} FROM log WHERE revision = ?`);
    this.#page = this.#reader.prepare(
      `SELECT ${columns} FROM log WHERE revision > ? AND revision <= ? ORDER BY revision LIMIT ?`,
    );
    const meta = readMeta(this.#reader);
    const newest = this.#reader.prepare('SELECT max(revision) AS newest FROM log').get();
    this.state = {
      revision: Math.max(meta.base, meta.compacted, Number(newest?.['newest'] ?? 0)),
      compactedRevision: meta.compacted,
    };
    this.#worker = this.#startWriter();
    this.#checkpoints = new Checkpoints({
      ...options,
      finish: () => this.#ask({ kind: 'checkpoint' }),
    });
  }

  /** Reads everything once: a record or a page that is not what was written is found here. */
  load(each: (record: LogRecord) => void): void {
    const meta = readMeta(this.#reader);
    let records = 0;
    let checksums = 0;
    for (const row of this.#page.iterate(-1, Number.MAX_SAFE_INTEGER, -1)) {
      const record = this.#recordOf(row);
      records += 1;
      checksums = (checksums + Number(row['checksum'])) >>> 0;
      each({ ...record, value: undefined });
    }
    if (records === meta.records && checksums === meta.checksums) return;
    throw new StoreCorruptError(
      `it holds ${records} records, ${meta.records} were written, or some are not the right ones`,
    );
  }

  append(records: readonly LogRecord[]): Promise<void> {
    const [first] = records;
    if (first === undefined) return Promise.resolve();
    const packed = packRecords(records);
    this.#checkpoints.grown(packed.length + groupBytes);
    return this.#ask({ kind: 'append', firstRevision: first.revision, packed });
  }

  read(revision: number): LogRecord | undefined {
    const row = this.#read.get(revision);
    return row === undefined ? undefined : this.#recordOf(row);
  }

  page(after: number, upTo: number, limit: number): readonly LogRecord[] {
    return this.#page.all(after, upTo, limit).map((row) => this.#recordOf(row));
  }

  compact(revision: number): Promise<void> {
    return this.#ask({ kind: 'compact', upTo: revision });
  }

  probe(): Promise<void> {
    return this.#ask({ kind: 'probe' });
  }

  async backup(path: string): Promise<void> {
    const { files } = this.#options;
    await copyDatabase(this.#options.path, path, files);
  }

  async close(): Promise<void> {
    await this.#checkpoints.close();
    if (this.#ended === undefined) await this.#ask({ kind: 'close' });
    this.#reader.close();
    this.#options.lock[Symbol.dispose]();
  }

  #recordOf(row: Readonly<Record<string, unknown>>): LogRecord {
    const { key, value } = row;
    const record: LogRecord = {
      key: String(key),
      revision: Number(row['revision']),
      created: Number(row['created']),
      previous: Number(row['previous']),
      expiresMs: Number(row['expires_ms']),
      value: value instanceof Uint8Array ? value : undefined,
    };
    if (checksumOf(record) !== row['checksum'])
      throw new StoreCorruptError(`the record of revision ${record.revision} is damaged`);
    return record;
  }

  #startWriter(): Worker {
    const worker = new Worker(new URL('./writer.ts', import.meta.url), {
      workerData: { path: this.#options.path },
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 },
    });
    worker.on('message', (reply: WriterReply) => this.#answered(reply));
    worker.on('error', (error) => this.#writerEnded(`the writer failed: ${String(error)}`));
    worker.on('exit', () => this.#writerEnded('the writer ended'));
    return worker;
  }

  #ask(request: Unnumbered<WriterRequest>): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(new BackendError('failed', this.#ended));
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      const id = this.#lastId;
      this.#asked.set(id, { resolve, reject });
      const transfer = request.kind === 'append' ? [request.packed.buffer as ArrayBuffer] : [];
      this.#worker.postMessage({ ...request, id }, transfer);
    });
  }

  #answered({ id, error }: WriterReply): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (error === undefined) {
      asked?.resolve();
      return;
    }
    const refusal = refusals[error.code & 0xff];
    asked?.reject(
      refusal === undefined
        ? new BackendError('failed', error.message)
        : new BackendError('refused', `${refusal} (${error.message})`),
    );
  }

  #writerEnded(why: string): void {
    this.#ended ??= why;
    for (const { reject } of this.#asked.values()) reject(new BackendError('failed', this.#ended));
    this.#asked.clear();
  }
}

/** A consistent copy, in place only when it is whole. */
export async function copyDatabase(from: string, to: string, files: DatabaseFiles): Promise<void> {
  const partial = `${to}.partial`;
  files.remove(partial);
  const source = new DatabaseSync(from, { readOnly: true, timeout: 5000 });
  try {
    // All pages in one step: in several the copy would begin anew with every write.
    await backup(source, partial, { rate: 0x7fff_ffff });
    files.move(partial, to);
  } catch (error) {
    files.remove(partial);
    throw error;
  } finally {
    source.close();
  }
}
