import { isRecord } from './raml.ts';

/** JSON text that is equal for equal values: members in order of their names, absent ones left out. */
export function stableText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stableText).join(',')}]`;
  if (!isRecord(value)) return JSON.stringify(value) ?? 'null';
  const parts: string[] = [];
  for (const name of Object.keys(value).toSorted()) {
    const one = value[name];
    if (one !== undefined) parts.push(`${JSON.stringify(name)}:${stableText(one)}`);
  }
  return `{${parts.join(',')}}`;
}

export function sameValue(a: unknown, b: unknown): boolean {
  return a === b || stableText(a) === stableText(b);
}

/** Equal as sets. */
export function sameSet(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  const texts = (list: readonly unknown[]): string => list.map(stableText).toSorted().join('\n');
  return texts(a) === texts(b);
}

/** Each value once, as in a set. */
export function distinct<T>(values: readonly T[]): T[] {
  const byText = new Map<string, T>();
  for (const value of values) {
    const text = stableText(value);
    if (!byText.has(text)) byText.set(text, value);
  }
  return [...byText.values()];
}
