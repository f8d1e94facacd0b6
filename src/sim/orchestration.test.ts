/**
 * Controllers, scheduler and pool together over an API in memory: users change their minds, nodes
 * fall silent, processes die in the middle of a call. At the end everything is as it was asked for.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeApi, createRecorder, keyOf } from '#client';
import type { FakeApi } from '#client';
import { createControllers } from '#kube/controllers';
import {
  deployments,
  endpointSlices,
  isPodTerminal,
  leases,
  nodes,
  podRequests,
  pods,
  replicaSets,
  services,
  type Deployment,
  type EndpointSlice,
  type Lease,
  type Node,
  type Pod,
  type ReplicaSet,
} from '#kube/kinds';
import { createScheduler } from '#kube/scheduler';
import type { BindMany } from '#kube/scheduler';
import { isStatus, type Api, type KubeObject, type ResourceName } from '#machinery';
import { createPool, type Pool } from '#pool';
import { createSimClock, type SimClock } from './clock.ts';
import { seededRandom, seedsFromEnvironment, type SeededRandom } from './random.ts';

const namespace = 'default';
const nodeNames = ['n1', 'n2', 'n3', 'n4'];
const cpuMillis = 4000;
const appNames = ['a', 'b', 'c'];
const watched: readonly ResourceName[] = [pods, deployments, replicaSets, services];

/** A process that may die at any call: the call may have been done, but nobody hears of it. */
class Mortal {
  readonly stop = new AbortController();
  #callsLeft: number;
  readonly #random: SeededRandom;

  constructor(random: SeededRandom, callsLeft: number) {
    this.#random = random;
    this.#callsLeft = callsLeft;
  }

  get dead(): boolean {
    return this.stop.signal.aborted;
  }

  die(): void {
    this.stop.abort();
  }

  async call<T>(action: () => Promise<T>): Promise<T> {
    const last = --this.#callsLeft === 0;
    if (this.dead || (last && this.#random.chance(50))) return this.#lost();
    const result = await action();
    return last || this.dead ? this.#lost() : result;
  }

  #lost<T>(): Promise<T> {
    this.die();
    return new Promise<T>(() => undefined);
  }

  api(api: FakeApi): Api {
    return {
      get: (...args) => this.call(() => api.get(...args)),
      list: (...args) => this.call(() => api.list(...args)),
      watch: (...args) => api.watch(...args),
      create: (...args) => this.call(() => api.create(...args)),
      update: (...args) => this.call(() => api.update(...args)),
      patch: (...args) => this.call(() => api.patch(...args)),
      delete: (...args) => this.call(() => api.delete(...args)),
      post: (...args) => this.call(() => api.post(...args)),
    };
  }
}

class World {
  readonly clock: SimClock = createSimClock();
  readonly random: SeededRandom;
  readonly api: FakeApi;
  readonly silent = new Set<string>();
  storm = true;
  /** Pods that do not get ready, until the end of the storm at the latest. */
  readonly sick = new Set<string>();
  #controllers: Mortal | undefined;
  #scheduler: Mortal | undefined;
  #pool: Pool = createPool();
  #made = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.api = createFakeApi({ clock: this.clock, random: this.random.fork() });
  }

  make(resource: ResourceName, body: object): Promise<KubeObject> {
    return this.api.create(resource, body as KubeObject);
  }

  /** Starts whatever is dead; `callsMax` is how long it may live, 0 for ever. */
  revive(callsMax: number): void {
    const lives = (): Mortal =>
      new Mortal(this.random.fork(), callsMax === 0 ? -1 : this.random.between(1, callsMax));
    const { clock, random } = this;
    if (this.#controllers?.dead !== false) {
      const life = (this.#controllers = lives());
      const all = createControllers({
        api: life.api(this.api),
        clock,
        random: random.fork(),
        rootCaPem: 'CA',
        resources: () => watched,
      });
      for (const one of all) void one.run(life.stop.signal);
    }
    if (this.#scheduler?.dead !== false) {
      const life = (this.#scheduler = lives());
      const api = life.api(this.api);
      const pool = this.#rebuiltPool();
      const recorder = createRecorder({ api, clock, component: 'scheduler', style: 'events' });
      const bindMany = this.#bindMany(life, pool);
      const parts = { api, pool, bindMany, clock, recorder, random: random.fork() };
      void createScheduler(parts).run(life.stop.signal);
    }
  }

  kill(): void {
    if (this.random.chance(50)) this.#controllers?.die();
    else this.#scheduler?.die();
  }

  #rebuiltPool(): Pool {
    const pool = createPool();
    for (const { metadata } of this.api.all<Node>(nodes)) this.#setNode(pool, metadata.name);
    for (const pod of this.api.all<Pod>(pods))
      if (pod.spec.nodeName !== undefined && !isPodTerminal(pod)) pool.adopt(claimOf(pod));
    this.#pool = pool;
    return pool;
  }

  #setNode(pool: Pool, name: string): void {
    pool.setNode({ name, amounts: { cpu: cpuMillis, memory: 8 * 2 ** 30, pods: 110 } });
  }

