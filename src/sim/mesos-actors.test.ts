/** Who lives in the simulated Mesos cluster: a framework and custom executors that behave, and die. */
import assert from 'node:assert/strict';
import { inProcessRequest } from '#mesos/protocol';
import type {
  ExecutorEvent,
  ExecutorInfo,
  Offer,
  Resource,
  SchedulerCall,
  SchedulerConnection,
  SchedulerEvent,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '#mesos/protocol';
import type { Container } from '#node/runtime';
import { RecordDecoder } from '#wire';
import { overNetwork, type Machine, type Server, type World } from './mesos-world.test.ts';

const terminalStates = /FINISHED|FAILED|KILLED|ERROR|LOST|DROPPED|GONE|UNKNOWN/;

/** What a framework has written down of a task. */
export interface TaskNote {
  readonly id: string;
  readonly agentID: string;
  readonly kind: 'Command' | 'Group' | 'Custom';
  /** Uuids in the order in which they were first heard. */
  readonly heard: string[];
  readonly states: TaskState[];
  /** Since which life of the server an acknowledgement is taken. */
  readonly acknowledged: Map<string, Server>;
  /** ACCEPT is under way. */
  launching: boolean;
  /** It never was: refused, or nobody knows it. */
  dropped: boolean;
}

interface Wire {
  readonly server: Server;
  readonly broken: AbortController;
  connection: SchedulerConnection | undefined;
  readonly inbox: SchedulerEvent[];
  wake: () => void;
}

/** Writes down what it does before it does it, acknowledges what it wrote down, and comes back. */
export class Framework {
  readonly #world: World;
  readonly notes = new Map<string, TaskNote>();
  id: string | undefined;
  failoverSeconds = 1e6;
  launches = true;
  /** Of what it hears, acknowledged the first time. */
  faithPercent = 80;
  kills = 0;
  #wire: Wire | undefined;
  #alive = false;
  #generation = 0;
  /** Answers of RECONCILE since the last time it was asked for everything. */
  readonly reconciled = new Map<string, TaskState>();
  readonly failures: SchedulerEvent[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  start(): void {
    this.#alive = true;
    void this.#live(++this.#generation);
  }
  /** Another process takes its place while it still hangs on its stream. */
  takeOver(): void {
    this.#wire = undefined;
    this.start();
  }
  /** kill -9: its connection breaks, whatever was on its way to it is lost. */
  die(): void {
    this.#alive = false;
    this.cut();
  }
  /** The server is dead, or the network is. */
  cut(): void {
    const wire = this.#wire;
    this.#wire = undefined;
    if (wire === undefined) return;
    wire.broken.abort();
    if (wire.server.alive) wire.connection?.close();
  }
  get connected(): boolean {
    return this.#wire?.connection !== undefined;
  }
  get open(): readonly TaskNote[] {
    return [...this.notes.values()].filter(({ dropped, states }) => !dropped && !isOver(states));
  }

  async #live(generation: number): Promise<void> {
    while (this.#alive && generation === this.#generation) {
      try {
        await this.#subscribe();
      } catch (error) {
        this.#expected(error);
      }
      await this.#world.clock.sleep(20 + this.#world.random.below(100));
    }
  }

  #expected(error: unknown): void {
    if (error instanceof Error && /connection broke|not finished recovery/.test(error.message))
      return;
    this.#world.problems.push(error);
  }

  async #subscribe(): Promise<void> {
    const world = this.#world;
    const info = {
      user: 'nobody',
      name: 'faults',
      checkpoint: true,
      roles: ['*'],
      failover_timeout: this.failoverSeconds,
      capabilities: [
        { type: 'MULTI_ROLE' } as const,
        { type: 'PARTITION_AWARE' } as const,
        { type: 'TASK_KILLING_STATE' } as const,
      ],
      ...(this.id !== undefined && { id: { value: this.id } }),
    };
    const wire: Wire = {
      server: world.server,
      broken: new AbortController(),
      connection: undefined,
      inbox: [],
      wake: () => undefined,
    };
    wire.broken.signal.addEventListener('abort', () => wire.wake(), { once: true });
    this.#wire = wire;
    await overNetwork(world, async (server) => {
      if (server !== wire.server || wire.broken.signal.aborted)
        throw new Error('the connection broke');
      const connection = await server.master.link.subscribe(
        {
          type: 'SUBSCRIBE',
          ...(this.id !== undefined && { framework_id: { value: this.id } }),
          subscribe: { framework_info: info },
        },
        {
          wire: 'http',
          principal: undefined,
          event: (event) => {
            if (server.dead.signal.aborted) return;
            wire.inbox.push(event);
            wire.wake();
          },
          closed: () => wire.broken.abort(),
        },
      );
      wire.connection = connection;
      // The stream is broken before its reader was there.
      if (wire.broken.signal.aborted) connection.close();
    });
    while (!wire.broken.signal.aborted && this.#alive) {
      const event = wire.inbox.shift();
      if (event === undefined) {
        await new Promise<void>((resolve) => {
          wire.wake = resolve;
        });
        continue;
      }
      await world.clock.sleep(world.random.below(3));
      if (!wire.broken.signal.aborted && this.#wire === wire) this.#hear(event, wire);
    }
    // Whoever hangs up is away for the master.
    if (wire.server.alive) wire.connection?.close();
  }

  #hear(event: SchedulerEvent, wire: Wire): void {
    if (event.subscribed !== undefined) this.id = event.subscribed.framework_id.value;
    for (const offer of event.offers?.offers ?? []) void this.#answer(offer);
    if (event.update !== undefined) this.#told(event.update.status, wire);
    if (event.type === 'FAILURE') this.failures.push(event);
    if (event.type === 'ERROR' && event.error?.message !== 'Framework failed over')
      this.#world.problems.push(new Error(`ERROR event: ${event.error?.message}`));
  }

  /** False when nobody knows whether it was taken. */
  async call(call: Omit<SchedulerCall, 'framework_id'>): Promise<boolean> {
    const wire = this.#wire;
    const { connection } = wire ?? {};
    if (wire === undefined || connection === undefined) return false;
    const framework_id = { value: this.id ?? '' };
    try {
      await overNetwork(this.#world, async (server) => {
        if (server !== wire.server || wire.broken.signal.aborted)
          throw new Error('the connection broke');
        await connection.call({ ...call, framework_id });
      });
      return true;
    } catch (error) {
      if (!wire.broken.signal.aborted) this.#expected(error);
      return false;
    }
  }

  async #answer(offer: Offer): Promise<void> {
    const { random } = this.#world;
    const cpus = amountOf(offer, 'cpus');
    const offer_ids = [offer.id];
    const filters = { refuse_seconds: 1 };
    if (!this.launches || cpus < 1 || this.open.length > 14 || random.chance(20)) {
      await this.call({ type: 'DECLINE', decline: { offer_ids, filters } });
      return;
    }
    const infos: TaskInfo[] = [];
    const operation = this.#operation(offer, infos);
    const notes = infos.map(({ task_id: { value: id } }) => this.#note(id, offer));
    const taken = await this.call({
      type: 'ACCEPT',
      accept: { offer_ids, operations: [operation], filters },
    });
    for (const note of notes) note.launching = false;
    void taken;
  }

  #kind: TaskNote['kind'] = 'Command';
  #note(id: string, offer: Offer): TaskNote {
    const note: TaskNote = {
      id,
      agentID: offer.agent_id.value,
      kind: this.#kind,
      heard: [],
      states: [],
      acknowledged: new Map(),
      launching: true,
      dropped: false,
    };
    this.notes.set(id, note);
    return note;
  }

  #operation(offer: Offer, infos: TaskInfo[]) {
    const { random } = this.#world;
    const count = random.between(1, 3);
    const first = this.notes.size;
    this.#kind = random.pick(['Command', 'Command', 'Group', 'Custom'] as const);
    for (let at = 0; at < count; at++)
      infos.push(taskInfo(`t${first + at}`, offer, this.#commandOf(this.#kind)));
    if (this.#kind === 'Command') return { type: 'LAUNCH', launch: { task_infos: infos } } as const;
    const framework_id = { value: this.id ?? '' };
    const resources = [scalar('cpus', 0.1), scalar('mem', 32)];
    if (this.#kind === 'Group') {
      const executor: ExecutorInfo = {
        type: 'DEFAULT',
        executor_id: { value: `group-${random.below(2)}` },
        framework_id,
        resources: [...resources, scalar('disk', 16)],
      };
      const task_group = { tasks: infos };
      return { type: 'LAUNCH_GROUP', launch_group: { executor, task_group } } as const;
    }
    const executor: ExecutorInfo = {
      type: 'CUSTOM',
      executor_id: { value: `custom-${random.below(2)}` },
      framework_id,
      command: { value: './executor' },
      resources,
    };
    const task_infos = infos.map(({ command: _none, ...info }) => ({ ...info, executor }));
    return { type: 'LAUNCH', launch: { task_infos } } as const;
  }

  #commandOf(_kind: TaskNote['kind']): string {
    const { random } = this.#world;
    return random.pick([
      `run ${random.below(6000)} ${random.chance(25) ? 1 : 0}`,
      `run ${random.below(300)} 0`,
      'forever',
      'deaf',
    ]);
  }

  #told(status: TaskStatus, wire: Wire): void {
    const note = this.notes.get(status.task_id.value);
    assert(note !== undefined, `Update of ${status.task_id.value}, which nobody launched`);
    const { uuid, state } = status;
    if (status.reason === 'REASON_RECONCILIATION') this.#answered(note, state);
    else if (uuid === undefined) this.#refused(note, status);
    else {
      this.#recorded(note, status, wire);
      if (this.#world.random.chance(this.faithPercent)) void this.#acknowledge(note, status, wire);
    }
  }

  #answered(note: TaskNote, state: TaskState): void {
    this.reconciled.set(note.id, state);
    if (note.launching || !terminalStates.test(state) || isOver(note.states)) return;
    if (note.heard.length > 0) {
      // It may have ended meanwhile; that is told by an update of its own.
      if (/UNKNOWN|GONE|DROPPED|LOST/.test(state))
        this.#fail(`${note.id} is lost from the account: ${state}`);
      return;
    }
    if (/UNKNOWN|GONE|DROPPED|LOST/.test(state)) note.dropped = true;
  }

  #refused(note: TaskNote, { state, reason, message }: TaskStatus): void {
    if (/DROPPED|ERROR|LOST/.test(state) && note.heard.length === 0) note.dropped = true;
    else this.#fail(`${note.id} is said to be ${state} by the master: ${reason} ${message}`);
  }

  #fail(text: string): void {
    this.#world.problems.push(new Error(text));
  }

  /** Written down; what must hold of every delivery is looked at. */
  #recorded(note: TaskNote, { uuid = '', state }: TaskStatus, wire: Wire): void {
    if (note.dropped) this.#fail(`${note.id} was dropped, and now is ${state}`);
    const taken = note.acknowledged.get(uuid);
    // One that a dying server did not write down is asked for again, by the next one.
    if (taken === wire.server) this.#fail(`${note.id}: ${state} again after its acknowledgement`);
    if (note.heard.includes(uuid)) return;
    const before = note.heard.at(-1);
    if (before !== undefined && !note.acknowledged.has(before) && !this.#sent.has(before))
      this.#fail(`${note.id}: ${state} before its turn`);
    if (isOver(note.states)) this.#fail(`${note.id}: ${state} after its end`);
    note.heard.push(uuid);
    note.states.push(state);
  }

  /** Acknowledgements that were sent, taken or not. */
  readonly #sent = new Set<string>();
  async #acknowledge(note: TaskNote, status: TaskStatus, wire: Wire): Promise<void> {
    const { task_id, agent_id, uuid = '' } = status;
    assert(agent_id !== undefined);
    await this.#world.clock.sleep(this.#world.random.below(40));
    if (this.#wire !== wire) return;
    this.#sent.add(uuid);
    const taken = await this.call({
      type: 'ACKNOWLEDGE',
      acknowledge: { task_id, agent_id, uuid },
    });
    if (taken) note.acknowledged.set(uuid, wire.server);
  }

  async kill(note: TaskNote, seconds?: number): Promise<void> {
    const grace = seconds === undefined ? undefined : { nanoseconds: seconds * 1e9 };
    await this.call({
      type: 'KILL',
      kill: {
        task_id: { value: note.id },
        agent_id: { value: note.agentID },
        ...(grace !== undefined && { kill_policy: { grace_period: grace } }),
      },
    });
  }

  /** Of all tasks that are thought to live, or implicitly. */
  async reconcile(implicit: boolean): Promise<void> {
    const asked = this.open.filter(({ launching }) => !launching);
    if (!implicit && asked.length === 0) return;
    const tasks = asked.map(({ id, agentID }) => ({
      task_id: { value: id },
      agent_id: { value: agentID },
    }));
    await this.call({ type: 'RECONCILE', reconcile: implicit ? {} : { tasks } });
  }
}

