import type { Clock } from '#base';
import type { Draft, KubeObject } from '#machinery';
import type { Change, Entry } from '#store';
import type { DecodedPool } from './decoded-pool.ts';
import { type CacheEvent, History } from './history.ts';
import { SortedObjects } from './sorted-objects.ts';
import { StoredObject, withRevision } from './stored-object.ts';
import { type BatchListener, type Selection, Topics } from './topics.ts';

/** Decoded forms of writes under way, by the very bytes that were handed to the store. */
export type DraftsByValue = WeakMap<Uint8Array, Draft<KubeObject>>;

interface SelectionIndex {
  readonly selection: Selection;
  readonly objects: SortedObjects;
}
const indexesMax = 32;
/** A scan of fewer objects costs less than keeping an index. */
const indexFromObjects = 128;

/** All current objects of one resource as bytes, their latest changes, and who watches them. */
export class ResourceCache {
  /** `/registry/pods/` */
  readonly prefix: string;
  readonly #pool: DecodedPool;
  readonly #clock: Clock;
  readonly #objects = new SortedObjects();
  readonly #history = new History();
  readonly #topics: Topics;
  readonly #indexes = new Map<string, SelectionIndex>();
  readonly #listeners = new Set<(events: readonly CacheEvent[]) => void>();
  #lastChange = 0;

  constructor(prefix: string, options: { pool: DecodedPool; clock: Clock }) {
    this.prefix = prefix;
    this.#pool = options.pool;
    this.#clock = options.clock;
    this.#topics = new Topics(options.pool);
  }

  get size(): number {
    return this.#objects.size;
  }
  get watchers(): number {
    return this.#topics.listenerCount;
  }
  /** Revision of the last change here; the resource looks the same at every later one. */
  get lastChange(): number {
    return this.#lastChange;
  }
  get history(): History {
    return this.#history;
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  /** At start: what the store holds. */
  load(entry: Entry): void {
    this.#objects.set(this.stored(entry));
    this.#lastChange = Math.max(this.#lastChange, entry.revision);
  }

  stored(entry: Pick<Entry, 'key' | 'revision' | 'value'>): StoredObject {
    const { key, revision, value } = entry;
    return new StoredObject({ key, revision, bytes: withRevision(value, revision) }, this.#pool);
  }

  /** Changes in order; everybody who watches is told before this returns. */
  apply(changes: readonly Change[], drafts: DraftsByValue): void {
    const nowMs = this.#clock.nowMs();
    const events: CacheEvent[] = [];
    for (const change of changes) {
      const event = this.#applyOne(change, drafts);
      if (event === undefined) continue;
      this.#history.push(event, nowMs);
      this.#lastChange = change.revision;
      this.#maintainIndexes(event);
      events.push(event);
    }
    if (events.length === 0) return;
    for (const listener of this.#listeners) listener(events);
    this.#topics.publish(events);
  }

  #applyOne(change: Change, drafts: DraftsByValue): CacheEvent | undefined {
    const { key, revision, value } = change;
    const previous = this.#objects.get(key);
    if (value === undefined) {
      if (previous === undefined) return undefined;
      this.#objects.delete(key);
      this.#pool.forget(previous);
      const bytes = withRevision(previous.bytes, revision);
      const object = new StoredObject({ key, revision, bytes }, this.#pool);
      return { type: 'DELETED', revision, object, previous };
    }
    const object = this.stored({ key, revision, value });
    const draft = drafts.get(value);
    if (draft !== undefined) object.adopt(draft);
    // The store may keep the bytes; the decoded form must not live as long.
    drafts.delete(value);
    this.#objects.set(object);
    const type = previous === undefined ? 'ADDED' : 'MODIFIED';
    return { type, revision, object, previous };
  }

  /** The change a past `Change` of the store was, for watches that begin before our window. */
  pastEvent(change: Change): CacheEvent | undefined {
    const { revision } = change;
    const previous = change.previous === undefined ? undefined : this.stored(change.previous);
    if (change.value !== undefined) {
      const object = this.stored({ key: change.key, revision, value: change.value });
      return { type: previous === undefined ? 'ADDED' : 'MODIFIED', revision, object, previous };
    }
    if (previous === undefined) return undefined;
    const bytes = withRevision(previous.bytes, revision);
    const object = new StoredObject({ key: change.key, revision, bytes }, this.#pool);
    return { type: 'DELETED', revision, object, previous };
  }

  /** In order of keys, after the key `after`. */
  *select(selection: Selection, after?: string): Generator<StoredObject> {
    const { prefix, matches } = selection;
    if (matches === undefined) {
      yield* this.#objects.range(prefix, after);
      return;
    }
    const index = this.#indexOf(selection);
    if (index !== undefined) {
      yield* index.objects.range(prefix, after);
      return;
    }
    for (const object of this.#objects.range(prefix, after)) if (matches(object)) yield object;
  }

  countAfter(prefix: string, after: string): number {
    return this.#objects.count(prefix, after);
  }

  watch(selection: Selection, listener: BatchListener): Disposable {
    return this.#topics.add(selection, listener);
  }

  onChange(listener: (events: readonly CacheEvent[]) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  #indexOf(selection: Selection): SelectionIndex | undefined {
    let index = this.#indexes.get(selection.id);
    if (index === undefined) {
      if (this.#objects.size < indexFromObjects) return undefined;
      index = { selection, objects: new SortedObjects() };
      for (const object of this.#objects.range(selection.prefix))
        if (selection.matches?.(object) === true) index.objects.set(object);
    }
    // The least lately used stands first.
    this.#indexes.delete(selection.id);
    this.#indexes.set(selection.id, index);
    if (this.#indexes.size > indexesMax) {
      const oldest = this.#indexes.keys().next();
      if (oldest.done !== true) this.#indexes.delete(oldest.value);
    }
    return index;
  }

  #maintainIndexes(event: CacheEvent): void {
    for (const { selection, objects } of this.#indexes.values()) {
      if (!event.object.key.startsWith(selection.prefix)) continue;
      if (event.type !== 'DELETED' && selection.matches?.(event.object) === true)
        objects.set(event.object);
      else objects.delete(event.object.key);
    }
  }
}