  #bindMany(life: Mortal, pool: Pool): BindMany {
    return (requests) =>
      life.call(async () => {
        const verdicts = pool.commit(requests.map(({ claim }) => claim));
        for (const [at, { pod, node, claim }] of requests.entries()) {
          if (verdicts[at]?.ok !== true) continue;
          const target = { namespace, name: pod.metadata.name, subresource: 'binding' };
          // A server dies between two writes too.
          if (life.dead) break;
          await this.api
            .post(pods, target, { target: { name: node } })
            .catch(() => pool.release(claim.owner));
        }
        return verdicts;
      });
  }

  /** The server's ledger: what has ended gives its room back. */
  settleLedger(): void {
    const live = new Set(
      this.api
        .all<Pod>(pods)
        .filter((pod) => pod.spec.nodeName !== undefined && !isPodTerminal(pod))
        .map((pod) => `pod/${keyOf(pod)}`),
    );
    const ended = Array.from(this.#pool.claims(), ({ owner }) => owner).filter(
      (owner) => !live.has(owner),
    );
    for (const owner of ended) this.#pool.release(owner);
  }

  /** Hollow kubelets: Pods start, get ready and end; leases are renewed; silent nodes do nothing. */
  async kubelets(): Promise<void> {
    for (const name of nodeNames) if (!this.silent.has(name)) await lenient(() => this.#beat(name));
    for (const pod of this.api.all<Pod>(pods)) {
      if (this.silent.has(pod.spec.nodeName ?? '')) continue;
      const { name, deletionTimestamp } = pod.metadata;
      const target = { namespace, name };
      if (deletionTimestamp !== undefined)
        await lenient(() => this.api.delete(pods, target, { gracePeriodSeconds: 0 }));
      else if (pod.spec.nodeName !== undefined && !isPodTerminal(pod))
        await lenient(() => this.#startPod(pod));
    }
    this.settleLedger();
  }

  async #beat(name: string): Promise<void> {
    const lease = await this.api.get<Lease>(leases, { namespace: 'kube-node-lease', name });
    const renewTime = new Date(this.clock.nowMs()).toISOString();
    await this.api.update<Lease>(leases, { ...lease, spec: { ...lease.spec, renewTime } });
    const node = await this.api.get<Node>(nodes, { name });
    if (node.status.conditions?.some(({ status }) => status === 'True') !== true)
      await this.api.update<Node>(
        nodes,
        { ...node, status: { ...node.status, conditions: [ready('True')] } },
        { subresource: 'status' },
      );
  }

  async #startPod(pod: Pod): Promise<void> {
    if (pod.status.podIP === undefined && this.storm && this.random.chance(5))
      this.sick.add(pod.metadata.uid);
    const status = this.sick.has(pod.metadata.uid) ? 'False' : 'True';
    if (pod.status.conditions?.find(({ type }) => type === 'Ready')?.status === status) return;
    const podIP = pod.status.podIP ?? `10.0.${(++this.#made >> 8) & 255}.${this.#made & 255}`;
    const conditions = [
      ...(pod.status.conditions ?? []).filter(({ type }) => type !== 'Ready'),
      ready(status),
    ];
    await this.api.update<Pod>(
      pods,
      { ...pod, status: { ...pod.status, phase: 'Running', podIP, conditions } },
      { subresource: 'status' },
    );
  }

  /** True at every moment, whoever died. */
  check(): void {
    this.#pool.check();
    const used = new Map<string, number>();
    for (const pod of this.api.all<Pod>(pods)) {
      const { nodeName } = pod.spec;
      if (nodeName === undefined || isPodTerminal(pod)) continue;
      used.set(nodeName, (used.get(nodeName) ?? 0) + (podRequests(pod)['cpu'] ?? 0));
    }
    for (const [name, cpu] of used)
      assert.ok(cpu <= cpuMillis, `Node ${name} is not oversold: ${cpu}`);
  }

  stop(): void {
    this.#controllers?.die();
    this.#scheduler?.die();
  }
}

function ready(status: string) {
  return { type: 'Ready', status, lastTransitionTime: '2026-01-01T00:00:00Z' };
}

function claimOf(pod: Pod) {
  return {
    owner: `pod/${keyOf(pod)}`,
    node: pod.spec.nodeName ?? '',
    epoch: 0,
    amounts: podRequests(pod),
    ports: [],
    role: '*',
  };
}

function deployment(name: string, random: SeededRandom): object {
  const rolling = { maxSurge: random.between(0, 2), maxUnavailable: 1 };
  const strategy = random.chance(25)
    ? { type: 'Recreate' }
    : { type: 'RollingUpdate', rollingUpdate: rolling };
  const resources = { requests: { cpu: '500m' } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas: random.between(0, 6),
      selector: { matchLabels: { app: name } },
      strategy,
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 2,
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'c', image: 'i:0', resources }] },
      },
    },
    status: {},
  };
}

