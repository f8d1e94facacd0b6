import type { Random } from '#base';

/** Orders of agents from one draw of chance: the source may be a slow one. */
export class Shuffler {
  #state: number;

  constructor(random: Random) {
    this.#state = random.below(0x7fff_ffff) + 1;
  }

  shuffle(rows: Int32Array): void {
    for (let last = rows.length - 1; last > 0; last--) {
      const other = this.#below(last + 1);
      const moved = rows[last] ?? 0;
      rows[last] = rows[other] ?? 0;
      rows[other] = moved;
    }
  }

  /** Marsaglia's xorshift32; the bias of the remainder is below one in 100,000 for our sizes. */
  #below(bound: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return this.#state % bound;
  }
}
