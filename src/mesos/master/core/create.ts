import type { InformerChange } from '#client';
import { nodes as nodeKind, pods as podKind } from '#kube/kinds';
import type { KubeObject, ResourceName } from '#machinery';
import {
  agents as agentKind,
  frameworks as frameworkKind,
  maintenanceSchedules as scheduleKind,
  resourceRoles as roleKind,
  tasks as taskKind,
  type Framework,
} from '#mesos/kinds';
import { labels } from '../doors.ts';
import { Agents } from './agents.ts';
import { Books } from './books.ts';
import { checkBooks } from './check.ts';
import type { Core, Informers, Lanes } from './core.ts';
import { Counters } from './counters.ts';
import { Cycle } from './cycle.ts';
import { Executors } from './executors.ts';
import { Feedback } from './feedback.ts';
import { Frameworks, metricsPrefix } from './frameworks.ts';
import { operatorHost } from './host.ts';
import { Lane } from './lane.ts';
import { Launcher } from './launcher.ts';
import type { Master, MasterOptions } from './master.ts';
import { metricsOf } from './metrics.ts';
import { Offers } from './offers.ts';
import { Operator } from './operator-actions.ts';
import type { MasterChange } from './records.ts';
import { RegistrarTimes } from './registrar.ts';
import { roleRecords } from './role-records.ts';
import { isTerminal } from './states.ts';
import { Sweeper } from './sweeper.ts';
import { orderByCompletion, Tasks } from './tasks.ts';
import { Updates } from './updates.ts';

/** A master that knows nothing yet: `run()` loads what is stored and follows it. */
export class MasterCore implements Core {
  readonly options: MasterOptions;
  readonly logger: Core['logger'];
  readonly books: Books;
  readonly informers: Informers;
  readonly lanes: Lanes;
  readonly sweeper: Sweeper;
  readonly counters = new Counters();
  readonly registrar = new RegistrarTimes();
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
  recovered = false;
  readonly #listeners = new Set<(change: MasterChange) => void>();

  constructor(options: MasterOptions) {
    this.options = options;
    this.logger = options.logger.with({ part: 'mesos-master' });
    const { clock, random } = options;
    this.books = new Books({ masterID: random.uuid(), nowMs: clock.nowMs() });
    this.informers = informersOf(options);
    this.lanes = this.#lanes();
    this.sweeper = new Sweeper({ api: options.api, doors: options.doors, logger: this.logger });
    this.frameworks = new Frameworks(this);
    this.agents = new Agents(this);
    this.tasks = new Tasks(this);
    this.executors = new Executors(this);
    this.updates = new Updates(this);
    this.offers = new Offers(this);
    this.cycle = new Cycle(this);
    this.launcher = new Launcher(this);
    this.operations = new Feedback(this);
    this.operator = new Operator(operatorHost(this));
    this.books.countRolesBy(() => roleRecords(this));
  }

