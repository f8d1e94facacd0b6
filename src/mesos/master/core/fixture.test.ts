import assert from 'node:assert/strict';
import { silentLogger } from '#base';
import { createFakeApi, createInformer, type FakeApi } from '#client';
import { nodes, pods, type Node, type Pod } from '#kube/kinds';
import {
  StatusError,
  type Draft,
  type GroupResult,
  type KubeObject,
  type NewObject,
  type SystemWrite,
  type SystemWriter,
  type WriteGroup,
} from '#machinery';
import { tasks as taskKind, type Task } from '#mesos/kinds';
import type {
  Offer,
  SchedulerCall,
  SchedulerConnection,
  SchedulerEvent,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '#mesos/protocol';
import { createPool, type Claim, type Pool } from '#pool';
import { createSimClock, seededRandom, type SeededRandom, type SimClock } from '#sim';
import { annotations, type LaunchDoors, type LaunchResult } from '../doors.ts';
import { createMaster, type Master } from './master.ts';

/** A master over a store, a pool and agents of one process, on a clock that is told to move. */
export class World implements AsyncDisposable {
  readonly clock: SimClock;
  readonly random: SeededRandom;
  readonly api: FakeApi;
  pool: Pool;
  master: Master;
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** Told of every write before it happens; a throw is a crash of the master. */
  beforeWrite: () => void = () => undefined;

  constructor(seed = 1) {
    this.clock = createSimClock();
    this.random = seededRandom(seed);
    this.api = createFakeApi({ clock: this.clock, random: this.random });
    this.pool = createPool();
    this.master = this.#make();
  }

  #make(): Master {
    return createMaster({
      api: guarded(this.api, () => this.beforeWrite()),
      pool: this.pool,
      doors: fakeDoors(this.api, this.pool, () => this.beforeWrite()),
      createInformer,
      clock: this.clock,
      random: this.random,
      logger: silentLogger,
      address: { hostname: 'master.example', ip: '127.0.0.1', port: 5050 },
      version: '1.11.0',
      agentPort: 5051,
    });
  }

  async start(): Promise<void> {
    this.#stop = new AbortController();
    this.#running = this.master.run(this.#stop.signal);
    await this.clock.settle();
    await this.clock.advance(1);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.clock.settle();
    await this.#running;
  }

  /** A new process over the same store: claims follow from Pods, as the ledger rebuilds them. */
  async restart(): Promise<void> {
    await this.stop();
    this.pool = createPool();
    for (const node of this.api.all(nodes)) this.#poolNode(node);
    for (const pod of this.api.all(pods)) if (isActive(pod)) this.pool.adopt(claimOf(pod));
    this.master = this.#make();
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async addNode(
    name: string,
    more: { cpu?: string; labels?: Record<string, string> } = {},
  ): Promise<void> {
    const number = this.api.all(nodes).length + 1;
    const amounts = {
      cpu: more.cpu ?? '4',
      memory: '8Gi',
      'ephemeral-storage': '10Gi',
      pods: '110',
    };
    const node = await this.api.create(nodes, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: more.labels ?? {} },
      spec: {},
      status: {
        allocatable: amounts,
        capacity: amounts,
        addresses: [{ type: 'InternalIP', address: `10.0.0.${number}` }],
        conditions: [readyCondition('True', this.clock.nowMs())],
      },
    });
    this.#poolNode(node);
    await this.clock.settle();
  }

  #poolNode(node: Node): void {
    this.pool.setNode({
      name: node.metadata.name,
      amounts: {
        cpu: Number(node.status?.allocatable?.['cpu'] ?? 4) * 1000,
        memory: 8 * 2 ** 30,
        'ephemeral-storage': 10 * 2 ** 30,
        pods: 110,
      },
    });
  }

  async setReady(name: string, status: 'True' | 'Unknown'): Promise<void> {
    const node = await this.api.get(nodes, { name });
    await this.api.update(
      nodes,
      asNew<Node>({
        ...node,
        status: { ...node.status, conditions: [readyCondition(status, this.clock.nowMs())] },
      }),
      { subresource: 'status' },
    );
    await this.clock.settle();
    await this.clock.advance(1);
  }

  task(taskID: string): Task {
    const found = this.api
      .all(taskKind)
      .filter(({ spec }) => spec.taskID === taskID)
      .at(-1);
    assert(found, `Task ${taskID} is stored`);
    return found;
  }

  /** What the node's agent does: appends an update. */
  async update(taskID: string, state: TaskState, more: Partial<TaskStatus> = {}): Promise<string> {
    const uuid = Buffer.from(this.random.bytes(16)).toString('base64');
    for (;;) {
      const task = this.task(taskID);
      const status: TaskStatus = {
        task_id: { value: taskID },
        agent_id: { value: task.spec.agentID },
        state,
        source: 'SOURCE_EXECUTOR',
        uuid,
        timestamp: this.clock.nowMs() / 1000,
        ...more,
      };
      const updates = [...(task.status.updates ?? []), status];
      try {
        await this.api.update(
          taskKind,
          asNew({ ...task, status: { ...task.status, state, updates } }),
          { subresource: 'status' },
        );
        break;
      } catch (error) {
        if (!(error instanceof StatusError) || error.reason !== 'Conflict') throw error;
      }
    }
    await this.clock.settle();
    return uuid;
  }

  /** The Pod ends, as the kubelet says it. */
  async endPod(name: string, namespace: string): Promise<void> {
    const pod = await this.api.get(pods, { name, namespace });
    this.pool.release(`pod/${namespace}/${name}`);
    await this.api.update(pods, asNew({ ...pod, status: { ...pod.status, phase: 'Succeeded' } }), {
      subresource: 'status',
    });
    await this.clock.settle();
  }

  async framework(info: Partial<FrameworkOptions> = {}): Promise<TestFramework> {
    const framework = new TestFramework(this);
    await framework.subscribe(info);
    return framework;
  }
}

