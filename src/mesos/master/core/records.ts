import type {
  AgentInfo,
  ExecutorInfo,
  FrameworkInfo,
  InverseOffer,
  MaintenanceSchedule,
  Offer,
  Operation,
  QuotaQuotaConfig,
  Resource,
  SchedulerOfferConstraints,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '#mesos/protocol';

/**
 * What the master knows, as its faces read it. The core keeps these in memory, indexed, from the
 * store's objects and its open connections; nobody but the core changes them. Times are milliseconds.
 */
export interface MasterState {
  /** Random UUID of this incarnation. */
  readonly masterID: string;
  readonly startedMs: number;
  readonly electedMs: number;
  readonly frameworks: ReadonlyMap<string, FrameworkRecord>;
  /** Oldest first, at most 50. */
  readonly completedFrameworks: readonly FrameworkRecord[];
  /** By agent id: registered ones, also while disconnected or deactivated. */
  readonly agents: ReadonlyMap<string, AgentRecord>;
  /** Known from the store, not seen since this incarnation began. */
  readonly recoveredAgents: ReadonlyMap<string, AgentInfo>;
  readonly unreachableAgents: ReadonlyMap<string, { readonly sinceMs: number }>;
  readonly goneAgents: ReadonlyMap<string, { readonly sinceMs: number }>;
  readonly offers: ReadonlyMap<string, OfferRecord>;
  readonly inverseOffers: ReadonlyMap<string, InverseOfferRecord>;
  readonly roles: ReadonlyMap<string, RoleRecord>;
  readonly schedule: MaintenanceSchedule;
}

export interface FrameworkRecord {
  readonly id: string;
  /** With `id`; roles in `roles` or `role` as the framework gave them. */
  readonly info: FrameworkInfo;
  /** Roles it is subscribed to, in either form. */
  readonly roles: ReadonlySet<string>;
  readonly suppressedRoles: ReadonlySet<string>;
  readonly capabilities: ReadonlySet<string>;
  readonly offerConstraints: SchedulerOfferConstraints | undefined;
  /** Namespace of its Pods. */
  readonly namespace: string;
  /** A stream is open. */
  readonly connected: boolean;
  /** Gets offers. */
  readonly active: boolean;
  /** Known from the store, not re-subscribed in this incarnation. */
  readonly recovered: boolean;
  readonly streamID: string | undefined;
  readonly principal: string | undefined;
  readonly registeredMs: number;
  readonly reregisteredMs: number | undefined;
  readonly unregisteredMs: number | undefined;
  /** Active ones, terminal unacknowledged ones too. By task id. */
  readonly tasks: ReadonlyMap<string, TaskRecord>;
  readonly unreachableTasks: ReadonlyMap<string, TaskRecord>;
  /** Oldest first, at most 1000. */
  readonly completedTasks: readonly TaskRecord[];
  /** By agent id and executor id. */
  readonly executors: ReadonlyMap<string, ReadonlyMap<string, ExecutorRecord>>;
  readonly offers: ReadonlySet<OfferRecord>;
  readonly inverseOffers: ReadonlySet<InverseOfferRecord>;
  readonly operations: ReadonlyMap<string, OperationRecord>;
  /** Held by tasks and executors, and in offers; allocated form. */
  usedResources(): readonly Resource[];
  offeredResources(): readonly Resource[];
  /** What these are the sums of, for who adds up many of them bit by bit. */
  usedLists(): Iterable<readonly Resource[]>;
  offeredLists(): Iterable<readonly Resource[]>;
}

export interface TaskRecord {
  readonly frameworkID: string;
  readonly taskID: string;
  readonly agentID: string;
  readonly executorID: string;
  readonly execution: 'Command' | 'Group' | 'Custom';
  readonly info: TaskInfo;
  readonly role: string;
  /** Newest known. */
  readonly state: TaskState;
  readonly statusUpdateState: TaskState | undefined;
  readonly statusUpdateUUID: string | undefined;
  readonly statuses: readonly TaskStatus[];
  readonly healthy: boolean | undefined;
  readonly podName: string;
  readonly container: string | undefined;
}

export interface ExecutorRecord {
  readonly info: ExecutorInfo;
  readonly agentID: string;
  readonly podName: string;
  /** Container id of the Mesos agent: the Pod's uid. */
  readonly containerID: string;
}

export interface AgentRecord {
  readonly id: string;
  readonly nodeName: string;
  /** hostname, port 5051, resources, attributes, domain: as GET_AGENTS shows it. */
  readonly info: AgentInfo;
  /** `slave(1)@ip:port`. */
  readonly pid: string;
  readonly ip: string;
  readonly port: number;
  readonly version: string;
  readonly connected: boolean;
  /** Connected and not deactivated: gets offered. */
  readonly active: boolean;
  readonly deactivated: boolean;
  readonly drain:
    | {
        readonly state: 'DRAINING' | 'DRAINED';
        readonly maxGracePeriodNanoseconds: number | undefined;
        readonly markGone: boolean;
        readonly startedMs: number;
      }
    | undefined;
  readonly registeredMs: number;
  readonly reregisteredMs: number | undefined;
  readonly capabilities: readonly string[];
  /** With reservations and volumes, unallocated. */
  totalResources(): readonly Resource[];
  /** Held by tasks and executors of frameworks, allocated form. */
  usedResources(): readonly Resource[];
  /** Held by Pods of no framework. */
  podResources(): readonly Resource[];
  offeredResources(): readonly Resource[];
}

export interface OfferRecord {
  readonly id: string;
  readonly frameworkID: string;
  readonly agentID: string;
  readonly role: string;
  /** As kept by the master: allocated, with `reservations`; what a framework sees depends on its capabilities. */
  readonly offer: Offer;
}
export interface InverseOfferRecord {
  readonly id: string;
  readonly frameworkID: string;
  readonly agentID: string;
  readonly inverseOffer: InverseOffer;
}
export interface OperationRecord {
  readonly agentID: string;
  readonly operation: Operation;
}
export interface RoleRecord {
  readonly name: string;
  readonly weight: number;
  readonly quota: QuotaQuotaConfig | undefined;
  /** Ids of frameworks subscribed to it or holding something under it. */
  readonly frameworks: ReadonlySet<string>;
  /** Allocated and offered in its subtree, Pods included. */
  allocatedResources(): readonly Resource[];
  offeredResources(): readonly Resource[];
  /** Reserved for its subtree, in use or not. */
  reservedResources(): readonly Resource[];
  /** Thousandths by resource: held in its subtree, Pods included, and reserved without being used. */
  consumed(): ReadonlyMap<string, number>;
}

/** What changes, for the operator's event stream. Sent after the records were changed. */
export type MasterChange =
  | { readonly type: 'TASK_ADDED'; readonly task: TaskRecord }
  | { readonly type: 'TASK_UPDATED'; readonly task: TaskRecord; readonly status: TaskStatus }
  | { readonly type: 'FRAMEWORK_ADDED' | 'FRAMEWORK_UPDATED'; readonly framework: FrameworkRecord }
  | { readonly type: 'FRAMEWORK_REMOVED'; readonly framework: FrameworkRecord }
  | { readonly type: 'AGENT_ADDED'; readonly agent: AgentRecord }
  | { readonly type: 'AGENT_REMOVED'; readonly agentID: string };
