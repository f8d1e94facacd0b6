import type { Parcel, Quantities, Ranges } from './allocator.ts';

/** Amounts by resource number; what is missing at the end is zero. */
export type Vector = number[];

/** Gives each scalar a small number, so that amounts are arrays and columns instead of objects. */
export class ResourceNumbers {
  readonly names: string[] = [];
  readonly #numbers = new Map<string, number>();

  constructor() {
    for (const name of ['cpus', 'mem', 'disk', 'gpus']) this.numberOf(name);
  }

  numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.names.length;
    this.names.push(name);
    this.#numbers.set(name, number);
    return number;
  }

  vector(quantities: Quantities | undefined): Vector {
    const vector: Vector = [];
    if (quantities !== undefined) this.addTo(vector, quantities);
    return vector;
  }

  /** Adds `sign` times `quantities`. */
  addTo(vector: Vector, quantities: Quantities, sign: 1 | -1 = 1): void {
    for (const name in quantities)
      addAt(vector, this.numberOf(name), sign * (quantities[name] ?? 0));
  }

  quantities(vector: readonly number[]): Quantities {
    const result: Record<string, number> = {};
    for (let number = 0; number < vector.length; number++) {
      const amount = vector[number] ?? 0;
      const name = this.names[number];
      if (amount !== 0 && name !== undefined) result[name] = amount;
    }
    return result;
  }
}

export function addAt(vector: Vector, number: number, amount: number): void {
  while (vector.length <= number) vector.push(0);
  vector[number] = (vector[number] ?? 0) + amount;
}

export function addAll(vector: Vector, other: readonly number[], sign: 1 | -1 = 1): void {
  for (let number = 0; number < other.length; number++) {
    const amount = other[number] ?? 0;
    if (amount !== 0) addAt(vector, number, sign * amount);
  }
}

/** Every amount of `part` is in `whole`. */
export function covers(whole: readonly number[], part: readonly number[]): boolean {
  for (let number = 0; number < part.length; number++)
    if ((part[number] ?? 0) > (whole[number] ?? 0)) return false;
  return true;
}

export function isZero(vector: readonly number[]): boolean {
  for (let number = 0; number < vector.length; number++) if (vector[number] !== 0) return false;
  return true;
}

/** Both are ascending and apart from each other: every one of `part` lies in one of `whole`. */
export function coversRanges(whole: Ranges | undefined, part: Ranges | undefined): boolean {
  for (const name in part)
    for (const [begin, end] of part[name] ?? [])
      if (!(whole?.[name] ?? []).some((one) => one[0] <= begin && end <= one[1])) return false;
  return true;
}

export function hasRanges(ranges: Ranges | undefined): boolean {
  for (const name in ranges) if ((ranges[name] ?? []).length > 0) return true;
  return false;
}

/** Unreserved and cut from nothing: a disk of its own. Limits apply to it as to other scalars. */
export function isWholeDisk(parcel: Parcel): boolean {
  return parcel.role === '*' && !parcel.revocable && !parcel.shared;
}

/** `eng/dev` may use what is reserved for it, for `eng`, and what is reserved for nobody. */
export function openTo(role: string, parcelRole: string): boolean {
  return parcelRole === '*' || parcelRole === role || role.startsWith(`${parcelRole}/`);
}