export interface FrameworkOptions {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly roles: readonly string[];
  readonly capabilities: readonly string[];
  readonly failoverTimeout: number;
  readonly checkpoint: boolean;
  readonly suppressed: readonly string[];
}

/** A scheduler that remembers all it hears and says what it is told to. */
export class TestFramework {
  readonly events: SchedulerEvent[] = [];
  closed = false;
  id = '';
  connection: SchedulerConnection | undefined;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  async subscribe(info: Partial<FrameworkOptions> = {}): Promise<void> {
    this.closed = false;
    const known = [
      'PARTITION_AWARE',
      'RESERVATION_REFINEMENT',
      'MULTI_ROLE',
      'GPU_RESOURCES',
      'SHARED_RESOURCES',
      'TASK_KILLING_STATE',
      'REGION_AWARE',
      'REVOCABLE_RESOURCES',
    ] as const;
    const capabilities = known.filter((type) => info.capabilities?.includes(type));
    const framework_info = {
      user: 'nobody',
      name: info.name ?? 'Test Framework',
      checkpoint: info.checkpoint ?? true,
      ...(info.id !== undefined && { id: { value: info.id } }),
      ...(info.role !== undefined && { role: info.role }),
      ...(info.roles !== undefined && { roles: info.roles }),
      failover_timeout: info.failoverTimeout ?? 0,
      capabilities: capabilities.map((type) => ({ type })),
    };
    const { clock, master } = this.#world;
    const subscribing = master.link.subscribe(
      {
        type: 'SUBSCRIBE',
        ...(info.id !== undefined && { framework_id: { value: info.id } }),
        subscribe: {
          framework_info,
          ...(info.suppressed !== undefined && { suppressed_roles: info.suppressed }),
        },
      },
      {
        wire: 'local',
        principal: undefined,
        event: (event) => void this.events.push(event),
        closed: () => {
          this.closed = true;
        },
      },
    );
    await clock.settle();
    this.connection = await subscribing;
    this.id = this.connection.frameworkID;
    await clock.settle();
    await clock.advance(1);
  }

  async call(call: Omit<SchedulerCall, 'framework_id'>): Promise<void> {
    assert(this.connection, 'The framework has subscribed');
    const done = this.connection.call({ ...call, framework_id: { value: this.id } });
    const settled = done.catch(() => undefined);
    await this.#world.clock.settle();
    await this.#world.clock.advance(1);
    await settled;
    await done;
  }

