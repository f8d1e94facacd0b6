import { qualifiedName } from '#machinery';
import type { Field } from '../shared/field.ts';
import { checkSelector } from '../shared/meta.ts';
import type { TopologySpreadConstraint } from '../types/core-v1.ts';
import { occurrences } from './affinity.ts';

const policies = ['Honor', 'Ignore'];

export function checkSpread(
  constraints: readonly TopologySpreadConstraint[] | undefined,
  field: Field,
  anyValue: boolean,
): void {
  for (const [index, constraint] of (constraints ?? []).entries()) {
    const at = field.at(index);
    checkConstraint(constraint, at);
    const { topologyKey, whenUnsatisfiable } = constraint;
    const earlier = (constraints ?? [])
      .slice(index + 1)
      .some(
        (one) => one.topologyKey === topologyKey && one.whenUnsatisfiable === whenUnsatisfiable,
      );
    if (earlier)
      at.at('{topologyKey, whenUnsatisfiable}').duplicate(`{${topologyKey}, ${whenUnsatisfiable}}`);
    checkKeys(constraint, at);
    checkSelector(constraint.labelSelector, at.at('labelSelector'), { anyValue });
  }
}

function checkConstraint(constraint: TopologySpreadConstraint, field: Field): void {
  const { maxSkew, topologyKey, whenUnsatisfiable, minDomains } = constraint;
  if (maxSkew <= 0) field.at('maxSkew').invalid(maxSkew, 'must be greater than zero');
  if (topologyKey === '') field.at('topologyKey').required('can not be empty');
  if (whenUnsatisfiable !== 'DoNotSchedule' && whenUnsatisfiable !== 'ScheduleAnyway')
    field
      .at('whenUnsatisfiable')
      .notSupported(whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway']);
  if (minDomains !== undefined) {
    if (minDomains <= 0) field.at('minDomains').invalid(minDomains, 'must be greater than zero');
    if (whenUnsatisfiable !== 'DoNotSchedule')
      field
        .at('minDomains')
        .invalid(
          minDomains,
          `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`,
        );
  }
  for (const name of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
    const policy = constraint[name];
    if (policy !== undefined && !policies.includes(policy))
      field.at(name).notSupported(policy, policies);
  }
}

function checkKeys(
  { matchLabelKeys = [], labelSelector }: TopologySpreadConstraint,
  field: Field,
): void {
  if (matchLabelKeys.length === 0) return;
  if (labelSelector === undefined) {
    field.at('matchLabelKeys').forbidden('must not be specified when labelSelector is not set');
    return;
  }
  for (const [index, key] of matchLabelKeys.entries()) {
    field.at('matchLabelKeys').at(index).invalidAll(key, qualifiedName(key));
    if (occurrences(labelSelector, key) > 1)
      field.at(index).invalid(key, 'exists in both matchLabelKeys and labelSelector');
  }
}
