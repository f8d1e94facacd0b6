import type { StoredObject } from './stored-object.ts';

const chunkMax = 512;

/** Objects by key, and in the order of their keys: an array of short sorted arrays. */
export class SortedObjects {
  readonly #byKey = new Map<string, StoredObject>();
  readonly #chunks: StoredObject[][] = [];

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): StoredObject | undefined {
    return this.#byKey.get(key);
  }

  set(object: StoredObject): void {
    const known = this.#byKey.has(object.key);
    this.#byKey.set(object.key, object);
    if (this.#chunks.length === 0) {
      this.#chunks.push([object]);
      return;
    }
    const at = this.#chunkOf(object.key);
    const chunk = this.#chunks[at] as StoredObject[];
    const place = lowerBound(chunk, object.key);
    if (known) {
      chunk[place] = object;
      return;
    }
    if (place === chunk.length) chunk.push(object);
    else chunk.splice(place, 0, object);
    if (chunk.length > chunkMax) {
      // Keys that only grow leave full chunks behind, others half full ones.
      const cut = place === chunk.length - 1 ? chunkMax : chunkMax / 2;
      this.#chunks.splice(at + 1, 0, chunk.splice(cut));
    }
  }

  delete(key: string): void {
    if (!this.#byKey.delete(key)) return;
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at] as StoredObject[];
    chunk.splice(lowerBound(chunk, key), 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** Objects whose keys start with `prefix`, after `after` when given, in order. */
  *range(prefix: string, after?: string): Generator<StoredObject> {
    if (this.#chunks.length === 0) return;
    const from = after !== undefined && after > prefix ? after : prefix;
    let at = this.#chunkOf(from);
    let place = lowerBound(this.#chunks[at] ?? [], from);
    for (; at < this.#chunks.length; at++, place = 0) {
      const chunk = this.#chunks[at] as StoredObject[];
      for (; place < chunk.length; place++) {
        const object = chunk[place] as StoredObject;
        if (!object.key.startsWith(prefix)) return;
        if (object.key !== after) yield object;
      }
    }
  }

  /** How many keys start with `prefix` and come after `after`. */
  count(prefix: string, after: string): number {
    let count = 0;
    const end = `${prefix}\uffff`;
    for (let at = this.#chunkOf(after); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] as StoredObject[];
      const first = chunk[0]?.key ?? '';
      if (first > end) break;
      const from = first > after ? 0 : upperBound(chunk, after);
      const last = chunk.at(-1)?.key ?? '';
      const to = last < end ? chunk.length : lowerBound(chunk, end);
      count += Math.max(0, to - from);
    }
    return count;
  }

  /** The last chunk that begins at or before `key`. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low + 1 < high) {
      const middle = (low + high) >>> 1;
      if ((this.#chunks[middle]?.[0]?.key ?? '') <= key) low = middle;
      else high = middle;
    }
    return low;
  }
}

function lowerBound(chunk: readonly StoredObject[], key: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((chunk[middle]?.key ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
function upperBound(chunk: readonly StoredObject[], key: string): number {
  const at = lowerBound(chunk, key);
  return chunk[at]?.key === key ? at + 1 : at;
}
