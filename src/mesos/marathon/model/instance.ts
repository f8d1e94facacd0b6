import type { Attribute, Resource, TaskState, TaskStatus } from '#mesos/protocol';

export type Goal = 'Running' | 'Stopped' | 'Decommissioned';

/** Where an instance and each of its tasks is in its life. */
export type Condition =
  | 'Scheduled'
  | 'Provisioned'
  | 'Staging'
  | 'Starting'
  | 'Running'
  | 'Killing'
  | 'Unreachable'
  | 'UnreachableInactive'
  | 'Error'
  | 'Failed'
  | 'Finished'
  | 'Killed'
  | 'Gone'
  | 'Dropped'
  | 'Unknown';

export interface InstanceAgent {
  readonly host: string;
  readonly agentID?: string | undefined;
  readonly region?: string | undefined;
  readonly zone?: string | undefined;
  readonly attributes: readonly Attribute[];
}

/** A persistent volume of an instance; its id is `<safe run spec id>#<containerPath>#<uuid>`. */
export interface LocalVolume {
  readonly runSpecID: string;
  /** The volume's name for Pods. */
  readonly containerPath: string;
  readonly uuid: string;
  readonly persistenceID: string;
}

/** What a resident instance holds on its agent. */
export interface InstanceReservation {
  readonly volumes: readonly LocalVolume[];
  readonly state: 'New' | 'Reserved' | 'Suspended';
  /** When an unconfirmed reservation is given up. */
  readonly deadline?: string | undefined;
}

export interface InstanceTask {
  readonly taskID: string;
  /** The container of a pod; undefined for apps. */
  readonly container?: string | undefined;
  readonly condition: Condition;
  readonly stagedAt: string;
  readonly startedAt?: string | undefined;
  readonly runSpecVersion: string;
  readonly mesosState?: TaskState | undefined;
  /** The last update that was stored. */
  readonly status?: TaskStatus | undefined;
  /** In the order of the definition's ports; only those with a port of the host. */
  readonly hostPorts: readonly number[];
  readonly ipAddresses: readonly { readonly ipAddress: string; readonly protocol: string }[];
  /** What its launch took from the offer. */
  readonly resources?: readonly Resource[] | undefined;
}

/** An instance of an app or pod: `spec` and `status` of an `AppInstance` in one. Times are RFC 3339. */
export interface Instance {
  readonly instanceID: string;
  readonly runSpecID: string;
  readonly role: string;
  readonly runSpecVersion: string;
  readonly goal: Goal;
  readonly reservation?: InstanceReservation | undefined;
  readonly condition: Condition;
  readonly since: string;
  /** When it first ran, for the unreachable strategy and kill selection. */
  readonly activeSince?: string | undefined;
  readonly healthy?: boolean | undefined;
  readonly agent?: InstanceAgent | undefined;
  readonly tasks: readonly InstanceTask[];
}

const terminal: ReadonlySet<Condition> = new Set([
  'Error',
  'Failed',
  'Finished',
  'Killed',
  'Gone',
  'Dropped',
  'Unknown',
]);
const active: ReadonlySet<Condition> = new Set([
  'Provisioned',
  'Staging',
  'Starting',
  'Running',
  'Killing',
  'Unreachable',
]);

export function isTerminal(condition: Condition): boolean {
  return terminal.has(condition);
}

/** Counts towards what is wanted: neither waiting for an offer, nor lost, nor ended. */
export function isActive(condition: Condition): boolean {
  return active.has(condition);
}
