/** What all condition types of the API have in common. */
export interface AnyCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly lastTransitionTime?: string | null | undefined;
}

export function conditionOf<C extends AnyCondition>(
  conditions: readonly C[] | undefined | null,
  type: string,
): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}
export function isConditionTrue(
  conditions: readonly AnyCondition[] | undefined | null,
  type: string,
): boolean {
  return conditionOf(conditions, type)?.status === 'True';
}

/**
 * The list with `condition` in it. `lastTransitionTime` is that of the old one while the status
 * stays the same. The same list when nothing but time would change, so that no write follows.
 */
export function setCondition<C extends AnyCondition>(
  conditions: readonly C[] | undefined | null,
  condition: C,
): readonly C[] {
  const list = conditions ?? [];
  const old = conditionOf(list, condition.type);
  if (old === undefined) return [...list, condition];
  const sameStatus = old.status === condition.status;
  if (sameStatus && old.reason === condition.reason && old.message === condition.message)
    return list;
  const next =
    sameStatus && old.lastTransitionTime
      ? { ...condition, lastTransitionTime: old.lastTransitionTime }
      : condition;
  return list.map((one) => (one.type === condition.type ? next : one));
}
