import type { Clock } from '#base';

const lookMs = 250;

/** Time limits of many short requests on one timer: one for each would cost more than the requests. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #pending = new Set<{ readonly atMs: number; expire(): void }>();
  #looking = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async within<T>(ms: number, work: Promise<T>, failure: () => Error): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      const entry = {
        atMs: this.#clock.monotonicMs() + ms,
        expire: () => {
          this.#pending.delete(entry);
          reject(failure());
        },
      };
      this.#pending.add(entry);
      this.#schedule();
      work.then(
        (value) => {
          this.#pending.delete(entry);
          resolve(value);
        },
        (error: unknown) => {
          this.#pending.delete(entry);
          reject(error);
        },
      );
    });
  }

  #schedule(): void {
    if (this.#looking) return;
    this.#looking = true;
    this.#clock.after(lookMs, () => {
      this.#looking = false;
      const nowMs = this.#clock.monotonicMs();
      for (const entry of this.#pending) if (entry.atMs <= nowMs) entry.expire();
      if (this.#pending.size > 0) this.#schedule();
    });
  }
}
