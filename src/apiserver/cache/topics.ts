import type { CacheEvent, EventType } from './history.ts';
import { StoredObject, withRevision } from './stored-object.ts';
import type { DecodedPool } from './decoded-pool.ts';

/** Which objects of a resource somebody wants. */
export interface Selection {
  /** Equal ids select equally. */
  readonly id: string;
  /** All keys begin with this: the resource, or the resource in one namespace. */
  readonly prefix: string;
  /** Absent: all under the prefix. */
  readonly matches?: ((object: StoredObject) => boolean) | undefined;
  /** A field that must have one value: changes are looked up by it instead of asked one by one. */
  readonly trigger?:
    | { readonly field: string; readonly value: string; of(object: StoredObject): string }
    | undefined;
}

/** What one selection sees of one change. */
export interface TopicEvent {
  readonly type: EventType;
  readonly object: StoredObject;
  readonly revision: number;
}

/** What one selection sees of one group of commits, encoded at most once per form. */
export class Batch {
  readonly events: readonly TopicEvent[];
  readonly #encoded = new Map<string, Uint8Array>();

  constructor(events: readonly TopicEvent[]) {
    this.events = events;
  }

  encoded(form: string, encode: (events: readonly TopicEvent[]) => Uint8Array): Uint8Array {
    let bytes = this.#encoded.get(form);
    if (bytes === undefined) {
      bytes = encode(this.events);
      this.#encoded.set(form, bytes);
    }
    return bytes;
  }
}
export type BatchListener = (batch: Batch) => void;

interface Topic {
  readonly selection: Selection;
  readonly listeners: Set<BatchListener>;
  pending: TopicEvent[];
}

/** Watchers by what they select; each group of changes is judged and encoded once per selection. */
export class Topics {
  readonly #pool: DecodedPool;
  readonly #byId = new Map<string, Topic>();
  readonly #general = new Set<Topic>();
  readonly #triggered = new Map<
    string,
    { of(object: StoredObject): string; byValue: Map<string, Set<Topic>> }
  >();

  constructor(pool: DecodedPool) {
    this.#pool = pool;
  }

  get listenerCount(): number {
    let count = 0;
    for (const topic of this.#byId.values()) count += topic.listeners.size;
    return count;
  }

  add(selection: Selection, listener: BatchListener): Disposable {
    let topic = this.#byId.get(selection.id);
    if (topic === undefined) {
      topic = { selection, listeners: new Set(), pending: [] };
      this.#byId.set(selection.id, topic);
      this.#place(topic);
    }
    const joined = topic;
    joined.listeners.add(listener);
    return {
      [Symbol.dispose]: () => {
        joined.listeners.delete(listener);
        if (joined.listeners.size === 0 && this.#byId.get(selection.id) === joined)
          this.#drop(joined);
      },
    };
  }

  publish(events: readonly CacheEvent[]): void {
    if (this.#byId.size === 0) return;
    const touched = new Set<Topic>();
    for (const event of events) {
      for (const topic of this.#general) this.#offer(topic, event, touched);
      for (const { of, byValue } of this.#triggered.values()) {
        const now = of(event.object);
        const before = event.previous === undefined ? now : of(event.previous);
        for (const topic of byValue.get(now) ?? []) this.#offer(topic, event, touched);
        if (before !== now)
          for (const topic of byValue.get(before) ?? []) this.#offer(topic, event, touched);
      }
    }
    for (const topic of touched) {
      const batch = new Batch(topic.pending);
      topic.pending = [];
      for (const listener of topic.listeners) listener(batch);
    }
  }

  #offer(topic: Topic, event: CacheEvent, touched: Set<Topic>): void {
    const seen = seenBy(topic.selection, event, this.#pool);
    if (seen === undefined) return;
    topic.pending.push(seen);
    touched.add(topic);
  }

  #place(topic: Topic): void {
    const { trigger } = topic.selection;
    if (trigger === undefined) {
      this.#general.add(topic);
      return;
    }
    const field = this.#triggered.get(trigger.field) ?? {
      of: (object: StoredObject) => trigger.of(object),
      byValue: new Map<string, Set<Topic>>(),
    };
    this.#triggered.set(trigger.field, field);
    const topics = field.byValue.get(trigger.value) ?? new Set<Topic>();
    field.byValue.set(trigger.value, topics);
    topics.add(topic);
  }

  #drop(topic: Topic): void {
    this.#byId.delete(topic.selection.id);
    this.#general.delete(topic);
    const { trigger } = topic.selection;
    if (trigger === undefined) return;
    const field = this.#triggered.get(trigger.field);
    const topics = field?.byValue.get(trigger.value);
    topics?.delete(topic);
    if (topics?.size === 0) field?.byValue.delete(trigger.value);
    if (field?.byValue.size === 0) this.#triggered.delete(trigger.field);
  }
}

/** Entering a selection looks like ADDED, leaving it like DELETED with the last state that matched. */
export function seenBy(
  selection: Selection,
  event: CacheEvent,
  pool: DecodedPool,
): TopicEvent | undefined {
  const { object, previous, revision } = event;
  if (!object.key.startsWith(selection.prefix)) return undefined;
  const { matches } = selection;
  if (matches === undefined) return event;
  const now = event.type !== 'DELETED' && matches(object);
  const before = previous !== undefined && matches(previous);
  if (now) return { type: before ? 'MODIFIED' : 'ADDED', object, revision };
  if (!before) return undefined;
  if (event.type === 'DELETED') return { type: 'DELETED', object, revision };
  const bytes = withRevision(previous.bytes, revision);
  const last = new StoredObject({ key: object.key, revision, bytes }, pool);
  return { type: 'DELETED', object: last, revision };
}
