/** First in, first out, with a bound: what does not fit is refused, and the caller decides. */
export class BoundedQueue<T> {
  readonly lengthMax: number;
  #items: (T | undefined)[] = [];
  #head = 0;

  constructor(lengthMax: number) {
    this.lengthMax = lengthMax;
  }
  get length(): number {
    return this.#items.length - this.#head;
  }
  /** False when the queue is full: nothing was added. */
  push(item: T): boolean {
    if (this.length >= this.lengthMax) return false;
    this.#items.push(item);
    return true;
  }
  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head++;
    // Give the space back once half of it is behind us: constant cost per item on average.
    if (this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
  /** Takes everything that waits. */
  drain(): readonly T[] {
    const items = this.#items.slice(this.#head) as T[];
    this.#items = [];
    this.#head = 0;
    return items;
  }
}
