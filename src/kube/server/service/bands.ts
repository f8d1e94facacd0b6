import type { Random } from '#base';

/** Whole numbers handed out one by one; the lower band is kept for those who ask by number. */
export class BandAllocator {
  readonly #first: number;
  readonly #size: number;
  readonly #offset: number;
  readonly #random: Random;
  readonly #avoid: (value: number) => boolean;
  readonly #owners = new Map<number, string>();

  constructor(
    range: { readonly first: number; readonly size: number; readonly offset: number },
    random: Random,
    avoid: (value: number) => boolean = () => false,
  ) {
    this.#first = range.first;
    this.#size = range.size;
    this.#offset = range.offset;
    this.#random = random;
    this.#avoid = avoid;
  }

  contains(value: number): boolean {
    return value >= this.#first && value < this.#first + this.#size;
  }

  ownerOf(value: number): string | undefined {
    return this.#owners.get(value);
  }

  /** True when it is the owner's now; asking again for what one has is granted. */
  take(value: number, owner: string): boolean {
    if (!this.contains(value)) return false;
    const held = this.#owners.get(value);
    if (held !== undefined) return held === owner;
    this.#owners.set(value, owner);
    return true;
  }

  /** A free number from a random start in the upper band, then from the lower one. */
  takeAny(owner: string): number | undefined {
    const upper = this.#free(this.#offset, this.#size);
    const value = upper ?? this.#free(0, this.#offset);
    if (value !== undefined) this.#owners.set(value, owner);
    return value;
  }

  #free(from: number, to: number): number | undefined {
    const count = to - from;
    if (count <= 0) return undefined;
    const start = this.#random.below(count);
    for (let step = 0; step < count; step++) {
      const value = this.#first + from + ((start + step) % count);
      if (!this.#owners.has(value) && !this.#avoid(value)) return value;
    }
    return undefined;
  }

  release(value: number, owner: string): void {
    if (this.#owners.get(value) === owner) this.#owners.delete(value);
  }

  entries(): ReadonlyMap<number, string> {
    return this.#owners;
  }
}

/** `clamp(size / divisor, 16, most)`, and no lower band in a range of 16 or less. */
export function bandOffset(size: number, divisor: number, most: number): number {
  if (size <= 16) return 0;
  return Math.min(Math.max(16, Math.floor(size / divisor)), most);
}

export function addressNumber(address: string): number | undefined {
  const parts = address.split('.');
  if (
    parts.length !== 4 ||
    !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)
  )
    return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function numberAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

/** First address and size of `10.96.0.0/16`. */
export function parseRange(cidr: string): { readonly first: number; readonly size: number } {
  const [address = '', bits = ''] = cidr.split('/');
  const base = addressNumber(address);
  const length = Number(bits);
  if (base === undefined || !Number.isInteger(length) || length < 8 || length > 30)
    throw new Error(`Cannot use service range "${cidr}": it must be an IPv4 network of /8 to /30`);
  const size = 2 ** (32 - length);
  return { first: base - (base % size), size };
}
