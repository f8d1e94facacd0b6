/** A key's newest record; `created` is 0 when that is a deletion. */
interface Newest {
  readonly revision: number;
  readonly created: number;
}
interface Deletion {
  readonly key: string;
  readonly revision: number;
}

/** For each revision since the compaction: the record of the same key before it. 8 bytes each. */
export class History {
  /** Revision before the first one that is kept here. */
  #base: number;
  #length = 0;
  /** Half a revision more says that the record before was a deletion. */
  #links = new Float64Array(256);
  /** Oldest first, until they are compacted. */
  readonly #deletions: Deletion[] = [];

  constructor(base: number) {
    this.#base = base;
  }

  /** Revisions are added in order. `before` is the key's newest record so far. */
  add(
    record: Deletion & { readonly previous: number; readonly created: number },
    before: Newest | undefined,
  ): void {
    const at = record.revision - this.#base - 1;
    if (at < 0) return;
    if (at >= this.#links.length) {
      const larger = new Float64Array(Math.max(at + 1, this.#links.length * 2));
      larger.set(this.#links);
      this.#links = larger;
    }
    // A record whose predecessor is not known any more followed a deletion that was compacted.
    const deleted = record.previous > 0 && (before === undefined || before.created === 0);
    this.#links[at] = deleted ? record.previous + 0.5 : record.previous;
    this.#length = at + 1;
    if (record.created === 0) this.#deletions.push({ key: record.key, revision: record.revision });
  }

  /** The record that held the key's value at `revision`; 0: the key did not exist then. */
  valueAt(newest: Newest | undefined, revision: number): number {
    if (newest === undefined) return 0;
    let found = newest.revision;
    let deleted = newest.created === 0;
    while (found > revision) {
      const link = this.#links[found - this.#base - 1] ?? 0;
      found = Math.floor(link);
      deleted = link !== found;
    }
    return deleted ? 0 : found;
  }

  /** The record whose value this one replaced; 0: the key was new. */
  replacedBy(revision: number): number {
    const link = this.#links[revision - this.#base - 1] ?? 0;
    return Number.isInteger(link) ? link : 0;
  }

  /** Forgets revisions up to this one; the result are the deletions among them. */
  forget(revision: number): readonly Deletion[] {
    const count = Math.min(revision - this.#base, this.#length);
    if (count > 0) {
      this.#links = this.#links.slice(count, Math.max(this.#length, count + 256));
      this.#length -= count;
    }
    this.#base = Math.max(this.#base, revision);
    const kept = this.#deletions.findIndex((deletion) => deletion.revision > revision);
    return this.#deletions.splice(0, kept < 0 ? this.#deletions.length : kept);
  }
}
