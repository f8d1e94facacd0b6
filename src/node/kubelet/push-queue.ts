const itemsMax = 64;

/** What one side pushes and another reads; a full queue makes the pusher wait. Read once. */
export class PushQueue<T> implements AsyncIterable<T> {
  readonly #items: T[] = [];
  #ended = false;
  #wake: () => void = () => undefined;
  #roomy: () => void = () => undefined;

  async push(item: T): Promise<void> {
    if (this.#ended) return;
    this.#items.push(item);
    this.#wake();
    if (this.#items.length >= itemsMax)
      await new Promise<void>((resolve) => {
        this.#roomy = resolve;
      });
  }

  end(): void {
    this.#ended = true;
    this.#wake();
    this.#roomy();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const next = this.#items.shift();
      if (next !== undefined) {
        this.#roomy();
        yield next;
      } else if (this.#ended) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
