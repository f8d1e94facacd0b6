import type { Amounts } from '#pool';
import type { Quantities } from './allocator.ts';

/** The pool's names and how many of its base units are a thousandth of Mesos' unit. */
const units: readonly (readonly [pool: string, mesos: string, factor: number])[] = [
  ['cpu', 'cpus', 1],
  ['memory', 'mem', 2 ** 20 / 1000],
  ['ephemeral-storage', 'disk', 2 ** 20 / 1000],
  ['nvidia.com/gpu', 'gpus', 1 / 1000],
];

/** Amounts of the pool in Mesos' units; `up` for what is held or wanted, `down` for what is free. */
export function quantitiesOf(amounts: Amounts, round: 'up' | 'down'): Quantities {
  const result: Record<string, number> = {};
  for (const [pool, mesos, factor] of units) {
    const amount = amounts[pool];
    if (amount === undefined || amount === 0) continue;
    result[mesos] = round === 'up' ? Math.ceil(amount / factor) : Math.floor(amount / factor);
  }
  return result;
}

/** Mesos' amounts in the pool's base units, rounded up; scalars that the pool does not know are left out. */
export function amountsOf(quantities: Quantities): Amounts {
  const result: Record<string, number> = {};
  for (const [pool, mesos, factor] of units) {
    const amount = quantities[mesos];
    if (amount !== undefined && amount !== 0) result[pool] = Math.ceil(amount * factor);
  }
  return result;
}
