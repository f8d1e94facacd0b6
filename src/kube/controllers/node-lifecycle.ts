import { limits } from '#base';
import { seconds } from '#client';
import {
  isPodReady,
  leases as leaseKind,
  nodes as nodeKind,
  pods as podKind,
  type Lease,
  type Node,
  type NodeCondition,
  type Pod,
  type Taint,
} from '#kube/kinds';
import { isStatus } from '#machinery';
import { withCondition } from './conditions.ts';
import { EvictionPace } from './eviction-pace.ts';
import {
  createLoop,
  forEachLimited,
  sameValue,
  type ControllerContext,
  type Runnable,
} from './context.ts';

const leaseNamespace = 'kube-node-lease';
const startupMs = 60_000;
const notReady = 'node.kubernetes.io/not-ready';
const unreachable = 'node.kubernetes.io/unreachable';
const pressureTaints: Readonly<Record<string, string>> = {
  MemoryPressure: 'node.kubernetes.io/memory-pressure',
  DiskPressure: 'node.kubernetes.io/disk-pressure',
  PIDPressure: 'node.kubernetes.io/pid-pressure',
  NetworkUnavailable: 'node.kubernetes.io/network-unavailable',
};
const watchedConditions = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];
const ownTaints = new Set([
  notReady,
  unreachable,
  'node.kubernetes.io/unschedulable',
  ...Object.values(pressureTaints),
]);

/** Notices silent nodes, says so in their conditions and taints, and takes their Pods out of service. */
export function nodeLifecycleController(context: ControllerContext): Runnable {
  const { clock, informers } = context;
  const nodes = informers.of<Node>(nodeKind);
  const leases = informers.of<Lease>(leaseKind);
  const pods = informers.of<Pod>(podKind);
  const recorder = context.recorder('node-controller');
  const pace = new EvictionPace(clock);
  /** When a renewal was seen, on our clock: a node's own clock is not to be trusted. */
  const heard = new Map<string, { readonly text: string; readonly atMs: number }>();
  const listen = (name: string, text: string): void => {
    if (heard.get(name)?.text !== text) heard.set(name, { text, atMs: clock.monotonicMs() });
  };
  const reconcile = async (name: string) => {
    const node = nodes.get(name);
    if (node === undefined) {
      heard.delete(name);
      pace.forget(name);
      return undefined;
    }
    const lease = leases.get(`${leaseNamespace}/${name}`);
    const ready = node.status.conditions?.find(({ type }) => type === 'Ready');
    listen(name, `${lease?.spec.renewTime ?? ''}|${ready?.lastHeartbeatTime ?? ''}`);
    const silentMs = clock.monotonicMs() - (heard.get(name)?.atMs ?? 0);
    const graceMs = ready === undefined ? startupMs : limits.nodeSilenceMsMax;
    let current = node;
    if (silentMs >= graceMs && ready?.status !== 'Unknown') {
      current = await markUnknown(context, node);
      recorder.event(node, 'Normal', {
        reason: 'NodeNotReady',
        message: `Node ${name} status is now: NodeNotReady`,
      });
    }
    if (isReady(current)) pace.forget(name);
    const paceMs = isReady(current) ? 0 : pace.waitMs(current, nodes.list(), isReady);
    await writeTaints(context, current, paceMs === 0);
    if (!isReady(current)) await markPodsNotReady(context, pods.by('node', name));
    const afterMs = silentMs >= graceMs ? graceMs : graceMs - silentMs;
    return { afterMs: paceMs > 0 ? Math.min(paceMs, afterMs) : afterMs };
  };
  /** Nodes that are not Ready. */
  const silent = new Set<string>();
  return createLoop(context, {
    name: 'node-lifecycle-controller',
    needs: [nodes, leases, pods],
    setup: (queue) => {
      nodes.onChange(({ key, object, old }) => {
        const wasReady = old !== undefined && isReady(old);
        const alive = object !== undefined && isReady(object);
        queue.add(key);
        if (object === undefined || alive) silent.delete(key);
        else silent.add(key);
        // Who else is alive decides if Pods may be moved at all.
        if (object === undefined || alive !== wasReady)
          for (const other of silent) queue.add(other);
      });
      leases.onChange(({ object }) => {
        if (object?.metadata.namespace !== leaseNamespace) return;
        const { name } = object.metadata;
        const ready = nodes.get(name)?.status.conditions?.find(({ type }) => type === 'Ready');
        listen(name, `${object.spec.renewTime ?? ''}|${ready?.lastHeartbeatTime ?? ''}`);
      });
    },
    reconcile,
  });
}

