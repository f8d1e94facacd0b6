import assert from 'node:assert/strict';
import type { ChangeGroup, CommitResult, Entry, LogRecord, Write } from '#store';

type Outcome = CommitResult | 'refused' | 'unknown';
interface CommitSeen {
  readonly writes: readonly Write[];
  readonly start: number;
  end: number;
  outcome: Outcome;
}
interface ReadSeen {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly revision: number;
}
interface WatchSeen {
  readonly prefix: string;
  readonly after: number;
  readonly seen: { readonly revision: number; readonly key: string; readonly at: number }[];
  /** When it had caught up: from then on it is told before whoever wrote. */
  live: number;
  /** When the store it hung on died or it was given up. */
  end: number;
}

interface WatchNotes {
  readonly listener: (group: ChangeGroup) => void;
  live(): void;
  end(): void;
}

const never = Number.POSITIVE_INFINITY;

/**
 * What clients of a store saw, and whether a single order of writes explains all of it: revisions
 * are that order, so every observation can be checked against it directly. Values must be unique.
 */
export class StoreHistory {
  #now = 0;
  readonly #commits: CommitSeen[] = [];
  readonly #reads: ReadSeen[] = [];
  readonly #watches: WatchSeen[] = [];

  /** Notes the call; the result notes how it ended. A call that is never ended may have happened. */
  commit(writes: readonly Write[]): (outcome: Outcome) => void {
    const seen: CommitSeen = { writes, start: this.#tick(), end: never, outcome: 'unknown' };
    this.#commits.push(seen);
    return (outcome) => {
      seen.outcome = outcome;
      seen.end = this.#tick();
    };
  }

  read(key: string): (entry: Entry | undefined) => void {
    const start = this.#tick();
    return (entry) => {
      this.#reads.push({ key, start, end: this.#tick(), revision: entry?.revision ?? 0 });
    };
  }

  watch(prefix: string, after: number): WatchNotes {
    const watch: WatchSeen = { prefix, after, seen: [], live: never, end: never };
    this.#watches.push(watch);
    return {
      listener: (group) => {
        const at = this.#tick();
        for (const { revision, key } of group) watch.seen.push({ revision, key, at });
      },
      live: () => {
        watch.live = this.#tick();
      },
      end: () => {
        watch.end = Math.min(watch.end, this.#tick());
      },
    };
  }

  get counts(): { readonly commits: number; readonly granted: number; readonly reads: number } {
    const granted = this.#commits.filter(
      ({ outcome }) => typeof outcome === 'object' && outcome.ok,
    );
    return { commits: this.#commits.length, granted: granted.length, reads: this.#reads.length };
  }

  /** `truth` is every record that became durable, in order. Throws at what cannot be explained. */
  check(truth: readonly LogRecord[]): void {
    const order = new Order(truth);
    const revisionsOf = new Map<CommitSeen, readonly number[]>();
    const owned = new Set<number>();
    for (const commit of this.#commits) {
      const revisions = checkCommit(commit, order);
      if (revisions.length > 0) revisionsOf.set(commit, revisions);
      for (const revision of revisions) owned.add(revision);
    }
    for (const record of truth) {
      if (owned.has(record.revision)) continue;
      const commit = this.#unheardDeletion(record, revisionsOf);
      assert(commit !== undefined, `Record ${record.revision} was written by somebody`);
      revisionsOf.set(commit, [record.revision]);
    }
    const granted = [...revisionsOf].map(([commit, revisions]) => ({ commit, revisions }));
    const window = windowOf(granted);
    this.#checkRealTime(granted, window);
    for (const read of this.#reads) order.checkRead(read, window(read.start, read.end));
    for (const commit of this.#commits) checkConflict(commit, order, window);
    for (const watch of this.#watches) checkWatch(watch, order, granted);
  }

  /** A deletion has no value to know it by: any call that was not heard of may have made it. */
  #unheardDeletion(
    { key, created }: LogRecord,
    taken: ReadonlyMap<CommitSeen, unknown>,
  ): CommitSeen | undefined {
    return this.#commits.find(
      (commit) =>
        created === 0 &&
        commit.outcome === 'unknown' &&
        commit.writes[0]?.key === key &&
        commit.writes[0].value === undefined &&
        !taken.has(commit),
    );
  }

  #checkRealTime(granted: readonly Granted[], window: Window): void {
    for (const { commit, revisions } of granted) {
      const { low } = window(commit.start, commit.end);
      assert((revisions[0] ?? 0) > low, 'A write comes after all that were acknowledged before it');
    }
  }

  #tick(): number {
    this.#now += 1;
    return this.#now;
  }
}

interface Granted {
  readonly commit: CommitSeen;
  readonly revisions: readonly number[];
}
/** Revisions at which the store may have been while something went on from `start` to `end`. */
type Window = (start: number, end: number) => { readonly low: number; readonly high: number };

function windowOf(granted: readonly Granted[]): Window {
  return (start, end) => {
    let low = 0;
    let high = 0;
    for (const { commit, revisions } of granted) {
      const last = revisions.at(-1) ?? 0;
      if (commit.end < start) low = Math.max(low, last);
      if (commit.start < end) high = Math.max(high, last);
    }
    return { low, high };
  };
}

class Order {
  readonly truth: readonly LogRecord[];
  readonly byRevision = new Map<number, LogRecord>();
  readonly byValue = new Map<string, LogRecord>();
  readonly #byKey = new Map<string, LogRecord[]>();

