import type { Cancel } from '#base';
import type {
  AgentInfo,
  CompiledConstraints,
  ExecutorInfo,
  FrameworkInfo,
  InverseOffer,
  MaintenanceSchedule,
  Offer,
  Resource,
  SchedulerConnection,
  SchedulerOfferConstraints,
  Subscriber,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '#mesos/protocol';
import { Holdings } from './holdings.ts';
import type {
  AgentRecord,
  ExecutorRecord,
  FrameworkRecord,
  InverseOfferRecord,
  MasterState,
  OfferRecord,
  OperationRecord,
  RoleRecord,
  TaskRecord,
} from './records.ts';

/** The master's records as the core changes them; faces see the read-only half. */
export class TaskBook implements TaskRecord {
  readonly framework: FrameworkBook;
  readonly agentID: string;
  readonly nodeName: string;
  readonly executorID: string;
  readonly execution: 'Command' | 'Group' | 'Custom';
  readonly info: TaskInfo;
  readonly podName: string;
  readonly container: string | undefined;
  readonly group: number | undefined;
  /** "namespace/name" of its Task object. */
  readonly key: string;
  readonly role: string;
  state: TaskState = 'TASK_STAGING';
  statusUpdateState: TaskState | undefined;
  statusUpdateUUID: string | undefined;
  statuses: readonly TaskStatus[] = [];
  healthy: boolean | undefined;
  /** Its launch is under way; resolves with whether it was stored. */
  launching: Promise<boolean> | undefined;
  /** Its resources were given back. */
  released = false;
  unreachableMs: number | undefined;
  /** Unacknowledged updates, oldest first: the first is what the framework is told. */
  updates: TaskStatus[] = [];
  /** Acknowledged, or done with, but perhaps still in the stored object. */
  readonly settled = new Set<string>();
  retry: Cancel | undefined;
  retryMs = 0;
  completed = false;

  constructor(framework: FrameworkBook, options: TaskBookOptions) {
    this.framework = framework;
    this.agentID = options.agentID;
    this.nodeName = options.nodeName;
    this.executorID = options.executorID;
    this.execution = options.execution;
    this.info = options.info;
    this.podName = options.podName;
    this.container = options.container;
    this.group = options.group;
    this.key = options.key;
    this.role = options.info.resources?.[0]?.allocation_info?.role ?? '*';
  }

  get frameworkID(): string {
    return this.framework.id;
  }
  get taskID(): string {
    return this.info.task_id.value;
  }
  get resources(): readonly Resource[] {
    return this.info.resources ?? [];
  }
}

export interface TaskBookOptions {
  readonly agentID: string;
  readonly nodeName: string;
  readonly executorID: string;
  readonly execution: 'Command' | 'Group' | 'Custom';
  readonly info: TaskInfo;
  readonly podName: string;
  readonly container: string | undefined;
  readonly group: number | undefined;
  readonly key: string;
}

/** An executor with an ExecutorInfo: custom or default. Command tasks have none in the books. */
export class ExecutorBook implements ExecutorRecord {
  readonly info: ExecutorInfo;
  readonly framework: FrameworkBook;
  readonly agentID: string;
  readonly podName: string;
  /** "namespace/name" of its Pod. */
  readonly podKey: string;
  podUID = '';
  /** Launched tasks, in order; those that hold room count for the Pod's size. */
  readonly tasks = new Set<TaskBook>();
  /** Task groups given to it so far. */
  groups = 0;
  /** Containers of tasks that are done with, still holding room in the Pod. */
  finished: string[] = [];
  /** Those that hold nothing any more, and stay in the Pod for their logs; the oldest first. */
  shown: string[] = [];
  /** Stored, so that further tasks may join. */
  stored: Promise<boolean> = Promise.resolve(true);
  /** Growing one Pod is done one after the other. */
  growing: Promise<unknown> = Promise.resolve();

  constructor(
    framework: FrameworkBook,
    options: { info: ExecutorInfo; agentID: string; podName: string; podKey: string },
  ) {
    this.framework = framework;
    this.info = options.info;
    this.agentID = options.agentID;
    this.podName = options.podName;
    this.podKey = options.podKey;
  }

  get containerID(): string {
    return this.podUID;
  }
  get id(): string {
    return this.info.executor_id.value;
  }
  get resources(): readonly Resource[] {
    return this.info.resources ?? [];
  }
  get role(): string {
    return this.resources[0]?.allocation_info?.role ?? '*';
  }
}

/** An open stream of a framework. */
export interface Stream extends SchedulerConnection {
  readonly subscriber: Subscriber;
  /** Ends the heartbeat; nothing more is sent. */
  end(): void;
}

export class FrameworkBook implements FrameworkRecord {
  readonly id: string;
  info: FrameworkInfo;
  roles: ReadonlySet<string> = new Set();
  suppressedRoles = new Set<string>();
  capabilities: ReadonlySet<string> = new Set();
  offerConstraints: SchedulerOfferConstraints | undefined;
  constraints: CompiledConstraints | undefined;
  readonly namespace: string;
  /** Name of its Framework object. */
  readonly objectName: string;
  stream: Stream | undefined;
  recovered = false;
  principal: string | undefined;
  registeredMs = 0;
  reregisteredMs: number | undefined;
  unregisteredMs: number | undefined;
  readonly tasks = new Map<string, TaskBook>();
  readonly unreachableTasks = new Map<string, TaskBook>();
  readonly completedTasks: TaskBook[] = [];
  readonly executors = new Map<string, Map<string, ExecutorBook>>();
  readonly offers = new Set<OfferBook>();
  readonly inverseOffers = new Set<InverseOfferBook>();
  readonly operations = new Map<string, OperationRecord>();
  /** Runs until it subscribes again or is removed. */
  failover: Cancel | undefined;
  /** Its number of tasks will be written. */
  counting = false;
  /** Removed: its last tasks are being cleaned up. */
  removed = false;

  constructor(options: {
    id: string;
    info: FrameworkInfo;
    namespace: string;
    objectName: string;
  }) {
    this.id = options.id;
    this.info = options.info;
    this.namespace = options.namespace;
    this.objectName = options.objectName;
  }

  get connected(): boolean {
    return this.stream !== undefined;
  }
  get active(): boolean {
    return this.stream !== undefined;
  }
  get streamID(): string | undefined {
    return this.stream?.streamID;
  }
  get partitionAware(): boolean {
    return this.capabilities.has('PARTITION_AWARE');
  }
  executor(agentID: string, executorID: string): ExecutorBook | undefined {
    return this.executors.get(agentID)?.get(executorID);
  }
  usedResources(): readonly Resource[] {
    return sumOf(this.usedLists());
  }
  offeredResources(): readonly Resource[] {
    return sumOf(this.offeredLists());
  }
  *usedLists(): Iterable<readonly Resource[]> {
    for (const task of this.tasks.values()) if (!task.released) yield task.resources;
    for (const executors of this.executors.values())
      for (const executor of executors.values()) yield executor.resources;
  }
  *offeredLists(): Iterable<readonly Resource[]> {
    for (const { resources } of this.offers) yield resources;
  }
}

export class AgentBook implements AgentRecord {
  readonly id: string;
  readonly nodeName: string;
  info: AgentInfo;
  pid = '';
  ip = '';
  port = 5051;
  version = '';
  connected = false;
  deactivated = false;
  /** `kubectl cordon`, or a taint that keeps Pods away. */
  cordoned = false;
  drain: AgentRecord['drain'];
  registeredMs = 0;
  reregisteredMs: number | undefined;
  readonly capabilities = agentCapabilities;
  /** Reservations and volumes. The master decides them; the Agent object remembers. */
  kept: readonly Resource[] = [];
  /** Of the Node, with reservations and volumes. */
  total = new Holdings();
  /** In offers or held by tasks and executors, without allocation. */
  readonly busy = new Holdings();
  readonly offered = new Holdings();
  readonly offers = new Set<OfferBook>();
  readonly inverseOffers = new Set<InverseOfferBook>();
  readonly tasks = new Set<TaskBook>();
  readonly executors = new Set<ExecutorBook>();
  readonly operations = new Map<string, OperationRecord>();
  /** Stops the count-down to unreachable. */
  countdown: Cancel | undefined;
  /** What Pods of no framework hold; asked of the pool when somebody wants to see it. */
  readonly #pods: () => readonly Resource[];

  constructor(options: {
    id: string;
    nodeName: string;
    info: AgentInfo;
    pods: () => readonly Resource[];
  }) {
    this.id = options.id;
    this.nodeName = options.nodeName;
    this.info = options.info;
    this.#pods = options.pods;
  }

  get active(): boolean {
    return this.connected && !this.deactivated && !this.cordoned && this.drain === undefined;
  }
  totalResources(): readonly Resource[] {
    return this.total.list();
  }
  usedResources(): readonly Resource[] {
    return sumOf(this.usedLists());
  }
  podResources(): readonly Resource[] {
    return this.#pods();
  }
  offeredResources(): readonly Resource[] {
    return sumOf([...this.offers].map(({ resources }) => resources));
  }
  usedLists(): readonly (readonly Resource[])[] {
    const lists: (readonly Resource[])[] = [];
    for (const task of this.tasks) if (!task.released) lists.push(task.resources);
    for (const executor of this.executors) lists.push(executor.resources);
    return lists;
  }
}

/** Of every agent of Tandem. */
export const agentCapabilities = [
  'MULTI_ROLE',
  'HIERARCHICAL_ROLE',
  'RESERVATION_REFINEMENT',
  'RESOURCE_PROVIDER',
  'RESIZE_VOLUME',
  'AGENT_OPERATION_FEEDBACK',
  'AGENT_DRAINING',
  'TASK_RESOURCE_LIMITS',
] as const;

export interface OfferBook extends OfferRecord {
  readonly framework: FrameworkBook;
  readonly agent: AgentBook;
  readonly offer: Offer;
  /** Allocated. */
  readonly resources: readonly Resource[];
}

export interface InverseOfferBook extends InverseOfferRecord {
  readonly framework: FrameworkBook;
  readonly agent: AgentBook;
  readonly inverseOffer: InverseOffer;
}

export class Books implements MasterState {
  readonly masterID: string;
  readonly startedMs: number;
  readonly electedMs: number;
  readonly frameworks = new Map<string, FrameworkBook>();
  readonly completedFrameworks: FrameworkBook[] = [];
  readonly agents = new Map<string, AgentBook>();
  readonly recoveredAgents = new Map<string, AgentInfo>();
  readonly unreachableAgents = new Map<string, { readonly sinceMs: number }>();
  readonly goneAgents = new Map<string, { readonly sinceMs: number }>();
  readonly offers = new Map<string, OfferBook>();
  readonly inverseOffers = new Map<string, InverseOfferBook>();
  schedule: MaintenanceSchedule = {};
  /** By node name: registered ones. */
  readonly byNode = new Map<string, AgentBook>();
  /** By the key of the Task object. */
  readonly tasks = new Map<string, TaskBook>();
  /** By the key of the Pod. */
  readonly executors = new Map<string, ExecutorBook>();
  #roles: (() => ReadonlyMap<string, RoleRecord>) | undefined;

  constructor(options: { masterID: string; nowMs: number }) {
    this.masterID = options.masterID;
    this.startedMs = options.nowMs;
    this.electedMs = options.nowMs;
  }

  /** Computed when asked for: only faces read it. */
  get roles(): ReadonlyMap<string, RoleRecord> {
    return this.#roles?.() ?? new Map();
  }
  countRolesBy(roles: () => ReadonlyMap<string, RoleRecord>): void {
    this.#roles = roles;
  }
}

/** Allocated lists added up: what differs in role stays apart. */
export function sumOf(lists: Iterable<readonly Resource[]>): readonly Resource[] {
  const sum = new AllocatedSum();
  for (const list of lists) sum.add(list);
  return sum.list();
}

export class AllocatedSum {
  readonly #byRole = new Map<string | undefined, Holdings>();
  #last: { readonly role: string | undefined; readonly sum: Holdings } | undefined;

  add(list: readonly Resource[]): void {
    for (const resource of list) {
      const role = resource.allocation_info?.role;
      if (this.#last === undefined || this.#last.role !== role) {
        const sum = this.#byRole.get(role) ?? new Holdings();
        this.#byRole.set(role, sum);
        this.#last = { role, sum };
      }
      this.#last.sum.addOne(resource);
    }
  }

  list(): readonly Resource[] {
    return [...this.#byRole].flatMap(([role, sum]) =>
      role === undefined
        ? sum.list()
        : sum.list().map((one) => ({ ...one, allocation_info: { role } })),
    );
  }
}
