import { isDeepStrictEqual } from 'node:util';
import type { FaceReply, FaceRequest, StreamBody } from '#base';
import { silentLogger } from '#base';
import type { FakeApi } from '#client';
import { createFakeApi, createInformer } from '#client';
import type { GroupResult, KubeObject, NewObject, SystemWrite, SystemWriter } from '#machinery';
import { StatusError } from '#machinery';
import { mesosKinds } from '#mesos/kinds';
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
import type { SeededRandom, SimClock } from '#sim';
import { createSimClock, seededRandom } from '#sim';
// Loaded before the first world: what is loaded late takes real time, and no seed replays that.
import './engine/engine.ts';
import type { Marathon, MarathonAccess, MarathonSettings, ProbeAnswer } from './engine/options.ts';
import './face/face.ts';
import { createMarathon } from './marathon.ts';

/** A store of one process's memory with the system's door of groups; it can stop at any commit. */
export class TestStore implements SystemWriter {
  readonly api: FakeApi;
  commits = 0;
  /** The process dies at this commit: before it happens, or after it happened and before it hears. */
  crashAt: { readonly commit: number; readonly after: boolean } | undefined;
  crashed = false;

  constructor(clock: SimClock, random: SeededRandom) {
    this.api = createFakeApi({ clock, random });
  }

  async writeMany(groups: readonly (readonly SystemWrite[])[]): Promise<readonly GroupResult[]> {
    const never = new Promise<never>(() => undefined);
    if (this.crashed) return never;
    this.commits += 1;
    const dies = this.crashAt?.commit === this.commits;
    if (dies) this.crashed = true;
    if (dies && this.crashAt?.after === false) return never;
    const results: GroupResult[] = [];
    for (const group of groups) results.push(await this.#write(group));
    return dies ? never : results;
  }

  async #write(group: readonly SystemWrite[]): Promise<GroupResult> {
    const objects: (KubeObject | undefined)[] = [];
    try {
      for (const write of group) objects.push(await this.#one(write));
      return { ok: true, objects };
    } catch (error) {
      if (error instanceof StatusError) return { ok: false, error };
      throw error;
    }
  }

  async #one(write: SystemWrite): Promise<KubeObject | undefined> {
    if ('create' in write) {
      const kind = mesosKinds.find((one) => one.kind === write.create.kind);
      if (kind === undefined) throw new Error(`Unknown kind ${write.create.kind}`);
      return this.api.create(kind, write.create);
    }
    const { resource, target } = write;
    if ('delete' in write) {
      const all = this.api.all(resource);
      if (all.some(({ metadata }) => metadata.name === target.name))
        await this.api.delete(resource, target);
      return undefined;
    }
    const draft = structuredClone(await this.api.get(resource, target));
    write.change(draft as Parameters<typeof write.change>[0]);
    const object = draft as NewObject;
    await this.api.update(resource, object, { subresource: 'status' });
    const { resourceVersion: _old, ...metadata } = object.metadata;
    return this.api.update(resource, { ...object, metadata });
  }
}

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
  readonly #clock: SimClock;
  readonly #agents: readonly { readonly id: string; readonly cpus: number; readonly mem: number }[];
  readonly #offers = new Map<string, Offer>();
  /** Reserved resources and volumes, by agent. */
  readonly reserved = new Map<string, Resource[]>();
  #subscriber: Subscriber | undefined;
  #connection = 0;
  #made = 0;
  #wanted = new Set<string>();

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
    if (isOver(state)) this.#offerSoon();
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
      this.#offerSoon();
    } else if (call.type === 'SUPPRESS') {
      for (const role of call.suppress?.roles ?? []) this.#wanted.delete(role);
    } else if (call.type === 'UPDATE_FRAMEWORK') {
      const { framework_info: info, suppressed_roles: not = [] } = call.update_framework ?? {};
      this.#wanted = new Set((info?.roles ?? []).filter((role) => !not.includes(role)));
      this.#offerSoon();
    } else if (call.type === 'ACCEPT') {
      for (const { value } of call.accept?.offer_ids ?? [])
        this.#accept(value, call.accept?.operations ?? []);
      if ((call.accept?.filters?.refuse_seconds ?? 5) === 0) this.#offerSoon();
    } else if (call.type === 'DECLINE') {
      for (const { value } of call.decline?.offer_ids ?? []) this.#offers.delete(value);
    } else if (call.type === 'ACKNOWLEDGE') {
      const task = this.tasks.get(call.acknowledge?.task_id.value ?? '');
      if (task?.updates[0]?.uuid !== call.acknowledge?.uuid) return;
      task?.updates.shift();
      if (task !== undefined) this.#sendUpdate(task);
    } else if (call.type === 'KILL') this.#kill(call.kill?.task_id.value ?? '');
    else if (call.type === 'RECONCILE') this.#reconcile(call);
    void frameworkID;
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
    if (this.killDelayMs === 0) queueMicrotask(end);
    else this.#clock.after(this.killDelayMs, end);
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
    this.#offerSoon();
  }

  #accept(offerID: string, operations: readonly OfferOperation[]): void {
    const offer = this.#offers.get(offerID);
    this.#offers.delete(offerID);
    if (offer !== undefined)
      for (const operation of operations) this.#reserve(offer.agent_id.value, operation);
    const infos = operations.flatMap((one) => [
      ...(one.launch?.task_infos ?? []),
      ...(one.launch_group?.task_group.tasks ?? []),
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
        const offer = isOffered ? undefined : this.#offerOf(agent, role);
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

export interface Answer {
  readonly status: number;
  readonly headers: FaceReply['headers'];
  readonly text: string;
  /** The body as JSON; tests say what they expect of it. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: unknown;
}

export interface World {
  readonly clock: SimClock;
  readonly random: SeededRandom;
  readonly store: TestStore;
  readonly master: TestMaster;
  readonly marathon: Marathon;
  /** By URL; missing ones cannot be reached. */
  readonly answers: Map<string, ProbeAnswer>;
  /** Types of the events since the last call, with their data. */
  takeEvents(): readonly { readonly type: string; readonly data: Record<string, unknown> }[];
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  /** Like `call`, for requests that must succeed. */
  ask(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  /** Lets what needs no time happen. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

export interface WorldOptions {
  readonly agents?: number;
  readonly cpus?: number;
  readonly seed?: number;
  readonly settings?: Partial<MarathonSettings>;
  readonly access?: MarathonAccess;
  readonly listen?: boolean;
  /** What an earlier world left. */
  readonly from?: Pick<World, 'clock' | 'store' | 'master'>;
}

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const { agents = 3, cpus = 32, seed = 1, settings = {}, from } = options;
  const clock = from?.clock ?? createSimClock();
  const random = seededRandom(seed);
  const store = from?.store ?? new TestStore(clock, random);
  const master = from?.master ?? new TestMaster(clock, agents, cpus);
  const answers = new Map<string, ProbeAnswer>();
  const marathon = createMarathon({
    api: store.api,
    createInformer,
    writer: store,
    link: master,
    clock,
    random,
    logger: silentLogger,
    net: {
      async http({ url }) {
        const found = answers.get(url);
        if (found === undefined) throw new Error('Connection refused');
        return found;
      },
      async tcp(host, port) {
        if (!answers.has(`${host}:${port}`)) throw new Error('Connection refused');
      },
    },
    settings,
    access: options.access,
    address: { hostname: 'localhost', port: 8080 },
  });
  const stopped = new AbortController();
  const running = marathon.run(stopped.signal);
  const frames: string[] = [];
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 30; turn++) await clock.settle();
  };
  const call: World['call'] = async (method, path, body, headers = {}) => {
    const reply = await marathon.face(requestOf(method, path, { body, headers }));
    const text = textOf(reply);
    return { status: reply.status, headers: reply.headers, text, json: jsonOf(text) };
  };
  const world: World = {
    clock,
    random,
    store,
    master,
    marathon,
    answers,
    call,
    settle,
    takeEvents: () => frames.splice(0).map(eventOf),
    async ask(method, path, body) {
      const { status, json, text } = await call(method, path, body);
      if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
      await settle();
      return json as Record<string, unknown>;
    },
    async stop() {
      stopped.abort();
      if (!store.crashed) await running;
    },
  };
  if (options.listen === true) await listen(world, frames, stopped.signal);
  return world;
}

