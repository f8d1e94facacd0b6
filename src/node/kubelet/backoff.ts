/** Doubling waits that are forgotten after a quiet while (client-go flowcontrol.Backoff). */
export class Backoff {
  readonly #firstMs: number;
  readonly #maxMs: number;
  #waitMs = 0;
  #setAtMs = 0;

  constructor(options: { readonly firstMs: number; readonly maxMs: number }) {
    this.#firstMs = options.firstMs;
    this.#maxMs = options.maxMs;
  }

  /** When the wait that is due after something ended at `eventMs` is over; undefined: no wait. */
  until(eventMs: number): { readonly atMs: number; readonly waitMs: number } | undefined {
    if (this.#waitMs === 0 || this.#quiet(eventMs)) return undefined;
    return { atMs: eventMs + this.#waitMs, waitMs: this.#waitMs };
  }

  /** Something was tried again: the next wait is longer. */
  next(eventMs: number, nowMs: number): void {
    const fresh = this.#waitMs === 0 || this.#quiet(eventMs);
    this.#waitMs = fresh ? this.#firstMs : Math.min(this.#waitMs * 2, this.#maxMs);
    this.#setAtMs = nowMs;
  }

  reset(): void {
    this.#waitMs = 0;
  }

  #quiet(eventMs: number): boolean {
    return eventMs - this.#setAtMs > 2 * this.#maxMs;
  }
}
