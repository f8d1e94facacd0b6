/** Unified diff of two values as JSON indented by one space, as some refusals carry it. */
export function jsonDiff(old: unknown, now: unknown): string {
  const before = lines(old);
  const after = lines(now);
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  )
    end++;
  if (start === before.length && start === after.length) return '';
  const from = Math.max(0, start - context);
  const oldEnd = Math.min(before.length, before.length - end + context);
  const newEnd = Math.min(after.length, after.length - end + context);
  return [
    `@@ -${range(from, oldEnd)} +${range(from, newEnd)} @@`,
    ...before.slice(from, start).map((line) => ` ${line}`),
    ...before.slice(start, before.length - end).map((line) => `-${line}`),
    ...after.slice(start, after.length - end).map((line) => `+${line}`),
    ...after.slice(after.length - end, newEnd).map((line) => ` ${line}`),
    '',
  ].join('\n');
}
const context = 3;

function lines(value: unknown): string[] {
  return (JSON.stringify(value, undefined, 1) ?? 'null').split('\n');
}
function range(from: number, to: number): string {
  return to - from === 1 ? `${from + 1}` : `${from + 1},${to - from}`;
}
