import { quantityToMillis, quantityValue } from '#base';
import type { Container, Pod, PodSpec, Toleration } from '../types/core-v1.ts';
import type { Taint } from '../types/core-v1.ts';

/** `cpu` in millicores, everything else in units (bytes, counts). */
export type ResourceAmounts = Readonly<Record<string, number>>;
type Amounts = Record<string, number>;
type Which = 'requests' | 'limits';

/** What a scheduler must find free on a node for this Pod, `pods: 1` included. */
export function podRequests(pod: { readonly spec: PodSpec }): Record<string, number> {
  const total = aggregate(pod.spec, 'requests');
  override(total, pod.spec, 'requests');
  for (const [name, text] of Object.entries(pod.spec.overhead ?? {}))
    total[name] = (total[name] ?? 0) + amountOf(name, text);
  total['pods'] = 1;
  return total;
}

/** The most this Pod may use; a resource without limit in any container that counts is absent. */
export function podLimits(pod: { readonly spec: PodSpec }): Record<string, number> {
  const total = aggregate(pod.spec, 'limits');
  override(total, pod.spec, 'limits');
  for (const [name, text] of Object.entries(pod.spec.overhead ?? {})) {
    const limit = total[name];
    if (limit !== undefined && limit > 0) total[name] = limit + amountOf(name, text);
  }
  return total;
}

export function amountOf(resource: string, quantity: string): number {
  return resource === 'cpu' ? quantityToMillis(quantity) : quantityValue(quantity);
}
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/** max(containers + sidecars, each init container + the sidecars before it). */
function aggregate(spec: PodSpec, which: Which): Amounts {
  const running: Amounts = {};
  for (const container of spec.containers ?? []) add(running, container, which);
  const inits = spec.initContainers;
  if (inits === undefined || inits.length === 0) return running;
  const sidecars: Amounts = {};
  const peak: Amounts = {};
  for (const container of inits) {
    const step: Amounts = { ...sidecars };
    add(step, container, which);
    if (isSidecar(container)) {
      add(sidecars, container, which);
      add(running, container, which);
    }
    raise(peak, step);
  }
  raise(running, peak);
  return running;
}

function add(to: Amounts, container: Container, which: Which): void {
  const list = container.resources[which];
  for (const name in list) to[name] = (to[name] ?? 0) + amountOf(name, list[name] ?? '0');
}
function raise(to: Amounts, by: Amounts): void {
  for (const name in by) to[name] = Math.max(to[name] ?? 0, by[name] ?? 0);
}
/** Pod-level resources stand for those of the containers. */
function override(to: Amounts, spec: PodSpec, which: Which): void {
  const list = spec.resources?.[which];
  for (const name in list) to[name] = amountOf(name, list[name] ?? '0');
}

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** Only cpu and memory count, and only amounts above zero (ComputePodQOS). */
export function podQosClass({ spec }: { readonly spec: PodSpec }): QosClass {
  const sources =
    spec.resources?.requests !== undefined || spec.resources?.limits !== undefined
      ? [spec.resources]
      : [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(
          ({ resources }) => resources,
        );
  const requests: Amounts = {};
  const limits: Amounts = {};
  let guaranteed = true;
  for (const { requests: asked, limits: allowed } of sources) {
    let limited = 0;
    for (const name of ['cpu', 'memory']) {
      const request = amountOf(name, asked?.[name] ?? '0');
      const limit = amountOf(name, allowed?.[name] ?? '0');
      if (request > 0) requests[name] = (requests[name] ?? 0) + request;
      if (limit > 0) limits[name] = (limits[name] ?? 0) + limit;
      if (limit > 0) limited++;
    }
    if (limited < 2) guaranteed = false;
  }
  const asked = Object.keys(requests);
  if (asked.length + Object.keys(limits).length === 0) return 'BestEffort';
  const equal =
    asked.length === Object.keys(limits).length &&
    asked.every((name) => requests[name] === limits[name]);
  return guaranteed && equal ? 'Guaranteed' : 'Burstable';
}

export function isPodReady(pod: Pod): boolean {
  return (
    pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ===
    true
  );
}
/** Succeeded or Failed: it holds no room any more and never runs again. */
export function isPodTerminal(pod: {
  readonly status: { readonly phase?: string | undefined };
}): boolean {
  return pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
}
export function podPriority(pod: { readonly spec: PodSpec }): number {
  return pod.spec.priority ?? 0;
}
/**
 * May it be held back while another role waits for room? Not what the cluster itself cannot do without
 * (`system-cluster-critical` and above), nor what other Pods were preempted for.
 */
export function yieldsToRoles(pod: {
  readonly spec: PodSpec;
  readonly status?: { readonly nominatedNodeName?: string | undefined } | undefined;
}): boolean {
  return podPriority(pod) < 2_000_000_000 && (pod.status?.nominatedNodeName ?? '') === '';
}

export interface HostPortUse {
  readonly protocol: string;
  /** `0.0.0.0` when the Pod names none. */
  readonly hostIP: string;
  readonly hostPort: number;
}
/** Host ports of containers and sidecars. */
export function podHostPorts({ spec }: { readonly spec: PodSpec }): readonly HostPortUse[] {
  const found: HostPortUse[] = [];
  const collect = ({ ports }: Container): void => {
    for (const { hostPort, hostIP, protocol } of ports ?? [])
      if (hostPort !== undefined && hostPort > 0)
        found.push({ protocol: protocol || 'TCP', hostIP: hostIP || '0.0.0.0', hostPort });
  };
  for (const container of spec.containers ?? []) collect(container);
  for (const container of spec.initContainers ?? []) if (isSidecar(container)) collect(container);
  return found;
}

/**
 * Is the Pod one of plain processes? Validation cannot see RuntimeClass objects, so two names are
 * kept for the handler `process`; admission holds them to it.
 */
export function isProcessPod(spec: { readonly runtimeClassName?: string | undefined }): boolean {
  return spec.runtimeClassName === 'process' || spec.runtimeClassName === 'process-root';
}
export const processRuntimeClasses: readonly string[] = ['process', 'process-root'];

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (toleration.operator === 'Exists') return true;
  if (!toleration.operator || toleration.operator === 'Equal')
    return (toleration.value ?? '') === (taint.value ?? '');
  return false;
}
/** True when some toleration bears the taint. */
export function matchesTolerations(
  tolerations: readonly Toleration[] | undefined | null,
  taint: Taint,
): boolean {
  return tolerations?.some((toleration) => tolerates(toleration, taint)) === true;
}
/** The first taint with one of the effects that nothing tolerates. */
export function untoleratedTaint(
  taints: readonly Taint[] | undefined | null,
  tolerations: readonly Toleration[] | undefined | null,
  effects: readonly string[],
): Taint | undefined {
  return taints?.find(
    (taint) => effects.includes(taint.effect) && !matchesTolerations(tolerations, taint),
  );
}
