import type { LabelSelector, Pod, TopologySpreadConstraint } from '#kube/kinds';
import { podHostPorts, podPriority, podRequests } from '#kube/kinds';
import type { HostPort } from '#pool';
import { claimNames } from './claims.ts';
import { nodeWishes, type NodeWishes } from './node-match.ts';
import { podTerms, type PodTerms } from './terms.ts';

/**
 * Everything of a Pod that decides where it may go. Pods of one shape are interchangeable to the
 * scheduler: what was found out for one holds for all.
 */
export interface Shape {
  readonly key: string;
  readonly example: Pod;
  readonly amounts: Readonly<Record<string, number>>;
  /** Requests with the defaults that scoring assumes for containers that ask for nothing. */
  readonly cpuNonZero: number;
  readonly memoryNonZero: number;
  readonly ports: readonly HostPort[];
  readonly priority: number;
  readonly nodeName: string;
  readonly wishes: NodeWishes;
  readonly terms: PodTerms;
  readonly constraints: readonly TopologySpreadConstraint[];
  /** Set when `constraints` are the system's defaults. */
  readonly defaultedSpread: boolean;
}

// pkg/scheduler/util DefaultMilliCPURequest and DefaultMemoryRequest.
const cpuDefaultMillis = 100;
const memoryDefaultBytes = 200 * 1024 * 1024;

/** A text that is equal exactly when two Pods have the same shape. */
export function shapeKey(pod: Pod): string {
  const { spec, metadata } = pod;
  return JSON.stringify([
    metadata.namespace,
    metadata.labels,
    metadata.ownerReferences?.find((one) => one.controller === true)?.uid,
    spec.priority,
    spec.preemptionPolicy,
    spec.nodeSelector,
    spec.affinity,
    spec.tolerations,
    spec.topologySpreadConstraints,
    spec.overhead,
    spec.resources,
    spec.containers?.map((one) => [one.resources, one.ports, one.image]),
    spec.initContainers?.map((one) => [one.resources, one.ports, one.restartPolicy]),
    claimNames(pod),
  ]);
}

export function shapeOf(pod: Pod, key: string, spread: LabelSelector | undefined): Shape {
  const amounts = podRequests(pod);
  const own = pod.spec.topologySpreadConstraints ?? [];
  const defaulted = own.length === 0 && spread !== undefined;
  let cpuNonZero = 0;
  let memoryNonZero = 0;
  for (const { resources } of pod.spec.containers ?? []) {
    if (resources.requests?.['cpu'] === undefined) cpuNonZero += cpuDefaultMillis;
    if (resources.requests?.['memory'] === undefined) memoryNonZero += memoryDefaultBytes;
  }
  return {
    key,
    example: pod,
    amounts,
    cpuNonZero: cpuNonZero + (amounts['cpu'] ?? 0),
    memoryNonZero: memoryNonZero + (amounts['memory'] ?? 0),
    ports: podHostPorts(pod).map(({ protocol, hostIP, hostPort }) => ({
      protocol,
      address: hostIP,
      port: hostPort,
    })),
    priority: podPriority(pod),
    nodeName: pod.spec.nodeName ?? '',
    wishes: nodeWishes(pod),
    terms: podTerms(pod),
    constraints: defaulted ? defaultConstraints(spread) : own.map((one) => withLabelKeys(one, pod)),
    defaultedSpread: defaulted,
  };
}

/** plugins/podtopologyspread systemDefaultConstraints. */
function defaultConstraints(labelSelector: LabelSelector): readonly TopologySpreadConstraint[] {
  const soft = { whenUnsatisfiable: 'ScheduleAnyway', labelSelector };
  return [
    { ...soft, topologyKey: 'kubernetes.io/hostname', maxSkew: 3 },
    { ...soft, topologyKey: 'topology.kubernetes.io/zone', maxSkew: 5 },
  ];
}

function withLabelKeys(constraint: TopologySpreadConstraint, pod: Pod): TopologySpreadConstraint {
  const keys = (constraint.matchLabelKeys ?? []).filter(
    (key) => pod.metadata.labels?.[key] !== undefined,
  );
  if (keys.length === 0) return constraint;
  const added = keys.map((key) => ({
    key,
    operator: 'In',
    values: [pod.metadata.labels?.[key] ?? ''],
  }));
  const matchExpressions = [...(constraint.labelSelector?.matchExpressions ?? []), ...added];
  return { ...constraint, labelSelector: { ...constraint.labelSelector, matchExpressions } };
}

/** Room taken in scoring beyond what is requested. */
export function nonZeroExtra(pod: Pod): { readonly cpu: number; readonly memory: number } {
  let cpu = 0;
  let memory = 0;
  for (const { resources } of pod.spec.containers ?? []) {
    if (resources.requests?.['cpu'] === undefined) cpu += cpuDefaultMillis;
    if (resources.requests?.['memory'] === undefined) memory += memoryDefaultBytes;
  }
  return { cpu, memory };
}
