import type { Cancel, Clock, Logger } from '#base';
import { silentLogger } from '#base';
import { isStatus, TerminalError } from '#machinery';

/** Called with a key, never with an event: it reads what is and moves it toward what should be. */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<Again>;
export type Again = { readonly afterMs: number } | undefined;

/** Keys to look at: each once however often it was added, never two workers on one key. */
export interface WorkQueue {
  add(key: string): void;
  addAfter(key: string, delayMs: number): void;
  /** Runs `workers` loops until the signal aborts; a thrown error brings the key back with back-off. */
  run(reconcile: Reconcile, options: { workers: number; signal: AbortSignal }): Promise<void>;
  readonly length: number;
}

export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly logger?: Logger | undefined;
  /** For the log. */
  readonly name?: string | undefined;
}

// workqueue.DefaultTypedControllerRateLimiter: 5 ms doubled per failure of the key, at most 1000 s.
const retryMsMin = 5;
const retryMsMax = 1_000_000;

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  return new KeyQueue(options);
}

class KeyQueue implements WorkQueue {
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** In the order they were added. */
  readonly #ready = new Set<string>();
  readonly #busy = new Set<string>();
  /** Added while a worker is on them: ready again when it is done. */
  readonly #again = new Set<string>();
  readonly #timers = new Map<string, { readonly atMs: number; readonly cancel: Cancel }>();
  readonly #failures = new Map<string, number>();
  readonly #idle: (() => void)[] = [];

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#logger = (options.logger ?? silentLogger).with({ queue: options.name ?? '' });
  }

  get length(): number {
    return this.#ready.size + this.#again.size;
  }

  add(key: string): void {
    if (this.#busy.has(key)) this.#again.add(key);
    else this.#ready.add(key);
    this.#idle.pop()?.();
  }

  addAfter(key: string, delayMs: number): void {
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const atMs = this.#clock.monotonicMs() + delayMs;
    const waiting = this.#timers.get(key);
    if (waiting !== undefined) {
      if (waiting.atMs <= atMs) return;
      waiting.cancel();
    }
    const cancel = this.#clock.after(delayMs, () => {
      this.#timers.delete(key);
      this.add(key);
    });
    this.#timers.set(key, { atMs, cancel });
  }

  async run(
    reconcile: Reconcile,
    options: { workers: number; signal: AbortSignal },
  ): Promise<void> {
    const { signal } = options;
    const wake = (): void => {
      for (const resolve of this.#idle.splice(0)) resolve();
    };
    signal.addEventListener('abort', wake, { once: true });
    const workers = Array.from({ length: options.workers }, () => this.#work(reconcile, signal));
    await Promise.all(workers);
    signal.removeEventListener('abort', wake);
    for (const { cancel } of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  async #work(reconcile: Reconcile, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const key = this.#take();
      if (key === undefined) {
        await new Promise<void>((resolve) => this.#idle.push(resolve));
        continue;
      }
      try {
        const again = await reconcile(key, signal);
        this.#failures.delete(key);
        if (again !== undefined) this.addAfter(key, again.afterMs);
      } catch (error) {
        if (!signal.aborted) this.#fail(key, error);
      } finally {
        this.#busy.delete(key);
        if (this.#again.delete(key)) this.add(key);
      }
    }
  }

  #take(): string | undefined {
    for (const key of this.#ready) {
      this.#ready.delete(key);
      this.#busy.add(key);
      return key;
    }
    return undefined;
  }

  #fail(key: string, error: unknown): void {
    if (error instanceof TerminalError) {
      this.#failures.delete(key);
      this.#logger.warn('Giving up until the object changes', { key, error: error.message });
      return;
    }
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const delayMs = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(failures, 30));
    // Losing a race for a write is part of normal life; everything else is worth a line.
    if (isStatus(error, 'Conflict')) this.#logger.debug('Conflict, trying again', { key, delayMs });
    else this.#logger.warn('Cannot reconcile, trying again', { key, delayMs, error });
    this.addAfter(key, delayMs);
  }
}
