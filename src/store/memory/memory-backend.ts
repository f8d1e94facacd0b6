import type { LogBackend, LogRecord, LogState } from '../backend.ts';
import { BackendError } from '../backend.ts';

/** A log that lives as long as the process. */
export class MemoryBackend implements LogBackend {
  readonly state: LogState = { revision: 0, compactedRevision: 0 };
  /** In the order of revisions. */
  readonly #records = new Map<number, LogRecord>();
  #compacted = 0;
  #newest = 0;

  load(each: (record: LogRecord) => void): void {
    for (const record of this.#records.values()) each(record);
  }

  async append(records: readonly LogRecord[]): Promise<void> {
    for (const record of records) {
      this.#records.set(record.revision, record);
      this.#newest = record.revision;
    }
  }

  read(revision: number): LogRecord | undefined {
    return this.#records.get(revision);
  }

  page(after: number, upTo: number, limit: number): readonly LogRecord[] {
    const page: LogRecord[] = [];
    const first = Math.max(after, this.#compacted) + 1;
    for (let revision = first; revision <= Math.min(upTo, this.#newest); revision++) {
      const record = this.#records.get(revision);
      if (record !== undefined) page.push(record);
      if (page.length === limit) break;
    }
    return page;
  }

  async compact(revision: number): Promise<void> {
    for (let at = this.#compacted + 1; at <= revision; at++) {
      const record = this.#records.get(at);
      if (record === undefined) continue;
      if (record.previous > 0) this.#records.delete(record.previous);
      if (record.created === 0) this.#records.delete(at);
    }
    this.#compacted = revision;
  }

  async probe(): Promise<void> {}

  async backup(): Promise<void> {
    throw new BackendError('failed', 'a store in memory has no backup');
  }

  async close(): Promise<void> {}
}
