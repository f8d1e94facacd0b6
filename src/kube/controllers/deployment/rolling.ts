import { scaledValue } from '#base';
import type { Deployment, ReplicaSet } from '#kube/kinds';
import { byAge, desiredAnnotation, maxAnnotation } from './revision.ts';

/** How many Pods more and how many less than asked a rollout may have at any moment. */
export interface Bounds {
  readonly replicas: number;
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

export function boundsOf({ spec }: Deployment): Bounds {
  const replicas = spec.replicas ?? 1;
  if (spec.strategy?.type === 'Recreate')
    return { replicas, maxSurge: 0, maxUnavailable: replicas };
  const { maxSurge = '25%', maxUnavailable = '25%' } = spec.strategy?.rollingUpdate ?? {};
  const surge = scaledValue(maxSurge, replicas, true);
  const unavailable = Math.min(scaledValue(maxUnavailable, replicas, false), replicas);
  // Both 0 would never move: one Pod may be missing then (ResolveFenceposts).
  const stuck = surge === 0 && unavailable === 0;
  return { replicas, maxSurge: surge, maxUnavailable: stuck ? 1 : unavailable };
}

export function replicasOf(set: ReplicaSet): number {
  return set.spec.replicas ?? 1;
}

export function sumReplicas(sets: readonly ReplicaSet[]): number {
  return sets.reduce((total, set) => total + replicasOf(set), 0);
}

/** What the new set may grow (or must shrink) to now. */
export function newSetReplicas(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  newSet: ReplicaSet,
): number {
  const { replicas, maxSurge } = boundsOf(deployment);
  if (deployment.spec.strategy?.type === 'Recreate') return replicas;
  if (replicasOf(newSet) > replicas) return replicas;
  const room = replicas + maxSurge - sumReplicas(sets);
  if (room <= 0) return replicasOf(newSet);
  return replicasOf(newSet) + Math.min(room, replicas - replicasOf(newSet));
}

/** One set and what it is to be scaled to. */
export interface Step {
  readonly set: ReplicaSet;
  readonly replicas: number;
}

/**
 * Takes away from old sets what the rollout can spare: first Pods that serve nobody anyway, then as
 * many as keep enough available (rolling.go reconcileOldReplicaSets).
 */
export function shrinkOldSets(
  deployment: Deployment,
  newSet: ReplicaSet,
  oldSets: readonly ReplicaSet[],
): readonly Step[] {
  const { replicas, maxUnavailable } = boundsOf(deployment);
  const least = replicas - maxUnavailable;
  const newUnavailable = replicasOf(newSet) - (newSet.status.availableReplicas ?? 0);
  let spare = sumReplicas([...oldSets, newSet]) - least - Math.max(0, newUnavailable);
  if (spare <= 0) return [];
  const left = new Map(oldSets.map((set) => [set, replicasOf(set)]));
  const ordered = oldSets.toSorted(byAge);
  for (const set of ordered) {
    const now = left.get(set) ?? 0;
    const unhealthy = Math.max(0, now - (set.status.availableReplicas ?? 0));
    const taken = Math.min(spare, unhealthy);
    left.set(set, now - taken);
    spare -= taken;
  }
  const available = [...oldSets, newSet].reduce(
    (total, set) => total + (set.status.availableReplicas ?? 0),
    0,
  );
  let healthy = Math.min(spare, available - least);
  for (const set of ordered) {
    if (healthy <= 0) break;
    const now = left.get(set) ?? 0;
    const taken = Math.min(healthy, now);
    left.set(set, now - taken);
    healthy -= taken;
  }
  return stepsOf(left);
}

/** True when the deployment's own size was changed since the sets were last scaled for it. */
export function isScaling(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  return sets.some((set) => {
    const desired = set.metadata.annotations?.[desiredAnnotation];
    return (
      replicasOf(set) > 0 && desired !== undefined && Number(desired) !== deployment.spec.replicas
    );
  });
}

/**
 * A new size in the middle of a rollout (or while paused) is shared among the sets by their size;
 * what rounding leaves goes to the largest (sync.go scale).
 */
export function scaleProportionally(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
): readonly Step[] {
  const { replicas, maxSurge } = boundsOf(deployment);
  const active = sets.filter((set) => replicasOf(set) > 0);
  const only = active.length === 1 ? active[0] : active.length === 0 ? sets.at(-1) : undefined;
  if (only !== undefined) return replicasOf(only) === replicas ? [] : [{ set: only, replicas }];
  const total = sumReplicas(active);
  const allowed = replicas > 0 ? replicas + maxSurge : 0;
  const toAdd = allowed - total;
  // Growing starts with the newest of equal sets, shrinking with the oldest.
  const ordered = active.toSorted(
    (a, b) => replicasOf(b) - replicasOf(a) || (toAdd > 0 ? byAge(b, a) : byAge(a, b)),
  );
  const left = new Map<ReplicaSet, number>();
  let added = 0;
  for (const set of ordered) {
    const share = toAdd === 0 ? 0 : shareOf(set, { replicas, allowed, toAdd, added });
    left.set(set, replicasOf(set) + share);
    added += share;
  }
  const [largest] = ordered;
  if (largest !== undefined)
    left.set(largest, Math.max(0, (left.get(largest) ?? 0) + toAdd - added));
  return stepsOf(left);
}

function shareOf(
  set: ReplicaSet,
  numbers: { readonly replicas: number; allowed: number; toAdd: number; added: number },
): number {
  const { replicas, allowed, toAdd, added } = numbers;
  const size = replicasOf(set);
  const before = Number(set.metadata.annotations?.[maxAnnotation] ?? replicas) || replicas;
  const wanted = replicas === 0 ? -size : Math.round((size * allowed) / before) - size;
  const leftToAdd = toAdd - added;
  return toAdd > 0 ? Math.min(wanted, leftToAdd) : Math.max(wanted, leftToAdd);
}

function stepsOf(left: ReadonlyMap<ReplicaSet, number>): readonly Step[] {
  return [...left]
    .filter(([set, replicas]) => replicas !== replicasOf(set))
    .map(([set, replicas]) => ({ set, replicas }));
}
