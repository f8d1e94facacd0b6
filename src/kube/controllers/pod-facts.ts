import { isPodReady, type Pod } from '#kube/kinds';

/** Neither ended nor on its way out: it counts toward what is wanted. */
export function isActive(pod: Pod): boolean {
  const { phase } = pod.status;
  return (
    phase !== 'Succeeded' && phase !== 'Failed' && pod.metadata.deletionTimestamp === undefined
  );
}

export function readySinceMs(pod: Pod): number | undefined {
  const ready = pod.status.conditions?.find(
    ({ type, status }) => type === 'Ready' && status === 'True',
  );
  return ready === undefined ? undefined : Date.parse(ready.lastTransitionTime ?? '');
}

/** Ready for at least `minReadySeconds`. */
export function isAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  if (!isPodReady(pod)) return false;
  if (minReadySeconds === 0) return true;
  const since = readySinceMs(pod);
  return since !== undefined && nowMs - since >= minReadySeconds * 1000;
}

const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/**
 * Which Pods to give up first (pkg/controller ActivePodsWithRanks): unassigned, early phase, not
 * ready, cheap to delete, crowded, ready late, restarted often, young. `nowMs` scales "late".
 */
export function surplusFirst(
  pods: readonly Pod[],
  options: { readonly nowMs: number; readonly related: ReadonlyMap<string, number> },
): readonly Pod[] {
  const crowd = (pod: Pod): number => options.related.get(pod.spec.nodeName ?? '') ?? 0;
  const since = (text: string | number | undefined): number =>
    logAge(typeof text === 'string' ? Date.parse(text) : text, options.nowMs);
  return pods.toSorted(
    (a, b) =>
      Number((a.spec.nodeName ?? '') !== '') - Number((b.spec.nodeName ?? '') !== '') ||
      (phaseRank[a.status.phase ?? 'Pending'] ?? 0) -
        (phaseRank[b.status.phase ?? 'Pending'] ?? 0) ||
      Number(isPodReady(a)) - Number(isPodReady(b)) ||
      deletionCost(a) - deletionCost(b) ||
      crowd(b) - crowd(a) ||
      since(readySinceMs(a)) - since(readySinceMs(b)) ||
      restarts(b) - restarts(a) ||
      since(a.metadata.creationTimestamp) - since(b.metadata.creationTimestamp) ||
      (a.metadata.uid < b.metadata.uid ? -1 : 1),
  );
}

/** Ages are compared by their order of magnitude, so that the choice among alike Pods is not "always the youngest". */
function logAge(sinceMs: number | undefined, nowMs: number): number {
  if (sinceMs === undefined || Number.isNaN(sinceMs)) return -1;
  return Math.floor(Math.log2(Math.max(1, nowMs - sinceMs)));
}

function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'];
  const cost = Number(text ?? 0);
  return Number.isInteger(cost) ? cost : 0;
}

function restarts(pod: Pod): number {
  return Math.max(0, ...(pod.status.containerStatuses ?? []).map((one) => one.restartCount));
}
