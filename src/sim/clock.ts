import type { Cancel, Clock } from '#base';
import { popHeap, pushHeap } from '#base';

/** A clock that stands still until it is told to move, and runs what falls due on the way. */
export interface SimClock extends Clock {
  /** Moves on by `durationMs`; after each timer everything that it set going runs until it waits. */
  advance(durationMs: number): Promise<void>;
  /** Moves from timer to timer until none is left; throws when that takes more than `durationMsMax`. */
  runUntilIdle(durationMsMax?: number): Promise<void>;
  /** Lets everything that needs no time run until it waits. */
  settle(): Promise<void>;
  readonly pendingTimers: number;
}

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  action: (() => void) | undefined;
}

const dayMs = 86_400_000;

/** Starts on 1 January 2026 unless told otherwise. */
export function createSimClock(startMs = Date.UTC(2026, 0, 1)): SimClock {
  return new SimulatedClock(startMs);
}

class SimulatedClock implements SimClock {
  readonly #startMs: number;
  #nowMs: number;
  #made = 0;
  #live = 0;
  /** A binary heap by due time, then by age. */
  readonly #heap: Timer[] = [];

  constructor(startMs: number) {
    this.#startMs = startMs;
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs;
  }

  get pendingTimers(): number {
    return this.#live;
  }

  after(delayMs: number, action: () => void): Cancel {
    const dueMs = this.#nowMs + Math.max(0, delayMs);
    const timer: Timer = { dueMs, order: this.#made++, action };
    pushHeap(this.#heap, timer, before);
    this.#live += 1;
    return () => {
      if (timer.action === undefined) return;
      timer.action = undefined;
      this.#live -= 1;
    };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.after(delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await this.settle();
    while (await this.#runNext(endMs));
    this.#nowMs = endMs;
  }

  async runUntilIdle(durationMsMax = dayMs): Promise<void> {
    const endMs = this.#nowMs + durationMsMax;
    await this.settle();
    while (await this.#runNext(endMs));
    if (this.#live > 0)
      throw new Error(`Cannot run until idle: ${this.#live} timers after ${durationMsMax} ms`);
  }

  settle(): Promise<void> {
    // The runtime empties its queue of promises before it comes to an immediate.
    return new Promise((resolve) => setImmediate(resolve));
  }

  async #runNext(endMs: number): Promise<boolean> {
    for (let next = this.#heap[0]; next !== undefined; next = this.#heap[0]) {
      if (next.dueMs > endMs) return false;
      popHeap(this.#heap, before);
      const { action } = next;
      if (action === undefined) continue; // cancelled
      next.action = undefined;
      this.#live -= 1;
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      action();
      await this.settle();
      return true;
    }
    return false;
  }
}

function before(left: Timer, right: Timer): boolean {
  return left.dueMs < right.dueMs || (left.dueMs === right.dueMs && left.order < right.order);
}