  /** All that came since the last time. */
  take(type?: SchedulerEvent['type']): readonly SchedulerEvent[] {
    const found = this.events.filter((event) => type === undefined || event.type === type);
    for (const event of found) this.events.splice(this.events.indexOf(event), 1);
    return found;
  }

  offers(): readonly Offer[] {
    return this.take('OFFERS').flatMap(({ offers }) => offers?.offers ?? []);
  }

  updates(): readonly TaskStatus[] {
    return this.take('UPDATE').flatMap(({ update }) =>
      update === undefined ? [] : [update.status],
    );
  }

  async offer(): Promise<Offer> {
    let [offer] = this.offers();
    for (let turn = 0; offer === undefined && turn < 20; turn++) {
      await this.#world.clock.advance(1000);
      [offer] = this.offers();
    }
    assert(offer, 'An offer came');
    return offer;
  }

  async launch(offer: Offer, ...ids: string[]): Promise<void> {
    await this.call({
      type: 'ACCEPT',
      accept: {
        offer_ids: [offer.id],
        operations: [
          { type: 'LAUNCH', launch: { task_infos: ids.map((id) => taskInfo(id, offer)) } },
        ],
      },
    });
  }

  async acknowledge({ task_id, agent_id, uuid }: TaskStatus): Promise<void> {
    assert(agent_id && uuid, 'The update can be acknowledged');
    await this.call({ type: 'ACKNOWLEDGE', acknowledge: { task_id, agent_id, uuid } });
  }
}

export function taskInfo(id: string, offer: Offer, more: Partial<TaskInfo> = {}): TaskInfo {
  return {
    name: id,
    task_id: { value: id },
    agent_id: offer.agent_id,
    command: { value: 'sleep 1000' },
    resources: [
      { name: 'cpus', type: 'SCALAR', scalar: { value: 0.5 } },
      { name: 'mem', type: 'SCALAR', scalar: { value: 64 } },
    ],
    ...more,
  };
}

function readyCondition(status: 'True' | 'Unknown', nowMs: number) {
  const time = new Date(nowMs).toISOString();
  return { type: 'Ready', status, lastTransitionTime: time, lastHeartbeatTime: time };
}

function isActive(pod: Pod): boolean {
  return pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed';
}

/** The claim of a Pod, as the ledger makes it. */
function claimOf(pod: Pod | NewObject<Pod>): Claim {
  const { metadata, spec } = pod;
  const amounts: Record<string, number> = { pods: 1 };
  for (const container of spec?.containers ?? [])
    for (const [name, text = '0'] of Object.entries(container.resources?.requests ?? {}))
      amounts[name] = (amounts[name] ?? 0) + baseUnits(name, text);
  for (const [name, text = '0'] of Object.entries(spec?.overhead ?? {}))
    amounts[name] = (amounts[name] ?? 0) + baseUnits(name, text);
  const held = metadata.annotations?.[annotations.heldPorts] ?? '';
  const ports = held.split(',').flatMap((range) => {
    const [begin = 0, end = 0] = range.split('-').map(Number);
    return range === ''
      ? []
      : Array.from({ length: end - begin + 1 }, (_, at) => ({
          protocol: 'TCP',
          address: '',
          port: begin + at,
        }));
  });
  return {
    owner: `pod/${metadata.namespace ?? ''}/${metadata.name ?? ''}`,
    node: spec?.nodeName ?? '',
    epoch: 0,
    amounts,
    ports,
    role: metadata.annotations?.[annotations.role] ?? '*',
  };
}

function baseUnits(name: string, text: string): number {
  if (name === 'cpu') return text.endsWith('m') ? Number(text.slice(0, -1)) : Number(text) * 1000;
  return text.endsWith('Mi') ? Number(text.slice(0, -2)) * 2 ** 20 : Number(text);
}

/** Every write passes `before`. */
function guarded(api: FakeApi, before: () => void): FakeApi {
  return new Proxy(api, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const bound = value.bind(target) as (...given: unknown[]) => unknown;
      if (!['create', 'update', 'patch', 'delete'].includes(String(name))) return bound;
      void receiver;
      return async (...given: unknown[]) => {
        before();
        return bound(...given);
      };
    },
  });
}

