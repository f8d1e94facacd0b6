/**
 * Kubernetes quantities (`500m`, `1Gi`, `2e3`), exact: the amount is a count of nano-units, the
 * reference's finest step. Rules and texts: apimachinery pkg/api/resource/quantity.go.
 */
export interface Quantity {
  readonly nanos: bigint;
  readonly format: QuantityFormat;
  /** Canonical text; a text that looked canonical already is kept as it came. */
  readonly text: string;
}
/** Which family of suffixes the text is written in: Ki Mi, k M, or e3. */
export type QuantityFormat = 'binary' | 'decimal' | 'exponent';

export class QuantityError extends Error {
  override readonly name = 'QuantityError';
}

const formatWrong =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const numericWrong = 'unable to parse numeric part of quantity';
const suffixWrong = "unable to parse quantity's suffix";

/** Longer numbers and exponents mean nothing on any machine, and would cost time to compute. */
const textLengthMax = 256;
const exponentMax = 200;

const decimalExponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binaryExponents: Readonly<Record<string, number>> = {
  Ki: 10,
  Mi: 20,
  Gi: 30,
  Ti: 40,
  Pi: 50,
  Ei: 60,
};
const decimalSuffixes = new Map(
  Object.entries(decimalExponents).map(([suffix, exponent]) => [exponent, suffix]),
);
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

const nano = 1_000_000_000n;
/** Binary values are capped here (2^63-1 units). */
const binaryNanosMax = (2n ** 63n - 1n) * nano;
const zero: Quantity = { nanos: 0n, format: 'decimal', text: '0' };

/** Objects repeat a few quantities all the time; parsing each once makes decoding cheap. */
const parsed = new Map<string, Quantity>();
const parsedMax = 4096;

/** Throws `QuantityError` with the reference's text. Surrounding white space is not removed. */
export function parseQuantity(text: string): Quantity {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const quantity = parseFresh(text);
  if (parsed.size >= parsedMax) parsed.clear();
  parsed.set(text, quantity);
  return quantity;
}

