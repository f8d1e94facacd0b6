import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from '#machinery';
import type { Field } from '../shared/field.ts';
import { checkSelector } from '../shared/meta.ts';
import type {
  Affinity,
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
} from '../types/core-v1.ts';
import type { LabelSelector } from '../types/meta-v1.ts';

/** What an old object broke already and may go on breaking. */
export interface AffinityLeniency {
  readonly anyNodeValue?: boolean;
  readonly anySelectorValue?: boolean;
}
const required = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';

export function checkAffinity(
  affinity: Affinity | undefined,
  field: Field,
  leniency: AffinityLeniency,
): void {
  if (affinity === undefined) return;
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity;
  if (nodeAffinity !== undefined)
    checkNodeAffinity(nodeAffinity, field.at('nodeAffinity'), leniency.anyNodeValue === true);
  if (podAffinity !== undefined) checkPodAffinity(podAffinity, field.at('podAffinity'), leniency);
  if (podAntiAffinity !== undefined)
    checkPodAffinity(podAntiAffinity, field.at('podAntiAffinity'), leniency);
}

function checkNodeAffinity(affinity: NodeAffinity, field: Field, anyValue: boolean): void {
  const wanted = affinity[required];
  if (wanted !== undefined) checkNodeSelector(wanted, field.at(required), anyValue);
  for (const [index, { weight, preference }] of (affinity[preferred] ?? []).entries()) {
    const at = field.at(preferred).at(index);
    if (weight < 1 || weight > 100) at.at('weight').invalid(weight, 'must be in the range 1-100');
    checkNodeTerm(preference, at.at('preference'), true);
  }
}

export function checkNodeSelector(selector: NodeSelector, field: Field, anyValue: boolean): void {
  const terms = selector.nodeSelectorTerms ?? [];
  const at = field.at('nodeSelectorTerms');
  if (terms.length === 0) {
    at.required('must have at least one node selector term');
    return;
  }
  for (const [index, term] of terms.entries()) checkNodeTerm(term, at.at(index), anyValue);
}

export function checkNodeTerm(term: NodeSelectorTerm, field: Field, anyValue: boolean): void {
  for (const [index, requirement] of (term.matchExpressions ?? []).entries())
    checkNodeRequirement(requirement, field.at('matchExpressions').at(index), anyValue);
  for (const [index, requirement] of (term.matchFields ?? []).entries())
    checkFieldRequirement(requirement, field.at('matchFields').at(index));
}

function checkNodeRequirement(
  { key, operator, values = [] }: NodeSelectorRequirement,
  field: Field,
  anyValue: boolean,
): void {
  const at = field.at('values');
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) at.required("must be specified when `operator` is 'In' or 'NotIn'");
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0)
      at.forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1)
      at.required("must be specified single value when `operator` is 'Lt' or 'Gt'");
  } else field.at('operator').invalid(operator, 'not a valid selector operator');
  field.at('key').invalidAll(key, qualifiedName(key));
  if (anyValue) return;
  for (const [index, value] of values.entries()) at.at(index).invalidAll(value, labelValue(value));
}

function checkFieldRequirement(
  { key, operator, values = [] }: NodeSelectorRequirement,
  field: Field,
): void {
  if (operator !== 'In' && operator !== 'NotIn')
    field.at('operator').invalid(operator, 'not a valid selector operator');
  else if (values.length !== 1)
    field
      .at('values')
      .required(
        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
      );
  if (key !== 'metadata.name') field.at('key').invalid(key, 'not a valid field selector key');
  else
    for (const [index, value] of values.entries())
      field.at('values').at(index).invalidAll(value, dns1123Subdomain(value));
}

function checkPodAffinity(affinity: PodAffinity, field: Field, leniency: AffinityLeniency): void {
  for (const [index, term] of (affinity[required] ?? []).entries())
    checkTerm(term, field.at(required).at(index), leniency);
  for (const [index, { weight, podAffinityTerm }] of (affinity[preferred] ?? []).entries()) {
    const at = field.at(preferred).at(index);
    if (weight < 1 || weight > 100) at.at('weight').invalid(weight, 'must be in the range 1-100');
    checkTerm(podAffinityTerm, at.at('podAffinityTerm'), leniency);
  }
}

function checkTerm(term: PodAffinityTerm, field: Field, leniency: AffinityLeniency): void {
  const options = { anyValue: leniency.anySelectorValue === true };
  checkSelector(term.labelSelector, field.at('labelSelector'), options);
  checkSelector(term.namespaceSelector, field.at('namespaceSelector'), options);
  for (const name of term.namespaces ?? [])
    field.at('namespace').invalidAll(name, dns1123Label(name));
  checkMatchKeys(term, field);
  if (term.topologyKey === '') field.at('topologyKey').required('can not be empty');
  field.at('topologyKey').invalidAll(term.topologyKey, qualifiedName(term.topologyKey));
}

function checkMatchKeys(term: PodAffinityTerm, field: Field): void {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  for (const [name, keys] of [
    ['matchLabelKeys', matchLabelKeys],
    ['mismatchLabelKeys', mismatchLabelKeys],
  ] as const) {
    if (keys.length === 0) continue;
    if (labelSelector === undefined) {
      field.at(name).forbidden('must not be specified when labelSelector is not set');
      continue;
    }
    for (const [index, key] of keys.entries()) {
      field.at(name).at(index).invalidAll(key, qualifiedName(key));
      if (name === 'matchLabelKeys' && occurrences(labelSelector, key) > 1)
        field.at(index).invalid(key, 'exists in both matchLabelKeys and labelSelector');
    }
  }
  for (const [index, key] of matchLabelKeys.entries())
    if (mismatchLabelKeys.includes(key))
      field
        .at('matchLabelKeys')
        .at(index)
        .invalid(key, 'exists in both matchLabelKeys and mismatchLabelKeys');
}

/** How often a selector names a key: once is what the server itself added for matchLabelKeys. */
export function occurrences(selector: LabelSelector, key: string): number {
  const inLabels = Number(
    selector.matchLabels !== undefined && Object.hasOwn(selector.matchLabels, key),
  );
  return inLabels + (selector.matchExpressions ?? []).filter((one) => one.key === key).length;
}
