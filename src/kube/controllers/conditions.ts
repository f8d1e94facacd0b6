export interface ConditionLike {
  readonly type: string;
  readonly status: string;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly lastTransitionTime?: string | undefined;
}

/**
 * The list with `fresh` in place of the condition of its type. The time of the last transition stays
 * when the status does; an equal condition leaves the very same list.
 */
export function withCondition<T extends ConditionLike>(
  conditions: readonly T[] | null | undefined,
  fresh: T,
): readonly T[] {
  const all = conditions ?? [];
  const old = all.find(({ type }) => type === fresh.type);
  if (
    old !== undefined &&
    old.status === fresh.status &&
    old.reason === fresh.reason &&
    old.message === fresh.message
  )
    return all;
  const kept =
    old?.status === fresh.status && old.lastTransitionTime !== undefined
      ? { ...fresh, lastTransitionTime: old.lastTransitionTime }
      : fresh;
  return old === undefined ? [...all, kept] : all.map((one) => (one === old ? kept : one));
}

export function withoutCondition<T extends ConditionLike>(
  conditions: readonly T[] | null | undefined,
  type: string,
): readonly T[] {
  return (conditions ?? []).filter((one) => one.type !== type);
}
