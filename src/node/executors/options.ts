import type { Clock, Face, Logger, Random } from '#base';
import type { CreateInformer } from '#client';
import type { FetchTools, ProbeNet, SandboxFiles } from '#io';
import type { Pod } from '#kube/kinds';
import type { Api } from '#machinery';
import type { Access } from '#mesos/protocol';
import type { ContainerSpec, Runtime, SandboxSpec } from '#node/runtime';

export interface ExecutorsOptions {
  /** May list and watch `tasks`, `frameworks`, `agents`, Pods, and update `tasks/status`. */
  readonly api: Api;
  readonly createInformer: CreateInformer;
  readonly runtime: Runtime;
  readonly files: SandboxFiles;
  readonly fetchTools: FetchTools;
  /** For HTTP and TCP checks of tasks on the node's own network. */
  readonly net: ProbeNet;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly hostname: string;
  /** Where `face` is served, 5051 by custom. */
  readonly port: number;
  /** Mesos' `--work_dir`: sandboxes, volumes, the fetcher's cache. */
  readonly dataDir: string;
  /** Of Mesos, as `/version` says it. */
  readonly version: string;
  /** Makes the kubelet's `PodRefused`, which is not ours to import. */
  refuse(reason: string, message: string): Error;
  /** Hands a custom executor's MESSAGE to its framework; may be lost, as Mesos may lose it. */
  sendToFramework?(message: FrameworkMessage): Promise<void>;
  /** Who asks the face, and what they may; default: everybody everything. */
  readonly access?: Access | undefined;
  /** The agent's own log, shown as `/slave/log`. */
  readonly logFile?: string | undefined;
  /** Called with 0 (ordinary) or more (say more) when an operator changes the level of logs. */
  readonly logLevel?: ((level: number) => void) | undefined;
  /** Of the machine, for `/system/stats.json` and the `system/` metrics. */
  systemStats?(): Readonly<Record<string, number>>;
  /** Where tools and people find the master; for `/state` of the agent. */
  readonly masterHostname?: string | undefined;
}

/** A message between a custom executor and its framework, in either direction. `data` is base64. */
export interface FrameworkMessage {
  readonly frameworkID: string;
  readonly executorID: string;
  readonly agentID: string;
  readonly data: string;
}

/** The Mesos side of a node's agent. */
export interface Executors {
  /** The kubelet asks it about every Pod; it has the shape of the kubelet's `PodExtension`. */
  readonly extension: ExecutorsExtension;
  /** The agent's HTTP endpoints and the executor API, on port 5051. */
  readonly face: Face;
  /** Tasks, Pods and frameworks are known; before that the face answers 503, as a recovering agent. */
  readonly synced: Promise<void>;
  /** A framework's MESSAGE to one of its executors here; false when it is not connected. */
  message(message: FrameworkMessage): boolean;
  /** A framework's SHUTDOWN of an executor here; false when there is none. */
  shutdown(frameworkID: string, executorID: string): boolean;
  /** Follows Tasks and Pods of this node until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Throws when what was told of tasks cannot be true of the containers that are there. */
  check(): void;
}

/** `PodExtension` of the kubelet with every door of it. */
export interface ExecutorsExtension {
  handles(pod: Pod): boolean;
  prepare(pod: Pod, signal: AbortSignal): Promise<void>;
  prepareContainer(pod: Pod, name: string, signal: AbortSignal): Promise<void>;
  pullSecrets(pod: Pod, name: string): Promise<readonly unknown[]>;
  forbids(
    pod: Pod,
    name: string,
  ): { readonly reason: string; readonly message: string } | undefined;
  beforeStop(pod: Pod, name: string, graceMs: number): Promise<void>;
  told(pod: Pod): Promise<void>;
  ended(pod: Pod): Promise<void>;
  onWake(wake: (podUid: string) => void): void;
  sandboxSpec(pod: Pod, spec: SandboxSpec): SandboxSpec;
  containerSpec(pod: Pod, spec: ContainerSpec): Promise<ContainerSpec>;
  released(pod: Pod): void;
}