export function isReady(node: Node): boolean {
  return node.status.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
}

async function markUnknown({ api, clock }: ControllerContext, node: Node): Promise<Node> {
  const now = seconds(clock.nowMs());
  let conditions: readonly NodeCondition[] = node.status.conditions ?? [];
  for (const type of watchedConditions) {
    const old = conditions.find((one) => one.type === type);
    conditions = withCondition(conditions, {
      type,
      status: 'Unknown',
      reason: old === undefined ? 'NodeStatusNeverUpdated' : 'NodeStatusUnknown',
      message:
        old === undefined
          ? 'Kubelet never posted node status.'
          : 'Kubelet stopped posting node status.',
      lastHeartbeatTime: old?.lastHeartbeatTime ?? node.metadata.creationTimestamp,
      lastTransitionTime: now,
    });
  }
  return api.update<Node>(
    nodeKind,
    { ...node, status: { ...node.status, conditions } },
    { subresource: 'status' },
  );
}

/** The taints that a node's conditions call for; its Pods are driven away when it is its turn. */
async function writeTaints(
  { api, clock }: ControllerContext,
  node: Node,
  mayDrive: boolean,
): Promise<void> {
  const now = seconds(clock.nowMs());
  const statusOf = (wanted: string): string =>
    node.status.conditions?.find(({ type }) => type === wanted)?.status ?? 'Unknown';
  const wanted: Taint[] = [];
  const ready = statusOf('Ready');
  if (ready !== 'True') {
    const key =
      ready === 'Unknown' && node.status.conditions !== undefined ? unreachable : notReady;
    wanted.push({ key, effect: 'NoSchedule' });
    const driven = node.spec.taints?.some((one) => one.effect === 'NoExecute' && one.key === key);
    if (mayDrive || driven === true) wanted.push({ key, effect: 'NoExecute' });
  }
  for (const [type, key] of Object.entries(pressureTaints))
    if (statusOf(type) === 'True') wanted.push({ key, effect: 'NoSchedule' });
  if (node.spec.unschedulable === true)
    wanted.push({ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' });
  const old = node.spec.taints ?? [];
  const kept = old.filter(({ key }) => !ownTaints.has(key));
  const own = wanted.map((taint) => {
    const known = old.find(({ key, effect }) => key === taint.key && effect === taint.effect);
    return known ?? { ...taint, timeAdded: now };
  });
  const taints = [...kept, ...own];
  const order = (list: readonly Taint[]): readonly string[] =>
    list.map(({ key, effect, value }) => `${key}=${value ?? ''}:${effect}`).toSorted();
  if (sameValue(order(taints), order(old))) return;
  await api.update<Node>(nodeKind, { ...node, spec: { ...node.spec, taints } });
}

/** Endpoints must not point at a node that nobody hears of. */
async function markPodsNotReady(
  { api, clock }: ControllerContext,
  pods: readonly Pod[],
): Promise<void> {
  const now = seconds(clock.nowMs());
  await forEachLimited(pods.filter(isPodReady), 16, async (pod) => {
    const conditions = (pod.status.conditions ?? []).map((one) =>
      one.type === 'Ready'
        ? { ...one, status: 'False', reason: 'NodeNotReady', lastTransitionTime: now }
        : one,
    );
    try {
      await api.update<Pod>(
        podKind,
        { ...pod, status: { ...pod.status, conditions } },
        { subresource: 'status' },
      );
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  });
}
