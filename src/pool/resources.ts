import assert from 'node:assert/strict';
import type { Amounts } from './pool.ts';

/** These always have a column. */
export const everydayResources = ['cpu', 'memory', 'ephemeral-storage', 'pods'] as const;

/** Gives each resource name a small number, so that amounts are arrays instead of objects. */
export class ResourceNumbers {
  readonly names: string[] = [];
  readonly #numbers = new Map<string, number>();

  constructor() {
    for (const name of everydayResources) this.numberFor(name);
  }

  /** Undefined when nobody ever had or held any of it. */
  find(name: string): number | undefined {
    return this.#numbers.get(name);
  }

  numberFor(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.names.length;
    this.names.push(name);
    this.#numbers.set(name, number);
    return number;
  }

  vector(amounts: Amounts): number[] {
    const vector: number[] = [];
    for (const name in amounts) {
      const number = this.numberFor(name);
      while (vector.length <= number) vector.push(0);
      vector[number] = whole(amounts[name]);
    }
    return vector;
  }

  amounts(vector: readonly number[]): Amounts {
    const entries = this.names.map((name, number): [string, number] => [name, vector[number] ?? 0]);
    return Object.fromEntries(entries.filter(([, amount]) => amount !== 0));
  }
}

/** Amounts are counted in whole base units, so that sums do not depend on their order. */
export function whole(amount: number | undefined): number {
  assert(amount !== undefined && amount >= 0, 'An amount is zero or more');
  return Math.ceil(amount);
}

export function addTo(vector: number[], number: number, amount: number): number {
  while (vector.length <= number) vector.push(0);
  const sum = (vector[number] ?? 0) + amount;
  vector[number] = sum;
  return sum;
}

export function sameAmounts(left: Amounts, right: Amounts): boolean {
  for (const name in left) if ((left[name] ?? 0) !== (right[name] ?? 0)) return false;
  for (const name in right) if ((left[name] ?? 0) !== (right[name] ?? 0)) return false;
  return true;
}

export function amountText(name: string, amount: number): string {
  return name === 'cpu' ? `${amount}m` : String(amount);
}
