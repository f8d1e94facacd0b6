import type { Cancel, Clock } from '#base';

const waitMsMax = 200;
/** Ends seldom come alone: when one was told, the next may be about to come. */
const settleMs = 20;

/**
 * Ends of containers that the store does not know yet. What a framework waits for comes before what
 * tidies up: the kubelet looks at a Pod that has ended when nothing is untold, or after a while.
 */
export class Untold {
  readonly #clock: Clock;
  readonly #keys = new Set<string>();
  readonly #waiting = new Set<() => void>();
  #settling: Cancel | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(key: string): void {
    this.#settling?.();
    this.#settling = undefined;
    this.#keys.add(key);
  }

  /** To be disposed when the task has been looked at; what ends meanwhile stays untold. */
  telling(key: string): Disposable {
    const known = this.#keys.has(key);
    return { [Symbol.dispose]: () => (known ? this.#told(key) : undefined) };
  }

  #told(key: string): void {
    this.#keys.delete(key);
    if (this.#keys.size > 0) return;
    this.#settling?.();
    this.#settling = this.#clock.after(settleMs, () => this.stop());
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#settling?.();
    this.#settling = undefined;
    for (const go of this.#waiting) go();
  }

  async none(): Promise<void> {
    // Others who listen to the same change have noted it then.
    await Promise.resolve();
    if (this.#keys.size === 0 && this.#settling === undefined) return;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        cancel();
        this.#waiting.delete(go);
        resolve();
      };
      const cancel = this.#clock.after(waitMsMax, go);
      this.#waiting.add(go);
    });
  }
}
