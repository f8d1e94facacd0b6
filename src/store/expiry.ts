import type { Cancel, Clock } from '#base';

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
    push(this.#heap, { key, revision, dueMs });
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
      pop(this.#heap);
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

function push(heap: Due[], due: Due): void {
  let at = heap.length;
  heap.push(due);
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above];
    if (parent === undefined || parent.dueMs <= due.dueMs) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = due;
}

function pop(heap: Due[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let below = 2 * at + 1;
    let child = heap[below];
    if (child === undefined) break;
    const right = heap[below + 1];
    if (right !== undefined && right.dueMs < child.dueMs) {
      child = right;
      below += 1;
    }
    if (child.dueMs >= last.dueMs) break;
    heap[at] = child;
    at = below;
  }
  heap[at] = last;
}
