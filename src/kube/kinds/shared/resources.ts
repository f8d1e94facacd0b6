import { makeQuantity, parseQuantity } from '#base';
import type { Draft } from '#machinery';

export type ResourceList = Readonly<Record<string, string>>;

const thousandth = 1_000_000n;

/** Resource lists know no finer unit than a thousandth: rounded away from zero, the rest kept. */
export function roundToMillis(text: string): string {
  const last = text.charCodeAt(text.length - 1);
  const isFine = last === 110 || last === 117; // n, u
  if (!isFine && !text.includes('.') && !text.includes('e')) return text;
  const { nanos, format } = parseQuantity(text);
  const rest = nanos % thousandth;
  if (rest === 0n) return text;
  const up = nanos < 0n ? nanos - rest - thousandth : nanos - rest + thousandth;
  return makeQuantity(up, format).text;
}

export function roundResources(list: Draft<ResourceList> | undefined | null): void {
  if (list === undefined || list === null) return;
  for (const name in list) list[name] = roundToMillis(list[name] ?? '0');
}

/** No slash, or in the project's own domain. */
export function isNativeResource(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}
export function isHugePages(name: string): boolean {
  return name.startsWith('hugepages-');
}
