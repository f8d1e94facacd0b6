import { parentID, segmentsOf } from '../ids.ts';
import {
  type ChangeOptions,
  type Root,
  type RootDraft,
  type RunSpec,
  draftOf,
  putInto,
  touchGroups,
} from '../root.ts';
import type { Pod } from '../types.ts';
import type { App } from '../types.ts';
import type { GroupChange, Plan, PlanChange } from './plan.ts';

/**
 * `current` with a plan's changes undone: apps and pods as they were before it, what it added removed;
 * then its groups, innermost first. What other plans did meanwhile stays.
 */
export function revertPlan(plan: Plan, current: Root, options: ChangeOptions): Root {
  const draft = draftOf(current);
  for (const change of plan.changes) revertRunSpec(draft, change, options);
  const innermostFirst = plan.groups.toSorted(
    (a, b) => segmentsOf(b.id).length - segmentsOf(a.id).length,
  );
  for (const change of innermostFirst) revertGroup(draft, change, options);
  return draft;
}

function runSpecFrom(kind: RunSpec['kind'], spec: RunSpec['spec']): RunSpec {
  return kind === 'app' ? { kind, spec: spec as App } : { kind, spec: spec as Pod };
}

function revertRunSpec(draft: RootDraft, change: PlanChange, options: ChangeOptions): void {
  const { id, kind, before } = change;
  if (before === undefined) {
    draft.apps.delete(id);
    draft.pods.delete(id);
    if (draft.groups.has(parentID(id))) touchGroups(draft, parentID(id), options);
    return;
  }
  putInto(draft, runSpecFrom(kind, before));
  touchGroups(draft, parentID(id), options);
}

function revertGroup(draft: RootDraft, change: GroupChange, options: ChangeOptions): void {
  const { id, before, after } = change;
  if (before === undefined) {
    if (after !== undefined) revertAddition(draft, { id, added: after.dependencies, options });
    return;
  }
  touchGroups(draft, id, options);
  const group = draft.groups.get(id);
  if (group === undefined) return;
  const kept = group.dependencies.filter(
    (one) => before.dependencies.includes(one) || after?.dependencies.includes(one) !== true,
  );
  const dependencies = [...new Set([...kept, ...before.dependencies])];
  draft.groups.set(id, {
    ...group,
    dependencies,
    // A group that had to be made again keeps what it insisted on.
    ...(after === undefined && before.enforceRole !== undefined
      ? { enforceRole: before.enforceRole }
      : {}),
  });
}

interface Addition {
  readonly id: string;
  readonly added: readonly string[];
  readonly options: ChangeOptions;
}

/** An added group goes if nothing came into it meanwhile. */
function revertAddition(draft: RootDraft, { id, added, options }: Addition): void {
  const group = draft.groups.get(id);
  if (group === undefined) return;
  const members = [draft.groups, draft.apps, draft.pods].flatMap((map) => [...map.keys()]);
  const isEmpty = !members.some((one) => one !== id && parentID(one) === id);
  const dependencies = group.dependencies.filter((one) => !added.includes(one));
  if (isEmpty && dependencies.length === 0 && group.dependencies.length === added.length) {
    draft.groups.delete(id);
    if (draft.groups.has(parentID(id))) touchGroups(draft, parentID(id), options);
    return;
  }
  draft.groups.set(id, { ...group, dependencies });
}
