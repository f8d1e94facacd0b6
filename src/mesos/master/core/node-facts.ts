import { quantityToMillis, quantityValue } from '#base';
import type { Node } from '#kube/kinds';
import { attributesOf, type AgentInfo, type Resource } from '#mesos/protocol';
import { Holdings, identityOf } from './holdings.ts';
import { subtractRanges, type Ranges } from './ranges.ts';

/** Ports of every agent that are offered (mesos.md 6.2). */
export const offeredPorts: Ranges = [{ begin: 31_000, end: 32_000 }];

/** Bytes of Mesos' megabyte. */
export const megabyte = 2 ** 20;

/** Kubernetes' name of a Mesos resource, and how many of its units one of Mesos' units is. */
export const poolResources: ReadonlyMap<string, { readonly name: string; readonly units: number }> =
  new Map([
    ['cpus', { name: 'cpu', units: 1000 }],
    ['mem', { name: 'memory', units: megabyte }],
    ['disk', { name: 'ephemeral-storage', units: megabyte }],
    ['gpus', { name: 'nvidia.com/gpu', units: 1 }],
  ]);

export function isNodeReady(node: Node): boolean {
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' && node.metadata.deletionTimestamp === undefined;
}

/** Nothing new is to come: it is cordoned or tainted. What a lost node is tainted with is no matter. */
export function isCordoned({ spec }: Node): boolean {
  if (spec.unschedulable === true) return true;
  return (spec.taints ?? []).some(
    ({ key, effect }) => effect !== 'PreferNoSchedule' && !lostTaints.has(key),
  );
}
const lostTaints: ReadonlySet<string> = new Set([
  'node.kubernetes.io/not-ready',
  'node.kubernetes.io/unreachable',
]);

/** Since when the node has not been ready. */
export function notReadySince(node: Node): string | undefined {
  return node.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime;
}

export function addressOf(node: Node): string {
  const addresses = node.status?.addresses ?? [];
  return addresses.find(({ type }) => type === 'InternalIP')?.address ?? '127.0.0.1';
}

/** As maintenance knows the machine. */
export function machineOf(node: Node): { readonly hostname: string; readonly ip: string } {
  const ip = addressOf(node);
  return { hostname: ip, ip };
}

/** What the machine has for Pods, in Mesos' units: thousandths, so whole megabytes are kept whole. */
export function capacityOf(node: Node): Holdings {
  const amounts = node.status?.allocatable ?? node.status?.capacity ?? {};
  const total = new Holdings();
  for (const [name, { name: poolName, units }] of poolResources) {
    const text = amounts[poolName];
    if (text === undefined) continue;
    const base = poolName === 'cpu' ? quantityToMillis(text) : quantityValue(text);
    // Megabytes and devices are whole, as an agent of Mesos finds them.
    total.setScalar(name, name === 'cpus' ? base : Math.floor(base / units) * 1000);
  }
  total.setRanges('ports', offeredPorts);
  return total;
}

/** All of an agent: what the Node has, less what is reserved and made into volumes, and these. */
export function totalOf(node: Node, kept: readonly Resource[]): Holdings {
  const total = capacityOf(node);
  for (const resource of kept) {
    if (resource.type === 'SCALAR') {
      const amount = Math.round((resource.scalar?.value ?? 0) * 1000);
      total.setScalar(resource.name, total.scalar(resource.name) - amount);
    } else if (resource.type === 'RANGES')
      total.setRanges(
        resource.name,
        subtractRanges(total.ranges(resource.name), resource.ranges?.range ?? []),
      );
  }
  total.add(kept.filter((resource) => identityOf(resource) !== resource.name));
  return total;
}

const regionLabel = 'topology.kubernetes.io/region';
const zoneLabel = 'topology.kubernetes.io/zone';

/** As offers and GET_AGENTS show the machine, but for its resources. */
export function agentInfoOf(
  node: Node,
  { agentID, port }: { readonly agentID: string; readonly port: number },
): AgentInfo {
  const region = node.metadata.labels?.[regionLabel];
  const zone = node.metadata.labels?.[zoneLabel];
  return {
    // The address, which resolves wherever a framework's user follows it; a Node's name need not.
    hostname: addressOf(node),
    port,
    attributes: attributesOf(node.metadata),
    id: { value: agentID },
    ...(region !== undefined &&
      zone !== undefined && {
        domain: { fault_domain: { region: { name: region }, zone: { name: zone } } },
      }),
  };
}
