/**
 * Which addresses, ports and names a cluster uses on this machine. Pure: the whole plan follows from
 * the cluster's name, its slot (clusters on one machine have different slots) and its port offset.
 */
export interface ClusterPlan {
  readonly podRange: string;
  readonly serviceRange: string;
  /** Network of the cluster's own bridge: the host is its first address, nodes follow. */
  readonly nodeRange: string;
  readonly hostIp: string;
  readonly balancerFirst: string;
  readonly balancerLast: string;
  readonly apiServiceIp: string;
  readonly dnsServiceIp: string;
  readonly ports: PortPlan;
  /** Interface names have at most 15 characters. */
  readonly clusterBridge: string;
  readonly podBridge: string;
  /** nftables tables of the host and of the service rules. */
  readonly hostTable: string;
  readonly serviceTable: string;
  nodeName(index: number): string;
  /** Undefined for the only node of a cluster: it lives in the host's own network. */
  netns(index: number): string | undefined;
  nodeIp(index: number): string;
}

export interface PortPlan {
  readonly api: number;
  readonly kubelet: number;
  readonly mesosMaster: number;
  readonly mesosAgent: number;
  readonly marathon: number;
  readonly mesosDns: number;
}

const ports: PortPlan = {
  api: 6443,
  kubelet: 10_250,
  mesosMaster: 5050,
  mesosAgent: 5051,
  marathon: 8080,
  mesosDns: 8123,
};

function portsFrom(offset: number): PortPlan {
  return {
    api: ports.api + offset,
    kubelet: ports.kubelet + offset,
    mesosMaster: ports.mesosMaster + offset,
    mesosAgent: ports.mesosAgent + offset,
    marathon: ports.marathon + offset,
    mesosDns: ports.mesosDns + offset,
  };
}

export const slotsMax = 32;

export function planOf(cluster: {
  readonly name: string;
  readonly slot: number;
  readonly portOffset: number;
  readonly nodes: number;
}): ClusterPlan {
  const { name, slot, portOffset, nodes } = cluster;
  const short = shortName(name);
  const hostIp = `172.30.${slot}.1`;
  return {
    podRange: `10.${244 - slot}.0.0/16`,
    serviceRange: `10.${96 + slot}.0.0/16`,
    nodeRange: `172.30.${slot}.0/24`,
    hostIp,
    balancerFirst: `172.30.${slot}.129`,
    balancerLast: `172.30.${slot}.254`,
    apiServiceIp: `10.${96 + slot}.0.1`,
    dnsServiceIp: `10.${96 + slot}.0.10`,
    ports: portsFrom(portOffset),
    clusterBridge: `tdm-${short}`,
    podBridge: `tdp-${short}`,
    hostTable: `tandem-host-${name}`,
    serviceTable: `tandem-${name}`,
    nodeName: (index) => `${name}-${index + 1}`,
    netns: (index) => (nodes === 1 ? undefined : `tandem-${name}-${index + 1}`),
    nodeIp: (index) => (nodes === 1 ? hostIp : `172.30.${slot}.${index + 11}`),
  };
}

/** At most 11 characters, different for different names: the name itself, or a cut and a hash. */
export function shortName(name: string): string {
  if (name.length <= 11) return name;
  let hash = 2166136261;
  for (const char of name) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16777619);
  return `${name.slice(0, 6)}${(hash >>> 0).toString(36).padStart(7, '0').slice(-5)}`;
}

/** Undefined for a good cluster name, else what is wrong with it. */
export function clusterNameProblem(name: string): string | undefined {
  return /^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name)
    ? undefined
    : `--name "${name}" must be 1 to 32 lower-case letters, digits or "-", begin with a letter and not end with "-"`;
}
