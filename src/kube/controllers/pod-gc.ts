import { keyOf, seconds } from '#client';
import {
  isPodTerminal,
  nodes as nodeKind,
  pods as podKind,
  type Node,
  type Pod,
} from '#kube/kinds';
import { isStatus } from '#machinery';
import { withCondition } from './conditions.ts';
import { createLoop, splitKey, type ControllerContext, type Runnable } from './context.ts';

const terminatedPodsMax = 12_500;
const quarantineMs = 40_000;
/** The key that stands for "count the ended Pods"; no Pod is named so. */
const countKey = '';

/** Removes Pods that no agent will ever remove: of nodes that are gone, never placed, too many ended. */
export function podGcController(context: ControllerContext): Runnable {
  const { api, clock, informers } = context;
  const pods = informers.of<Pod>(podKind);
  const nodes = informers.of<Node>(nodeKind);
  const missing = new Map<string, number>();
  const remove = async (pod: Pod): Promise<void> => {
    const target = splitKey(keyOf(pod));
    try {
      if (!isPodTerminal(pod)) await markFailed(context, pod);
      await api.delete(podKind, target, { uid: pod.metadata.uid, gracePeriodSeconds: 0 });
    } catch (error) {
      if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error;
    }
  };
  const reconcile = async (key: string) => {
    if (key === countKey) {
      const ended = pods.list().filter(isPodTerminal);
      const surplus = ended
        .toSorted((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1))
        .slice(0, Math.max(0, ended.length - terminatedPodsMax));
      for (const pod of surplus) await remove(pod);
      return undefined;
    }
    const pod = pods.get(key);
    if (pod === undefined) return undefined;
    const nodeName = pod.spec.nodeName ?? '';
    if (nodeName === '') {
      if (pod.metadata.deletionTimestamp !== undefined) await remove(pod);
      return undefined;
    }
    if (nodes.get(nodeName) !== undefined) {
      missing.delete(nodeName);
      return undefined;
    }
    const sinceMs = missing.get(nodeName) ?? clock.monotonicMs();
    missing.set(nodeName, sinceMs);
    const waitMs = sinceMs + quarantineMs - clock.monotonicMs();
    if (waitMs > 0) return { afterMs: waitMs };
    try {
      await api.get(nodeKind, { name: nodeName });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
      await remove(pod);
    }
    return undefined;
  };
  return createLoop(context, {
    name: 'pod-garbage-collector-controller',
    workers: 2,
    needs: [pods, nodes],
    setup: (queue) => {
      pods.onChange(({ key, object }) => {
        if (object === undefined) return;
        if (isPodTerminal(object)) queue.addAfter(countKey, 20_000);
        const nodeName = object.spec.nodeName ?? '';
        const unplaced = nodeName === '' && object.metadata.deletionTimestamp !== undefined;
        if (unplaced || (nodeName !== '' && nodes.get(nodeName) === undefined)) queue.add(key);
      });
      nodes.onChange(({ key, object }) => {
        if (object !== undefined) missing.delete(key);
        else for (const pod of pods.by('node', key)) queue.add(keyOf(pod));
      });
    },
    reconcile,
  });
}

async function markFailed({ api, clock }: ControllerContext, pod: Pod): Promise<void> {
  const placed = (pod.spec.nodeName ?? '') !== '';
  const conditions = placed
    ? withCondition(pod.status.conditions, {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByPodGC',
        message: 'PodGC: node no longer exists',
        lastTransitionTime: seconds(clock.nowMs()),
      })
    : (pod.status.conditions ?? []);
  await api.update<Pod>(
    podKind,
    { ...pod, status: { ...pod.status, phase: 'Failed', conditions } },
    { subresource: 'status' },
  );
}
