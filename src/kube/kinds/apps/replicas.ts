import { percent } from '#machinery';
import { percentOf } from '#base';
import type { Field } from '../shared/field.ts';
import { checkSelector, isEmptySelector, isSelectable } from '../shared/meta.ts';
import type { LabelSelector } from '../types/meta-v1.ts';

/** `25%` or a number that is not negative. */
export function checkIntOrPercent(value: number | string | undefined, field: Field): void {
  if (value === undefined) return;
  if (typeof value === 'number') field.notNegative(value);
  else field.invalidAll(value, percent(value));
}
export function checkAtMostAll(value: number | string | undefined, field: Field): void {
  if (typeof value === 'string' && (percentOf(value) ?? 0) > 100)
    field.invalid(value, 'must not be greater than 100%');
}
export function isNothing(value: number | string | undefined): boolean {
  return (
    value === undefined || value === 0 || (typeof value === 'string' && percentOf(value) === 0)
  );
}

/** The selector of kinds that own Pods; false when templates cannot be compared with it. */
export function checkPodSelector(
  selector: LabelSelector | null | undefined,
  field: Field,
  text: { readonly empty: string; readonly wrong: string },
): boolean {
  if (selector === undefined || selector === null) {
    field.required();
    return true; // it is compared, and takes no labels
  }
  checkSelector(selector, field);
  if (isEmptySelector(selector)) field.invalid(selector, text.empty);
  if (isSelectable(selector)) return true;
  field.invalid(selector, text.wrong);
  return false;
}

/** Counters of a status: none negative, `parts` not above `replicas`. */
export function checkCounters(
  status: object,
  field: Field,
  { counters, parts }: { readonly counters: readonly string[]; readonly parts: readonly string[] },
): void {
  const values = new Map<string, unknown>(Object.entries(status));
  const count = (name: string): number => Number(values.get(name) ?? 0);
  for (const name of counters) field.at(name).notNegative(count(name));
  for (const name of parts)
    if (count(name) > count('replicas'))
      field.at(name).invalid(count(name), 'cannot be greater than status.replicas');
}

export function checkCollisions(
  now: number | undefined,
  then: number | undefined,
  field: Field,
): void {
  if (then === undefined) return;
  if (now === undefined || now < then)
    field.at('collisionCount').invalid(now ?? 0, 'cannot be decremented');
}
