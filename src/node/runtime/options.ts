import type { Clock, Logger } from '#base';

/** Where a runtime keeps its things and which network its Pods get. */
export interface RuntimeOptions {
  /** What every object on the host is named after: namespaces, links, cgroups. */
  readonly cluster: string;
  readonly node: string;
  /** Survives a reboot: records, bundles, writable layers, logs' defaults, address leases. */
  readonly dataDir: string;
  /** May vanish with a reboot: namespace pins, sockets, the OCI runtime's state. */
  readonly runDir: string;
  /** The content store, shared by the nodes of one cluster. */
  readonly imageDir: string;
  /** First path element of all cgroups, `tandem-<cluster>` by custom; the node is the second. */
  readonly cgroupRoot: string;
  readonly network: NetworkOptions;
  /** Fixed, or asked for at each pull (see `registrySettings`). */
  readonly registries?: RegistryOptions | (() => RegistryOptions);
  readonly clock: Clock;
  readonly logger: Logger;
  /** Name of the OCI runtime to insist on; by default crun, then runc. */
  readonly ociRuntime?: 'crun' | 'runc';
  /** The node's enforced share of the machine (`--node-cpus`, `--node-memory`). */
  readonly share?: { readonly cpuMillis?: number; readonly memoryBytes?: number };
}

export interface NetworkOptions {
  /** Range of the Pods of this node, "10.244.1.0/24". */
  readonly podCidr: string;
  /** At most 15 characters; made when missing, in the network namespace the agent runs in. */
  readonly bridge: string;
  /** The bridge's own address within `podCidr`; the first one by default. */
  readonly gateway?: string;
  readonly mtu: number;
}

export interface RegistryOptions {
  /** Registry host to the base URLs tried in its place, in order, before itself. */
  readonly mirrors?: Readonly<Record<string, readonly string[]>>;
  /** PEM certificates to trust besides the system's, for all registries or by host. */
  readonly ca?: string;
  readonly caByHost?: Readonly<Record<string, string>>;
  /** Hosts spoken to over http, and over https without verification. Loopback always may use http. */
  readonly insecure?: readonly string[];
  /** Docker config JSON documents of the machine itself, tried after the Pod's own. */
  readonly credentials?: readonly unknown[];
  /** A path like /proc/1/ns/net to pull from within, when the agent's namespace is its own. */
  readonly networkNamespace?: string;
  /** A transfer that moves no byte for so long is given up and resumed. */
  readonly stallMs?: number;
}
