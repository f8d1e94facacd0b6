import { dependencyDepths } from '../dependencies.ts';
import { sameValue } from '../equality.ts';
import { type GroupDefinition, type Root, type RunSpec, runSpecOf, runSpecsOf } from '../root.ts';
import { instancesOf } from '../run-spec.ts';
import { isOnlyScaleChange, isUpgrade } from '../versions.ts';

export type PlanAction =
  | { readonly kind: 'start' | 'stop' | 'restart'; readonly id: string }
  | ScaleAction;
export interface ScaleAction {
  readonly kind: 'scale';
  readonly id: string;
  readonly scaleTo: number;
  /** Instances to kill first. */
  readonly toKill?: readonly string[] | undefined;
}

/** An app or pod that differs between two trees. */
export interface PlanChange {
  readonly id: string;
  readonly kind: RunSpec['kind'];
  readonly before?: RunSpec['spec'] | undefined;
  readonly after?: RunSpec['spec'] | undefined;
}
export interface GroupChange {
  readonly id: string;
  readonly before?: GroupDefinition | undefined;
  readonly after?: GroupDefinition | undefined;
}

/** The way from one tree to another. Plain JSON: it is kept in the store as it is. */
export interface Plan {
  readonly id: string;
  readonly version: string;
  readonly steps: readonly { readonly actions: readonly PlanAction[] }[];
  readonly changes: readonly PlanChange[];
  /** Groups that were added, removed, or depend on others than before. */
  readonly groups: readonly GroupChange[];
}

export interface PlanOptions {
  readonly id: string;
  readonly version: string;
  /** Instances to kill first, by run spec. */
  readonly toKill?: ReadonlyMap<string, readonly string[]> | undefined;
}

/** Stops what is gone, starts what is new, then scales and restarts in the order of dependencies. */
export function makePlan(original: Root, target: Root, options: PlanOptions): Plan {
  const changes = changesBetween(original, target);
  const idsOf = (wanted: (change: PlanChange) => boolean): string[] =>
    changes.filter(wanted).map(({ id }) => id);
  const stop = idsOf(({ after }) => after === undefined);
  const start = idsOf(({ before }) => before === undefined);
  const steps = [
    { actions: stop.map((id): PlanAction => ({ kind: 'stop', id })) },
    { actions: start.map((id): PlanAction => ({ kind: 'start', id })) },
    ...orderedSteps(changes, { ...options, original, target }),
  ];
  return {
    id: options.id,
    version: options.version,
    steps: steps.filter(({ actions }) => actions.length > 0),
    changes,
    groups: groupChanges(original, target),
  };
}

function changesBetween(original: Root, target: Root): PlanChange[] {
  const changes: PlanChange[] = [];
  for (const { kind, spec } of runSpecsOf(original)) {
    const after = runSpecOf(target, spec.id);
    if (after === undefined) changes.push({ id: spec.id, kind, before: spec });
    else if (!sameValue(spec, after.spec))
      changes.push({ id: spec.id, kind: after.kind, before: spec, after: after.spec });
  }
  for (const { kind, spec } of runSpecsOf(target))
    if (runSpecOf(original, spec.id) === undefined)
      changes.push({ id: spec.id, kind, after: spec });
  return changes;
}

interface StepOptions extends PlanOptions {
  readonly original: Root;
  readonly target: Root;
}

/** One step for each length of the longest chain of dependencies, shortest first. */
function orderedSteps(
  changes: readonly PlanChange[],
  options: StepOptions,
): { readonly actions: readonly PlanAction[] }[] {
  const depths = dependencyDepths(options.target);
  const byDepth = new Map<number, PlanAction[]>();
  for (const change of changes) {
    const action = orderedAction(change, options);
    if (action === undefined) continue;
    const depth = depths?.get(change.id) ?? 1;
    const actions = byDepth.get(depth);
    if (actions === undefined) byDepth.set(depth, [action]);
    else actions.push(action);
  }
  const sorted = [...byDepth].toSorted(([a], [b]) => a - b);
  return sorted.map(([, actions]) => ({ actions }));
}

function orderedAction({ id }: PlanChange, options: StepOptions): PlanAction | undefined {
  const before = runSpecOf(options.original, id);
  const after = runSpecOf(options.target, id);
  if (after === undefined) return undefined;
  const scaleTo = instancesOf(after);
  if (before === undefined) return { kind: 'scale', id, scaleTo };
  if (isOnlyScaleChange(before, after) || scaleTo === 0) {
    const toKill = options.toKill?.get(id);
    return { kind: 'scale', id, scaleTo, ...(toKill === undefined ? {} : { toKill }) };
  }
  return needsRestart(before, after) ? { kind: 'restart', id } : undefined;
}

function needsRestart(before: RunSpec, after: RunSpec): boolean {
  const [old, young] = [before.spec, after.spec];
  const sameVersion =
    old.version === young.version && sameValue(old.versionInfo, young.versionInfo);
  return !sameVersion || isUpgrade(before, after);
}

function groupChanges(original: Root, target: Root): GroupChange[] {
  const changes: GroupChange[] = [];
  for (const id of new Set([...original.groups.keys(), ...target.groups.keys()])) {
    const before = original.groups.get(id);
    const after = target.groups.get(id);
    const same =
      before !== undefined &&
      after !== undefined &&
      sameValue(before.dependencies, after.dependencies);
    if (!same) changes.push({ id, before, after });
  }
  return changes;
}

/** The apps and pods that a plan acts on; two plans conflict when they share one. */
export function affectedIDs(plan: Plan): string[] {
  return [...new Set(plan.steps.flatMap(({ actions }) => actions.map(({ id }) => id)))];
}