export function isOver(states: readonly TaskState[]): boolean {
  return states.some((state) => terminalStates.test(state));
}

function amountOf(offer: Offer, name: string): number {
  return (offer.resources ?? [])
    .filter((one) => one.name === name)
    .reduce((sum, one) => sum + (one.scalar?.value ?? 0), 0);
}

function scalar(name: string, value: number): Resource {
  return { name, type: 'SCALAR', scalar: { value } };
}

function taskInfo(id: string, offer: Offer, command: string): TaskInfo {
  return {
    name: id,
    task_id: { value: id },
    agent_id: offer.agent_id,
    command: { value: command },
    resources: [scalar('cpus', 0.2), scalar('mem', 32)],
  };
}

/** A well-behaved executor in its container: subscribes again and again, forgets nothing. */
export class Executor {
  readonly #world: World;
  readonly #machine: Machine;
  readonly #names: { readonly framework: string; readonly executor: string };
  /** How often each task was run, over all executors. */
  readonly #runs: Map<string, number>;
  readonly #tasks = new Map<string, TaskInfo>();
  readonly #updates = new Map<string, object>();
  #stream: AbortController | undefined;
  #alive = true;
  readonly #end: () => void;

  constructor(
    world: World,
    machine: Machine,
    of: { readonly container: Container; readonly runs: Map<string, number> },
  ) {
    this.#world = world;
    this.#machine = machine;
    this.#runs = of.runs;
    const { env } = of.container.spec;
    const named = (key: string): string => env.find(({ name }) => name === key)?.value ?? '';
    this.#names = { framework: named('MESOS_FRAMEWORK_ID'), executor: named('MESOS_EXECUTOR_ID') };
    this.#end = () => machine.runtime.end(of.container.id, 0);
    void this.#loop();
  }

