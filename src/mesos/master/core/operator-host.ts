import type { Clock, Logger } from '#base';
import type { KubeObject, WriteGroup } from '#machinery';
import type { Agent, MaintenanceSchedule, ResourceRole, TaskKill } from '#mesos/kinds';
import type { RoleSettings } from '#mesos/allocator';
import type { MaintenanceSchedule as Schedule, OfferOperation, Resource } from '#mesos/protocol';
import type { Pool } from '#pool';
import type { MasterState, OfferRecord, TaskRecord } from './records.ts';

/**
 * What the operator's actions need of the core, and nothing more: so that they are tested without
 * one. The core implements it, and calls `Operator.agentChanged`, `rolesChanged`, `scheduleChanged`
 * when objects or tasks change (see `operator-actions.ts`).
 */
export interface OperatorHost {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pool: Pool;
  readonly state: MasterState;
  /**
   * All of it or nothing, before it resolves. The objects as written, where the host knows them:
   * older ones that come by afterwards are not believed.
   */
  write(group: WriteGroup): Promise<readonly (KubeObject | undefined)[] | undefined>;

  /** TEARDOWN, as when the framework asks for it. */
  removeFramework(frameworkID: string): Promise<void>;

  /** The Agent object as the store has it, or as the master just wrote it. Gone ones too. */
  storedAgent(agentID: string): Agent | undefined;
  /**
   * Changes the Agent object (undefined: nothing to change) and then the books by it. False when
   * there is none.
   */
  changeAgent(agentID: string, change: (agent: Agent) => Agent | undefined): Promise<boolean>;
  /** Reservations and volumes of an agent; operations under way are in it. Unallocated. */
  kept(agentID: string): readonly Resource[];
  /** Puts them into the books and the pool at once, and into the Agent object before it resolves. */
  setKept(agentID: string, kept: readonly Resource[]): Promise<void>;
  /** What nobody holds and nobody is offered. Unallocated. */
  freeOn(agentID: string): readonly Resource[];
  /** An operation on the agent was carried out: for the metrics. */
  applied(operation: OfferOperation): void;
  offersOn(agentID: string): readonly OfferRecord[];
  /** Tells the framework and takes the resources back; `refuse` installs the default filter of 5 s. */
  rescind(offer: OfferRecord, refuse: boolean): void;

  storedRoles(): readonly ResourceRole[];
  /** To the allocator; undefined: default weight, no quota. */
  roleChanged(role: string, settings: RoleSettings | undefined): void;

  storedSchedule(): MaintenanceSchedule | undefined;
  /** What `state.schedule` says from now on. */
  scheduleTaken(schedule: Schedule): void;
  /** Offers of it are rescinded and made anew with what `Operator.unavailabilityOf` now says; inverse ones too. */
  unavailabilityChanged(agentID: string): void;
  /** As if it had left: its tasks are lost, `Agent <hostname> removed: <cause>`. */
  removeAgent(agentID: string, cause: string): void;
  /** Its machine is up again: it may register. */
  admitAgents(): void;

  /** `Task.spec.kill`; an earlier kill with less time left stays. */
  killTask(task: TaskRecord, kill: TaskKill): void;
  /** Tasks in the books of an agent, terminal unacknowledged ones too. */
  tasksOn(agentID: string): readonly TaskRecord[];
}
