import type { ValueRange } from '#mesos/protocol';

/** Whole numbers as ordered ranges that neither touch nor overlap; ends are inside. */
export type Ranges = readonly ValueRange[];

export function normalRanges(ranges: readonly ValueRange[]): Ranges {
  if (ranges.length < 2) return ranges;
  const sorted = ranges.toSorted((a, b) => a.begin - b.begin);
  const merged: { begin: number; end: number }[] = [];
  for (const { begin, end } of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && begin <= last.end + 1) last.end = Math.max(last.end, end);
    else merged.push({ begin, end });
  }
  return merged;
}

export function addRanges(a: Ranges, b: Ranges): Ranges {
  if (a.length === 0) return normalRanges(b);
  if (b.length === 0 || (b.length === 1 && containsRange(a, b[0]))) return a;
  return normalRanges([...a, ...b]);
}

function containsRange(ranges: Ranges, inner: ValueRange | undefined): boolean {
  return (
    inner !== undefined && ranges.some((one) => one.begin <= inner.begin && one.end >= inner.end)
  );
}

export function subtractRanges(from: Ranges, taken: Ranges): Ranges {
  let left: Ranges = from;
  for (const hole of taken) {
    if (!left.some(({ begin, end }) => begin <= hole.end && end >= hole.begin)) continue;
    left = left.flatMap(({ begin, end }) => {
      if (begin > hole.end || end < hole.begin) return [{ begin, end }];
      const parts: ValueRange[] = [];
      if (begin < hole.begin) parts.push({ begin, end: hole.begin - 1 });
      if (end > hole.end) parts.push({ begin: hole.end + 1, end });
      return parts;
    });
  }
  return left;
}

export function containsRanges(outer: Ranges, inner: Ranges): boolean {
  const whole = normalRanges(outer);
  return normalRanges(inner).every(({ begin, end }) =>
    whole.some((range) => range.begin <= begin && range.end >= end),
  );
}

/** `31000-31002,31005-31005`: the form of the held-ports annotation. */
export function rangesText(ranges: Ranges): string {
  return ranges.map(({ begin, end }) => `${begin}-${end}`).join(',');
}
