import type { Random } from '#base';

/** Chance that one seed replays, with the questions simulations ask most. */
export interface SeededRandom extends Random {
  /** A number in [0, 1). */
  fraction(): number;
  /** True `percent` times in a hundred. */
  chance(percent: number): boolean;
  /** A whole number in [low, high]. */
  between(low: number, high: number): number;
  pick<T>(items: readonly T[]): T;
  shuffled<T>(items: readonly T[]): T[];
  /** Independent of what this one is asked afterwards, yet fixed by the seed. */
  fork(): SeededRandom;
}

/** sfc32 (Chris Doty-Humphrey's small fast counter), seeded through splitmix32. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed | 0;
  const splitmix = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
  let a = splitmix();
  let b = splitmix();
  let c = splitmix();
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  for (let warm = 0; warm < 12; warm++) next();
  return fromWords(next);
}

function fromWords(next: () => number): SeededRandom {
  const fraction = (): number => ((next() >>> 5) * 67_108_864 + (next() >>> 6)) / 2 ** 53;
  const below = (bound: number): number => (bound <= 1 ? 0 : Math.floor(fraction() * bound));
  const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => below(256));
  return {
    fraction,
    below,
    bytes,
    chance: (percent) => below(100) < percent,
    between: (low, high) => low + below(high - low + 1),
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new RangeError('Cannot pick: there are no items');
      return item;
    },
    shuffled: (items) => {
      const mixed = [...items];
      for (let last = mixed.length - 1; last > 0; last--) {
        const other = below(last + 1);
        const moved = mixed.splice(other, 1, ...mixed.slice(last, last + 1));
        mixed.splice(last, 1, ...moved);
      }
      return mixed;
    },
    fork: () => seededRandom(next()),
    uuid: () => {
      const hex = Buffer.from(bytes(16)).toString('hex');
      const variant = '89ab'.charAt(below(4));
      return [
        hex.slice(0, 8),
        hex.slice(8, 12),
        `4${hex.slice(13, 16)}`,
        `${variant}${hex.slice(17, 20)}`,
        hex.slice(20),
      ].join('-');
    },
  };
}

/** Seeds 0 to `count`; many more with `TANDEM_TEST_LONG=1`; just the one in `SEED` to replay it. */
export function seedsFromEnvironment(count: number): readonly number[] {
  const { SEED: seed, TANDEM_TEST_LONG: long } = process.env;
  if (seed !== undefined) return [Number(seed)];
  return Array.from({ length: long === undefined ? count : count * 10 }, (_, index) => index);
}