  /** Its container has ended. */
  die(): void {
    this.#alive = false;
    this.cut();
  }
  /** The agent died: its streams break. */
  cut(): void {
    this.#stream?.abort();
  }

  async #loop(): Promise<void> {
    while (this.#alive) {
      const stream = new AbortController();
      this.#stream = stream;
      await Promise.race([this.#subscribe(stream.signal), aborted(stream.signal)]);
      await this.#world.clock.sleep(50 + this.#world.random.below(200));
    }
  }

  async #call(body: object, signal: AbortSignal) {
    const { agent } = this.#machine;
    await this.#world.clock.sleep(this.#world.random.below(3));
    // Nobody listens: the connection is refused.
    if (agent === undefined || !this.#alive) return undefined;
    const names = {
      framework_id: { value: this.#names.framework },
      executor_id: { value: this.#names.executor },
    };
    return agent.executors.face(
      inProcessRequest({
        path: '/api/v1/executor',
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ ...names, ...body }),
        signal,
      }),
    );
  }

  async #subscribe(signal: AbortSignal): Promise<void> {
    const subscribe = {
      unacknowledged_tasks: [...this.#tasks.values()],
      unacknowledged_updates: [...this.#updates.values()].map((status) => ({ status })),
    };
    const reply = await this.#call({ type: 'SUBSCRIBE', subscribe }, signal);
    if (typeof reply?.body !== 'function' || reply.status !== 200) return;
    const decoder = new RecordDecoder({ recordBytesMax: 1e6 });
    const write = (chunk: Uint8Array): boolean => {
      if (!signal.aborted && this.#alive)
        for (const record of decoder.push(chunk))
          this.#heed(JSON.parse(Buffer.from(record).toString()));
      return true;
    };
    await reply.body({ write, backlogBytes: 0, drained: () => Promise.resolve() }, signal);
  }

  #heed({ type, launch, kill, acknowledged }: ExecutorEvent): void {
    if (launch !== undefined) void this.#run(launch.task);
    if (kill !== undefined && this.#tasks.has(kill.task_id.value))
      this.#over(kill.task_id.value, 'TASK_KILLED');
    if (acknowledged !== undefined) this.#updates.delete(acknowledged.uuid);
    // It has a moment to end by itself.
    if (type === 'SHUTDOWN') this.#world.clock.after(this.#world.random.below(50), this.#end);
  }

  async #run(task: TaskInfo): Promise<void> {
    const id = task.task_id.value;
    const runs = (this.#runs.get(id) ?? 0) + 1;
    this.#runs.set(id, runs);
    if (runs > 1) this.#world.problems.push(new Error(`Task ${id} of an executor ran twice`));
    this.#tasks.set(id, task);
    this.#tell(id, 'TASK_RUNNING');
    const { random, clock } = this.#world;
    if (random.chance(30)) return; // runs for ever
    await clock.sleep(random.below(4000));
    if (this.#tasks.has(id)) this.#over(id, random.chance(80) ? 'TASK_FINISHED' : 'TASK_FAILED');
  }

  #over(id: string, state: TaskState): void {
    this.#tasks.delete(id);
    this.#tell(id, state);
  }

  #tell(id: string, state: TaskState): void {
    if (!this.#alive) return;
    const bytes = Buffer.from(this.#world.random.uuid().replaceAll('-', ''), 'hex');
    const uuid = bytes.toString('base64');
    const status = { task_id: { value: id }, state, uuid, source: 'SOURCE_EXECUTOR' };
    this.#updates.set(uuid, status);
    const signal = this.#stream?.signal ?? new AbortController().signal;
    // Whatever comes of it: what is not acknowledged is brought with the next subscription.
    void this.#call({ type: 'UPDATE', update: { status } }, signal);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
