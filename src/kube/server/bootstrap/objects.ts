import { addressNumber, numberAddress, parseRange } from '../service/bands.ts';
import type { NewObject } from '#machinery';

export interface ClusterFacts {
  readonly serviceRange: string;
  /** Where the API server is reached from Pods: an address of the cluster's bridge, never loopback. */
  readonly advertise: { readonly address: string; readonly port: number };
  readonly bootstrapToken?: { readonly id: string; readonly secret: string } | undefined;
}

export const systemNamespaces = ['kube-system', 'kube-public', 'default', 'kube-node-lease'];

/** The tenth address of the range, as clusters are used to: 10.96.0.10. */
export function dnsAddress(serviceRange: string): string {
  return numberAddress(parseRange(serviceRange).first + 10);
}
export function apiAddress(serviceRange: string): string {
  return numberAddress(parseRange(serviceRange).first + 1);
}

export const priorityClassObjects: readonly NewObject[] = [
  systemPriority(
    'system-node-critical',
    2_000_001_000,
    'Used for system critical pods that must not be moved from their current node.',
  ),
  systemPriority(
    'system-cluster-critical',
    2_000_000_000,
    'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  ),
];

function systemPriority(name: string, value: number, description: string): NewObject {
  const body = {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name },
    value,
    globalDefault: false,
    preemptionPolicy: 'PreemptLowerPriority',
    description,
  };
  return body;
}

/** Plain processes; the second one for those that may be root. */
export const runtimeClassObjects: readonly NewObject[] = ['process', 'process-root'].map((name) => {
  const body = {
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name },
    handler: 'process',
  };
  return body;
});

export function serviceObjects(facts: ClusterFacts): readonly NewObject[] {
  const { port } = facts.advertise;
  const api = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { component: 'apiserver', provider: 'kubernetes' },
    },
    spec: {
      type: 'ClusterIP',
      clusterIP: apiAddress(facts.serviceRange),
      ipFamilyPolicy: 'SingleStack',
      sessionAffinity: 'None',
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: port }],
    },
  };
  const dns = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'kube-dns',
      namespace: 'kube-system',
      labels: {
        'k8s-app': 'kube-dns',
        'kubernetes.io/cluster-service': 'true',
        'kubernetes.io/name': 'TandemDNS',
      },
    },
    spec: {
      type: 'ClusterIP',
      clusterIP: dnsAddress(facts.serviceRange),
      ports: [
        { name: 'dns', protocol: 'UDP', port: 53, targetPort: 53 },
        { name: 'dns-tcp', protocol: 'TCP', port: 53, targetPort: 53 },
      ],
    },
  };
  return [api, dns];
}

export function apiEndpoints(facts: ClusterFacts): {
  readonly endpoints: NewObject;
  readonly slice: NewObject;
} {
  const { address, port } = facts.advertise;
  const endpoints = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
    },
    subsets: [{ addresses: [{ ip: address }], ports: [{ name: 'https', port, protocol: 'TCP' }] }],
  };
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': 'kubernetes' },
    },
    addressType: addressNumber(address) === undefined ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  };
  return { endpoints, slice };
}

/** The Secret that lets agents join (kubeadm's shape). */
export function bootstrapTokenObject(token: { id: string; secret: string }): NewObject {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  const body = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `bootstrap-token-${token.id}`, namespace: 'kube-system' },
    type: 'bootstrap.kubernetes.io/token',
    data: {
      'auth-extra-groups': encode('system:bootstrappers:tandem:agents'),
      description: encode('Lets agents of this cluster join'),
      'token-id': encode(token.id),
      'token-secret': encode(token.secret),
      'usage-bootstrap-authentication': encode('true'),
      'usage-bootstrap-signing': encode('true'),
    },
  };
  return body;
}
