import type { ValueRange, ValueRanges, ValueSet } from '../types.ts';

/**
 * Arithmetic of the three kinds of values. Scalars are decimals with three places, kept as whole
 * thousandths while they are added or compared (src/common/values.cpp, convertToFixed).
 */

/** What llround makes of NaN, infinities and all that no 64-bit integer holds: less than anything. */
const notFixed = -(2 ** 63);

/** In thousandths, rounded half away from zero. */
export function toFixed(value: number): number {
  const scaled = value * 1000;
  if (!(Math.abs(scaled) < 2 ** 63)) return notFixed;
  return scaled < 0 ? -Math.round(-scaled) : Math.round(scaled);
}

export function fromFixed(fixed: number): number {
  const whole = Math.trunc(fixed / 1000);
  return whole + (fixed - whole * 1000) / 1000;
}

/** A number as C++ streams print it: at most `digits` significant ones, an exponent when it is far. */
export function decimalText(value: number, digits: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const [mantissa = '0', power = '0'] = value.toExponential(digits - 1).split('e');
  const exponent = Number(power);
  if (exponent >= -4 && exponent < digits) return plainText(Number(value.toPrecision(digits)));
  const size = String(Math.abs(exponent)).padStart(2, '0');
  return `${Number(mantissa)}e${exponent < 0 ? '-' : '+'}${size}`;
}

/** JavaScript writes 0.00001 as 1e-5; between 1e-4 and 1e15 it never does. */
function plainText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

export function scalarText(value: number): string {
  return decimalText(fromFixed(toFixed(value)), 15);
}

/** Ordered, disjoint, neighbours joined. */
export function coalesce(ranges: readonly ValueRange[]): readonly ValueRange[] {
  if (isCoalesced(ranges)) return ranges;
  const ordered = ranges.toSorted((a, b) => a.begin - b.begin || a.end - b.end);
  const result: ValueRange[] = [];
  let current: ValueRange | undefined;
  for (const range of ordered) {
    if (current === undefined) current = range;
    else if (range.begin > current.end + 1) {
      result.push(current);
      current = range;
    } else if (range.end > current.end) current = { begin: current.begin, end: range.end };
  }
  if (current !== undefined) result.push(current);
  return result;
}

function isCoalesced(ranges: readonly ValueRange[]): boolean {
  for (let index = 1; index < ranges.length; index++) {
    const before = ranges[index - 1];
    const range = ranges[index];
    if (before !== undefined && range !== undefined && range.begin <= before.end + 1) return false;
  }
  return true;
}

export function addRanges(left: ValueRanges, right: ValueRanges): ValueRanges {
  return { range: coalesce([...(left.range ?? []), ...(right.range ?? [])]) };
}

export function subtractRanges(left: ValueRanges, right: ValueRanges): ValueRanges {
  const less = coalesce(right.range ?? []);
  const from = coalesce(left.range ?? []);
  if (less.length === 0 || from.length === 0) return { range: from };
  const result: ValueRange[] = [];
  let index = 0;
  for (const range of from) {
    let { begin } = range;
    while (index < less.length && (less[index]?.end ?? 0) < begin) index += 1;
    for (let at = index; at < less.length; at++) {
      const cut = less[at];
      if (cut === undefined || cut.begin > range.end) break;
      if (cut.begin > begin) result.push({ begin, end: cut.begin - 1 });
      begin = cut.end + 1;
    }
    if (begin <= range.end) result.push({ begin, end: range.end });
  }
  return { range: result };
}

/** Is all of `right` in `left`? */
export function containsRanges(left: ValueRanges, right: ValueRanges): boolean {
  const outer = coalesce(left.range ?? []);
  return coalesce(right.range ?? []).every((inner) =>
    outer.some((range) => inner.begin >= range.begin && inner.end <= range.end),
  );
}

export function sameRanges(left: ValueRanges, right: ValueRanges): boolean {
  const ours = coalesce(left.range ?? []);
  const theirs = coalesce(right.range ?? []);
  return (
    ours.length === theirs.length &&
    ours.every((range, at) => range.begin === theirs[at]?.begin && range.end === theirs[at]?.end)
  );
}

/** How many numbers the ranges cover. */
export function rangesCount(ranges: ValueRanges): number {
  return coalesce(ranges.range ?? []).reduce((sum, { begin, end }) => sum + end - begin + 1, 0);
}

export function rangesText(ranges: ValueRanges): string {
  return `[${(ranges.range ?? []).map(({ begin, end }) => `${begin}-${end}`).join(', ')}]`;
}

export function addSets(left: ValueSet, right: ValueSet): ValueSet {
  return { item: [...new Set([...(left.item ?? []), ...(right.item ?? [])])] };
}

export function subtractSets(left: ValueSet, right: ValueSet): ValueSet {
  const less = new Set(right.item);
  return { item: (left.item ?? []).filter((item) => !less.has(item)) };
}

export function containsSet(left: ValueSet, right: ValueSet): boolean {
  const outer = new Set(left.item);
  return (right.item ?? []).every((item) => outer.has(item));
}

export function sameSets(left: ValueSet, right: ValueSet): boolean {
  return (left.item ?? []).length === (right.item ?? []).length && containsSet(left, right);
}

export function setText(set: ValueSet): string {
  return `{${(set.item ?? []).join(', ')}}`;
}
