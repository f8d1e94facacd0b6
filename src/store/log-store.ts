import assert from 'node:assert/strict';
import type { Cancel, Clock, Logger } from '#base';
import { BackendError, type LogBackend, type LogRecord } from './backend.ts';
import { Expiry } from './expiry.ts';
import { History } from './history.ts';
import { SortedKeys } from './sorted-keys.ts';
import {
  type Change,
  type ChangeGroup,
  type CommitResult,
  CompactedError,
  type Entry,
  type RangeOptions,
  type RangeResult,
  type Store,
  StoreFailedError,
  StoreFullError,
  type Write,
} from './store.ts';

export interface LogStoreOptions {
  readonly backend: LogBackend;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A key's newest record. `created` is 0 when that is a deletion that is not compacted yet. */
interface Head {
  readonly revision: number;
  readonly created: number;
}

/** A commit that waits for its group to become durable. */
interface Waiting {
  readonly records: readonly LogRecord[];
  readonly resolve: (result: CommitResult) => void;
  readonly reject: (error: Error) => void;
}

interface Subscription {
  readonly prefix: string;
  readonly after: number;
  readonly listener: (changes: ChangeGroup) => void;
}

const groupRecordsMax = 2048;
const groupBytesMax = 4 * 1024 * 1024;
const sliceRecords = 256;
const probeMs = 1000;

/** The store's logic over a log: who may write, in which order, and who is told when. */
export class LogStore implements Store {
  readonly #backend: LogBackend;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #heads = new Map<string, Head>();
  /** What heads will be when everything that waits is durable. */
  readonly #pending = new Map<string, Head>();
  readonly #keys = new SortedKeys();
  readonly #history: History;
  readonly #expiry: Expiry;
  readonly #subscriptions = new Set<Subscription>();
  #queue: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #revision: number;
  #assigned: number;
  #compacted: number;
  #refusal: string | undefined;
  #failure: Error | undefined;
  #cancelProbe: Cancel | undefined;
  #closed = false;

  constructor(options: LogStoreOptions) {
    this.#backend = options.backend;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#expiry = new Expiry(options.clock, (due) => this.#expire(due));
    const { state } = this.#backend;
    this.#revision = state.revision;
    this.#assigned = state.revision;
    this.#compacted = state.compactedRevision;
    this.#history = new History(state.compactedRevision);
    this.#backend.load((record) => this.#apply(record));
  }

  get revision(): number {
    return this.#revision;
  }
  get compactedRevision(): number {
    return this.#compacted;
  }
  get refusal(): string | undefined {
    return this.#failure?.message ?? this.#refusal;
  }