  constructor(truth: readonly LogRecord[]) {
    this.truth = truth;
    for (const [index, record] of truth.entries()) {
      const before = truth[index - 1];
      assert(
        before === undefined || record.revision === before.revision + 1,
        'Revisions have no gap',
      );
      this.byRevision.set(record.revision, record);
      if (record.value !== undefined) this.byValue.set(textOf(record.value), record);
      const ofKey = this.#byKey.get(record.key) ?? [];
      ofKey.push(record);
      this.#byKey.set(record.key, ofKey);
    }
  }

  /** Revision of the key's value at a revision; 0 when it did not exist. */
  at(key: string, revision: number): number {
    const record = this.#byKey.get(key)?.findLast((one) => one.revision <= revision);
    return record === undefined || record.created === 0 ? 0 : record.revision;
  }

  checkRead(read: ReadSeen, { low, high }: { low: number; high: number }): void {
    const possible = new Set<number>([this.at(read.key, low)]);
    for (let revision = low + 1; revision <= high; revision++)
      possible.add(this.at(read.key, revision));
    const text = `Read of ${read.key} saw ${read.revision}`;
    assert(possible.has(read.revision), `${text}, could be ${[...possible].join()}`);
  }
}

function textOf(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}

/** Revisions of a commit that happened; all of its writes or none. */
function checkCommit(commit: CommitSeen, order: Order): readonly number[] {
  const { writes, outcome } = commit;
  const granted = typeof outcome === 'object' && outcome.ok;
  const found = granted ? outcome.revisions : revisionsByValue(writes, order);
  if (!granted && outcome !== 'unknown')
    assert.deepEqual(found, [], `A write that was ${JSON.stringify(outcome)} did not happen`);
  for (const [index, revision] of found.entries()) {
    const record = order.byRevision.get(revision);
    const write = writes[index];
    assert(record !== undefined, `Acknowledged revision ${revision} is durable`);
    assert(write !== undefined && record.key === write.key, `Revision ${revision} is of its key`);
    assert.deepEqual(record.value, write.value, `Revision ${revision} has its value`);
    assert.equal(revision, (found[0] ?? 0) + index, 'Revisions of a commit follow one another');
    if (write.expected !== undefined)
      assert.equal(order.at(write.key, revision - 1), write.expected, 'Compare-and-set compared');
  }
  assert(found.length === 0 || found.length === writes.length, 'All writes of a commit or none');
  return found;
}

/** For calls nobody heard the end of: found by their values (deletions of such calls have none). */
function revisionsByValue(writes: readonly Write[], order: Order): number[] {
  const [first] = writes;
  if (first?.value === undefined) return [];
  const record = order.byValue.get(textOf(first.value));
  if (record === undefined) return [];
  return writes.map((_, index) => record.revision + index);
}

function checkConflict(commit: CommitSeen, order: Order, window: Window): void {
  const { outcome, writes } = commit;
  if (typeof outcome !== 'object' || outcome.ok) return;
  const write = writes[outcome.index];
  assert(write !== undefined, 'A refusal names one of the writes');
  const revision = outcome.current?.revision ?? 0;
  const deletesNothing = write.value === undefined && revision === 0;
  assert(deletesNothing || write.expected !== revision, 'A refused write did not fit');
  const read = { key: write.key, start: commit.start, end: commit.end, revision };
  order.checkRead(read, window(commit.start, commit.end));
}

function checkWatch(watch: WatchSeen, order: Order, granted: readonly Granted[]): void {
  const last = watch.seen.at(-1)?.revision ?? watch.after;
  const want = order.truth.filter(
    ({ revision, key }) =>
      revision > watch.after && revision <= last && key.startsWith(watch.prefix),
  );
  assert.deepEqual(
    watch.seen.map(({ revision }) => revision),
    want.map(({ revision }) => revision),
    'A watch sees every change once and in order',
  );
  const at = new Map(watch.seen.map((event) => [event.revision, event.at]));
  for (const { commit, revisions } of granted) {
    if (commit.end > watch.end || commit.end < watch.live || commit.end === never) continue;
    for (const [index, revision] of revisions.entries()) {
      const key = commit.writes[index]?.key ?? '';
      if (revision <= watch.after || !key.startsWith(watch.prefix)) continue;
      const told = at.get(revision) ?? never;
      assert(told < commit.end, `Revision ${revision} was told before it was acknowledged`);
    }
  }
}