const pattern = /^([+-]?)([0-9]*)(?:(\.)([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/;

function parseFresh(text: string): Quantity {
  if (text === '' || text.length > textLengthMax) throw new QuantityError(formatWrong);
  if (text === '0') return zero;
  const match = pattern.exec(text);
  if (match === null) throw new QuantityError(formatWrong);
  const whole = (match[2] ?? '').replace(/^0+/, '') || '0';
  const fraction = match[4] ?? '';
  const suffix = interpret(match[5] ?? '');
  if ((match[2] ?? '') === '' && fraction === '') throw new QuantityError(numericWrong);
  const negative = match[1] === '-';
  const digits = BigInt(whole + fraction);
  const magnitude =
    suffix.format === 'binary'
      ? roundUp(digits * 2n ** BigInt(suffix.exponent) * nano, fraction.length)
      : scaled(digits, suffix.exponent - fraction.length + 9);
  const capped =
    suffix.format === 'binary' && magnitude > binaryNanosMax ? binaryNanosMax : magnitude;
  const nanos = negative ? -capped : capped;
  // A binary amount below one unit is written as a decimal from then on.
  const format =
    suffix.format === 'binary' && capped < nano && capped > 0n ? 'decimal' : suffix.format;
  if (keepsText(whole, fraction, suffix)) return { nanos, format, text };
  return { nanos, format, text: canonicalText(nanos, format) };
}

interface Suffix {
  readonly exponent: number;
  readonly format: QuantityFormat;
}

function interpret(suffix: string): Suffix {
  const decimal = decimalExponents[suffix];
  if (decimal !== undefined && Object.hasOwn(decimalExponents, suffix))
    return { exponent: decimal, format: 'decimal' };
  const binary = binaryExponents[suffix];
  if (binary !== undefined && Object.hasOwn(binaryExponents, suffix))
    return { exponent: binary, format: 'binary' };
  const match = /^[eE]([-+]?[0-9]+)$/.exec(suffix);
  const exponent = Number(match?.[1]);
  if (match === null || Math.abs(exponent) > exponentMax) throw new QuantityError(suffixWrong);
  return { exponent, format: 'exponent' };
}

/** digits * 10^exponent, rounded away from zero. */
function scaled(digits: bigint, exponent: number): bigint {
  return exponent >= 0 ? digits * 10n ** BigInt(exponent) : roundUp(digits, -exponent);
}
/** value / 10^places, rounded away from zero (values here are not negative). */
function roundUp(value: bigint, places: number): bigint {
  if (places === 0) return value;
  const unit = 10n ** BigInt(places);
  return (value + unit - 1n) / unit;
}

/** The reference keeps the text it parsed on its fast path, where it cannot be shortened. */
function keepsText(whole: string, fraction: string, suffix: Suffix): boolean {
  const digits = whole + fraction;
  if (suffix.format === 'binary') {
    const precision = 15 - whole.length - Math.trunc((suffix.exponent * 3) / 10) - 1;
    return fraction === '' && precision >= 0 && BigInt(whole) % 8n !== 0n;
  }
  const scale = suffix.exponent - fraction.length;
  if (digits.length > 18 || scale < -9) return false;
  return scale % 3 === 0 && !digits.endsWith('000') && !digits.startsWith('0');
}

function canonicalText(nanos: bigint, format: QuantityFormat): string {
  if (nanos === 0n) return '0';
  const small = nanos > -1024n * nano && nanos < 1024n * nano;
  if (format === 'binary' && !small && nanos % nano === 0n) return binaryText(nanos / nano);
  return decimalText(nanos, format === 'exponent');
}

function binaryText(units: bigint): string {
  let number = units;
  let power = 0;
  while (number % 1024n === 0n && power < binarySuffixes.length - 1) {
    number /= 1024n;
    power++;
  }
  return `${number}${binarySuffixes[power]}`;
}

function decimalText(nanos: bigint, asExponent: boolean): string {
  let number = nanos;
  let exponent = -9;
  while (number % 1000n === 0n && (asExponent || exponent < 18)) {
    number /= 1000n;
    exponent += 3;
  }
  if (asExponent) return exponent === 0 ? `${number}` : `${number}e${exponent}`;
  return `${number}${decimalSuffixes.get(exponent)}`;
}

/** What a decoder does with any text: surrounding white space goes, the canonical form stays. */
export function canonicalQuantity(text: string): string {
  return parseQuantity(text.trim()).text;
}

export function makeQuantity(nanos: bigint, format: QuantityFormat): Quantity {
  return { nanos, format, text: canonicalText(nanos, format) };
}
/** From whole units: `quantityOf(3, 'decimal')` is `3`. */
export function quantityOf(units: number, format: QuantityFormat = 'decimal'): Quantity {
  return makeQuantity(BigInt(units) * nano, format);
}
export function quantityFromMillis(millis: number): Quantity {
  return makeQuantity(BigInt(millis) * 1_000_000n, 'decimal');
}

/** -1, 0 or 1. */
export function compareQuantities(a: string, b: string): number {
  const difference = parseQuantity(a).nanos - parseQuantity(b).nanos;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
/** Keeps the family of suffixes of `a`, but for a zero, which takes that of `b`. */
export function addQuantities(a: string, b: string): string {
  const left = parseQuantity(a);
  const right = parseQuantity(b);
  const format = left.nanos === 0n ? right.format : left.format;
  return canonicalText(left.nanos + right.nanos, format);
}
export function subtractQuantities(a: string, b: string): string {
  const left = parseQuantity(a);
  const right = parseQuantity(b);
  const format = left.nanos === 0n ? right.format : left.format;
  return canonicalText(left.nanos - right.nanos, format);
}

/** Thousandths, rounded up (away from zero): `0.1` is 100. For CPU. */
export function quantityToMillis(text: string): number {
  return Number(awayFromZero(parseQuantity(text).nanos, 1_000_000n));
}
/** Whole units, rounded up (away from zero): `1.5Ki` is 1536. For bytes and counts. */
export function quantityValue(text: string): number {
  return Number(awayFromZero(parseQuantity(text).nanos, nano));
}
export function isWholeQuantity(text: string): boolean {
  return parseQuantity(text).nanos % nano === 0n;
}
function awayFromZero(nanos: bigint, unit: bigint): bigint {
  if (nanos < 0n) return -((-nanos + unit - 1n) / unit);
  return (nanos + unit - 1n) / unit;
}
