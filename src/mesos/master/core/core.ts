import type { Logger } from '#base';
import type { Informer } from '#client';
import type { Node, Pod } from '#kube/kinds';
import type { Agent, Framework, MaintenanceSchedule, ResourceRole, Task } from '#mesos/kinds';
import type { Agents } from './agents.ts';
import type { Books } from './books.ts';
import type { Counters } from './counters.ts';
import type { Cycle } from './cycle.ts';
import type { Executors } from './executors.ts';
import type { Feedback } from './feedback.ts';
import type { Frameworks } from './frameworks.ts';
import type { Lane } from './lane.ts';
import type { Launcher } from './launcher.ts';
import type { MasterOptions } from './master.ts';
import type { Operator } from './operator-actions.ts';
import type { Offers } from './offers.ts';
import type { MasterChange } from './records.ts';
import type { RegistrarTimes } from './registrar.ts';
import type { Sweeper } from './sweeper.ts';
import type { Tasks } from './tasks.ts';
import type { Updates } from './updates.ts';

/** The parts of the master, as they see one another. Each file says what its part does. */
export interface Core {
  readonly options: MasterOptions;
  readonly logger: Logger;
  readonly books: Books;
  readonly informers: Informers;
  readonly lanes: Lanes;
  readonly sweeper: Sweeper;
  readonly counters: Counters;
  readonly registrar: RegistrarTimes;
  readonly frameworks: Frameworks;
  readonly agents: Agents;
  readonly tasks: Tasks;
  readonly executors: Executors;
  readonly updates: Updates;
  readonly offers: Offers;
  readonly cycle: Cycle;
  readonly launcher: Launcher;
  readonly operations: Feedback;
  readonly operator: Operator;
  readonly recovered: boolean;
  announce(change: MasterChange): void;
}

export interface Informers {
  readonly frameworks: Informer<Framework>;
  readonly tasks: Informer<Task>;
  readonly agents: Informer<Agent>;
  readonly roles: Informer<ResourceRole>;
  readonly schedules: Informer<MaintenanceSchedule>;
  readonly nodes: Informer<Node>;
  /** Those of frameworks. */
  readonly pods: Informer<Pod>;
}

/** Writers of what lasts. */
export interface Lanes {
  readonly frameworks: Lane<Framework>;
  readonly tasks: Lane<Task>;
  readonly agents: Lane<Agent>;
}