/** One change of mind, or one misfortune. */
async function act(world: World): Promise<void> {
  const { api, random } = world;
  const name = random.pick(appNames);
  const target = { namespace, name };
  const there = api.all<Deployment>(deployments).find(({ metadata }) => metadata.name === name);
  const change = async (edit: (spec: Deployment['spec']) => Deployment['spec']): Promise<void> => {
    if (there !== undefined)
      await api.update<Deployment>(deployments, { ...there, spec: edit(there.spec) });
  };
  const acts: readonly (() => Promise<unknown>)[] = [
    async () => {
      if (there === undefined) await world.make(deployments, deployment(name, random));
    },
    () => change((spec) => ({ ...spec, replicas: random.between(0, 6) })),
    () => change((spec) => ({ ...spec, paused: random.chance(30) })),
    () =>
      change((spec) => {
        const [container] = spec.template.spec?.containers ?? [];
        if (container === undefined || spec.template.spec === undefined) return spec;
        const containers = [{ ...container, image: `i:${random.below(4)}` }];
        const template = { ...spec.template, spec: { ...spec.template.spec, containers } };
        return { ...spec, template };
      }),
    async () => {
      const propagationPolicy = random.pick(['Background', 'Foreground'] as const);
      if (random.chance(30)) await api.delete(deployments, target, { propagationPolicy });
    },
    async () => {
      const all = api.all<Pod>(pods);
      if (all.length === 0) return;
      const pod = random.pick(all).metadata.name;
      await api.delete(pods, { namespace, name: pod }, { gracePeriodSeconds: 30 });
    },
    async () => {
      const node = random.pick(nodeNames);
      if (world.silent.size === 0) world.silent.add(node);
      else world.silent.clear();
    },
    async () => world.kill(),
    async () => world.sick.clear(),
  ];
  await lenient(random.pick(acts));
}

/** Others write too: who comes late looks again next time. */
async function lenient(action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error;
  }
}

/** Everything is as it was asked for, and nothing else is left. */
function converged(world: World): void {
  const { api } = world;
  const apps = api.all<Deployment>(deployments);
  const sets = api.all<ReplicaSet>(replicaSets);
  const all = api.all<Pod>(pods);
  const uids = new Set([...apps, ...sets].map(({ metadata }) => metadata.uid));
  for (const { metadata } of [...sets, ...all])
    assert.ok(uids.has(metadata.ownerReferences?.[0]?.uid ?? ''), `${metadata.name} has an owner`);
  for (const app of apps) {
    const { name } = app.metadata;
    const own = all.filter(({ metadata }) => metadata.labels?.['app'] === name);
    assert.equal(own.length, app.spec.replicas, `Pods of ${name}`);
    const image = app.spec.template.spec?.containers[0]?.image;
    if (app.spec.paused !== true)
      assert.ok(
        own.every(({ spec }) => spec.containers[0]?.image === image),
        `images of ${name}`,
      );
    assert.equal(app.status.availableReplicas ?? 0, app.spec.replicas, `available of ${name}`);
    assert.equal(app.status.observedGeneration, app.metadata.generation, `generation of ${name}`);
  }
  const ips = all.map(({ status }) => status.podIP ?? '').toSorted();
  const served = api
    .all<EndpointSlice>(endpointSlices)
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions.ready === true)
    .flatMap(({ addresses }) => addresses);
  assert.deepEqual(served.toSorted(), ips, 'the Services lead to all Pods and nowhere else');
}

async function simulate(seed: number): Promise<void> {
  const world = new World(seed);
  const { clock, random } = world;
  for (const name of nodeNames) {
    await world.make(nodes, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { 'kubernetes.io/hostname': name } },
      spec: {},
      status: {
        conditions: [ready('True')],
        allocatable: { cpu: '4', memory: '8Gi', pods: '110' },
      },
    });
    await world.make(leases, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace: 'kube-node-lease' },
      spec: { leaseDurationSeconds: 40 },
    });
  }
  for (const name of appNames)
    await world.make(services, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { selector: { app: name }, ports: [{ port: 80 }], clusterIP: '10.96.0.9' },
      status: { loadBalancer: {} },
    });
  for (let step = 0; step < 60; step++) {
    world.revive(400);
    await act(world);
    await clock.advance(random.pick([0, 1, 20, 500, 3000, 15_000]));
    if (random.chance(70)) await world.kubelets();
    world.check();
  }
  // The storm is over: nobody dies any more, and all nodes are back.
  world.storm = false;
  world.silent.clear();
  world.sick.clear();
  world.stop();
  world.revive(0);
  for (let calm = 0, writes = -1, round = 0; calm < 4; round++) {
    assert.ok(round < 200, 'comes to rest');
    await clock.advance(5000);
    await world.kubelets();
    world.check();
    // Leases are written for ever; anything more is work.
    const now = world.api.writes;
    calm = now - writes <= nodeNames.length ? calm + 1 : 0;
    writes = now;
  }
  converged(world);
  world.stop();
}

test('A cluster of dying processes does what it was asked for in the end', async () => {
  for (const seed of seedsFromEnvironment(10)) {
    try {
      await simulate(seed);
    } catch (cause) {
      throw new Error(`Replay with SEED=${seed}`, { cause });
    }
  }
});
