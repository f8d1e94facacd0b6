import { labelValue, qualifiedName } from '#machinery';
import type { Field } from '../shared/field.ts';
import type { Taint, Toleration } from '../types/core-v1.ts';

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function checkTolerations(
  tolerations: readonly Toleration[] | undefined,
  field: Field,
  /** The old object compares already (Lt, Gt): let it stay. */
  keepsComparison = false,
): void {
  for (let index = 0; index < (tolerations?.length ?? 0); index++) {
    const toleration = tolerations?.[index];
    if (toleration !== undefined) checkToleration(toleration, field.at(index), keepsComparison);
  }
}

function checkToleration(toleration: Toleration, field: Field, keepsComparison: boolean): void {
  const { key, operator = '', value = '', effect, tolerationSeconds } = toleration;
  if (key) field.at('key').invalidAll(key, qualifiedName(key));
  if (!key && operator !== 'Exists')
    field
      .at('operator')
      .invalid(
        operator,
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      );
  if (tolerationSeconds !== undefined && effect !== 'NoExecute')
    field
      .at('effect')
      .invalid(effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set");
  switch (operator) {
    case '':
    case 'Equal': {
      const problems = labelValue(value);
      if (problems.length > 0) field.at('operator').invalid(value, problems.join(';'));
      break;
    }
    case 'Exists':
      if (value !== '')
        field.at('operator').invalid(value, "value must be empty when `operator` is 'Exists'");
      break;
    case 'Lt':
    case 'Gt':
      if (!keepsComparison)
        field.at('operator').notSupported(operator, ['Equal', 'Exists', 'Lt', 'Gt']);
      break;
    default:
      field.at('operator').notSupported(operator, ['Equal', 'Exists']);
  }
  if (effect && !effects.includes(effect)) field.at('effect').notSupported(effect, effects);
}

/** Taints of a Node, at the path that the reference prints for them. */
export function checkTaints(taints: readonly Taint[] | undefined, field: Field): void {
  const seen = new Set<string>();
  for (const [index, taint] of (taints ?? []).entries()) {
    const at = field.at(index);
    at.at('key').invalidAll(taint.key, qualifiedName(taint.key));
    const problems = labelValue(taint.value ?? '');
    if (problems.length > 0) at.at('value').invalid(taint.value, problems.join(';'));
    if (taint.effect === '') at.at('effect').required();
    else if (!effects.includes(taint.effect)) at.at('effect').notSupported(taint.effect, effects);
    const pair = `${taint.effect} ${taint.key}`;
    if (seen.has(pair))
      at.duplicate(goTaint(taint), 'taints must be unique by key and effect pair');
    seen.add(pair);
  }
}
/** The reference prints its own structs, with Go's field names. */
function goTaint({ key, value = '', effect, timeAdded }: Taint): object {
  return { Key: key, Value: value, Effect: effect, TimeAdded: timeAdded ?? null };
}
