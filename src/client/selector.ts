/** metav1.LabelSelector, as far as matching goes. */
export interface LabelSelectorLike {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?:
    | readonly {
        readonly key: string;
        readonly operator: string;
        readonly values?: readonly string[] | undefined;
      }[]
    | undefined;
}
export type Labels = Readonly<Record<string, string>>;

/** An empty selector matches everything, an absent one nothing (metav1.LabelSelectorAsSelector). */
export function selectorMatches(
  selector: LabelSelectorLike | undefined,
  labels: Labels | undefined,
): boolean {
  if (selector === undefined || selector === null) return false;
  if (!labelsInclude(selector.matchLabels ?? {}, labels)) return false;
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value);
      case 'NotIn':
        return value === undefined || !values.includes(value);
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
      default:
        return false;
    }
  });
}

/** True when `labels` has every pair of `wanted`: a Service's or a node selector. */
export function labelsInclude(wanted: Labels, labels: Labels | undefined): boolean {
  for (const key of Object.keys(wanted))
    if (labels === undefined || !Object.hasOwn(labels, key) || labels[key] !== wanted[key])
      return false;
  return true;
}

export function selectorIsEmpty(selector: LabelSelectorLike | undefined): boolean {
  return (
    selector === undefined ||
    (Object.keys(selector.matchLabels ?? {}).length === 0 &&
      (selector.matchExpressions ?? []).length === 0)
  );
}
