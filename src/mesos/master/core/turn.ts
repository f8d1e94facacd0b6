import type { Clock } from '#base';

const doneMax = 250;
const doneAtOnce = 16;
const turnMs = 4;

/**
 * One turn of the event loop in a long row of small works, so that nobody else waits for the whole row.
 * Many works fit into a turn; while the heap is looked through, each may take long.
 */
export class Turn {
  readonly #clock: Clock;
  readonly #untilMs: number;
  #done = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#untilMs = clock.monotonicMs() + turnMs;
  }

  /** Whether another one may be done in this turn; counts it. */
  takes(): boolean {
    if (this.#done >= doneMax) return false;
    if (this.#done >= doneAtOnce && this.#clock.monotonicMs() > this.#untilMs) return false;
    this.#done++;
    return true;
  }
}
