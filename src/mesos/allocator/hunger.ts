import type { Vector } from './quantities.ts';

/** An offer held for longer says nothing of what its framework wants. */
const thinkMs = 5_000;
/** A framework that had no use for an offer is asked again after this, doubled each time. */
const restMsMin = 5_000;
const restMsMax = 60_000;
/** So many small offers declined in a row are an answer, when nobody knows what size is wanted. */
const scrapsMax = 3;

/**
 * Does a framework want more in a role? It cannot say so; what it does with offers is the answer.
 * `unknown`: new, revived, or not asked for some time; `hungry`: it used its last offer; `sated`: it
 * had no use for one that was large enough. See docs/decisions/fairness.md.
 */
export class Hunger {
  state: 'unknown' | 'hungry' | 'sated' = 'unknown';
  /** Resources of the smallest task it launched last. */
  piece: Vector | undefined;
  #offeredMs: number | undefined;
  #restMs = restMsMin;
  #restsUntilMs = 0;
  #scraps = 0;

  offered(nowMs: number): void {
    this.#offeredMs ??= nowMs;
  }

  /** An offer was answered, or taken back: nothing is to be thought about. */
  settled(): void {
    this.#offeredMs = undefined;
  }

  launched(piece: Vector): void {
    this.#offeredMs = undefined;
    this.#restMs = restMsMin;
    this.#scraps = 0;
    this.state = 'hungry';
    this.piece = piece;
  }

  /** It gave back what would have been enough. */
  declined(nowMs: number, filteredUntilMs: number): void {
    this.#offeredMs = undefined;
    this.#scraps = 0;
    this.state = 'sated';
    this.#restsUntilMs = Math.max(filteredUntilMs, nowMs + this.#restMs);
    this.#restMs = Math.min(restMsMax, this.#restMs * 2);
  }

  /** It gave back what may be too small for its tasks: that says little. */
  declinedScraps(nowMs: number, filteredUntilMs: number): void {
    this.#offeredMs = undefined;
    if (this.piece !== undefined) return;
    this.#scraps += 1;
    if (this.#scraps >= scrapsMax) this.declined(nowMs, filteredUntilMs);
  }

  /** It gave back what nobody could run anything in: CPUs without memory, memory without CPUs. */
  declinedNothing(): void {
    this.#offeredMs = undefined;
  }

  /** It asked for offers. */
  revived(): void {
    this.#offeredMs = undefined;
    this.#restMs = restMsMin;
    this.state = 'unknown';
  }

  /** Might use more. */
  wants(nowMs: number): boolean {
    if (this.state === 'sated' && nowMs >= this.#restsUntilMs) this.state = 'unknown';
    if (this.state === 'sated') return false;
    return this.#offeredMs === undefined || nowMs - this.#offeredMs < thinkMs;
  }
}