/** Room and objects in one step, in memory. */
export function fakeDoors(
  api: FakeApi,
  pool: Pool,
  before: () => void,
): LaunchDoors & SystemWriter {
  const grant = (claim: Claim): LaunchResult => {
    const [verdict] = pool.commit([claim]);
    if (verdict?.ok === true) return { ok: true };
    const reason = verdict?.reason === 'NodeGone' ? 'NodeGone' : 'NoRoom';
    return { ok: false, reason, message: verdict?.message ?? '' };
  };
  return {
    async launch(launches) {
      before();
      const results: LaunchResult[] = [];
      for (const { pod, tasks } of launches) {
        const result = grant(claimOf(pod));
        results.push(result);
        if (!result.ok) continue;
        const made = await api.create(pods, { ...pod, status: { phase: 'Pending' } });
        for (const task of tasks) await api.create(taskKind, task);
        results[results.length - 1] = { ok: true, pod: made };
      }
      return results;
    },
    async grow(growths) {
      before();
      const results: LaunchResult[] = [];
      for (const growth of growths) {
        const pod = api.all(pods).find((one) => one.metadata.uid === growth.podUID);
        if (pod === undefined || !isActive(pod)) {
          results.push({ ok: false, reason: 'PodGone', message: 'gone' });
          continue;
        }
        const next = structuredClone(pod) as Draft<Pod>;
        const stays = next.spec.containers.filter(
          ({ name }) => growth.prune?.includes(name) !== true,
        );
        for (const one of stays)
          if (growth.release?.includes(one.name) === true)
            one.resources = { requests: zeroes(one.resources?.requests) };
        const added = structuredClone(growth.containers ?? []) as Draft<Pod>['spec']['containers'];
        next.spec.containers = [...stays, ...added];
        const [first] = next.spec.containers;
        if (first !== undefined && growth.requests !== undefined)
          first.resources = { ...first.resources, requests: { ...growth.requests } };
        if (growth.heldPorts !== undefined)
          next.metadata.annotations = {
            ...next.metadata.annotations,
            [annotations.heldPorts]: growth.heldPorts,
          };
        const result = grant({ ...claimOf(next as Pod), resize: true });
        results.push(result);
        if (!result.ok) continue;
        await api.update(pods, asNew(next as Pod));
        for (const task of growth.tasks) await api.create(taskKind, task);
      }
      return results;
    },
    writeMany: (groups) => writeMany(api, groups, before),
  };
}

function zeroes(list: object = {}): Record<string, string> {
  return Object.fromEntries(Object.keys(list).map((name) => [name, '0']));
}

async function writeMany(
  api: FakeApi,
  groups: readonly WriteGroup[],
  before: () => void,
): Promise<readonly GroupResult[]> {
  before();
  const results: GroupResult[] = [];
  for (const group of groups) {
    const objects: (KubeObject | undefined)[] = [];
    try {
      for (const write of group) objects.push(await writeOne(api, write));
      results.push({ ok: true, objects });
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      results.push({ ok: false, error });
    }
  }
  return results;
}

async function writeOne(api: FakeApi, write: SystemWrite): Promise<KubeObject | undefined> {
  if ('create' in write) {
    const { apiVersion, kind } = write.create;
    const [group = '', version = ''] = apiVersion.split('/');
    const plural = `${kind.toLowerCase()}s`;
    return api.create({ group, version, kind, plural, namespaced: false }, write.create);
  }
  if (!('change' in write)) return api.delete(write.resource, write.target);
  for (;;)
    try {
      const draft = structuredClone(
        await api.get(write.resource, write.target),
      ) as Draft<KubeObject>;
      write.change(draft);
      const spec = await api.update(write.resource, asNew(draft as KubeObject));
      const { resourceVersion } = spec.metadata;
      const changed = { ...draft, metadata: { ...draft.metadata, resourceVersion } };
      return await api.update(write.resource, asNew(changed as KubeObject), {
        subresource: 'status',
      });
    } catch (error) {
      if (!(error instanceof StatusError) || error.reason !== 'Conflict') throw error;
    }
}

export function asNew<T extends KubeObject>(object: T): NewObject<T> {
  return object as unknown as NewObject<T>;
}
