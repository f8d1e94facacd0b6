import { age, ageColumn, column, humanDuration, nameColumn } from '#machinery';
import type { ColumnDeclaration } from '#machinery';
import type { LabelSelector } from '../types/meta-v1.ts';
import type { PodSpec } from '../types/core-v1.ts';
import { isSelectable, selectorText } from './meta.ts';

export { age, ageColumn, column, humanDuration, nameColumn };

/** Containers, Images and Selector of workload kinds, all wide. */
export function containerColumns<T>(
  spec: (object: T) => PodSpec | undefined,
): ColumnDeclaration<T>[] {
  return [
    column('Containers', (object) => containerNames(spec(object)), { wide: true }),
    column('Images', (object) => containerImages(spec(object)), { wide: true }),
  ];
}
export function containerNames(spec: PodSpec | undefined): string {
  return (spec?.containers ?? []).map(({ name }) => name).join(',');
}
export function containerImages(spec: PodSpec | undefined): string {
  return (spec?.containers ?? []).map(({ image }) => image ?? '').join(',');
}

/** `a=b,c=d` by key, `<none>` for none. */
export function labelsCell(labels: Readonly<Record<string, string>> | undefined | null): string {
  const text = Object.entries(labels ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  return text === '' ? '<none>' : text;
}
export function selectorCell(selector: LabelSelector | undefined | null): string {
  if (selector === undefined || selector === null) return '<none>';
  if (!isSelectable(selector)) return '<error>';
  return selectorText(selector) || '<none>';
}

/** `a,b,c + 2 more...` */
export function shortened(all: readonly string[], shown: number, separator = ','): string {
  const text = all.slice(0, shown).join(separator);
  return all.length > shown ? `${text} + ${all.length - shown} more...` : text;
}

const modes: readonly (readonly [string, string])[] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
];
export function accessModesCell(given: readonly string[] | undefined): string {
  return modes
    .filter(([mode]) => given?.includes(mode))
    .map(([, short]) => short)
    .join(',');
}
