import { labelValue, qualifiedName } from '#machinery';
import type { ObjectMeta } from '#machinery';
import type { Condition, LabelSelector } from '../types/meta-v1.ts';
import type { Field } from './field.ts';

type Strings = Readonly<Record<string, string>>;
const annotationBytesMax = 256 * 1024;

/** Keys and values of labels or a node selector; problems are at the map itself. */
export function checkLabels(labels: Strings | undefined | null, field: Field): void {
  if (labels === undefined || labels === null) return;
  for (const key of Object.keys(labels)) {
    field.invalidAll(key, qualifiedName(key));
    const value = labels[key] ?? '';
    field.invalidAll(value, labelValue(value));
  }
}

export function checkAnnotations(annotations: Strings | undefined | null, field: Field): void {
  if (annotations === undefined || annotations === null) return;
  let bytes = 0;
  for (const key of Object.keys(annotations)) {
    field.invalidAll(key, qualifiedName(key.toLowerCase()));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(annotations[key] ?? '');
  }
  if (bytes > annotationBytesMax) field.tooLong(annotationBytesMax);
}

/** Canonical objects have null where a required selector is missing. */
type Selector = LabelSelector | null | undefined;

export interface SelectorOptions {
  /** The old object had a bad value already: do not refuse it now. */
  readonly anyValue?: boolean;
}

/** ValidateLabelSelector (apimachinery apis/meta/v1/validation). */
export function checkSelector(
  selector: Selector,
  field: Field,
  { anyValue = false }: SelectorOptions = {},
): void {
  if (selector === undefined || selector === null) return;
  checkLabels(selector.matchLabels, field.at('matchLabels'));
  for (const [index, { key, operator, values = [] }] of (
    selector.matchExpressions ?? []
  ).entries()) {
    const at = field.at('matchExpressions').at(index);
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        at.at('values').required("must be specified when `operator` is 'In' or 'NotIn'");
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        at.at('values').forbidden(
          "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        );
    } else at.at('operator').invalid(operator, 'not a valid selector operator');
    at.at('key').invalidAll(key, qualifiedName(key));
    if (anyValue) continue;
    for (const [number, value] of values.entries())
      at.at('values').at(number).invalidAll(value, labelValue(value));
  }
}

/** True when every key, operator and value could be a selector: what conversion needs. */
export function isSelectable(selector: LabelSelector): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {}))
    if (qualifiedName(key).length + labelValue(value).length > 0) return false;
  return (selector.matchExpressions ?? []).every(
    ({ key, operator, values = [] }) =>
      qualifiedName(key).length === 0 &&
      values.every((value) => labelValue(value).length === 0) &&
      (operator === 'In' || operator === 'NotIn'
        ? values.length > 0
        : (operator === 'Exists' || operator === 'DoesNotExist') && values.length === 0),
  );
}
export function isEmptySelector(selector: LabelSelector): boolean {
  return (
    Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0
  );
}

/** Does the selector take these labels? A missing selector takes nothing, an empty one everything. */
export function selectorMatches(selector: Selector, labels: Strings | undefined): boolean {
  if (selector === undefined || selector === null) return false;
  for (const [key, value] of Object.entries(selector.matchLabels ?? {}))
    if (labels?.[key] !== value) return false;
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (operator === 'In') return value !== undefined && values.includes(value);
    if (operator === 'NotIn') return value === undefined || !values.includes(value);
    return operator === 'Exists' ? value !== undefined : value === undefined;
  });
}

/** `a=b,c in (d,e),!f`, sorted by key: the text form of a selector. */
export function selectorText(selector: Selector): string {
  if (selector === undefined || selector === null) return '';
  const terms: [string, string][] = Object.entries(selector.matchLabels ?? {}).map(
    ([key, value]) => [key, `${key}=${value}`],
  );
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const list = (values ?? []).toSorted().join(',');
    if (operator === 'In') terms.push([key, `${key} in (${list})`]);
    else if (operator === 'NotIn') terms.push([key, `${key} notin (${list})`]);
    else terms.push([key, operator === 'Exists' ? key : `!${key}`]);
  }
  return terms
    .toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)))
    .map(([, text]) => text)
    .join(',');
}

const conditionReason = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/;
const conditionReasonText =
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')";

/** Lists of metav1.Condition. */
export function checkConditions(
  conditions: readonly Condition[] | undefined | null,
  field: Field,
): void {
  const seen = new Set<string>();
  for (const [index, condition] of (conditions ?? []).entries()) {
    const at = field.at(index);
    if (seen.has(condition.type)) at.at('type').duplicate(condition.type);
    seen.add(condition.type);
    at.at('type').invalidAll(condition.type, qualifiedName(condition.type));
    if (!['True', 'False', 'Unknown'].includes(condition.status))
      at.at('status').notSupported(condition.status, ['False', 'True', 'Unknown']);
    if ((condition.observedGeneration ?? 0) < 0)
      at.at('observedGeneration').invalid(
        condition.observedGeneration,
        'must be greater than or equal to zero',
      );
    if (!condition.lastTransitionTime) at.at('lastTransitionTime').required();
    if (condition.reason === '') at.at('reason').required();
    else {
      if (!conditionReason.test(condition.reason))
        at.at('reason').invalid(condition.reason, conditionReasonText);
      if (condition.reason.length > 1024) at.at('reason').tooLong(1024);
    }
    if (condition.message.length > 32_768) at.at('message').tooLong(32_768);
  }
}

/** Finalizers of core kinds without a slash must be ones the server itself knows. */
export function checkCoreFinalizers(finalizers: readonly string[] | undefined, field: Field): void {
  for (const [index, name] of (finalizers ?? []).entries()) {
    if (!name.includes('/') && !standardFinalizers.has(name))
      field
        .at(index)
        .invalid(name, 'name is neither a standard finalizer name nor is it fully qualified');
  }
}
export const standardFinalizers: ReadonlySet<string> = new Set([
  'kubernetes',
  'orphan',
  'foregroundDeletion',
]);

export function checkCoreMeta(metadata: ObjectMeta, root: Field): void {
  if (metadata.finalizers !== undefined)
    checkCoreFinalizers(metadata.finalizers, root.at('metadata').at('finalizers'));
}
