import {
  createOwnWrites,
  keyOf,
  selectorIsEmpty,
  selectorMatches,
  type Informer,
  type OwnWrites,
} from '#client';
import {
  deployments as deploymentKind,
  isPodTerminal,
  pods as podKind,
  replicaSets as replicaSetKind,
  type Deployment,
  type DeploymentStatus,
  type Pod,
  type ReplicaSet,
} from '#kube/kinds';
import { isStatus } from '#machinery';
import {
  controllerOf,
  controllerReference,
  createLoop,
  sameValue,
  type ControllerContext,
  type Runnable,
} from '../context.ts';
import {
  findNewSet,
  hashLabel,
  revisionAnnotation,
  revisionOf,
  sameTemplate,
  setAnnotations,
  templateHash,
} from './revision.ts';
import {
  boundsOf,
  isScaling,
  newSetReplicas,
  replicasOf,
  scaleProportionally,
  shrinkOldSets,
  type Step,
} from './rolling.ts';
import { countStatus, find, isComplete, judgeProgress, msToDeadline, put } from './status.ts';

/** Rolls a Deployment's template out over ReplicaSets, one for each template. */
export function deploymentController(context: ControllerContext): Runnable {
  const controller = new DeploymentController(context);
  return createLoop(context, {
    name: 'deployment-controller',
    needs: [controller.deployments, controller.sets, controller.pods],
    setup: (queue) => {
      const addOwner = (owned: ReplicaSet): void => {
        const owner = controllerOf(owned);
        const { namespace } = owned.metadata;
        if (owner?.kind === 'Deployment') queue.add(`${namespace}/${owner.name}`);
        else if (owner === undefined)
          for (const one of controller.deployments.by('namespace', namespace ?? ''))
            if (selectorMatches(one.spec.selector, owned.metadata.labels)) queue.add(keyOf(one));
      };
      controller.deployments.onChange(({ key }) => queue.add(key));
      controller.sets.onChange(({ object, old }) => {
        for (const set of [object, old]) if (set !== undefined) addOwner(set);
      });
      // Recreate waits for Pods to be gone.
      controller.pods.onChange(({ object, old }) => {
        const owner = object === undefined && old !== undefined ? controllerOf(old) : undefined;
        if (owner?.kind !== 'ReplicaSet') return;
        const set = controller.sets.get(`${old?.metadata.namespace}/${owner.name}`);
        if (set !== undefined) addOwner(set);
      });
    },
    reconcile: (key) => controller.reconcile(key),
  });
}

