import type { KubeObject } from '#machinery';
import type {
  FrameworkInfo,
  MaintenanceWindow,
  MachineID,
  Operation,
  Resource,
  SchedulerOfferConstraints,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '#mesos/protocol';

/**
 * What lasts of Mesos. Times are RFC 3339 with microseconds. Mesos messages are kept in their v1 JSON
 * form. Object names are a readable slug and a hash; the raw ids are in `spec`.
 */

/** A registered framework (cluster-scoped). Its tasks and their Pods live in `spec.namespace`. */
export interface Framework extends KubeObject {
  readonly spec: FrameworkSpec;
  readonly status: FrameworkStatus;
}
export interface FrameworkSpec {
  readonly frameworkID: string;
  /** With `id` filled in. */
  readonly info: FrameworkInfo;
  readonly suppressedRoles?: readonly string[] | undefined;
  readonly offerConstraints?: SchedulerOfferConstraints | undefined;
  /** `mesos-<slug of the name>`. */
  readonly namespace: string;
}
export interface FrameworkStatus {
  readonly phase: 'Active' | 'Disconnected' | 'Completed';
  readonly registeredTime: string;
  readonly reregisteredTime?: string | undefined;
  readonly disconnectedTime?: string | undefined;
  readonly unregisteredTime?: string | undefined;
  /** Active tasks, for people (`kubectl get frameworks`); written now and then. */
  readonly tasks?: number | undefined;
}

/** A task (namespaced), from ACCEPT until its terminal update is acknowledged and forgotten. */
export interface Task extends KubeObject {
  readonly spec: TaskSpec;
  readonly status: TaskObjectStatus;
}
export interface TaskSpec {
  readonly frameworkID: string;
  readonly taskID: string;
  readonly agentID: string;
  readonly nodeName: string;
  /** The executor's id; equal to the task's for command tasks. */
  readonly executorID: string;
  /** How it runs: a Pod of its own, a container of a group's Pod, a record within an executor's Pod. */
  readonly execution: 'Command' | 'Group' | 'Custom';
  /** The executor's Pod, in the same namespace. */
  readonly podName: string;
  /** Its container in that Pod; absent for tasks of custom executors. */
  readonly container?: string | undefined;
  /** Number of the LAUNCH_GROUP within the executor: tasks of one group share their fate. */
  readonly group?: number | undefined;
  /** As launched, resources allocated and in the form with `reservations`. */
  readonly task: TaskInfo;
  /** Set by the master when the task is to be killed. A later one can only shorten the grace. */
  readonly kill?: TaskKill | undefined;
}
export interface TaskKill {
  readonly time: string;
  /** From the KILL call; absent: the task's own policy, else 3 s. */
  readonly gracePeriodNanoseconds?: number | undefined;
  /** Put into the status it ends with: a drained or maintained agent. */
  readonly reason?: string | undefined;
}
export interface TaskObjectStatus {
  /** The newest the agent or master knows. */
  readonly state: TaskState;
  /** What the framework was told last: state and uuid (base64). */
  readonly updateState?: TaskState | undefined;
  readonly updateUUID?: string | undefined;
  /** Unacknowledged updates, oldest first; `status.uuid` (base64) names each. Appended by the agent. */
  readonly updates?: readonly TaskStatus[] | undefined;
  /** One per run of equal states, without `data`. */
  readonly statuses?: readonly TaskStatus[] | undefined;
  /** The terminal update was acknowledged: completed. */
  readonly completedTime?: string | undefined;
  readonly unreachableTime?: string | undefined;
}

/** What the master remembers of one machine (cluster-scoped, named as its Node). */
export interface Agent extends KubeObject {
  readonly spec: AgentSpec;
  readonly status: AgentStatus;
}
export interface AgentSpec {
  readonly agentID: string;
  readonly nodeName: string;
  readonly deactivated?: boolean | undefined;
  readonly drain?:
    | {
        readonly maxGracePeriodNanoseconds?: number | undefined;
        readonly markGone?: boolean | undefined;
        readonly startTime: string;
        readonly state: 'DRAINING' | 'DRAINED';
      }
    | undefined;
  readonly gone?: boolean | undefined;
  /** Dynamic reservations and persistent volumes, unallocated, with `reservations` stacks. */
  readonly resources?: readonly Resource[] | undefined;
}
export interface AgentStatus {
  readonly registeredTime: string;
  readonly reregisteredTime?: string | undefined;
  readonly unreachableTime?: string | undefined;
  /** Operations with an id whose terminal status is not acknowledged. */
  readonly operations?: readonly Operation[] | undefined;
}

/** Weight and quota of a role (cluster-scoped); `spec.role` may be `eng/dev`. */
export interface ResourceRole extends KubeObject {
  readonly spec: {
    readonly role: string;
    readonly weight?: number | undefined;
    /** By resource name, in Mesos' units (cpus, MB). */
    readonly guarantees?: Readonly<Record<string, number>> | undefined;
    readonly limits?: Readonly<Record<string, number>> | undefined;
  };
}

/** The one maintenance schedule, named `cluster` (cluster-scoped). */
export interface MaintenanceSchedule extends KubeObject {
  readonly spec: { readonly windows: readonly MaintenanceWindow[] };
  readonly status: { readonly downMachines?: readonly MachineID[] | undefined };
}
