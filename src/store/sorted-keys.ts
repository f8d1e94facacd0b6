const chunkKeysMax = 512;

/** Keys in the order of their UTF-16 code units, in chunks so that adding one moves few others. */
export class SortedKeys {
  readonly #chunks: string[][] = [[]];

  /** The key must not be there yet. */
  add(key: string): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    chunk.splice(lowerBound(chunk, key), 0, key);
    if (chunk.length > chunkKeysMax)
      this.#chunks.splice(at + 1, 0, chunk.splice(chunk.length >> 1));
  }

  remove(key: string): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    const place = lowerBound(chunk, key);
    if (chunk[place] === key) chunk.splice(place, 1);
    if (chunk.length === 0 && this.#chunks.length > 1) this.#chunks.splice(at, 1);
  }

  /** Keys at or after `first`, in order. The keys must not change meanwhile. */
  *from(first: string): IterableIterator<string> {
    let at = this.#chunkOf(first);
    let place = lowerBound(this.#chunks[at] ?? [], first);
    for (; at < this.#chunks.length; at++, place = 0) {
      const chunk = this.#chunks[at] ?? [];
      for (; place < chunk.length; place++) yield chunk[place] ?? '';
    }
  }

  /** The last chunk that begins at or before the key. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const first = this.#chunks[middle]?.[0];
      if (first !== undefined && first <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
