import { formatMicroTime, timeOr } from '#base';
import type { Node } from '#kube/kinds';
import { isStatus } from '#machinery';
import { agents as agentKind, type Agent } from '#mesos/kinds';
import type { Resource, TaskState, TaskStatus } from '#mesos/protocol';
import { AgentBook, type TaskBook } from './books.ts';
import type { Core } from './core.ts';
import { drainOf } from './drain.ts';
import { downCause } from './maintenance.ts';
import { podResources, reserveInPool } from './room.ts';
import {
  addressOf,
  capacityOf,
  agentInfoOf,
  isCordoned,
  isNodeReady,
  machineOf,
  notReadySince,
  totalOf,
} from './node-facts.ts';

const goneText = 'Agent has been marked gone';
const replacedCause = 'a new agent registered at the same address';

/** 5 pings of 15 s without an answer (mesos.md 6.3). */
const unreachableMs = 75_000;

/** Machines as Mesos agents: registered while their Node is there and ready (mesos.md 6). */
export class Agents {
  readonly #core: Core;
  #made = 0;
  readonly #creating = new Set<string>();
  /** Agent objects as this master wrote them, where the cache is behind. */
  readonly #written = new Map<string, Agent>();
  /** Tasks of agents that are not registered: recovered or unreachable ones. */
  readonly #away = new Map<string, Set<TaskBook>>();
  /** By Node, as the Agent objects said last. */
  readonly #ids = new Map<string, string>();
  /** Of machines that are down: their tasks were ended when they came back. */
  readonly #refused = new Set<string>();

  constructor(core: Core) {
    this.#core = core;
  }

  /** Called with a Node's name whenever its Node or its Agent object changed. */
  sync(name: string): void {
    const { informers, books } = this.#core;
    const node = informers.nodes.get(name);
    const object = this.#objectOf(name);
    this.#notice(name, object);
    if (node === undefined) {
      if (object !== undefined) this.#removed(name, object);
      return;
    }
    if (object === undefined) {
      // A machine is an agent from the moment it is ready for the first time.
      if (isNodeReady(node)) void this.#create(name);
      return;
    }
    if (object.spec.gone === true) {
      this.#gone(name, object);
      return;
    }
    const book = books.byNode.get(name);
    if (book === undefined && this.#core.operator.isDown(machineOf(node))) {
      if (isNodeReady(node)) this.#refuse(object.spec.agentID);
      return;
    }
    if (book === undefined) {
      if (isNodeReady(node)) this.#register(node, object);
      return;
    }
    this.refresh(book, node, object);
    if (isNodeReady(node)) this.#connect(book);
    else if (book.connected) this.#disconnect(book, node);
  }

