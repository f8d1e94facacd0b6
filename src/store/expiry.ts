import type { Cancel, Clock } from '#base';
import { popHeap, pushHeap } from '#base';

interface Due {
  readonly key: string;
  readonly revision: number;
  readonly dueMs: number;
}

const dueAtOnceMax = 256;
/** Due times are looked at together, so that a thousand events do not set a thousand timers. */
const gatherMs = 250;

/** Knows when which key is to be deleted; a key that was written again is left to its later entry. */
export class Expiry {
  readonly #clock: Clock;
  readonly #expire: (due: readonly Due[]) => Promise<void>;
  /** A binary heap by due time. */
  readonly #heap: Due[] = [];
  #cancel: Cancel | undefined;
  #wakeMs = Number.POSITIVE_INFINITY;
  #stopped = false;

  constructor(clock: Clock, expire: (due: readonly Due[]) => Promise<void>) {
    this.#clock = clock;
    this.#expire = expire;
  }

  add(key: string, revision: number, dueMs: number): void {
    pushHeap(this.#heap, { key, revision, dueMs }, sooner);
    this.#arm(dueMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #arm(dueMs: number): void {
    if (this.#stopped || dueMs >= this.#wakeMs) return;
    this.#cancel?.();
    this.#wakeMs = dueMs;
    const delayMs = Math.max(0, dueMs - this.#clock.nowMs());
    this.#cancel = this.#clock.after(delayMs, () => void this.#wake());
  }

  async #wake(): Promise<void> {
    const due: Due[] = [];
    const nowMs = this.#clock.nowMs();
    for (let next = this.#heap[0]; next !== undefined; next = this.#heap[0]) {
      if (next.dueMs > nowMs || due.length === dueAtOnceMax) break;
      popHeap(this.#heap, sooner);
      due.push(next);
    }
    await this.#expire(due);
    this.#wakeMs = Number.POSITIVE_INFINITY;
    const [next] = this.#heap;
    if (next === undefined) return;
    const late = due.length === dueAtOnceMax;
    this.#arm(late ? next.dueMs : Math.max(next.dueMs, nowMs + gatherMs));
  }
}

function sooner(a: Due, b: Due): boolean {
  return a.dueMs < b.dueMs;
}
