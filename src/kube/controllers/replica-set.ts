import {
  createOwnWrites,
  keyOf,
  seconds,
  selectorIsEmpty,
  selectorMatches,
  type Informer,
  type OwnWrites,
} from '#client';
import {
  isPodReady,
  isPodTerminal,
  pods as podKind,
  replicaSets as replicaSetKind,
  type Pod,
  type ReplicaSet,
} from '#kube/kinds';
import { isStatus, type NewObject } from '#machinery';
import { withCondition, withoutCondition } from './conditions.ts';
import {
  controllerOf,
  controllerReference,
  createLoop,
  forEachLimited,
  sameValue,
  type ControllerContext,
  type Runnable,
} from './context.ts';
import { isActive, isAvailable, readySinceMs, surplusFirst } from './pod-facts.ts';

/** Most Pods made or deleted in one go (replicaset.BurstReplicas). */
const burstPodsMax = 500;
const writesAtOnce = 32;

/** Keeps as many Pods of a ReplicaSet as it asks for. */
export function replicaSetController(context: ControllerContext): Runnable {
  const controller = new ReplicaSetController(context);
  return createLoop(context, {
    name: 'replicaset-controller',
    needs: [controller.sets, controller.pods],
    setup: (queue) => {
      controller.sets.onChange(({ key }) => queue.add(key));
      controller.pods.onChange(({ object, old }) => {
        for (const pod of [object, old]) {
          if (pod === undefined) continue;
          const owner = controllerOf(pod);
          const { namespace } = pod.metadata;
          if (owner?.kind === 'ReplicaSet') queue.add(`${namespace}/${owner.name}`);
          else if (owner === undefined)
            for (const set of controller.sets.by('namespace', namespace ?? ''))
              if (selectorMatches(set.spec.selector, pod.metadata.labels)) queue.add(keyOf(set));
        }
      });
    },
    reconcile: (key) => controller.reconcile(key),
  });
}

