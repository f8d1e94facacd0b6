import type { Node, NodeCondition, NodeStatus } from '#kube/kinds';
import type { Image, Machine } from '#node/runtime';
import type { KubeletOptions } from './options.ts';
import { cpuText, kibi, timeText } from './quantity.ts';

export interface Pressure {
  readonly memory: boolean;
  readonly disk: boolean;
  readonly pid: boolean;
}
export interface NodeInput {
  readonly options: KubeletOptions;
  readonly machine: Machine;
  readonly images: readonly Image[];
  readonly pressure: Pressure;
  readonly nowMs: number;
  /** Why the node cannot run Pods; '' when it can. */
  readonly problem: string;
}

const memoryReservedBytes = 100 * 1024 * 1024;
const imagesMax = 50;
const podsMaxDefault = 110;
const kubeletPort = 10250;

export function cpuOf(options: KubeletOptions, machine: Machine): number {
  return options.cpuMillis ?? machine.cpuMillis;
}

export function memoryOf(options: KubeletOptions, machine: Machine): number {
  return options.memoryBytes ?? machine.memoryBytes;
}

/** What is left for Pods; memory in whole kibibytes, as the node's status says it. */
export function allocatableBytes(
  options: KubeletOptions,
  machine: Machine,
): { readonly memoryBytes: number; readonly ephemeralBytes: number } {
  const memory = Math.max(0, memoryOf(options, machine) - memoryReservedBytes);
  return {
    memoryBytes: Math.floor(memory / 1024) * 1024,
    ephemeralBytes: Math.floor(machine.filesystemBytes * 0.9),
  };
}

/** mount_setattr came with Linux 5.12. */
export function mountsWholeTrees({ kernelVersion }: Machine): boolean {
  const [major = 0, minor = 0] = kernelVersion.split('.').map((part) => Number.parseInt(part, 10));
  return major > 5 || (major === 5 && minor >= 12);
}

export function nodeLabels(options: KubeletOptions, machine: Machine): Record<string, string> {
  return {
    'beta.kubernetes.io/arch': machine.architecture,
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': machine.architecture,
    'kubernetes.io/hostname': options.nodeName,
    'kubernetes.io/os': 'linux',
    ...options.labels,
  };
}

/**
 * Resources that somebody told the Node to have, such as `nvidia.com/gpu` (k8s: IsExtendedResourceName).
 * They are kept, and all of them are for Pods.
 */
function extendedOf(amounts: Readonly<Record<string, string>> = {}): Record<string, string> {
  const isExtended = (name: string): boolean =>
    name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith('requests.');
  return Object.fromEntries(Object.entries(amounts).filter(([name]) => isExtended(name)));
}

/** Those that are told no longer, as a patch takes them away. */
export function withdrawnOf(old: NodeStatus | undefined): Readonly<Record<string, null>> {
  const told = extendedOf(old?.capacity);
  const left = Object.keys(extendedOf(old?.allocatable)).filter((name) => !(name in told));
  return Object.fromEntries(left.map((name) => [name, null]));
}

