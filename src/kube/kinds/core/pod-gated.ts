import type { Field } from '../shared/field.ts';
import { sameValue } from '../shared/same.ts';
import type { Affinity, NodeSelectorTerm, PodSpec } from '../types/core-v1.ts';

const required = 'requiredDuringSchedulingIgnoredDuringExecution';

/** A Pod that waits at a scheduling gate may still be narrowed down to fewer nodes. */
export function allowGatedChanges(spec: PodSpec, old: PodSpec, field: Field): PodSpec {
  if ((old.schedulingGates ?? []).length === 0) return spec;
  const { nodeSelector = {} } = spec;
  const kept = Object.entries(old.nodeSelector ?? {}).every(
    ([key, value]) => nodeSelector[key] === value,
  );
  if (!kept)
    field
      .at('nodeSelector')
      .invalid(
        spec.nodeSelector ?? null,
        'only additions to spec.nodeSelector are allowed (no mutations or deletions)',
      );
  const now = spec.affinity?.nodeAffinity;
  const then = old.affinity?.nodeAffinity;
  if (!sameValue(now, then))
    checkTerms(
      now?.[required]?.nodeSelectorTerms ?? [],
      then?.[required]?.nodeSelectorTerms ?? [],
      field.at('affinity.nodeAffinity').at(required).at('nodeSelectorTerms'),
    );
  const affinity: Affinity | undefined =
    old.affinity === undefined && isOnlyNodeAffinity(spec.affinity)
      ? undefined
      : { ...spec.affinity, nodeAffinity: then };
  return { ...spec, nodeSelector: old.nodeSelector, affinity };
}

function isOnlyNodeAffinity(affinity: Affinity | undefined): boolean {
  return affinity?.podAffinity === undefined && affinity?.podAntiAffinity === undefined;
}

function checkTerms(
  now: readonly NodeSelectorTerm[],
  then: readonly NodeSelectorTerm[],
  field: Field,
): void {
  if (then.length === 0) return;
  if (now.length !== then.length)
    return field.invalid(
      now,
      'no additions/deletions to non-empty NodeSelectorTerms list are allowed',
    );
  for (const [index, term] of now.entries())
    if (!isExtended(term, then[index] ?? {}))
      field.at(index).invalid(term, 'only additions are allowed (no mutations or deletions)');
}

/** An empty term selects nothing and must stay so; others may only get longer. */
function isExtended(now: NodeSelectorTerm, then: NodeSelectorTerm): boolean {
  const { matchExpressions = [], matchFields = [] } = then;
  if (matchExpressions.length + matchFields.length === 0)
    return (now.matchExpressions ?? []).length + (now.matchFields ?? []).length === 0;
  return (
    matchExpressions.every((one, index) => sameValue(one, now.matchExpressions?.[index])) &&
    matchFields.every((one, index) => sameValue(one, now.matchFields?.[index]))
  );
}