class ReplicaSetController {
  readonly sets: Informer<ReplicaSet>;
  readonly pods: Informer<Pod>;
  readonly #context: ControllerContext;
  readonly #own: OwnWrites<Pod>;
  readonly #recorder;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.sets = context.informers.of<ReplicaSet>(replicaSetKind);
    this.pods = context.informers.of<Pod>(podKind);
    this.#own = createOwnWrites(this.pods);
    this.#recorder = context.recorder('replicaset-controller');
  }

  async reconcile(key: string) {
    const set = this.sets.get(key);
    if (set === undefined || !this.#own.caughtUp(key)) return undefined;
    const claimed = await this.#claim(set);
    const active = claimed.filter(isActive);
    let failure: { reason: string; error: unknown } | undefined;
    if (set.metadata.deletionTimestamp === undefined) {
      try {
        await this.#balance(key, set, active);
      } catch (error) {
        failure = {
          reason: active.length < (set.spec.replicas ?? 1) ? 'FailedCreate' : 'FailedDelete',
          error,
        };
      }
    }
    const again = await this.#writeStatus(set, claimed, failure);
    if (failure !== undefined) throw failure.error;
    return again;
  }

  /** Own Pods, after taking in orphans that match and letting go what matches no more. */
  async #claim(set: ReplicaSet): Promise<readonly Pod[]> {
    const { uid, namespace = '', deletionTimestamp } = set.metadata;
    const kept: Pod[] = [];
    for (const pod of this.pods.by('controller', uid)) {
      const matches = selectorMatches(set.spec.selector, pod.metadata.labels);
      if (matches || pod.metadata.deletionTimestamp !== undefined) kept.push(pod);
      else if (deletionTimestamp === undefined) await this.#release(set, pod);
    }
    if (deletionTimestamp !== undefined || selectorIsEmpty(set.spec.selector)) return kept;
    const orphans = this.pods
      .by('orphan', namespace)
      .filter((pod) => isActive(pod) && selectorMatches(set.spec.selector, pod.metadata.labels));
    if (orphans.length > 0 && (await this.#isStill(set)))
      for (const pod of orphans) {
        const adopted = await this.#adopt(set, pod);
        if (adopted !== undefined) kept.push(adopted);
      }
    return kept;
  }

  async #isStill(set: ReplicaSet): Promise<boolean> {
    const { name, namespace, uid } = set.metadata;
    const now = await this.#context.api.get<ReplicaSet>(replicaSetKind, { name, namespace });
    return now.metadata.uid === uid && now.metadata.deletionTimestamp === undefined;
  }

  async #adopt(set: ReplicaSet, pod: Pod): Promise<Pod | undefined> {
    const owners = [...(pod.metadata.ownerReferences ?? []), controllerReference(set)];
    return this.#writeOwners(set, pod, owners);
  }

  async #release(set: ReplicaSet, pod: Pod): Promise<void> {
    const owners = (pod.metadata.ownerReferences ?? []).filter(
      ({ uid }) => uid !== set.metadata.uid,
    );
    await this.#writeOwners(set, pod, owners);
  }

  async #writeOwners(
    set: ReplicaSet,
    pod: Pod,
    ownerReferences: Pod['metadata']['ownerReferences'],
  ): Promise<Pod | undefined> {
    const { name, namespace, uid, resourceVersion } = pod.metadata;
    const body = { metadata: { uid, resourceVersion, ownerReferences } };
    try {
      const written = await this.#context.api.patch<Pod>(
        podKind,
        { name, namespace },
        { type: 'merge', body },
      );
      this.#own.wrote(keyOf(set), written);
      return written;
    } catch (error) {
      if (isStatus(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async #balance(key: string, set: ReplicaSet, active: readonly Pod[]): Promise<void> {
    const missing = (set.spec.replicas ?? 1) - active.length;
    if (missing > 0) await this.#createPods(key, set, Math.min(missing, burstPodsMax));
    if (missing < 0) await this.#deletePods(key, set, active);
  }

  /** 1, 2, 4, ... at a time: when all would fail for one reason, few are tried (slowStartBatch). */
  async #createPods(key: string, set: ReplicaSet, count: number): Promise<void> {
    const pod = podOf(set);
    let left = count;
    for (let size = 1; left > 0; size *= 2) {
      const batch = Array.from({ length: Math.min(size, left) });
      await forEachLimited(batch, writesAtOnce, async () => {
        try {
          const made = await this.#context.api.create<Pod>(podKind, pod);
          this.#own.wrote(key, made);
          this.#tell(set, 'Normal', {
            reason: 'SuccessfulCreate',
            message: `Created pod: ${made.metadata.name}`,
          });
        } catch (error) {
          // A namespace that is being deleted takes no more Pods: the set goes too.
          if (!isTerminating(error))
            this.#tell(set, 'Warning', {
              reason: 'FailedCreate',
              message: `Error creating: ${textOf(error)}`,
            });
          throw error;
        }
      });
      left -= batch.length;
    }
  }

  async #deletePods(key: string, set: ReplicaSet, active: readonly Pod[]): Promise<void> {
    const surplus = active.length - (set.spec.replicas ?? 1);
    const nowMs = this.#context.clock.nowMs();
    const victims = surplusFirst(active, { nowMs, related: this.#related(set) });
    await forEachLimited(
      victims.slice(0, Math.min(surplus, burstPodsMax)),
      writesAtOnce,
      async (pod) => {
        const { name, namespace, uid } = pod.metadata;
        try {
          await this.#context.api.delete(podKind, { name, namespace }, { uid });
          this.#own.deleted(key, pod);
          this.#tell(set, 'Normal', {
            reason: 'SuccessfulDelete',
            message: `Deleted pod: ${name}`,
          });
        } catch (error) {
          if (isStatus(error, 'NotFound') || isStatus(error, 'Conflict')) return;
          this.#tell(set, 'Warning', {
            reason: 'FailedDelete',
            message: `Error deleting: ${textOf(error)}`,
          });
          throw error;
        }
      },
    );
  }

  /** Pods on each node of all sets with the same owner: where they crowd, one goes first. */
  #related(set: ReplicaSet): ReadonlyMap<string, number> {
    const owner = controllerOf(set);
    const family = owner === undefined ? [set] : this.sets.by('controller', owner.uid);
    const counts = new Map<string, number>();
    for (const one of family)
      for (const pod of this.pods.by('controller', one.metadata.uid)) {
        const node = pod.spec.nodeName ?? '';
        if (isActive(pod)) counts.set(node, (counts.get(node) ?? 0) + 1);
      }
    return counts;
  }

  async #writeStatus(
    set: ReplicaSet,
    claimed: readonly Pod[],
    failure: { reason: string; error: unknown } | undefined,
  ) {
    const { clock, api } = this.#context;
    const nowMs = clock.nowMs();
    const minReady = set.spec.minReadySeconds ?? 0;
    const active = claimed.filter(isActive);
    const ready = active.filter(isPodReady);
    const available = ready.filter((pod) => isAvailable(pod, minReady, nowMs));
    const conditions =
      failure === undefined
        ? withoutCondition(set.status.conditions, 'ReplicaFailure')
        : withCondition(set.status.conditions, {
            type: 'ReplicaFailure',
            status: 'True',
            lastTransitionTime: seconds(nowMs),
            reason: failure.reason,
            message: textOf(failure.error),
          });
    const labels = set.spec.template?.metadata?.labels ?? {};
    const status: ReplicaSet['status'] = {
      replicas: active.length,
      fullyLabeledReplicas: active.filter((pod) =>
        Object.entries(labels).every(([name, value]) => pod.metadata.labels?.[name] === value),
      ).length,
      readyReplicas: ready.length,
      availableReplicas: available.length,
      terminatingReplicas: claimed.filter(
        (pod) => pod.metadata.deletionTimestamp !== undefined && !isPodTerminal(pod),
      ).length,
      observedGeneration: set.metadata.generation ?? 0,
      ...(conditions.length === 0 ? {} : { conditions }),
    };
    if (!sameValue(status, set.status))
      await api.update<ReplicaSet>(replicaSetKind, { ...set, status }, { subresource: 'status' });
    if (minReady === 0 || available.length === ready.length) return undefined;
    const dueMs = ready
      .filter((pod) => !available.includes(pod))
      .map((pod) => (readySinceMs(pod) ?? nowMs) + minReady * 1000 - nowMs);
    return { afterMs: Math.max(1, Math.min(...dueMs)) };
  }

  #tell(
    set: ReplicaSet,
    type: 'Normal' | 'Warning',
    about: { reason: string; message: string },
  ): void {
    this.#recorder.event(set, type, about);
  }
}

function podOf(set: ReplicaSet): NewObject<Pod> {
  const { metadata, spec } = set.spec.template ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${set.metadata.name}-`,
      namespace: set.metadata.namespace,
      labels: metadata?.labels,
      annotations: metadata?.annotations,
      finalizers: metadata?.finalizers,
      ownerReferences: [controllerReference(set)],
    },
    spec,
  };
}

function isTerminating(error: unknown): boolean {
  return (
    isStatus(error, 'Forbidden') && error.details?.causes?.[0]?.reason === 'NamespaceTerminating'
  );
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
