import type { Field } from '../shared/field.ts';
import type { ResourceQuotaSpec } from '../types/core-v1.ts';

const podResources = [
  'pods',
  'cpu',
  'memory',
  'limits.cpu',
  'limits.memory',
  'requests.cpu',
  'requests.memory',
];
/** Which standard resources a quota of that scope may count. */
const scopes: Readonly<Record<string, readonly string[]>> = {
  Terminating: podResources,
  NotTerminating: podResources,
  NotBestEffort: podResources,
  PriorityClass: podResources,
  CrossNamespacePodAffinity: podResources,
  BestEffort: ['pods'],
  VolumeAttributesClass: ['persistentvolumeclaims', 'requests.storage'],
};
const valued = ['PriorityClass', 'VolumeAttributesClass'];
const standard =
  /^(cpu|memory|ephemeral-storage|pods|services|replicationcontrollers|resourcequotas|secrets|configmaps|persistentvolumeclaims|services\.(nodeports|loadbalancers)|(requests|limits)\.(cpu|memory|ephemeral-storage)|requests\.storage|(requests\.)?hugepages-.+)$/;

/** validateResourceQuotaScopes and validateScopeSelector. */
export function checkScopes(spec: ResourceQuotaSpec, field: Field): void {
  const names = spec.scopes ?? [];
  if (names.length > 0) {
    const at = field.at('scopes');
    for (const name of names)
      if (!Object.hasOwn(scopes, name)) at.invalid(names, 'unsupported scope');
    if (names.some((name) => !coversAll(name, spec)))
      at.invalid(names, 'unsupported scope applied to resource');
    if (isConflict(names)) at.invalid(names, 'conflicting scopes');
  }
  checkSelector(spec, field);
}

function coversAll(scope: string, { hard }: ResourceQuotaSpec): boolean {
  if (!Object.hasOwn(scopes, scope)) return true;
  return Object.keys(hard ?? {}).every(
    (name) => !standard.test(name) || scopes[scope]?.includes(name) === true,
  );
}

function isConflict(names: readonly string[]): boolean {
  const both = (a: string, b: string): boolean => names.includes(a) && names.includes(b);
  return both('BestEffort', 'NotBestEffort') || both('Terminating', 'NotTerminating');
}

function checkSelector(spec: ResourceQuotaSpec, root: Field): void {
  const { scopeSelector } = spec;
  if (scopeSelector === undefined) return;
  const field = root.at('scopeSelector.matchExpressions');
  const terms = scopeSelector.matchExpressions ?? [];
  for (const { scopeName, operator, values = [] } of terms) {
    if (!Object.hasOwn(scopes, scopeName))
      field.at('scopeName').invalid(scopeName, 'unsupported scope');
    if (!coversAll(scopeName, spec))
      field.invalid(scopeSelector, 'unsupported scope applied to resource');
    const at = field.at('operator');
    if (Object.hasOwn(scopes, scopeName) && !valued.includes(scopeName) && operator !== 'Exists')
      at.invalid(
        operator,
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
      );
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        field
          .at('values')
          .required(
            "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
          );
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        field
          .at('values')
          .invalid(
            values,
            "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
          );
    } else at.invalid(operator, 'not a valid selector operator');
  }
  if (isConflict(terms.map(({ scopeName }) => scopeName)))
    field.invalid(spec.scopes ?? null, 'conflicting scopes');
}