class DeploymentController {
  readonly deployments: Informer<Deployment>;
  readonly sets: Informer<ReplicaSet>;
  readonly pods: Informer<Pod>;
  readonly #context: ControllerContext;
  readonly #own: OwnWrites<ReplicaSet>;
  readonly #ownStatus: OwnWrites<Deployment>;
  readonly #recorder;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.deployments = context.informers.of<Deployment>(deploymentKind);
    this.sets = context.informers.of<ReplicaSet>(replicaSetKind);
    this.pods = context.informers.of<Pod>(podKind);
    this.#own = createOwnWrites(this.sets);
    this.#ownStatus = createOwnWrites(this.deployments);
    this.#recorder = context.recorder('deployment-controller');
  }

  async reconcile(key: string) {
    const deployment = this.deployments.get(key);
    if (deployment === undefined) return undefined;
    if (!this.#own.caughtUp(key) || !this.#ownStatus.caughtUp(key)) return undefined;
    if (selectorIsEmpty(deployment.spec.selector)) {
      this.#recorder.event(deployment, 'Warning', {
        reason: 'SelectingAll',
        message: 'This deployment is selecting all pods. A non-empty selector is required.',
      });
      return undefined;
    }
    const sets = await this.#claim(deployment);
    if (deployment.metadata.deletionTimestamp !== undefined) {
      await this.#writeStatus(deployment, sets, findNewSet(deployment, sets));
      return undefined;
    }
    const paused = await this.#notePause(deployment);
    if (paused) return undefined; // the written condition brings the key back
    if (deployment.spec.paused === true || isScaling(deployment, sets)) {
      await this.#scaleOnly(deployment, sets);
      return undefined;
    }
    return this.#roll(deployment, sets);
  }

  async #claim(deployment: Deployment): Promise<ReplicaSet[]> {
    const { uid, namespace = '', deletionTimestamp } = deployment.metadata;
    const { selector } = deployment.spec;
    const kept: ReplicaSet[] = [];
    for (const set of this.sets.by('controller', uid)) {
      if (selectorMatches(selector, set.metadata.labels)) kept.push(set);
      else
        await this.#writeOwners(deployment, set, (owners) =>
          owners.filter((owner) => owner.uid !== uid),
        );
    }
    if (deletionTimestamp !== undefined) return kept;
    for (const set of this.sets.by('orphan', namespace)) {
      if (set.metadata.deletionTimestamp !== undefined) continue;
      if (!selectorMatches(selector, set.metadata.labels)) continue;
      const { name } = deployment.metadata;
      const now = await this.#context.api.get<Deployment>(deploymentKind, { name, namespace });
      if (now.metadata.uid !== uid || now.metadata.deletionTimestamp !== undefined) break;
      const adopted = await this.#writeOwners(deployment, set, (owners) => [
        ...owners,
        controllerReference(deployment),
      ]);
      if (adopted !== undefined) kept.push(adopted);
    }
    return kept;
  }

  async #writeOwners(
    deployment: Deployment,
    set: ReplicaSet,
    change: (
      owners: NonNullable<ReplicaSet['metadata']['ownerReferences']>,
    ) => ReplicaSet['metadata']['ownerReferences'],
  ): Promise<ReplicaSet | undefined> {
    const { name, namespace, uid, resourceVersion } = set.metadata;
    const ownerReferences = change(set.metadata.ownerReferences ?? []);
    try {
      const written = await this.#context.api.patch<ReplicaSet>(
        replicaSetKind,
        { name, namespace },
        { type: 'merge', body: { metadata: { uid, resourceVersion, ownerReferences } } },
      );
      this.#own.wrote(keyOf(deployment), written);
      return written;
    } catch (error) {
      if (isStatus(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  /** Says in the Progressing condition that a rollout was paused or resumed; true when it was written. */
  async #notePause(deployment: Deployment): Promise<boolean> {
    if (deployment.spec.progressDeadlineSeconds === undefined) return false;
    const progressing = find(deployment.status.conditions, 'Progressing');
    if (progressing?.reason === 'ProgressDeadlineExceeded') return false;
    const isPaused = deployment.spec.paused === true;
    const said = progressing?.reason === 'DeploymentPaused';
    if (isPaused === said) return false;
    const conditions = put(
      deployment.status.conditions,
      {
        type: 'Progressing',
        status: 'Unknown',
        reason: isPaused ? 'DeploymentPaused' : 'DeploymentResumed',
        message: isPaused ? 'Deployment is paused' : 'Deployment is resumed',
      },
      this.#context.clock.nowMs(),
    );
    await this.#update(deployment, { ...deployment.status, conditions });
    return true;
  }

  async #scaleOnly(deployment: Deployment, sets: readonly ReplicaSet[]): Promise<void> {
    const newSet = findNewSet(deployment, sets);
    const scaled = await this.#apply(deployment, sets, scaleProportionally(deployment, sets));
    if (deployment.spec.paused === true) await this.#cleanUp(deployment, scaled, newSet);
    await this.#writeStatus(deployment, scaled, newSet && scaled.find((set) => same(set, newSet)));
  }

  async #roll(deployment: Deployment, found: readonly ReplicaSet[]) {
    const recreate = deployment.spec.strategy?.type === 'Recreate';
    let sets = found;
    let newSet = findNewSet(deployment, sets);
    if (recreate && newSet === undefined) {
      const steps = sets.filter((set) => replicasOf(set) > 0).map((set) => ({ set, replicas: 0 }));
      sets = await this.#apply(deployment, sets, steps);
      if (steps.length > 0 || this.#anyPodLeft(sets)) {
        await this.#writeStatus(deployment, sets, undefined);
        return undefined;
      }
    }
    newSet = await this.#ensureNewSet(deployment, sets, newSet);
    if (newSet === undefined) return { afterMs: 1000 };
    const current = newSet;
    sets = [...sets.filter((set) => !same(set, current)), current];
    const old = sets.filter((set) => set !== current);
    const wanted = newSetReplicas(deployment, sets, current);
    const oldLeft = recreate && this.#anyPodLeft(old);
    let steps: readonly Step[] =
      wanted === replicasOf(current) || oldLeft ? [] : [{ set: current, replicas: wanted }];
    if (steps.length === 0)
      steps = recreate
        ? old.filter((set) => replicasOf(set) > 0).map((set) => ({ set, replicas: 0 }))
        : shrinkOldSets(deployment, current, old);
    sets = await this.#apply(deployment, sets, steps);
    const now = sets.find((set) => same(set, current));
    const status = await this.#writeStatus(deployment, sets, now);
    if (isComplete(deployment, status)) await this.#cleanUp(deployment, sets, now);
    return this.#again(deployment, status);
  }

  /** Comes back when the progress deadline is over. */
  #again(deployment: Deployment, status: DeploymentStatus) {
    const progressing = find(status.conditions, 'Progressing');
    if (progressing?.status !== 'True' || isComplete(deployment, status)) return undefined;
    const now = { ...deployment, status };
    return { afterMs: Math.max(1000, msToDeadline(now, this.#context.clock.nowMs()) + 1000) };
  }

  #anyPodLeft(sets: readonly ReplicaSet[]): boolean {
    return sets.some((set) =>
      this.pods.by('controller', set.metadata.uid).some((pod) => !isPodTerminal(pod)),
    );
  }

  /** Makes the set of the current template, or brings its annotations up to date. Undefined: look again. */
  async #ensureNewSet(
    deployment: Deployment,
    sets: readonly ReplicaSet[],
    found: ReplicaSet | undefined,
  ): Promise<ReplicaSet | undefined> {
    const { replicas, maxSurge } = boundsOf(deployment);
    const highest = Math.max(0, ...sets.filter((set) => set !== found).map(revisionOf));
    const numbers = { revision: highest + 1, desired: replicas, max: replicas + maxSurge };
    const annotations = setAnnotations(deployment, found, numbers);
    if (found === undefined) return this.#createSet(deployment, sets, annotations);
    await this.#noteRevision(deployment, annotations[revisionAnnotation] ?? '');
    const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
    if (
      sameValue(annotations, found.metadata.annotations) &&
      (found.spec.minReadySeconds ?? 0) === minReadySeconds
    )
      return found;
    return this.#updateSet(deployment, {
      ...found,
      metadata: { ...found.metadata, annotations },
      spec: { ...found.spec, minReadySeconds },
    });
  }

  async #createSet(
    deployment: Deployment,
    sets: readonly ReplicaSet[],
    annotations: Readonly<Record<string, string>>,
  ): Promise<ReplicaSet | undefined> {
    const { name, namespace } = deployment.metadata;
    const { template, selector, minReadySeconds } = deployment.spec;
    const hash = templateHash(template, deployment.status.collisionCount);
    const labels = { ...template.metadata?.labels, [hashLabel]: hash };
    const { replicas, maxSurge } = boundsOf(deployment);
    const room =
      deployment.spec.strategy?.type === 'Recreate'
        ? replicas
        : Math.max(0, replicas + maxSurge - sets.reduce((sum, set) => sum + replicasOf(set), 0));
    const size = Math.min(room, replicas);
    const setName = `${name}-${hash}`;
    try {
      const made = await this.#context.api.create<ReplicaSet>(replicaSetKind, {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        metadata: {
          name: setName,
          namespace,
          labels,
          annotations,
          ownerReferences: [controllerReference(deployment)],
        },
        spec: {
          replicas: size,
          minReadySeconds,
          selector: { ...selector, matchLabels: { ...selector?.matchLabels, [hashLabel]: hash } },
          template: { ...template, metadata: { ...template.metadata, labels } },
        },
      });
      this.#own.wrote(keyOf(deployment), made);
      this.#tellScaled(deployment, setName, { from: 0, to: size });
      await this.#noteRevision(deployment, annotations[revisionAnnotation] ?? '', made);
      return undefined; // its event and that of the status bring the key back
    } catch (error) {
      if (isStatus(error, 'AlreadyExists')) return this.#collided(deployment, setName);
      await this.#noteCreateError(deployment, setName, error);
      throw error;
    }
  }

  /** The name is taken: by our own set that the cache does not show yet, or by another template. */
  async #collided(deployment: Deployment, name: string): Promise<undefined> {
    const { namespace, uid } = deployment.metadata;
    const there = await this.#context.api.get<ReplicaSet>(replicaSetKind, { name, namespace });
    const ours = controllerOf(there)?.uid === uid;
    if (ours && sameTemplate(there.spec.template, deployment.spec.template)) return undefined;
    const collisionCount = (deployment.status.collisionCount ?? 0) + 1;
    await this.#update(deployment, { ...deployment.status, collisionCount });
    return undefined;
  }

  async #noteCreateError(deployment: Deployment, name: string, error: unknown): Promise<void> {
    const text = error instanceof Error ? error.message : String(error);
    const conditions = put(
      deployment.status.conditions,
      {
        type: 'Progressing',
        status: 'False',
        reason: 'ReplicaSetCreateError',
        message: `Failed to create new replica set "${name}": ${text}`,
      },
      this.#context.clock.nowMs(),
    );
    await this.#update(deployment, { ...deployment.status, conditions });
  }

  /** The revision on the Deployment itself, and that its set was made or found. */
  async #noteRevision(deployment: Deployment, revision: string, made?: ReplicaSet): Promise<void> {
    const { name, namespace, annotations } = deployment.metadata;
    if (made !== undefined && deployment.spec.progressDeadlineSeconds !== undefined) {
      const conditions = put(
        deployment.status.conditions,
        {
          type: 'Progressing',
          status: 'True',
          reason: 'NewReplicaSetCreated',
          message: `Created new replica set "${made.metadata.name}"`,
        },
        this.#context.clock.nowMs(),
      );
      await this.#update(deployment, { ...deployment.status, conditions });
    }
    if (annotations?.[revisionAnnotation] === revision) return;
    const written = await this.#context.api.patch<Deployment>(
      deploymentKind,
      { name, namespace },
      { type: 'merge', body: { metadata: { annotations: { [revisionAnnotation]: revision } } } },
    );
    this.#ownStatus.wrote(keyOf(deployment), written);
  }

  /** Scales sets; gives all sets as they are afterwards. */
  async #apply(
    deployment: Deployment,
    sets: readonly ReplicaSet[],
    steps: readonly Step[],
  ): Promise<readonly ReplicaSet[]> {
    const { replicas, maxSurge } = boundsOf(deployment);
    const result = [...sets];
    for (const { set, replicas: wanted } of steps) {
      const annotations = {
        ...set.metadata.annotations,
        'deployment.kubernetes.io/desired-replicas': String(replicas),
        'deployment.kubernetes.io/max-replicas': String(replicas + maxSurge),
      };
      const written = await this.#updateSet(deployment, {
        ...set,
        metadata: { ...set.metadata, annotations },
        spec: { ...set.spec, replicas: wanted },
      });
      this.#tellScaled(deployment, set.metadata.name, { from: replicasOf(set), to: wanted });
      result[result.findIndex((one) => same(one, set))] = written;
    }
    // Sets that keep their size still learn the new totals, or scaling would never be over.
    if (!isScaling(deployment, result)) return result;
    return this.#annotate(deployment, result);
  }

  async #annotate(
    deployment: Deployment,
    sets: readonly ReplicaSet[],
  ): Promise<readonly ReplicaSet[]> {
    const { replicas, maxSurge } = boundsOf(deployment);
    const result: ReplicaSet[] = [];
    for (const set of sets) {
      const annotations = {
        ...set.metadata.annotations,
        'deployment.kubernetes.io/desired-replicas': String(replicas),
        'deployment.kubernetes.io/max-replicas': String(replicas + maxSurge),
      };
      const metadata = { ...set.metadata, annotations };
      const done = replicasOf(set) === 0 || sameValue(annotations, set.metadata.annotations);
      result.push(done ? set : await this.#updateSet(deployment, { ...set, metadata }));
    }
    return result;
  }

  async #updateSet(deployment: Deployment, set: ReplicaSet): Promise<ReplicaSet> {
    const written = await this.#context.api.update<ReplicaSet>(replicaSetKind, set);
    this.#own.wrote(keyOf(deployment), written);
    return written;
  }

  #tellScaled(deployment: Deployment, name: string, { from, to }: { from: number; to: number }) {
    this.#recorder.event(deployment, 'Normal', {
      reason: 'ScalingReplicaSet',
      message: `Scaled ${to >= from ? 'up' : 'down'} replica set ${name} from ${from} to ${to}`,
    });
  }

  async #cleanUp(
    deployment: Deployment,
    sets: readonly ReplicaSet[],
    newSet: ReplicaSet | undefined,
  ): Promise<void> {
    const limit = deployment.spec.revisionHistoryLimit;
    if (limit === undefined || limit === 2_147_483_647) return;
    const old = sets.filter(
      (set) => set !== newSet && set.metadata.deletionTimestamp === undefined,
    );
    const surplus = old
      .toSorted((a, b) => revisionOf(a) - revisionOf(b))
      .slice(0, Math.max(0, old.length - limit));
    for (const set of surplus) {
      const { name, namespace, uid, generation = 0 } = set.metadata;
      const idle =
        replicasOf(set) === 0 &&
        (set.status.replicas ?? 0) === 0 &&
        (set.status.observedGeneration ?? 0) >= generation;
      if (!idle) continue;
      try {
        await this.#context.api.delete(replicaSetKind, { name, namespace }, { uid });
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error;
      }
    }
  }

  async #writeStatus(
    deployment: Deployment,
    sets: readonly ReplicaSet[],
    newSet: ReplicaSet | undefined,
  ): Promise<DeploymentStatus> {
    const nowMs = this.#context.clock.nowMs();
    const counted = countStatus(deployment, sets, { newSet, nowMs });
    const status =
      deployment.spec.paused === true
        ? counted
        : judgeProgress(deployment, counted, { newSet, sets, nowMs });
    if (!sameValue(status, deployment.status)) await this.#update(deployment, status);
    return status;
  }

  /** Without the version: two writes of one look must not refuse each other. */
  async #update(deployment: Deployment, status: DeploymentStatus): Promise<void> {
    const { name, namespace, uid } = deployment.metadata;
    const written = await this.#context.api.patch<Deployment>(
      deploymentKind,
      { name, namespace, subresource: 'status' },
      { type: 'merge', body: { metadata: { uid }, status } },
    );
    this.#ownStatus.wrote(keyOf(deployment), written);
  }
}

function same(a: ReplicaSet, b: ReplicaSet): boolean {
  return a.metadata.uid === b.metadata.uid;
}