  async get(key: string): Promise<Entry | undefined> {
    const head = this.#heads.get(key);
    if (head === undefined || head.created === 0) return undefined;
    return entryOf(this.#read(head.revision));
  }

  async range(prefix: string, options: RangeOptions = {}): Promise<RangeResult> {
    const { atRevision, limit = Number.POSITIVE_INFINITY } = options;
    if (atRevision !== undefined && atRevision > this.#revision)
      throw new RangeError(`Cannot read revision ${atRevision}: newest is ${this.#revision}`);
    for (;;) {
      const revision = atRevision ?? this.#revision;
      if (revision < this.#compacted) throw new CompactedError(revision, this.#compacted);
      const found = this.#find(prefix, revision, { after: options.after, limit });
      const entries = await this.#readAll(found.revisions);
      if (entries !== undefined) return { entries, revision, more: found.more };
      // Compacted while it was read: what was asked for is gone, or may be read anew.
      if (atRevision !== undefined) throw new CompactedError(revision, this.#compacted);
    }
  }

  async commit(writes: readonly Write[]): Promise<CommitResult> {
    assert(writes.length > 0, 'A commit has writes');
    for (;;) {
      this.#throwIfUnusable();
      const planned = this.#plan(writes);
      if (Array.isArray(planned)) return await this.#enqueue(planned);
      const write = writes[planned.conflict];
      assert(write !== undefined);
      // Only what is durable may be shown: what is merely on its way is waited for.
      if (!fits(write, this.#heads.get(write.key)) || !this.#pending.has(write.key))
        return { ok: false, index: planned.conflict, current: await this.get(write.key) };
      await this.#flushing;
    }
  }

  async subscribe(
    prefix: string,
    afterRevision: number,
    listener: (changes: ChangeGroup) => void,
  ): Promise<Disposable> {
    let after = afterRevision;
    for (;;) {
      if (after < this.#compacted) throw new CompactedError(after, this.#compacted);
      if (after >= this.#revision) break;
      const records = this.#backend.page(after, this.#revision, sliceRecords);
      const last = records.at(-1);
      if (last === undefined) break;
      const changes = records
        .filter((record) => record.key.startsWith(prefix))
        .map((record) => this.#changeOf(record));
      if (changes.length > 0) listener(changes);
      after = last.revision;
      await nextTurn();
    }
    const subscription: Subscription = { prefix, after, listener };
    this.#subscriptions.add(subscription);
    return { [Symbol.dispose]: () => void this.#subscriptions.delete(subscription) };
  }

  async compact(revision: number): Promise<void> {
    const upTo = Math.min(revision, this.#revision);
    if (upTo <= this.#compacted) return;
    this.#compacted = upTo;
    for (const gone of this.#history.forget(upTo)) {
      if (this.#heads.get(gone.key)?.revision !== gone.revision) continue;
      this.#heads.delete(gone.key);
      this.#keys.remove(gone.key);
    }
    try {
      await this.#backend.compact(upTo);
    } catch (cause) {
      throw this.#errorOf(cause);
    }
  }

  async backup(path: string): Promise<void> {
    await this.#backend.backup(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#expiry.stop();
    this.#cancelProbe?.();
    await this.#flushing;
    this.#subscriptions.clear();
    await this.#backend.close();
  }

  /** Checks every write against what is and what will be; takes revisions only when all fit. */
  #plan(writes: readonly Write[]): LogRecord[] | { readonly conflict: number } {
    const records: LogRecord[] = [];
    const undo: (() => void)[] = [];
    for (const [index, write] of writes.entries()) {
      const { key } = write;
      const waiting = this.#pending.get(key);
      const head = waiting ?? this.#heads.get(key);
      if (!key.isWellFormed())
        throw new TypeError('Cannot write key: it is not well-formed UTF-16');
      if (!fits(write, head)) {
        for (const step of undo.toReversed()) step();
        this.#assigned -= records.length;
        return { conflict: index };
      }
      this.#assigned += 1;
      const record = this.#recordOf(write, head);
      records.push(record);
      this.#pending.set(key, { revision: record.revision, created: record.created });
      if (writes.length > 1)
        undo.push(() => {
          if (waiting === undefined) this.#pending.delete(key);
          else this.#pending.set(key, waiting);
        });
    }
    return records;
  }

  #recordOf(write: Write, head: Head | undefined): LogRecord {
    const { key, value, ttlMs } = write;
    const revision = this.#assigned;
    let created = 0;
    if (value !== undefined)
      created = head !== undefined && head.created > 0 ? head.created : revision;
    return {
      key,
      revision,
      created,
      previous: head?.revision ?? 0,
      expiresMs: value === undefined || ttlMs === undefined ? 0 : this.#clock.nowMs() + ttlMs,
      value,
    };
  }

  #enqueue(records: readonly LogRecord[]): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ records, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  /** One group after the other; while one is told to the listeners, the next is on its way. */
  async #flush(): Promise<void> {
    // Requests that were read in the same turn of the loop go into one group.
    await nextTurn();
    let group = this.#takeGroup();
    let appended = this.#append(group);
    while (group.length > 0) {
      const error = await appended;
      if (error !== undefined) {
        this.#refuse(group, error);
        group = this.#takeGroup();
        appended = this.#append(group);
        continue;
      }
      const done = group;
      const changes = this.#makeDurable(done);
      group = this.#takeGroup();
      appended = this.#append(group);
      this.#tell(changes);
      for (const { records, resolve } of done)
        resolve({ ok: true, revisions: records.map(({ revision }) => revision) });
      if (group.length > 0) continue;
      await nextTurn();
      group = this.#takeGroup();
      appended = this.#append(group);
    }
    this.#flushing = undefined;
  }

  #takeGroup(): Waiting[] {
    let records = 0;
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      count += 1;
      records += waiting.records.length;
      for (const { value } of waiting.records) bytes += value?.length ?? 0;
      if (records >= groupRecordsMax || bytes >= groupBytesMax) break;
    }
    return this.#queue.splice(0, count);
  }

  /** Undefined when all went well, so that a refusal is never an unheard rejection. */
  async #append(group: readonly Waiting[]): Promise<Error | undefined> {
    if (group.length === 0) return undefined;
    try {
      await this.#backend.append(group.flatMap(({ records }) => records));
      return undefined;
    } catch (cause) {
      return this.#errorOf(cause);
    }
  }

  #makeDurable(group: readonly Waiting[]): Change[] {
    const changes: Change[] = [];
    for (const { records } of group) {
      for (const record of records) {
        if (this.#pending.get(record.key)?.revision === record.revision)
          this.#pending.delete(record.key);
        this.#apply(record);
        changes.push(this.#changeOf(record));
        this.#revision = record.revision;
      }
    }
    this.#recovered();
    return changes;
  }

  /** What waits was checked against what now never happened: it goes down with it. */
  #refuse(group: readonly Waiting[], error: Error): void {
    const refused = [...group, ...this.#queue];
    this.#queue = [];
    this.#pending.clear();
    this.#assigned = this.#revision;
    for (const { reject } of refused) reject(error);
  }

  #tell(changes: readonly Change[]): void {
    for (const { prefix, after, listener } of this.#subscriptions) {
      const theirs = changes.filter(
        ({ key, revision }) => revision > after && key.startsWith(prefix),
      );
      if (theirs.length > 0) listener(theirs);
    }
  }

  #apply(record: LogRecord): void {
    const { key, revision, created, expiresMs } = record;
    if (created === 0 && revision <= this.#compacted) {
      // Left over by a compaction that was cut short.
      if (this.#heads.delete(key)) this.#keys.remove(key);
      return;
    }
    const before = this.#heads.get(key);
    if (before === undefined) this.#keys.add(key);
    this.#history.add(record, before);
    this.#heads.set(key, { revision, created });
    if (expiresMs > 0) this.#expiry.add(key, revision, expiresMs);
  }

  /** The key's record before is read only when somebody looks at it. */
  #changeOf(record: LogRecord): Change {
    const { key, revision, value } = record;
    const previous = this.#history.replacedBy(revision);
    if (previous === 0) return { key, revision, value, previous: undefined };
    return { key, revision, value, previous: new PastEntry(key, previous, this.#backend) };
  }

  #find(
    prefix: string,
    atRevision: number,
    options: { readonly after: string | undefined; readonly limit: number },
  ): { readonly revisions: readonly number[]; readonly more: boolean } {
    const revisions: number[] = [];
    const { after, limit } = options;
    const first = after !== undefined && after > prefix ? after : prefix;
    for (const key of this.#keys.from(first)) {
      if (!key.startsWith(prefix)) {
        if (key > prefix) break;
        continue;
      }
      if (after !== undefined && key <= after) continue;
      const revision = this.#history.valueAt(this.#heads.get(key), atRevision);
      if (revision === 0) continue;
      if (revisions.length >= limit) return { revisions, more: true };
      revisions.push(revision);
    }
    return { revisions, more: false };
  }

  /** In slices, so that a long list keeps nobody waiting; undefined when one is gone. */
  async #readAll(revisions: readonly number[]): Promise<Entry[] | undefined> {
    const entries: Entry[] = [];
    for (const revision of revisions) {
      if (entries.length > 0 && entries.length % sliceRecords === 0) await nextTurn();
      const record = this.#backend.read(revision);
      if (record === undefined && revision <= this.#compacted) return undefined;
      entries.push(entryOf(record ?? this.#read(revision)));
    }
    return entries;
  }

  #read(revision: number): LogRecord {
    try {
      const record = this.#backend.read(revision);
      if (record === undefined) throw new BackendError('failed', `revision ${revision} is missing`);
      return record;
    } catch (cause) {
      throw this.#errorOf(cause);
    }
  }

  async #expire(
    due: readonly { readonly key: string; readonly revision: number }[],
  ): Promise<void> {
    const deletions = due
      .filter(({ key, revision }) => this.#heads.get(key)?.revision === revision)
      .map(async ({ key, revision }) => {
        try {
          await this.commit([{ key, value: undefined, expected: revision }]);
        } catch (error) {
          if (!(error instanceof StoreFullError)) throw error;
          this.#expiry.add(key, revision, this.#clock.nowMs() + probeMs);
        }
      });
    const failures = (await Promise.allSettled(deletions)).filter(
      ({ status }) => status === 'rejected',
    );
    if (failures.length > 0 && !this.#closed)
      this.#logger.error('Cannot delete expired keys', { count: failures.length });
  }

  #throwIfUnusable(): void {
    if (this.#failure !== undefined) throw new StoreFailedError(this.#failure.message);
    if (this.#closed) throw new StoreFailedError('Cannot write: the store is closed');
  }

  /** Notes what a failure means for later writes. */
  #errorOf(cause: unknown): Error {
    const message = cause instanceof Error ? cause.message : String(cause);
    if (cause instanceof BackendError && cause.kind === 'refused') {
      const error = new StoreFullError(`Cannot write: ${message}`, { cause });
      if (this.#refusal === undefined)
        this.#logger.error('Store refuses writes', { cause: message });
      this.#refusal = error.message;
      this.#probeLater();
      return error;
    }
    const error = new StoreFailedError(`Store failed: ${message}`, { cause });
    if (this.#failure === undefined) this.#logger.error('Store failed', { cause: message });
    this.#failure = error;
    return error;
  }

  #probeLater(): void {
    if (this.#cancelProbe !== undefined || this.#closed) return;
    this.#cancelProbe = this.#clock.after(probeMs, () => void this.#probe());
  }

  async #probe(): Promise<void> {
    this.#cancelProbe = undefined;
    if (this.#refusal === undefined || this.#closed) return;
    try {
      await this.#backend.probe();
      this.#recovered();
    } catch (cause) {
      this.#errorOf(cause);
    }
  }

  #recovered(): void {
    if (this.#refusal === undefined) return;
    this.#refusal = undefined;
    this.#logger.info('Store takes writes again');
  }
}

class PastEntry implements Entry {
  readonly key: string;
  readonly revision: number;
  readonly #backend: LogBackend;
  #record: LogRecord | undefined;

  constructor(key: string, revision: number, backend: LogBackend) {
    this.key = key;
    this.revision = revision;
    this.#backend = backend;
  }
  get value(): Uint8Array {
    return this.#load().value ?? new Uint8Array();
  }
  get created(): number {
    return this.#load().created;
  }
  #load(): LogRecord {
    this.#record ??= this.#backend.read(this.revision);
    if (this.#record === undefined) throw new CompactedError(this.revision, this.revision);
    return this.#record;
  }
}

function entryOf({ key, value, revision, created }: LogRecord): Entry {
  return { key, value: value ?? new Uint8Array(), revision, created };
}

/** A deletion needs something to delete; `expected` is the newest revision, 0 when there is none. */
function fits(write: Write, head: Head | undefined): boolean {
  const exists = head !== undefined && head.created > 0;
  if (write.value === undefined && !exists) return false;
  return write.expected === undefined || write.expected === (exists ? head.revision : 0);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
