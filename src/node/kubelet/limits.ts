import type { Container, Pod } from '#kube/kinds';
import type { ResourceLimits } from '#node/runtime';
import { amountOf, milliOf } from './quantity.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';
type Amounts = Readonly<Record<string, string>>;

/** As the server computed it at create; computed here for objects that never had a status. */
export function qosOf(pod: Pod): QosClass {
  const stored = pod.status?.qosClass;
  if (stored === 'Guaranteed' || stored === 'Burstable' || stored === 'BestEffort') return stored;
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const cells = all.flatMap((container) =>
    ['cpu', 'memory'].map(
      (name) => [requestOf(container, name), limitOf(container, name)] as const,
    ),
  );
  if (cells.every(([request, limit]) => request === 0 && limit === undefined)) return 'BestEffort';
  const sure = cells.every(([request, limit]) => limit !== undefined && limit === request);
  return sure ? 'Guaranteed' : 'Burstable';
}

/** CPU in thousandths, memory in bytes; a request not given is the limit, else 0. */
export function requestOf(container: Container, name: string): number {
  const requests: Amounts = container.resources?.requests ?? {};
  const text = requests[name] ?? container.resources?.limits?.[name];
  return text === undefined ? 0 : numberOf(name, text);
}

export function limitOf(container: Container, name: string): number | undefined {
  const text = container.resources?.limits?.[name];
  return text === undefined ? undefined : numberOf(name, text);
}

function numberOf(name: string, text: string): number {
  return name === 'cpu' ? milliOf(text) : amountOf(text);
}

/** cpu.shares (cgroup v1 numbers; the runtime converts): k8s kubelet/cm helpers_linux.go. */
export function sharesOf(cpuMillis: number): number {
  return Math.min(262_144, Math.max(2, Math.floor((cpuMillis * 1024) / 1000)));
}

export function oomScoreOf(pod: Pod, container: Container, machineMemoryBytes: number): number {
  const critical = (pod.spec.priority ?? 0) >= 2_000_000_000;
  const qos = qosOf(pod);
  if (critical || qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort') return 1000;
  const score = 1000 - Math.floor((1000 * requestOf(container, 'memory')) / machineMemoryBytes);
  return Math.min(999, Math.max(3, score));
}

export function containerLimits(
  pod: Pod,
  container: Container,
  machineMemoryBytes: number,
): ResourceLimits {
  const cpu = limitOf(container, 'cpu');
  return {
    cpuShares: sharesOf(requestOf(container, 'cpu')),
    cpuQuotaUs: cpu === undefined ? undefined : Math.max(1000, cpu * 100),
    memoryBytes: limitOf(container, 'memory'),
    oomScoreAdj: oomScoreOf(pod, container, machineMemoryBytes),
  };
}

/** So that a fork bomb ends at its own Pod (podPidsLimit as OpenShift sets it; bare kubelets have none). */
const podPidsMax = 4096;

/** The Pod's own cgroup: sums, and limits only where every container has one (or the Pod says so). */
export function podLimits(pod: Pod): ResourceLimits {
  const whole = { name: 'pod', resources: pod.spec.resources ?? {} };
  const memory = limitOf(whole, 'memory') ?? podLimit(pod, 'memory');
  const cpu = limitOf(whole, 'cpu') ?? podLimit(pod, 'cpu');
  const request = requestOf(whole, 'cpu') || podRequest(pod, 'cpu');
  return {
    cpuShares: sharesOf(request),
    cpuQuotaUs: cpu === undefined ? undefined : Math.max(1000, cpu * 100),
    memoryBytes: memory,
    pids: podPidsMax,
  };
}

/** Containers run together, init containers one after the other beside the sidecars before them. */
export function podRequest(pod: Pod, name: string): number {
  return combine(pod, (container) => requestOf(container, name)) + overheadOf(pod, name);
}

/** What the Pod needs beside its containers. */
function overheadOf(pod: Pod, name: string): number {
  const text = pod.spec.overhead?.[name];
  return text === undefined ? 0 : numberOf(name, text);
}

function podLimit(pod: Pod, name: string): number | undefined {
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  if (all.some((container) => limitOf(container, name) === undefined)) return undefined;
  return combine(pod, (container) => limitOf(container, name) ?? 0) + overheadOf(pod, name);
}

function combine(pod: Pod, of: (container: Container) => number): number {
  let sidecars = 0;
  let peak = 0;
  for (const container of pod.spec.initContainers ?? []) {
    if (isSidecar(container)) sidecars += of(container);
    peak = Math.max(peak, sidecars + (isSidecar(container) ? 0 : of(container)));
  }
  const running = pod.spec.containers.reduce((sum, container) => sum + of(container), sidecars);
  return Math.max(peak, running);
}

export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}
