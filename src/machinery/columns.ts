import { timeOr } from '#base';
import type { ColumnDeclaration } from './kind.ts';
import type { KubeObject } from './object.ts';

type Cell = string | number | boolean | null;

/** A column of text unless said otherwise; `wide` ones show only under `-o wide`. */
export function column<T>(
  name: string,
  cell: (object: T, nowMs: number) => Cell,
  options: Partial<Pick<ColumnDeclaration<T>, 'type' | 'format' | 'description'>> & {
    readonly wide?: boolean;
  } = {},
): ColumnDeclaration<T> {
  const { wide, type = 'string', ...rest } = options;
  return { name, type, ...rest, priority: wide === true ? 1 : 0, cell };
}

export const nameColumn: ColumnDeclaration<KubeObject> = column(
  'Name',
  ({ metadata }) => metadata.name,
  { format: 'name', description: 'What the object is called in its namespace or cluster.' },
);
export const ageColumn: ColumnDeclaration<KubeObject> = column(
  'Age',
  ({ metadata }, nowMs) => age(metadata.creationTimestamp, nowMs),
  { description: 'How long ago the server accepted the object.' },
);

/** `5m`, `<unknown>` for no time. */
export function age(time: string | null | undefined, nowMs: number): string {
  if (!time) return '<unknown>';
  const thenMs = timeOr(time, Number.NaN);
  return Number.isNaN(thenMs) ? '<unknown>' : humanDuration(nowMs - thenMs);
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

/** Two units at most, whole, cut off: `2m5s`, `3h`, `7d4h` (apimachinery duration.HumanDuration). */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 2 * minute) return `${seconds}s`;
  if (seconds < 10 * minute) return pair(seconds, { unit: minute, next: 1, names: 'ms' });
  if (seconds < 3 * hour) return `${Math.trunc(seconds / minute)}m`;
  if (seconds < 8 * hour) return pair(seconds, { unit: hour, next: minute, names: 'hm' });
  if (seconds < 2 * day) return `${Math.trunc(seconds / hour)}h`;
  if (seconds < 8 * day) return pair(seconds, { unit: day, next: hour, names: 'dh' });
  if (seconds < 2 * year) return `${Math.trunc(seconds / day)}d`;
  if (seconds < 8 * year) return pair(seconds, { unit: year, next: day, names: 'yd' });
  return `${Math.trunc(seconds / year)}y`;
}
function pair(seconds: number, by: { unit: number; next: number; names: string }): string {
  const rest = Math.trunc((seconds % by.unit) / by.next);
  const text = `${Math.trunc(seconds / by.unit)}${by.names.charAt(0)}`;
  return rest === 0 ? text : `${text}${rest}${by.names.charAt(1)}`;
}
