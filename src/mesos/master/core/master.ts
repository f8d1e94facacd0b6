import type { Clock, Logger, Random } from '#base';
import type { CreateInformer } from '#client';
import type { Api, SystemWriter } from '#machinery';
import type { SchedulerLink } from '#mesos/protocol';
import type { Pool } from '#pool';
import type { AgentDoor, FrameworkMessage, LaunchDoors } from '../doors.ts';
import type { OperatorActions } from './operator.ts';
import type { MasterChange, MasterState } from './records.ts';

export interface MasterOptions {
  /** As the system itself. */
  readonly api: Api;
  readonly pool: Pool;
  readonly doors: LaunchDoors & SystemWriter;
  /** For MESSAGE; without it messages to executors are lost. */
  readonly agentDoor?: AgentDoor | undefined;
  readonly createInformer: CreateInformer;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Where clients reach this master: for MasterInfo, offers' URLs and redirects. */
  readonly address: { readonly hostname: string; readonly ip: string; readonly port: number };
  readonly version: string;
  /** Port of the agents' faces. */
  readonly agentPort: number;
}

/** The master without any wire. Start it with `run()`; `link` and `operator` may be used at once. */
export interface Master {
  readonly link: SchedulerLink;
  readonly operator: OperatorActions;
  readonly state: MasterState;
  /** False until the store's objects are loaded: faces answer 503. */
  readonly recovered: boolean;
  onChange(listener: (change: MasterChange) => void): Disposable;
  /** By name as in `/metrics/snapshot`. */
  metrics(): Readonly<Record<string, number>>;
  run(signal: AbortSignal): Promise<void>;
  /** A custom executor's MESSAGE to its framework; dropped when that does not listen. */
  executorMessage(message: FrameworkMessage): void;
  /** Recomputes the account (tasks, offers, used and offered resources) the slow way; throws. */
  check(): void;
}

export { makeMaster as createMaster } from './create.ts';