async function listen(world: World, frames: string[], signal: AbortSignal): Promise<void> {
  const request = requestOf('GET', '/v2/events', { headers: { accept: 'text/event-stream' } });
  const reply = await world.marathon.face(request);
  const body = reply.body as StreamBody;
  void body(
    {
      write(chunk) {
        const text = Buffer.from(chunk).toString('utf8');
        frames.push(...text.split('\r\n\r\n').filter((frame) => frame.trim() !== ''));
        return true;
      },
      backlogBytes: 0,
      drained: async () => undefined,
    },
    signal,
  );
  await world.settle();
}

function eventOf(frame: string): { type: string; data: Record<string, unknown> } {
  const [first = '', second = ''] = frame.trim().split('\r\n');
  return {
    type: first.replace('event: ', ''),
    data: JSON.parse(second.replace('data: ', '')) as Record<string, unknown>,
  };
}

export function requestOf(
  method: string,
  target: string,
  { body, headers = {} }: { readonly body?: unknown; readonly headers?: Record<string, string> },
): FaceRequest {
  const [path = '', search = ''] = target.split('?');
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? null);
  const bytes = body === undefined ? new Uint8Array() : Buffer.from(text);
  return {
    method,
    path,
    search,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    peer: {
      address: '127.0.0.1',
      port: 40_000,
      localAddress: '127.0.0.1',
      localPort: 8080,
      secure: false,
      certificates: [],
    },
    signal: new AbortController().signal,
    body: async () => bytes,
    async *bodyStream() {
      yield bytes;
    },
  };
}

function textOf({ body }: FaceReply): string {
  if (body === undefined || typeof body === 'function') return '';
  return body instanceof Uint8Array
    ? Buffer.from(body).toString('utf8')
    : Buffer.concat(body.map((chunk) => Buffer.from(chunk))).toString('utf8');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
