import type { Clock, Face, FaceRequest, Logger, Random } from '#base';
import type { CreateInformer, EventRecorder } from '#client';
import type { Files, ProbeNet } from '#io';
import type { Pod } from '#kube/kinds';
import type { Api } from '#machinery';
import type { Runtime } from '#node/runtime';
import type { PodExtension } from './extension.ts';

export interface KubeletOptions {
  readonly api: Api;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly createInformer: CreateInformer;
  readonly recorder: EventRecorder;
  readonly files: Files;
  readonly net: ProbeNet;
  /** Do all these TCP ports listen where the process lives? Absent: a container that runs is ready. */
  listens?(pid: number, ports: readonly number[]): Promise<boolean>;
  readonly nodeName: string;
  readonly nodeIp: string;
  /** Range of this node's Pods, written into a new Node; absent: the controller gives one. */
  readonly podCidr?: string | undefined;
  /** As the server says it, `v1.36.2+tandem-0.1.0`. */
  readonly version: string;
  /** Where `face` is served; 10250 unless said otherwise. */
  readonly port?: number | undefined;
  /** '' when the cluster has no DNS. */
  readonly clusterDns: string;
  readonly clusterDomain: string;
  /** What the node reports and enforces instead of what the machine has. */
  readonly cpuMillis?: number | undefined;
  readonly memoryBytes?: number | undefined;
  readonly podsMax?: number | undefined;
  /** Labels of the Node object: topology, attributes. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly taints?: readonly { key: string; value?: string; effect: string }[] | undefined;
  readonly dirs: {
    /** Pod directories: volumes, termination messages. Survives the agent. */
    readonly pods: string;
    /** On a tmpfs: secrets and tokens are written here and never touch a disk. */
    readonly memory: string;
    /** Containers' logs: a folder per Pod, `<namespace>_<name>_<uid>`. */
    readonly logs: string;
    /** Seccomp profiles that Pods name by path (Localhost); `seccomp` beside `pods` by default. */
    readonly seccomp?: string;
  };
  /** The host's resolver, for Pods with dnsPolicy Default; `/etc/resolv.conf` unless given. */
  readonly resolvConf?: string | undefined;
  /** May this request use the kubelet's API? Throws or answers false: 401. */
  authorize(request: FaceRequest): boolean | Promise<boolean>;
  /** Further kinds of Pods (Mesos). */
  readonly extension?: PodExtension | undefined;
  /** Resolves when no proxy sends new connections to this terminating Pod; bounded by the caller. */
  waitEndpointsDropped?(pod: Pod): Promise<void>;
}

export interface Kubelet {
  /** Registers the node, adopts what runs, and follows the API until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** The kubelet's HTTPS API: logs, exec, attach, port-forward, stats. */
  readonly face: Face;
  /** Resolves when the node was registered and its first status is written. */
  readonly registered: Promise<void>;
  /** Pods this node knows, for other parts of the agent. */
  pods(): readonly Pod[];
  /** Throws when what is remembered differs from what the runtime has. */
  check(): void;
}
