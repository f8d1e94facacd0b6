export interface IndexList {
  readonly total: number;
  /** First and last of each run, ascending. */
  readonly runs: readonly (readonly [number, number])[];
}

/** `1,3-5,7`: ascending, below `completions`. A text says what is wrong (validateIndexesFormat). */
export function parseIndexes(text: string, completions: number): IndexList | string {
  const runs: [number, number][] = [];
  let total = 0;
  let previous: number | undefined;
  if (text === '') return { total, runs };
  for (const fragment of text.split(',')) {
    const parts = fragment.split('-');
    if (parts.length > 2)
      return `the fragment ${JSON.stringify(fragment)} violates the requirement that an index interval can have at most two parts separated by '-'`;
    const numbers: number[] = [];
    for (const part of parts) {
      if (!/^\+?\d+$/.test(part))
        return `cannot convert string to integer for index: ${JSON.stringify(part)}`;
      if (Number(part) >= completions) return `too large index: ${JSON.stringify(part)}`;
      numbers.push(Number(part));
    }
    const [first = 0, last = first] = numbers;
    if (parts.length === 2 && first >= last)
      return `non-increasing order, previous: ${first}, current: ${last}`;
    if (previous !== undefined && previous >= first)
      return `non-increasing order, previous: ${previous}, current: ${first}`;
    runs.push([first, last]);
    total += last - first + 1;
    previous = last;
  }
  return { total, runs };
}

/** The first index that is in both; undefined: none is. */
export function overlap(a: IndexList, b: IndexList): number | undefined {
  for (const [first, last] of a.runs)
    for (const [low, high] of b.runs) if (first <= high && low <= last) return Math.max(first, low);
  return undefined;
}
