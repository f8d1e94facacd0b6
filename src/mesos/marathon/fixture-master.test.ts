import { isDeepStrictEqual } from 'node:util';
import type {
  Offer,
  OfferOperation,
  Resource,
  SchedulerCall,
  SchedulerConnection,
  SchedulerEvent,
  SchedulerLink,
  Subscriber,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '#mesos/protocol';
import type { SimClock } from '#sim';

export interface RunningTask {
  readonly info: TaskInfo;
  readonly agentID: string;
  readonly role: string;
  state: TaskState;
  /** Not acknowledged yet, oldest first. */
  readonly updates: TaskStatus[];
}

/** What becomes of a task that is launched; `hang`: nothing is heard of it. */
export type Fate = 'run' | 'fail' | 'finish' | 'hang';

/** A master of one process's memory: a few agents, offers on demand, updates until acknowledged. */
export class TestMaster implements SchedulerLink {
  readonly tasks = new Map<string, RunningTask>();
  readonly launches: string[] = [];
  readonly killed: string[] = [];
  readonly calls: string[] = [];
  fate: (task: TaskInfo) => Fate = () => 'run';
  /** Offers that are taken back as soon as they are made. */
  rescinds: () => boolean = () => false;
  /** Killed tasks take this long to end. */
  killDelayMs = 0;
  /** An executor without tasks takes this long to end. */
  executorEndMs = 0;
  /** What is told of an executor's end comes before what is told of its tasks' end. */
  executorEndsFirst = false;
  readonly #clock: SimClock;
  readonly #agents: readonly { readonly id: string; readonly cpus: number; readonly mem: number }[];
  readonly #offers = new Map<string, Offer>();
  /** Reserved resources and volumes, by agent. */
  readonly reserved = new Map<string, Resource[]>();
  #subscriber: Subscriber | undefined;
  #connection = 0;
  #made = 0;
  #wanted = new Set<string>();
  /** Agents by role whose resources nobody wants to be offered again before then. */
  readonly #refused = new Map<string, number>();

  constructor(clock: SimClock, agents: number, cpus = 32) {
    this.#clock = clock;
    this.#agents = Array.from({ length: agents }, (_, at) => ({
      id: `master-S${at}`,
      cpus,
      mem: 65_536,
    }));
  }

  async subscribe(call: SchedulerCall, subscriber: Subscriber): Promise<SchedulerConnection> {
    this.hangUp();
    this.#subscriber = subscriber;
    const number = ++this.#connection;
    const id = call.framework_id?.value ?? `framework-${number}`;
    const { framework_info: info, suppressed_roles: suppressed = [] } = call.subscribe ?? {};
    this.#wanted = new Set((info?.roles ?? []).filter((role) => !suppressed.includes(role)));
    this.#send({ type: 'SUBSCRIBED', subscribed: { framework_id: { value: id } } });
    for (const task of this.tasks.values()) this.#sendUpdate(task);
    return {
      frameworkID: id,
      streamID: String(number),
      call: async (one) => {
        if (number !== this.#connection) return;
        this.#take(one, id);
      },
      close: () => {
        if (number === this.#connection) this.#subscriber = undefined;
      },
    };
  }

  hangUp(): void {
    const subscriber = this.#subscriber;
    this.#subscriber = undefined;
    this.#offers.clear();
    subscriber?.closed();
  }

  get live(): RunningTask[] {
    return [...this.tasks.values()].filter(({ state }) => !isOver(state));
  }

  /** A task reports something by itself. */
  report(taskID: string, state: TaskState, more: Partial<TaskStatus> = {}): void {
    const task = this.tasks.get(taskID);
    if (task === undefined) throw new Error(`No task ${taskID}`);
    task.state = state;
    if (isOver(state) && this.executorEndsFirst) this.#ended(task);
    task.updates.push({
      task_id: { value: taskID },
      agent_id: { value: task.agentID },
      state,
      source: 'SOURCE_EXECUTOR',
      timestamp: this.#clock.nowMs() / 1000,
      uuid: Buffer.from(`${taskID}${this.#made++}`).toString('base64'),
      ...more,
    });
    if (task.updates.length === 1) this.#sendUpdate(task);
    if (isOver(state) && !this.executorEndsFirst) this.#ended(task);
  }

  #executorEnded(id: string, agentID: string): void {
    this.#send({ type: 'FAILURE', failure: { executor_id: { value: id } } });
    this.#gain(agentID);
  }

  #soon(delayMs: number, action: () => void): void {
    if (delayMs === 0) queueMicrotask(action);
    else this.#clock.after(delayMs, action);
  }

  /** The executor of a pod ends with the last of its tasks. */
  #ended({ agentID, info: { executor } }: RunningTask): void {
    const id = executor?.executor_id.value;
    const isLast = !this.live.some(({ info }) => info.executor?.executor_id.value === id);
    this.#gain(agentID);
    if (id === undefined || !isLast) return;
    if (this.executorEndsFirst) this.#executorEnded(id, agentID);
    else this.#soon(this.executorEndMs, () => this.#executorEnded(id, agentID));
  }

  #send(event: SchedulerEvent): void {
    const subscriber = this.#subscriber;
    queueMicrotask(() => {
      if (subscriber !== undefined && subscriber === this.#subscriber) subscriber.event(event);
    });
  }

  #sendUpdate(task: RunningTask): void {
    const [status] = task.updates;
    if (status !== undefined) this.#send({ type: 'UPDATE', update: { status } });
  }

  #take(call: SchedulerCall, frameworkID: string): void {
    this.calls.push(call.type ?? '');
    if (call.type === 'REVIVE') {
      for (const role of call.revive?.roles ?? []) this.#wanted.add(role);
      this.#refused.clear();
      this.#offerSoon();
    } else if (call.type === 'SUPPRESS') {
      for (const role of call.suppress?.roles ?? []) this.#wanted.delete(role);
    } else if (call.type === 'UPDATE_FRAMEWORK') {
      const { framework_info: info, suppressed_roles: not = [] } = call.update_framework ?? {};
      this.#wanted = new Set((info?.roles ?? []).filter((role) => !not.includes(role)));
      this.#offerSoon();
    } else if (call.type === 'ACCEPT') {
      const { offer_ids: ids = [], operations = [], filters } = call.accept ?? {};
      for (const { value } of ids) this.#refuse(value, filters?.refuse_seconds);
      for (const { value } of ids) this.#accept(value, operations);
      this.#offerSoon();
    } else if (call.type === 'DECLINE') {
      for (const { value } of call.decline?.offer_ids ?? []) {
        this.#refuse(value, call.decline?.filters?.refuse_seconds);
        this.#offers.delete(value);
      }
    } else if (call.type === 'ACKNOWLEDGE') {
      const task = this.tasks.get(call.acknowledge?.task_id.value ?? '');
      if (task?.updates[0]?.uuid !== call.acknowledge?.uuid) return;
      task?.updates.shift();
      if (task !== undefined) this.#sendUpdate(task);
    } else if (call.type === 'KILL') this.#kill(call.kill?.task_id.value ?? '');
    else if (call.type === 'RECONCILE') this.#reconcile(call);
    void frameworkID;
  }

  #refuse(offerID: string, seconds = 5): void {
    const offer = this.#offers.get(offerID);
    const place = `${offer?.allocation_info?.role} ${offer?.agent_id.value}`;
    if (seconds > 0) this.#refused.set(place, this.#clock.nowMs() + seconds * 1000);
  }

  /** There is more to offer on an agent than was refused. */
  #gain(agentID: string): void {
    for (const place of this.#refused.keys())
      if (place.endsWith(` ${agentID}`)) this.#refused.delete(place);
    this.#offerSoon();
  }

  #kill(taskID: string): void {
    this.killed.push(taskID);
    const task = this.tasks.get(taskID);
    if (task === undefined) {
      const status = {
        task_id: { value: taskID },
        state: 'TASK_LOST',
        reason: 'REASON_TASK_UNKNOWN',
      };
      this.#send({ type: 'UPDATE', update: { status: status as TaskStatus } });
      return;
    }
    const end = (): void => {
      if (!isOver(task.state)) this.report(taskID, 'TASK_KILLED');
    };
    this.#soon(this.killDelayMs, end);
  }

  #reconcile(call: SchedulerCall): void {
    for (const { task_id: id } of call.reconcile?.tasks ?? []) {
      const task = this.tasks.get(id.value);
      const status = {
        task_id: id,
        state: task?.state ?? 'TASK_LOST',
        reason: 'REASON_RECONCILIATION',
        ...(task === undefined && { message: 'Reconciliation: Task is unknown to the master' }),
      } as TaskStatus;
      this.#send({ type: 'UPDATE', update: { status } });
    }
  }

  #reserve(agentID: string, operation: OfferOperation): void {
    const held = this.reserved.get(agentID) ?? [];
    const drop = (resource: Resource): void => {
      const at = held.findIndex((one) => sameText(one, resource));
      if (at < 0) throw new Error(`${agentID} does not hold ${JSON.stringify(resource)}`);
      held.splice(at, 1);
    };
    const plain = ({ disk: _disk, ...resource }: Resource): Resource => resource;
    for (const resource of operation.reserve?.resources ?? []) held.push(plain(resource));
    for (const volume of operation.create?.volumes ?? []) {
      drop(plain(volume));
      held.push(volume);
    }
    for (const volume of operation.destroy?.volumes ?? []) {
      drop(volume);
      held.push(plain(volume));
    }
    for (const resource of operation.unreserve?.resources ?? []) drop(plain(resource));
    this.reserved.set(agentID, held);
    const { reserve, create, destroy, unreserve } = operation;
    if (reserve ?? create ?? destroy ?? unreserve) this.#gain(agentID);
  }

  #accept(offerID: string, operations: readonly OfferOperation[]): void {
    const offer = this.#offers.get(offerID);
    this.#offers.delete(offerID);
    if (offer !== undefined)
      for (const operation of operations) this.#reserve(offer.agent_id.value, operation);
    const infos = operations.flatMap((one) => [
      ...(one.launch?.task_infos ?? []),
      ...(one.launch_group?.task_group.tasks ?? []).map((info) => ({
        ...info,
        executor: one.launch_group?.executor,
      })),
    ]);
    for (const info of infos) {
      const taskID = info.task_id.value;
      const agentID = info.agent_id.value;
      if (this.tasks.has(taskID)) throw new Error(`Task ${taskID} was launched twice`);
      const role = offer?.allocation_info?.role ?? '*';
      this.tasks.set(taskID, { info, agentID, role, state: 'TASK_STAGING', updates: [] });
      if (offer === undefined) {
        this.report(taskID, 'TASK_LOST', { reason: 'REASON_INVALID_OFFERS' });
        continue;
      }
      this.launches.push(taskID);
      const fate = this.fate(info);
      if (fate === 'hang') continue;
      this.report(taskID, 'TASK_STARTING');
      if (fate === 'fail') this.report(taskID, 'TASK_FAILED', { message: 'exit 1' });
      else this.report(taskID, 'TASK_RUNNING');
      if (fate === 'finish') this.report(taskID, 'TASK_FINISHED');
    }
  }

  #offerSoon(): void {
    queueMicrotask(() => this.#offer());
  }

  #offer(): void {
    if (this.#subscriber === undefined) return;
    const offers: Offer[] = [];
    for (const role of this.#wanted)
      for (const agent of this.#agents) {
        const isOffered = [...this.#offers.values()].some(
          ({ agent_id: id }) => id.value === agent.id,
        );
        const untilMs = this.#refused.get(`${role} ${agent.id}`) ?? 0;
        const isHeld = isOffered || untilMs > this.#clock.nowMs();
        const offer = isHeld ? undefined : this.#offerOf(agent, role);
        if (offer === undefined) continue;
        this.#offers.set(offer.id.value, offer);
        offers.push(offer);
      }
    if (offers.length > 0) this.#send({ type: 'OFFERS', offers: { offers } });
    for (const { id } of offers) {
      if (!this.rescinds()) continue;
      this.#offers.delete(id.value);
      this.#send({ type: 'RESCIND', rescind: { offer_id: id } });
      this.#offerSoon();
    }
  }

  #offerOf(agent: { id: string; cpus: number; mem: number }, role: string): Offer | undefined {
    let { cpus, mem } = agent;
    const used = new Set<number>();
    for (const { agentID, info } of this.live) {
      if (agentID !== agent.id) continue;
      for (const { name, scalar, ranges, reservation } of info.resources ?? []) {
        if (reservation !== undefined) continue;
        if (name === 'cpus') cpus -= scalar?.value ?? 0;
        if (name === 'mem') mem -= scalar?.value ?? 0;
        for (const { begin, end } of ranges?.range ?? [])
          for (let port = begin; port <= end; port++) used.add(port);
      }
    }
    const inUse = this.live.flatMap(({ info }) => info.resources ?? []);
    const held = this.reserved.get(agent.id) ?? [];
    for (const { name, scalar, ranges } of held) {
      if (name === 'cpus') cpus -= scalar?.value ?? 0;
      if (name === 'mem') mem -= scalar?.value ?? 0;
      for (const { begin } of ranges?.range ?? []) used.add(begin);
    }
    const free = held.filter(
      (one) => one.role === role && !inUse.some((other) => sameText(one, other)),
    );
    if (cpus < -1e-6 || mem < -1e-6) throw new Error(`Agent ${agent.id} is oversold`);
    const allocation = { allocation_info: { role } };
    const number = (name: string, value: number): Resource => ({
      name,
      type: 'SCALAR',
      scalar: { value },
      role: '*',
      ...allocation,
    });
    const range = [];
    for (let port = 31_000; port <= 32_000; port++)
      if (!used.has(port)) range.push({ begin: port, end: port });
    return {
      id: { value: `offer-${this.#made++}` },
      framework_id: { value: 'framework-1' },
      agent_id: { value: agent.id },
      hostname: `host-${agent.id}`,
      ...allocation,
      resources: [
        number('cpus', cpus),
        number('mem', mem),
        number('disk', 100_000),
        { name: 'ports', type: 'RANGES', ranges: { range }, role: '*', ...allocation },
        ...free.map((resource) => ({ ...resource, ...allocation })),
      ],
    };
  }
}

/** The same resource, whoever it is allocated to. */
function sameText(
  { allocation_info: _one, ...a }: Resource,
  { allocation_info: _other, ...b }: Resource,
): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)));
}

function isOver(state: TaskState): boolean {
  return ![
    'TASK_STAGING',
    'TASK_STARTING',
    'TASK_RUNNING',
    'TASK_KILLING',
    'TASK_UNREACHABLE',
  ].includes(state);
}
