import type {
  Offer,
  OfferOperation,
  TaskGroupInfo,
  ExecutorInfo,
  TaskInfo,
  TaskStatus,
} from '#mesos/protocol';
import type { Random } from '#base';
import type { Condition, Instance, LocalVolume } from './instance.ts';
import type { Match } from './offer/match.ts';
import type { RunSpec } from './root.ts';
import type { ModelSettings } from './settings.ts';
import type * as raml from './types.ts';

const pending = (): never => {
  throw new Error('Cannot call this yet');
};

// --- upgrade, scaling, kill (12)
export interface UpgradeNumbers {
  readonly minHealthy: number;
  readonly maxCapacity: number;
  readonly killNow: number;
}
export const upgradeNumbers: (options: {
  readonly runSpec: RunSpec;
  /** Goal Running, all versions. */
  readonly current: number;
  readonly consideredHealthy: number;
}) => UpgradeNumbers = pending;
export const instancesToStart: (options: {
  readonly wanted: number;
  readonly maxCapacity: number;
  readonly oldActive: number;
  readonly started: number;
}) => number = pending;
export const selectToKill: (options: {
  readonly runSpec: RunSpec;
  readonly instances: readonly Instance[];
  readonly scaleTo: number;
  readonly sentenced: readonly string[];
}) => Instance[] = pending;

// --- backoff (13)
export interface LaunchDelay {
  readonly referenceMs: number;
  readonly delayMs: number;
}
export const delayAfterFailure: (
  runSpec: RunSpec,
  previous: LaunchDelay | undefined,
  nowMs: number,
) => LaunchDelay = pending;

// --- launch
export interface LaunchRequest {
  readonly offer: Offer;
  readonly match: Match;
  readonly instanceID: string;
  /** 1 for the first launch of an instance. */
  readonly incarnation: number;
  readonly settings: ModelSettings;
  readonly enforceRole: boolean;
  readonly random: Random;
  readonly volumes?: readonly LocalVolume[] | undefined;
  /** Secrets by source. */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
}
export const appTask: (app: raml.App, request: LaunchRequest) => TaskInfo = pending;
export const podTaskGroup: (
  pod: raml.Pod,
  request: LaunchRequest,
) => { readonly executor: ExecutorInfo; readonly taskGroup: TaskGroupInfo } = pending;
export const reserveOperations: (
  runSpec: RunSpec,
  request: {
    readonly match: Match;
    readonly instanceID: string;
    readonly frameworkID: string;
    readonly settings: ModelSettings;
    readonly volumes: readonly LocalVolume[];
  },
) => OfferOperation[] = pending;
/** DESTROY and UNRESERVE of what `offer` holds for instances that are not `known`. */
export const releaseOperations: (
  offer: Offer,
  options: { readonly frameworkID: string; readonly known: ReadonlySet<string> },
) => OfferOperation[] = pending;

// --- instances (15, 17)
export const newInstanceID: (
  runSpecID: string,
  options: { nowMs: number; random: Random },
) => string = pending;
export const taskIDOf: (instanceID: string, incarnation: number, container?: string) => string =
  pending;
export interface ParsedTaskID {
  readonly runSpecID: string;
  readonly instanceID: string;
  readonly container?: string | undefined;
  readonly incarnation?: number | undefined;
}
export const parseTaskID: (taskID: string) => ParsedTaskID | undefined = pending;
export const conditionOf: (status: TaskStatus) => Condition = pending;
export const instanceCondition: (conditions: readonly Condition[]) => Condition = pending;

// --- JSON of what runs
export const taskJson: (
  instance: Instance,
  task: Instance['tasks'][number],
  options: {
    readonly health: readonly raml.Health[];
    readonly servicePorts: readonly number[];
  },
) => raml.Task = pending;
export const countsOf: (instances: readonly Instance[]) => {
  readonly tasksStaged: number;
  readonly tasksRunning: number;
  readonly tasksHealthy: number;
  readonly tasksUnhealthy: number;
} = pending;
