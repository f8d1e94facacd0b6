import { keyOf, seconds } from '#client';
import {
  nodes as nodeKind,
  pods as podKind,
  tolerates,
  type Node,
  type Pod,
  type Taint,
} from '#kube/kinds';
import { isStatus } from '#machinery';
import { withCondition } from './conditions.ts';
import { createLoop, splitKey, type ControllerContext, type Runnable } from './context.ts';

/** Deletes Pods from nodes with NoExecute taints once their tolerations are used up. */
export function taintEvictionController(context: ControllerContext): Runnable {
  const { clock, informers } = context;
  const nodes = informers.of<Node>(nodeKind);
  const pods = informers.of<Pod>(podKind);
  const recorder = context.recorder('taint-eviction-controller');
  /** When a Pod was first seen under taints: they count from then on if they do not say since when. */
  const seenMs = new Map<string, number>();
  return createLoop(context, {
    name: 'taint-eviction-controller',
    needs: [nodes, pods],
    setup: (queue) => {
      nodes.onChange(({ key, object, old }) => {
        if (taintText(object) === taintText(old)) return;
        for (const pod of pods.by('node', key)) queue.add(keyOf(pod));
      });
      pods.onChange(({ key, object, old }) => {
        const moved = object !== undefined && object.spec.nodeName !== old?.spec.nodeName;
        const bears =
          JSON.stringify(object?.spec.tolerations) !== JSON.stringify(old?.spec.tolerations);
        if (moved || bears || object === undefined) queue.add(key);
      });
    },
    reconcile: async (key) => {
      const pod = pods.get(key);
      const taints = noExecute(nodes.get(pod?.spec.nodeName ?? ''));
      if (taints.length === 0 || pod === undefined) seenMs.delete(key);
      if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return undefined;
      const sinceMs = seenMs.get(key) ?? clock.nowMs();
      if (taints.length > 0) seenMs.set(key, sinceMs);
      const dueMs = evictionMs(pod, taints, sinceMs);
      if (dueMs === undefined) return undefined;
      const waitMs = dueMs - clock.nowMs();
      if (waitMs > 0) return { afterMs: waitMs };
      recorder.event(pod, 'Normal', {
        reason: 'TaintManagerEviction',
        message: `Marking for deletion Pod ${key}`,
      });
      await evict(context, pod);
      return undefined;
    },
  });
}

function noExecute(node: Node | undefined): readonly Taint[] {
  return (node?.spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute');
}

function taintText(node: Node | undefined): string {
  return JSON.stringify(noExecute(node));
}

/** When the Pod must go; undefined: it may stay. */
function evictionMs(pod: Pod, taints: readonly Taint[], sinceMs: number): number | undefined {
  let due: number | undefined;
  for (const taint of taints) {
    const bearing = (pod.spec.tolerations ?? []).filter((one) => tolerates(one, taint));
    const addedMs = Date.parse(taint.timeAdded ?? '') || sinceMs;
    if (bearing.length === 0) return 0;
    for (const { tolerationSeconds } of bearing)
      if (tolerationSeconds !== undefined)
        due = Math.min(
          due ?? Number.POSITIVE_INFINITY,
          addedMs + Math.max(0, tolerationSeconds) * 1000,
        );
  }
  return due;
}

async function evict({ api, clock }: ControllerContext, pod: Pod): Promise<void> {
  const { uid } = pod.metadata;
  const target = splitKey(keyOf(pod));
  const conditions = withCondition(pod.status.conditions, {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByTaintManager',
    message: 'Taint manager: deleting due to NoExecute taint',
    lastTransitionTime: seconds(clock.nowMs()),
  });
  try {
    await api.update<Pod>(
      podKind,
      { ...pod, status: { ...pod.status, conditions } },
      { subresource: 'status' },
    );
    await api.delete(podKind, target, { uid });
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
  }
}