  /** An Agent object that somebody deleted makes way for another agent at the same address. */
  #notice(name: string, object: Agent | undefined): void {
    const before = this.#ids.get(name);
    const now = object?.spec.agentID;
    if (now === undefined) this.#ids.delete(name);
    else this.#ids.set(name, now);
    if (before === undefined || before === now) return;
    this.#written.delete(before);
    const { books, counters } = this.#core;
    if (books.agents.has(before)) counters.add('master/slave_removals/reason_registered');
    this.remove(before, replacedCause);
  }

  /** Its machine is down: what runs there is shut down, and it may not register. */
  #refuse(agentID: string): void {
    if (this.#refused.has(agentID)) return;
    this.#refused.add(agentID);
    this.#shutDown(agentID);
  }

  #objectOf(name: string): Agent | undefined {
    const cached = this.#core.informers.agents.get(name);
    if (cached === undefined) return undefined;
    const written = this.#written.get(cached.spec.agentID);
    return written ?? cached;
  }

  /** The cache has seen a change of an Agent object. */
  seen(name: string): void {
    const cached = this.#core.informers.agents.get(name);
    if (cached !== undefined && this.#core.lanes.agents.isIdle(name))
      this.#written.delete(cached.spec.agentID);
    this.sync(name);
    if (cached !== undefined) this.#core.operator.agentChanged(cached.spec.agentID);
  }

  /** The id lasts as long as the object: restarts of the master do not change it. */
  async #create(name: string): Promise<void> {
    if (this.#creating.has(name)) return;
    this.#creating.add(name);
    const { options, books, logger } = this.#core;
    const agentID = `${books.masterID}-S${this.#made++}`;
    try {
      await options.api.create(agentKind, {
        apiVersion: 'mesos.tandem.dev/v1',
        kind: 'Agent',
        metadata: { name },
        spec: { agentID, nodeName: name },
        status: { registeredTime: formatMicroTime(options.clock.nowMs()) },
      });
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) {
        logger.warn('An agent could not be stored', { node: name, error });
        options.clock.after(1000, () => this.sync(name));
      }
    } finally {
      this.#creating.delete(name);
    }
  }

  #bookOf(node: Node, object: Agent): AgentBook {
    const { options } = this.#core;
    const { agentID } = object.spec;
    const book: AgentBook = new AgentBook({
      id: agentID,
      nodeName: node.metadata.name,
      info: agentInfoOf(node, { agentID, port: options.agentPort }),
      pods: () => podResources(options.pool, book),
    });
    book.registeredMs = timeOr(object.status?.registeredTime, options.clock.nowMs());
    book.version = options.version;
    book.kept = object.spec.resources ?? [];
    return book;
  }

  #register(node: Node, object: Agent): void {
    const { books, counters, cycle, executors, tasks } = this.#core;
    const book = this.#bookOf(node, object);
    const returned = books.unreachableAgents.delete(book.id);
    const recovered = books.recoveredAgents.delete(book.id);
    this.#refused.delete(book.id);
    books.agents.set(book.id, book);
    books.byNode.set(book.nodeName, book);
    book.connected = true;
    this.refresh(book, node, object);
    counters.add(`master/slave_${returned || recovered ? 're' : ''}registrations`);
    if (returned || recovered) this.#reregistered(book);
    executors.attach(book);
    for (const task of this.#away.get(book.id) ?? []) {
      if (task.completed) continue;
      if (task.unreachableMs !== undefined) tasks.reachable(task);
      else tasks.attach(task);
    }
    this.#away.delete(book.id);
    this.#core.announce({ type: 'AGENT_ADDED', agent: book });
    this.#core.operations.recover(book, object);
    cycle.agentAdded(book);
    this.#core.operator.agentChanged(book.id);
  }

  #reregistered(book: AgentBook): void {
    const { options, lanes } = this.#core;
    book.reregisteredMs = options.clock.nowMs();
    const reregisteredTime = formatMicroTime(book.reregisteredMs);
    void lanes.agents.change(book.nodeName, (stored) => {
      const { unreachableTime: _, ...status } = stored.status;
      return { ...stored, status: { ...status, reregisteredTime } };
    });
  }

  /** Known, but not seen by this incarnation: it has its time to appear. */
  #wait(node: Node, object: Agent): void {
    const { books, options } = this.#core;
    const { agentID } = object.spec;
    books.recoveredAgents.set(agentID, agentInfoOf(node, { agentID, port: options.agentPort }));
    options.clock.after(this.#leftMs(node), () => {
      if (!books.recoveredAgents.delete(agentID)) return;
      this.#core.counters.add('master/recovery_slave_removals');
      this.#markUnreachable(agentID, object.spec.nodeName);
    });
  }

  #leftMs(node: Node): number {
    const { clock } = this.#core.options;
    const nowMs = clock.nowMs();
    return Math.max(0, timeOr(notReadySince(node), nowMs) + unreachableMs - nowMs);
  }

  /** Address, attributes, amounts, and what operators said of it. */
  refresh(book: AgentBook, node: Node, object: Agent): void {
    const { options, cycle, offers } = this.#core;
    book.ip = addressOf(node);
    book.port = options.agentPort;
    book.pid = `slave(1)@${book.ip}:${book.port}`;
    const total = totalOf(node, book.kept);
    const info = {
      ...agentInfoOf(node, { agentID: book.id, port: options.agentPort }),
      // What the machine has, whatever is reserved of it: that is in the total.
      resources: capacityOf(node).list(),
    };
    const infoSame = JSON.stringify(info) === JSON.stringify(book.info);
    const same = infoSame && JSON.stringify(total.list()) === JSON.stringify(book.total.list());
    const attributesSame = JSON.stringify(info.attributes) === JSON.stringify(book.info.attributes);
    // The object stays as it is while it says the same: others remember what they made of it.
    if (!infoSame) book.info = info;
    const wasActive = book.active;
    book.deactivated = object.spec.deactivated === true;
    book.drain = drainOf(object);
    book.cordoned = isCordoned(node);
    if (!same) {
      book.total = total;
      reserveInPool(options.pool, book.nodeName, book.kept);
      if (!attributesSame) cycle.forgetAgent(book);
      cycle.agentChanged(book);
    }
    if (wasActive && !book.active) {
      offers.rescindAgent(book);
      cycle.agentChanged(book);
    }
    if (!wasActive && book.active) cycle.agentChanged(book);
  }

  /** New reservations and volumes: at once in the books, resolved when they are stored. */
  async setKept(book: AgentBook, kept: readonly Resource[]): Promise<void> {
    const node = this.#core.informers.nodes.get(book.nodeName);
    if (node === undefined) return;
    book.kept = kept;
    book.total = totalOf(node, kept);
    reserveInPool(this.#core.options.pool, book.nodeName, kept);
    this.#core.cycle.agentChanged(book);
    await this.#core.lanes.agents.change(book.nodeName, (object) => ({
      ...object,
      spec: { ...object.spec, resources: book.kept },
    }));
  }

  #connect(book: AgentBook): void {
    book.countdown?.();
    book.countdown = undefined;
    if (book.connected) return;
    book.connected = true;
    const { options, updates, cycle } = this.#core;
    book.reregisteredMs = options.clock.nowMs();
    for (const task of book.tasks) updates.resumeTask(task);
    cycle.agentChanged(book);
  }

  #disconnect(book: AgentBook, node: Node): void {
    const { offers, tasks, executors, options } = this.#core;
    book.connected = false;
    offers.rescindAgent(book);
    for (const task of book.tasks) {
      if (task.framework.info.checkpoint === true || task.launching !== undefined) continue;
      if (task.execution === 'Command') executors.deletePodOf(task);
      void tasks.end(task, {
        state: 'TASK_LOST',
        reason: 'REASON_AGENT_DISCONNECTED',
        message: `Agent ${book.info.hostname} disconnected`,
      });
    }
    for (const executor of book.executors)
      if (executor.framework.info.checkpoint !== true) void executors.deletePod(executor);
    book.countdown = options.clock.after(this.#leftMs(node), () => {
      book.countdown = undefined;
      this.#leave(book);
      this.#markUnreachable(book.id, book.nodeName);
    });
  }

  /** Out of the registered ones; its tasks wait for what becomes of it. */
  #leave(book: AgentBook): void {
    const { books, cycle, executors, offers } = this.#core;
    book.connected = false;
    book.countdown?.();
    offers.rescindAgent(book);
    cycle.forgetAgent(book);
    books.agents.delete(book.id);
    books.byNode.delete(book.nodeName);
    for (const task of book.tasks) this.away(task);
    book.tasks.clear();
    executors.detach(book);
    cycle.agentRemoved(book);
  }

  /** A task whose agent is not registered. */
  away(task: TaskBook): void {
    const tasks = this.#away.get(task.agentID) ?? new Set();
    this.#away.set(task.agentID, tasks);
    tasks.add(task);
  }

  #markUnreachable(agentID: string, nodeName: string): void {
    const { books, options, tasks, frameworks, lanes, counters } = this.#core;
    const sinceMs = options.clock.nowMs();
    books.unreachableAgents.set(agentID, { sinceMs });
    counters.add('master/slave_unreachable_scheduled');
    counters.add('master/slave_unreachable_completed');
    counters.add('master/slave_removals');
    counters.add('master/slave_removals/reason_unhealthy');
    const unreachableTime = formatMicroTime(sinceMs);
    void lanes.agents.change(nodeName, (object) => ({
      ...object,
      status: { ...object.status, unreachableTime },
    }));
    for (const task of this.#away.get(agentID) ?? [])
      if (!task.completed && task.unreachableMs === undefined) tasks.unreachable(task, sinceMs);
    this.#core.operations.agentLost(agentID, {
      state: 'OPERATION_UNREACHABLE',
      message: 'Agent was marked unreachable',
    });
    frameworks.broadcast({ type: 'FAILURE', failure: { agent_id: { value: agentID } } });
  }

  /** Its machine was taken down, or another agent took its place. Its tasks end there too. */
  remove(agentID: string, cause: string): void {
    const { books, frameworks, counters } = this.#core;
    const book = books.agents.get(agentID);
    if (book !== undefined) this.#leave(book);
    books.unreachableAgents.delete(agentID);
    books.recoveredAgents.delete(agentID);
    this.#shutDown(agentID);
    this.#loseAll(agentID, (task) => ({
      state: 'TASK_LOST',
      reason: 'REASON_AGENT_REMOVED',
      message: `Agent ${book?.info.hostname ?? task.nodeName} removed: ${cause}`,
    }));
    if (book === undefined) return;
    counters.add('master/slave_removals');
    frameworks.broadcast({ type: 'FAILURE', failure: { agent_id: { value: agentID } } });
    this.#core.announce({ type: 'AGENT_REMOVED', agentID });
  }

  /** Nothing goes on where nobody counts it: Pods of tasks and executors are deleted. */
  #shutDown(agentID: string): void {
    const { executors } = this.#core;
    executors.shutDown(agentID);
    for (const task of this.#away.get(agentID) ?? [])
      if (task.execution === 'Command' && !task.completed) executors.deletePodOf(task);
  }

  /** Changes the Agent object, and the books by it before it resolves. */
  async change(name: string, change: (agent: Agent) => Agent | undefined): Promise<boolean> {
    let written: Agent | undefined;
    const there = await this.#core.lanes.agents.change(name, (object) => {
      const changed = change(object);
      written = changed ?? object;
      return changed;
    });
    if (!there || written === undefined) return false;
    this.#written.set(written.spec.agentID, written);
    this.sync(name);
    return true;
  }

  /** As this master has just written it, until the cache has it too. */
  stored(agentID: string): Agent | undefined {
    return this.#written.get(agentID);
  }

  /** A task, or an operation, of the agent was done with: one that drains may be empty now. */
  taskLeft(agentID: string): void {
    const agent = this.#core.books.agents.get(agentID);
    if (agent?.drain !== undefined) this.#core.operator.agentChanged(agentID);
  }

  /** The Node was deleted: as if the agent had unregistered. */
  #removed(name: string, object: Agent): void {
    const { books, options, logger, frameworks, counters } = this.#core;
    const { agentID } = object.spec;
    const book = books.byNode.get(name);
    const hostname = book?.info.hostname ?? name;
    if (book !== undefined) {
      this.#leave(book);
      counters.add('master/slave_removals');
    }
    books.unreachableAgents.delete(agentID);
    books.recoveredAgents.delete(agentID);
    this.#loseAll(agentID, () => ({
      state: 'TASK_LOST',
      reason: 'REASON_AGENT_REMOVED',
      message: `Agent ${hostname} removed: the agent unregistered`,
    }));
    reserveInPool(options.pool, name, []);
    counters.add('master/slave_removals/reason_unregistered');
    frameworks.broadcast({ type: 'FAILURE', failure: { agent_id: { value: agentID } } });
    this.#core.announce({ type: 'AGENT_REMOVED', agentID });
    options.api
      .delete(agentKind, { name }, { uid: object.metadata.uid })
      .catch((error: unknown) => {
        if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict'))
          logger.warn('The Agent of a deleted Node stays', { node: name, error });
      });
  }

  #gone(name: string, object: Agent): void {
    const { books, options, frameworks } = this.#core;
    const { agentID } = object.spec;
    if (books.goneAgents.has(agentID)) return;
    const book = books.byNode.get(name);
    if (book !== undefined) this.#leave(book);
    books.unreachableAgents.delete(agentID);
    books.recoveredAgents.delete(agentID);
    books.goneAgents.set(agentID, { sinceMs: options.clock.nowMs() });
    // What was reserved there goes back to Pods.
    reserveInPool(options.pool, name, []);
    this.#giveUp(agentID);
    this.#core.operations.agentLost(agentID, {
      state: 'OPERATION_GONE_BY_OPERATOR',
      message: goneText,
    });
    // Of one that is unreachable they have heard already.
    if (book !== undefined)
      frameworks.broadcast({ type: 'FAILURE', failure: { agent_id: { value: agentID } } });
  }

  #giveUp(agentID: string): void {
    this.#shutDown(agentID);
    this.#loseAll(agentID, (task) => ({
      state: task.framework.partitionAware ? 'TASK_GONE_BY_OPERATOR' : 'TASK_LOST',
      reason: task.framework.partitionAware
        ? 'REASON_AGENT_REMOVED_BY_OPERATOR'
        : 'REASON_AGENT_REMOVED',
      message: goneText,
    }));
  }

  /** At start: what the master that died had decided of agents, and not yet done with their tasks. */
  settle(): void {
    const { books, executors, operator, informers } = this.#core;
    for (const agentID of new Set([...this.#away.keys(), ...executors.awayAgents])) {
      if (books.goneAgents.has(agentID)) this.#giveUp(agentID);
      const known = [
        books.agents,
        books.recoveredAgents,
        books.unreachableAgents,
        books.goneAgents,
      ];
      if (known.some((one) => one.has(agentID))) continue;
      const nodes = informers.nodes
        .list()
        .filter((one) => this.#ids.get(one.metadata.name) === agentID);
      const isDown = nodes.some((node) => operator.isDown(machineOf(node)));
      this.remove(agentID, isDown ? downCause : replacedCause);
    }
  }

  #loseAll(
    agentID: string,
    said: (task: TaskBook) => { state: TaskState; reason: TaskStatus['reason']; message: string },
  ): void {
    for (const task of this.#away.get(agentID) ?? [])
      if (!task.completed) void this.#core.tasks.end(task, said(task));
    this.#away.delete(agentID);
  }

  /** At start, from the store: before anything is told of them. */
  recover(): void {
    const { informers, books } = this.#core;
    for (const object of informers.agents.list()) {
      const { agentID, nodeName, gone } = object.spec;
      const node = informers.nodes.get(nodeName);
      if (gone === true) {
        const sinceMs = timeOr(
          object.status?.unreachableTime,
          timeOr(object.metadata.creationTimestamp, 0),
        );
        books.goneAgents.set(agentID, { sinceMs });
      } else if (node !== undefined && isNodeReady(node)) {
        if (this.#core.operator.isDown(machineOf(node))) continue;
        const book = this.#bookOf(node, object);
        book.connected = true;
        if (object.status?.unreachableTime !== undefined) this.#reregistered(book);
        books.agents.set(agentID, book);
        books.byNode.set(nodeName, book);
        this.refresh(book, node, object);
      } else if (object.status?.unreachableTime !== undefined) {
        books.unreachableAgents.set(agentID, { sinceMs: timeOr(object.status.unreachableTime, 0) });
      } else if (node !== undefined) this.#wait(node, object);
    }
  }
}
