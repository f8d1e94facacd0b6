import { labelsInclude } from '#client';
import type { Node, NodeSelectorTerm, Pod, PreferredSchedulingTerm } from '#kube/kinds';

/** What selects nodes in a Pod, apart from the Pod itself so that equal Pods share it. */
export interface NodeWishes {
  readonly nodeSelector: Readonly<Record<string, string>> | undefined;
  readonly required: readonly NodeSelectorTerm[] | undefined;
  readonly preferred: readonly PreferredSchedulingTerm[];
}

export function nodeWishes({ spec }: Pod): NodeWishes {
  const affinity = spec.affinity?.nodeAffinity;
  return {
    nodeSelector: spec.nodeSelector,
    required: affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms,
    preferred: affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [],
  };
}

/** nodeSelector and required node affinity: terms are alternatives, none at all match nothing. */
export function wantsNode(wishes: NodeWishes, node: Node): boolean {
  if (
    wishes.nodeSelector !== undefined &&
    !labelsInclude(wishes.nodeSelector, node.metadata.labels)
  )
    return false;
  return wishes.required === undefined || wishes.required.some((term) => termMatches(term, node));
}

/** The sum of weights of preferred terms that hold; an empty preferred term holds everywhere. */
export function nodePreference(wishes: NodeWishes, node: Node): number {
  let sum = 0;
  for (const { weight, preference } of wishes.preferred)
    if (isEmpty(preference) || termMatches(preference, node)) sum += weight;
  return sum;
}

function isEmpty(term: NodeSelectorTerm): boolean {
  return (term.matchExpressions ?? []).length + (term.matchFields ?? []).length === 0;
}

function termMatches(term: NodeSelectorTerm, node: Node): boolean {
  if (isEmpty(term)) return false;
  const labels = node.metadata.labels ?? {};
  const fields: Readonly<Record<string, string>> = { 'metadata.name': node.metadata.name };
  return (
    (term.matchExpressions ?? []).every((one) => requirementHolds(one, labels)) &&
    (term.matchFields ?? []).every((one) => requirementHolds(one, fields))
  );
}

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[] | undefined;
}

function requirementHolds(
  { key, operator, values = [] }: Requirement,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt': {
      const [wanted = ''] = values;
      if (value === undefined || !/^-?\d+$/.test(value) || !/^-?\d+$/.test(wanted)) return false;
      return operator === 'Gt' ? Number(value) > Number(wanted) : Number(value) < Number(wanted);
    }
    default:
      return false;
  }
}