/** The status a node reports (k8s kubelet/nodestatus). Pure; times of conditions come from `old`. */
export function nodeStatus(
  input: NodeInput,
  old: NodeStatus | undefined,
): Omit<NodeStatus, 'phase'> {
  const { options, machine, images } = input;
  const memory = memoryOf(options, machine);
  const allocatable = allocatableBytes(options, machine);
  const shared = {
    ...extendedOf(old?.capacity),
    cpu: cpuText(cpuOf(options, machine)),
    pods: String(options.podsMax ?? podsMaxDefault),
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
  };
  return {
    capacity: {
      ...shared,
      memory: kibi(memory),
      'ephemeral-storage': kibi(machine.filesystemBytes),
    },
    allocatable: {
      ...shared,
      memory: kibi(allocatable.memoryBytes),
      'ephemeral-storage': String(allocatable.ephemeralBytes),
    },
    conditions: conditionsOf(input, old),
    addresses: [
      { type: 'InternalIP', address: options.nodeIp },
      { type: 'Hostname', address: options.nodeName },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: options.port ?? kubeletPort } },
    nodeInfo: {
      machineID: machine.machineId,
      systemUUID: machine.systemUuid,
      bootID: machine.bootId,
      kernelVersion: machine.kernelVersion,
      osImage: machine.osImage,
      containerRuntimeVersion: `${options.runtime.name}://${options.runtime.version}`,
      kubeletVersion: options.version,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: machine.architecture,
    },
    images: images
      .toSorted((a, b) => b.bytes - a.bytes)
      .slice(0, imagesMax)
      .map(({ names, digests, bytes }) => ({
        names: [...digests, ...names].slice(0, 5),
        sizeBytes: bytes,
      })),
    runtimeHandlers: ['', 'process'].map((name) => ({
      name,
      features: { recursiveReadOnlyMounts: mountsWholeTrees(machine), userNamespaces: false },
    })),
    features: { supplementalGroupsPolicy: true },
  };
}

function conditionsOf(input: NodeInput, old: NodeStatus | undefined): readonly NodeCondition[] {
  const { pressure, problem } = input;
  const facts: [string, boolean, string, string][] = [
    pressure.memory
      ? [
          'MemoryPressure',
          true,
          'KubeletHasInsufficientMemory',
          'kubelet has insufficient memory available',
        ]
      : [
          'MemoryPressure',
          false,
          'KubeletHasSufficientMemory',
          'kubelet has sufficient memory available',
        ],
    pressure.disk
      ? ['DiskPressure', true, 'KubeletHasDiskPressure', 'kubelet has disk pressure']
      : ['DiskPressure', false, 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
    pressure.pid
      ? ['PIDPressure', true, 'KubeletHasInsufficientPID', 'kubelet has insufficient PID available']
      : ['PIDPressure', false, 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
    problem === ''
      ? ['Ready', true, 'KubeletReady', 'kubelet is posting ready status']
      : ['Ready', false, 'KubeletNotReady', problem],
  ];
  const now = timeText(input.nowMs);
  return facts.map(([type, on, reason, message]) => {
    const status = on ? 'True' : 'False';
    const before = old?.conditions?.find((condition) => condition.type === type);
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : now;
    return {
      type,
      status,
      lastHeartbeatTime: now,
      lastTransitionTime: lastTransitionTime ?? now,
      reason,
      message,
    };
  });
}

/** Equal but for the times of the heartbeat. */
export function sameNodeStatus(a: Omit<NodeStatus, 'phase'>, b: NodeStatus | undefined): boolean {
  const own = ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'];
  const plain = (status: Omit<NodeStatus, 'phase'>): unknown => {
    const { capacity, allocatable, addresses, nodeInfo, images, daemonEndpoints } = status;
    const conditions = own.map((type) => {
      const found = status.conditions?.find((condition) => condition.type === type);
      return [type, found?.status, found?.reason, found?.message];
    });
    return { capacity, allocatable, addresses, nodeInfo, images, daemonEndpoints, conditions };
  };
  return b !== undefined && stable(plain(a)) === stable(plain(b));
}

/** JSON with sorted keys, nothing absent. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

export function newNode(input: NodeInput): Node {
  const { options, machine } = input;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: options.nodeName,
      uid: '',
      resourceVersion: '',
      creationTimestamp: '',
      labels: nodeLabels(options, machine),
    },
    spec: {
      ...(options.podCidr === undefined
        ? {}
        : { podCIDR: options.podCidr, podCIDRs: [options.podCidr] }),
      taints: (options.taints ?? []).map(({ key, value, effect }) => ({
        key,
        effect,
        ...(value === undefined ? {} : { value }),
      })),
    },
    status: nodeStatus(input, undefined),
  };
}
