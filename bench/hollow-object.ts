/** What a hollow node writes of itself: what a kubelet would, without a machine below it. */
import { micros } from '#client';

const condition = (type: string, status: string, reason: string) => (now: string) => ({
  type,
  status,
  reason,
  message: '',
  lastHeartbeatTime: now,
  lastTransitionTime: now,
});
const conditions = [
  condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'),
  condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure'),
  condition('PIDPressure', 'False', 'KubeletHasSufficientPID'),
  condition('Ready', 'True', 'KubeletReady'),
];
const amounts = { cpu: '32', memory: '64Gi', pods: '110', 'ephemeral-storage': '100Gi' };

export function hollowStatus(name: string) {
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    capacity: amounts,
    allocatable: amounts,
    conditions: conditions.map((of) => of(now)),
    addresses: [
      { type: 'InternalIP', address: '192.0.2.1' },
      { type: 'Hostname', address: name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
    nodeInfo: {
      machineID: name,
      systemUUID: name,
      bootID: name,
      kernelVersion: '6.1.0',
      osImage: 'hollow',
      containerRuntimeVersion: 'hollow://1',
      kubeletVersion: 'v1.36.2',
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: 'amd64',
    },
  };
}

/** Like an agent of ours it brings its range of Pod addresses with it. */
export function hollowNode(index: number) {
  const name = `hollow-${index}`;
  const podCIDR = `10.${Math.floor(index / 256)}.${index % 256}.0/24`;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
      },
    },
    spec: { podCIDR, podCIDRs: [podCIDR] },
    status: hollowStatus(name),
  };
}

export function hollowLease(name: string) {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace: 'kube-node-lease' },
    spec: {
      holderIdentity: name,
      leaseDurationSeconds: 40,
      renewTime: micros(Date.now()),
    },
  };
}
