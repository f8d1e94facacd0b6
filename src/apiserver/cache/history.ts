import { limits } from '#base';
import type { StoredObject } from './stored-object.ts';

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** One change of one object. */
export interface CacheEvent {
  readonly type: EventType;
  readonly revision: number;
  /** As it is now; for DELETED the last state, with the revision of the deletion. */
  readonly object: StoredObject;
  readonly previous: StoredObject | undefined;
}

// What is older is read from the store: few come from so far behind.
const bytesMax = 4 * 1024 * 1024;
// The reference keeps at least 75 seconds (storage/cacher, eventFreshDuration).
const ageMsMax = 90_000;

/** Bytes that only this event keeps, and about what its objects take on the heap. */
function weightOf({ type, object, previous }: CacheEvent): number {
  const before = type === 'ADDED' ? 0 : (previous?.bytes.length ?? 0);
  return object.bytes.length + before + 600;
}

/** The latest changes of one resource, in order: what watches resume from and old pages are made of. */
export class History {
  #events: { readonly event: CacheEvent; readonly atMs: number }[] = [];
  #first = 0;
  #bytes = 0;
  #startRevision = 0;

  /** Every change after this revision is here. */
  get startRevision(): number {
    return this.#startRevision;
  }

  reset(revision: number): void {
    this.#events = [];
    this.#first = 0;
    this.#bytes = 0;
    this.#startRevision = revision;
  }

  push(event: CacheEvent, atMs: number): void {
    this.#events.push({ event, atMs });
    this.#bytes += weightOf(event);
    while (this.#first < this.#events.length - 1) {
      const oldest = this.#events[this.#first];
      if (oldest === undefined) break;
      const count = this.#events.length - this.#first;
      const keep =
        count <= limits.watchCacheEventsMax &&
        this.#bytes <= bytesMax &&
        atMs - oldest.atMs <= ageMsMax;
      if (keep) break;
      this.#startRevision = oldest.event.revision;
      this.#bytes -= weightOf(oldest.event);
      this.#first++;
    }
    if (this.#first > 1024 && this.#first * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#first);
      this.#first = 0;
    }
  }

  covers(revision: number): boolean {
    return revision >= this.#startRevision;
  }

  /** Changes after `revision`; only when it `covers` that. */
  after(revision: number): readonly CacheEvent[] {
    let low = this.#first;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.event.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#events.slice(low).map((one) => one.event);
  }

  /** What each key that changed after `revision` held at that revision. */
  undo(revision: number): ReadonlyMap<string, StoredObject | undefined> {
    const before = new Map<string, StoredObject | undefined>();
    for (const event of this.after(revision))
      if (!before.has(event.object.key)) before.set(event.object.key, event.previous);
    return before;
  }
}