  #lanes(): Lanes {
    const { doors: writer, clock } = this.options;
    const { registrar } = this;
    const common = { writer, clock, logger: this.logger };
    return {
      frameworks: new Lane({ ...common, resource: frameworkKind }),
      tasks: new Lane({ ...common, resource: taskKind }),
      agents: new Lane({ ...common, resource: agentKind, took: (ms) => registrar.stores.add(ms) }),
    };
  }

  announce(change: MasterChange): void {
    if (change.type === 'TASK_UPDATED') this.#countEnd(change);
    for (const listener of this.#listeners) listener(change);
  }

  /** Per framework, and for ever: of what is completed only the newest are remembered. */
  #countEnd({ task, status }: Extract<MasterChange, { type: 'TASK_UPDATED' }>): void {
    const { frameworks, completedFrameworks } = this.books;
    const framework =
      frameworks.get(task.frameworkID) ??
      completedFrameworks.findLast(({ id }) => id === task.frameworkID);
    if (framework === undefined || !isTerminal(task.state) || status.state !== task.state) return;
    this.counters.add(`${metricsPrefix(framework)}tasks/terminal/${task.state.toLowerCase()}`);
  }

  onChange(listener: (change: MasterChange) => void): Disposable {
    const entry = (change: MasterChange): void => listener(change);
    this.#listeners.add(entry);
    return { [Symbol.dispose]: () => void this.#listeners.delete(entry) };
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.options;
    const startMs = clock.monotonicMs();
    const followers = Object.values(this.informers).map((informer) => informer.run(signal));
    const ended = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const synced = Promise.all(Object.values(this.informers).map((informer) => informer.synced));
    await Promise.race([synced, ended]);
    using watch = this.options.pool.onChange((node) => this.offers.squeeze(node));
    if (!signal.aborted) {
      this.registrar.fetchMs = clock.monotonicMs() - startMs;
      this.#recover();
      await ended;
    }
    void watch;
    this.#stop();
    await Promise.all(followers);
  }

  /** Everything that lasts, into the books; from then on the informers tell what changes. */
  #recover(): void {
    const { informers } = this;
    this.operator.recover();
    this.agents.recover();
    for (const framework of oldestFirst(informers.frameworks.list()))
      this.frameworks.recover(framework);
    for (const pod of informers.pods.list()) this.executors.recover(pod);
    for (const task of orderByCompletion(informers.tasks.list())) {
      const { frameworkID } = task.spec;
      const framework =
        this.books.frameworks.get(frameworkID) ??
        this.books.completedFrameworks.find(({ id }) => id === frameworkID);
      if (framework !== undefined) this.tasks.recover(task, framework);
      else this.tasks.discard(task);
    }
    for (const agent of this.books.agents.values()) {
      const object = informers.agents.get(agent.nodeName);
      if (object !== undefined) this.operations.recover(agent, object);
    }
    this.#follow();
    this.recovered = true;
    for (const node of informers.nodes.list()) this.agents.sync(node.metadata.name);
    for (const agent of informers.agents.list()) this.agents.seen(agent.metadata.name);
    this.agents.settle();
  }

  #follow(): void {
    const { informers } = this;
    informers.frameworks.onChange(({ object, old }) => {
      if (object === undefined && old !== undefined) this.frameworks.vanished(old.spec.frameworkID);
    });
    informers.tasks.onChange((change) => this.tasks.changed(change));
    informers.pods.onChange((change) => this.executors.changed(change));
    informers.nodes.onChange(({ key }: InformerChange<KubeObject>) => this.agents.sync(key));
    informers.agents.onChange(({ key }) => this.agents.seen(key));
    informers.roles.onChange(() => this.operator.rolesChanged());
    informers.schedules.onChange(() => {
      this.operator.scheduleChanged();
      this.books.schedule = this.operator.schedule;
    });
    this.books.schedule = this.operator.schedule;
  }

  #stop(): void {
    this.recovered = false;
    this.cycle.stop();
    this.offers.stop();
    this.operations.stop();
    for (const framework of this.books.frameworks.values()) {
      framework.failover?.();
      framework.stream?.end();
      this.updates.pause(framework);
    }
    for (const agent of this.books.agents.values()) agent.countdown?.();
    for (const lane of Object.values(this.lanes)) lane[Symbol.dispose]();
  }
}

/** Completed ones are kept in the order in which they ended. */
function oldestFirst(frameworks: readonly Framework[]): readonly Framework[] {
  return frameworks.toSorted((a, b) =>
    (a.status.unregisteredTime ?? '').localeCompare(b.status.unregisteredTime ?? ''),
  );
}

function informersOf(options: MasterOptions): Informers {
  const { api, clock, createInformer } = options;
  const logger = options.logger;
  const follow = <T extends KubeObject>(resource: ResourceName<T>, labelSelector?: string) =>
    createInformer(api, resource, {
      clock,
      logger,
      ...(labelSelector !== undefined && { labelSelector }),
    });
  return {
    frameworks: follow(frameworkKind),
    tasks: follow(taskKind),
    agents: follow(agentKind),
    roles: follow(roleKind),
    schedules: follow(scheduleKind),
    nodes: follow(nodeKind),
    pods: follow(podKind, labels.frameworkID),
  };
}

export function makeMaster(options: MasterOptions): Master {
  const core = new MasterCore(options);
  return {
    link: { subscribe: (call, subscriber) => core.frameworks.subscribe(call, subscriber) },
    operator: core.operator,
    state: core.books,
    get recovered() {
      return core.recovered;
    },
    onChange: (listener) => core.onChange(listener),
    metrics: () => metricsOf(core),
    run: (signal) => core.run(signal),
    executorMessage({ frameworkID, executorID, agentID, data }) {
      const framework = core.books.frameworks.get(frameworkID);
      core.counters.add('master/messages_executor_to_framework');
      const sent =
        framework !== undefined &&
        core.frameworks.send(framework, {
          type: 'MESSAGE',
          message: { agent_id: { value: agentID }, executor_id: { value: executorID }, data },
        });
      core.counters.add(`master/${sent ? 'valid' : 'invalid'}_executor_to_framework_messages`);
    },
    check: () => checkBooks(core),
  };
}
