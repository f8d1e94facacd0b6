import { seconds } from '#client';
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '#kube/kinds';
import { withCondition, withoutCondition } from '../conditions.ts';
import { boundsOf, sumReplicas } from './rolling.ts';

type Fresh = Pick<DeploymentCondition, 'type' | 'status' | 'reason' | 'message'>;
export type Conditions = readonly DeploymentCondition[];

export function put(conditions: Conditions | undefined, fresh: Fresh, nowMs: number): Conditions {
  const now = seconds(nowMs);
  return withCondition(conditions, { ...fresh, lastUpdateTime: now, lastTransitionTime: now });
}

export function find(conditions: Conditions | undefined, type: string) {
  return conditions?.find((one) => one.type === type);
}

/** Counts over all sets, with the Available condition. */
export function countStatus(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  options: { readonly newSet: ReplicaSet | undefined; readonly nowMs: number },
): DeploymentStatus {
  const { newSet, nowMs } = options;
  const sum = (read: (set: ReplicaSet) => number | undefined): number =>
    sets.reduce((total, set) => total + (read(set) ?? 0), 0);
  const available = sum((set) => set.status.availableReplicas);
  const { replicas, maxUnavailable } = boundsOf(deployment);
  const enough = available >= replicas - maxUnavailable;
  const collisionCount = deployment.status.collisionCount;
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sum((set) => set.status.replicas),
    updatedReplicas: newSet?.status.replicas ?? 0,
    readyReplicas: sum((set) => set.status.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sumReplicas(sets) - available),
    terminatingReplicas: sum((set) => set.status.terminatingReplicas),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions: put(
      deployment.status.conditions,
      {
        type: 'Available',
        status: enough ? 'True' : 'False',
        reason: enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
        message: enough
          ? 'Deployment has minimum availability.'
          : 'Deployment does not have minimum availability.',
      },
      nowMs,
    ),
  };
}

export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const replicas = deployment.spec.replicas ?? 1;
  return (
    status.updatedReplicas === replicas &&
    status.replicas === replicas &&
    status.availableReplicas === replicas
  );
}

/** The status with Progressing and ReplicaFailure judged (progress.go syncRolloutStatus). */
export function judgeProgress(
  deployment: Deployment,
  status: DeploymentStatus,
  options: {
    readonly newSet: ReplicaSet | undefined;
    readonly sets: readonly ReplicaSet[];
    readonly nowMs: number;
  },
): DeploymentStatus {
  const { newSet, sets, nowMs } = options;
  let conditions = status.conditions ?? [];
  const progressing = find(deployment.status.conditions, 'Progressing');
  const deadline = deployment.spec.progressDeadlineSeconds;
  const hasDeadline = deadline !== undefined && deadline !== 2_147_483_647;
  if (!hasDeadline) conditions = withoutCondition(conditions, 'Progressing');
  const done =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) &&
    progressing?.reason === 'NewReplicaSetAvailable';
  if (hasDeadline && !done) {
    const subject =
      newSet === undefined
        ? `Deployment "${deployment.metadata.name}"`
        : `ReplicaSet "${newSet.metadata.name}"`;
    const say = (ok: string, reason: string, text: string): Conditions =>
      put(
        conditions,
        { type: 'Progressing', status: ok, reason, message: `${subject} ${text}` },
        nowMs,
      );
    if (isComplete(deployment, status))
      conditions = say('True', 'NewReplicaSetAvailable', 'has successfully progressed.');
    else if (madeProgress(deployment.status, status)) {
      const fresh = say('True', 'ReplicaSetUpdated', 'is progressing.');
      // Progress moves the time even when the words stay: the deadline counts from it.
      conditions = fresh.map((one) =>
        one.type === 'Progressing' ? { ...one, lastUpdateTime: seconds(nowMs) } : one,
      );
    } else if (timedOut(deployment, nowMs))
      conditions = say('False', 'ProgressDeadlineExceeded', 'has timed out progressing.');
  }
  const failure = sets
    .flatMap((set) => set.status.conditions ?? [])
    .find(({ type }) => type === 'ReplicaFailure');
  conditions =
    failure === undefined
      ? withoutCondition(conditions, 'ReplicaFailure')
      : put(
          conditions,
          {
            type: 'ReplicaFailure',
            status: failure.status,
            reason: failure.reason,
            message: failure.message,
          },
          nowMs,
        );
  return { ...status, conditions };
}

function madeProgress(old: DeploymentStatus, now: DeploymentStatus): boolean {
  const oldOnes = (status: DeploymentStatus): number =>
    (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (now.updatedReplicas ?? 0) > (old.updatedReplicas ?? 0) ||
    oldOnes(now) < oldOnes(old) ||
    (now.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
    (now.availableReplicas ?? 0) > (old.availableReplicas ?? 0)
  );
}

export function timedOut(deployment: Deployment, nowMs: number): boolean {
  const condition = find(deployment.status.conditions, 'Progressing');
  if (condition === undefined) return false;
  if (condition.reason === 'ProgressDeadlineExceeded') return true;
  if (condition.reason === 'NewReplicaSetAvailable' || condition.reason === 'DeploymentPaused')
    return false;
  return msToDeadline(deployment, nowMs) <= 0;
}

export function msToDeadline(deployment: Deployment, nowMs: number): number {
  const condition = find(deployment.status.conditions, 'Progressing');
  const fromMs = Date.parse(condition?.lastUpdateTime ?? '') || nowMs;
  return fromMs + (deployment.spec.progressDeadlineSeconds ?? 600) * 1000 - nowMs;
}
