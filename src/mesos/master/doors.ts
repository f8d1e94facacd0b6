import type { Pod } from '#kube/kinds';
import type { NewObject, StatusError } from '#machinery';
import type { Task } from '#mesos/kinds';

/**
 * What the master needs of the server beyond the API: room and objects in one step. `main` passes
 * these in; they are implemented by `kube/server`'s ledger.
 */
export interface LaunchDoors {
  /**
   * Per launch: commits the claim of the Pod (its requests and held ports, its role) on `node`, then
   * writes the Pod, bound, and its Tasks; all launches of a call go into one commit of the store.
   * Results are in order. A launch that loses the race for room stores nothing.
   */
  launch(launches: readonly Launch[]): Promise<readonly LaunchResult[]>;
  /** Adds containers (task groups) or amounts (tasks of custom executors) to running Pods. */
  grow(growths: readonly Growth[]): Promise<readonly LaunchResult[]>;
}

export interface Launch {
  /** `spec.nodeName` set. */
  readonly pod: NewObject<Pod>;
  readonly tasks: readonly NewObject<Task>[];
}

export interface Growth {
  readonly namespace: string;
  readonly podName: string;
  /** The Pod must still be this one and must not have ended. */
  readonly podUID: string;
  /** Appended to `spec.containers`; their requests grow the claim. */
  readonly containers?: Pod['spec']['containers'] | undefined;
  /** What these containers mount, and what a value of theirs is told by. */
  readonly volumes?: Pod['spec']['volumes'] | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Containers whose tasks have ended and are acknowledged: taken out, their requests too. */
  readonly prune?: readonly string[] | undefined;
  /** The same, but they stay in the Pod for their logs: they hold nothing any more. */
  readonly release?: readonly string[] | undefined;
  /** Ports of the executor's own network, which the first container stands for. */
  readonly ports?: NonNullable<Pod['spec']['containers'][number]['ports']> | undefined;
  /** New total of the executor container's requests and limits, for custom executors. */
  readonly requests?: Readonly<Record<string, string>> | undefined;
  readonly limits?: Readonly<Record<string, string>> | undefined;
  /** All ports the Pod holds from now on, as `31000-31002,31005-31005`. */
  readonly heldPorts?: string | undefined;
  readonly tasks: readonly NewObject<Task>[];
}

export type LaunchResult =
  /** `pod` as written, where the door knows it. */
  | { readonly ok: true; readonly pod?: Pod | undefined }
  /** No room any more, or the node is gone: TASK_DROPPED or TASK_LOST with REASON_INVALID_OFFERS. */
  | {
      readonly ok: false;
      readonly reason: 'NoRoom' | 'NodeGone' | 'PodGone';
      readonly message: string;
    }
  | { readonly ok: false; readonly reason: 'Failed'; readonly error: StatusError };

/** A message between a custom executor and its framework, in either direction; `data` is base64. */
export interface FrameworkMessage {
  readonly frameworkID: string;
  readonly executorID: string;
  readonly agentID: string;
  readonly data: string;
}

/** The master's way to the Mesos side of a node's agent, for what need not last. */
export interface AgentDoor {
  /** A MESSAGE for one of its executors. Rejects when the agent does not answer; it is lost then. */
  message(nodeName: string, message: FrameworkMessage): Promise<void>;
}

/** Annotations and labels on Pods of Mesos; the agent and the ledger read them. */
export const annotations = {
  /** Role whose resources the Pod uses: the pool's claim is on it. */
  role: 'tandem.dev/role',
  /** Ports held, `31000-31002,31005-31005`, TCP and UDP both; claimed whether or not they are mapped. */
  heldPorts: 'mesos.tandem.dev/held-ports',
  /** The ExecutorInfo as v1 JSON. */
  executor: 'mesos.tandem.dev/executor',
  /** Operating system user of the executor and of command tasks. */
  user: 'mesos.tandem.dev/user',
  /** `none`: nothing but loopback, which Pods have no field for. */
  network: 'mesos.tandem.dev/network',
} as const;
export const labels = {
  frameworkID: 'mesos.tandem.dev/framework-id',
  taskID: 'mesos.tandem.dev/task-id',
  executorID: 'mesos.tandem.dev/executor-id',
} as const;
