/**
 * A whole cluster for Mesos in one process: the server (store, API, pool, ledger, master) over a disk
 * with faults, agents (kubelet and Mesos agent) over machines in memory, calls between them over a
 * network that takes its time. Everybody may die at any moment, and another begins from what lasts.
 *
 * Not real are: the disk, the containers, the nodes' files, sockets and HTTP between the parts. The
 * Kubernetes scheduler and the controllers do not run.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { silentLogger, type Logger } from '#base';
import { createInformer } from '#client';
import { createAuthority, issueCertificate } from '#io';
import {
  builtinKinds,
  groupFacts,
  kindFacts,
  pods,
  serviceAccounts,
  typeTables,
  type Pod,
} from '#kube/kinds';
import { createKubeServer, systemUser, type KubeServer } from '#kube/server';
import { StatusError, createScheme, type Api } from '#machinery';
import { mesosKinds, mesosTypeTables, tasks as taskKind, type Task } from '#mesos/kinds';
import { createMarathon, type Marathon } from '#mesos/marathon';
import { createMaster, type Master } from '#mesos/master';
import { inProcessRequest } from '#mesos/protocol';
import { createExecutors, type Executors } from '#node/executors';
import { FakeSandboxFiles, fakeFetchTools } from '#node/executors/fakes';
import { PodRefused, createKubelet, type Kubelet } from '#node/kubelet';
import { FakeFiles, FakeRuntime, type Program } from '#node/kubelet/fakes';
import type { Container, ContainerSpec, Runtime } from '#node/runtime';
import { createPool, type Pool } from '#pool';
import { LogStore } from '#store';
import { createCodec } from '#wire';
import { createSimClock, type SimClock } from './clock.ts';
import { FaultyDisk } from './faulty-disk.ts';
import { Doom, counted, mortal, mortalClock } from './mortal.ts';
import { seededRandom, type SeededRandom } from './random.ts';

const life = { notBeforeMs: Date.UTC(2025, 0, 1), notAfterMs: Date.UTC(2035, 0, 1) };
const authority = createAuthority('tandem-sim', life);
const kubeletClient = issueCertificate(authority, {
  ...life,
  subject: { commonName: 'apiserver', organizations: [] },
  usages: ['clientAuth'],
});
const serviceAccountKeyPem = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();
const pki = { authority, kubeletClient, serviceAccountKeyPem };

const tables: typeof typeTables = {
  type: (name) => typeTables.type(name) ?? mesosTypeTables.type(name),
};
const scheme = createScheme({
  kinds: [...builtinKinds, ...mesosKinds],
  codec: createCodec(tables),
  tables,
  groupOrder: groupFacts.map(({ group, preferred, versions }) => ({
    group,
    preferred,
    versions: versions.map(({ version }) => version),
  })),
  bodyTypes: kindFacts.map(({ group, version, kind, type }) => ({
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind,
    type,
  })),
});

const version = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.2',
  gitCommit: '',
  gitTreeState: '',
  buildDate: '',
  goVersion: '',
  compiler: '',
  platform: '',
};

/** With TRACE set, what the parts say is told. */
function loggerOf(world: World, who: string): Logger {
  if (process.env['TRACE'] === undefined) return silentLogger;
  const say = (text: string, fields: unknown): void =>
    console.error(`${world.clock.monotonicMs()} ${who}: ${text}`, fields ?? '');
  const logger: Logger = { debug: say, info: say, warn: say, error: say, with: () => logger };
  return logger;
}

/** One life of the server process. */
export class Server {
  readonly dead = new AbortController();
  readonly doom = new Doom();
  readonly pool: Pool = createPool();
  readonly kube: KubeServer;
  readonly master: Master;
  readonly marathon: Marathon;
  readonly #store: LogStore;
  ready = false;

  constructor(world: World) {
    const { signal } = this.dead;
    const clock = mortalClock(world.clock, signal);
    const logger = loggerOf(world, 'server');
    const common = { clock, random: world.random.fork(), logger };
    const living = <T extends object>(target: T): T =>
      counted(mortal(target, signal), this.doom.count);
    const backend = living(world.disk.open());
    this.#store = new LogStore({ backend, clock, logger });
    this.kube = createKubeServer({
      ...common,
      store: this.#store,
      pool: this.pool,
      scheme,
      version,
      pki,
      issuer: 'https://kubernetes.default.svc.cluster.local',
      serviceRange: '10.96.0.0/16',
      advertise: { address: '192.0.2.1', port: 6443 },
      bootstrapToken: { id: 'abcdef', secret: '0123456789abcdef' },
      backend: { [Symbol.asyncDispose]: async () => undefined } as never,
    });
    this.master = createMaster({
      ...common,
      api: living(this.kube.apiFor(systemUser)),
      createInformer,
      pool: this.pool,
      doors: living(this.kube),
      address: { hostname: 'master.example', ip: '127.0.0.1', port: 5050 },
      version: '1.11.0',
      agentPort: 5051,
    });
    this.marathon = createMarathon({
      ...common,
      api: living(this.kube.apiFor(systemUser)),
      createInformer,
      writer: living(this.kube),
      link: living(this.master.link),
      net: { http: neverAnswers, tcp: neverAnswers },
      address: { hostname: 'localhost', port: 8080 },
    });
  }

  async run(world: World): Promise<void> {
    await this.kube.start();
    if (this.dead.signal.aborted) return;
    this.kube.reader.onChange(taskKind, ({ object }) => world.sawTask(object));
    for (const task of this.kube.reader.list(taskKind)) world.sawTask(task);
    this.ready = true;
    await Promise.all([
      this.master.run(this.dead.signal),
      ...(world.withMarathon ? [this.marathon.run(this.dead.signal)] : []),
    ]);
  }

  get alive(): boolean {
    return this.ready && !this.dead.signal.aborted;
  }
}

function broken(): StatusError {
  return new StatusError('ServiceUnavailable', 'the connection broke');
}

/** Rejects when the signal aborts; for races. */
function whenDead(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = (): void => reject(broken());
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/** A call to whichever server lives: it takes its time both ways, and breaks when that one dies. */
export async function overNetwork<T>(
  world: World,
  action: (server: Server) => Promise<T>,
  cable: AbortSignal = whole,
): Promise<T> {
  await world.clock.sleep(world.random.below(4));
  const { server } = world;
  if (!server.alive || cable.aborted) throw broken();
  const result = await Promise.race([action(server), whenDead(server.dead.signal)]);
  await world.clock.sleep(world.random.below(4));
  // Done, and nobody hears of it.
  if (!server.alive || cable.aborted || world.random.chance(world.flakyPercent)) throw broken();
  return result;
}

const whole = new AbortController().signal;

/** `cable` gives the one that is plugged in just now; it aborts when it is pulled out. */
function apiOverNetwork(world: World, cable: () => AbortSignal): Api {
  const user = systemUser;
  const call = <T>(action: (api: Api) => Promise<T>): Promise<T> =>
    overNetwork(world, ({ kube }) => action(kube.apiFor(user)), cable());
  return {
    get: (resource, target) => call((api) => api.get(resource, target)),
    list: (resource, options) => call((api) => api.list(resource, options)),
    create: (resource, object, options) => call((api) => api.create(resource, object, options)),
    update: (resource, object, options) => call((api) => api.update(resource, object, options)),
    patch: (resource, target, patch) => call((api) => api.patch(resource, target, patch)),
    delete: (resource, target, options) => call((api) => api.delete(resource, target, options)),
    post: (resource, target, body) => call((api) => api.post(resource, target, body)),
    async *watch(resource, options) {
      await world.clock.sleep(world.random.below(4));
      const { server } = world;
      const plugged = cable();
      if (!server.alive || plugged.aborted) throw broken();
      const signal = AbortSignal.any([options.signal, server.dead.signal, plugged]);
      for await (const batch of server.kube.apiFor(user).watch(resource, { ...options, signal })) {
        await world.clock.sleep(world.random.below(4));
        if (signal.aborted || world.random.chance(world.flakyPercent)) return;
        yield batch;
      }
    },
  };
}

/** One life of a node's agent. */
class Agent {
  readonly dead = new AbortController();
  readonly doom = new Doom();
  readonly kubelet: Kubelet;
  readonly executors: Executors;

  constructor(world: World, machine: Machine) {
    const { signal } = this.dead;
    const { name, ip } = machine;
    const clock = mortalClock(world.clock, signal);
    const living = <T extends object>(target: T): T =>
      counted(mortal(target, signal), this.doom.count);
    const api = living(apiOverNetwork(world, () => machine.cable.signal));
    const runtime = counted(mortalRuntime(machine.runtime, signal), this.doom.count);
    const net = { http: neverAnswers, tcp: neverAnswers, grpc: neverAnswers };
    const common = { api, runtime, net, clock, logger: loggerOf(world, name), createInformer };
    this.executors = createExecutors({
      ...common,
      random: world.random.fork(),
      files: living(machine.sandboxFiles),
      fetchTools: fakeFetchTools(machine.sandboxFiles),
      nodeName: name,
      nodeIp: ip,
      hostname: ip,
      port: 5051,
      dataDir: '/agent',
      version: '1.11.0',
      refuse: (reason, message) => new PodRefused(reason, message),
    });
    this.kubelet = createKubelet({
      ...common,
      random: world.random.fork(),
      recorder: { event: () => undefined },
      files: living(machine.files),
      nodeName: name,
      nodeIp: ip,
      version: 'v1.36.2',
      clusterDns: '10.96.0.10',
      clusterDomain: 'cluster.local',
      dirs: { pods: '/pods', memory: '/memory', logs: '/logs' },
      resolvConf: '',
      authorize: () => true,
      extension: this.executors.extension,
    });
    for (const loop of [this.executors.run(signal), this.kubelet.run(signal)])
      loop.catch((error: unknown) => {
        if (!signal.aborted) world.problems.push(error);
      });
  }
}

/** Nobody of a dead process listens. */
function mortalRuntime(runtime: FakeRuntime, dead: AbortSignal): Runtime {
  return new Proxy(mortal(runtime, dead), {
    get(on, name) {
      if (name !== 'onChange') return Reflect.get(on, name, on);
      return (listener: (container: Container) => void) =>
        runtime.onChange((container) => {
          if (!dead.aborted) listener(container);
        });
    },
  });
}

const neverAnswers = (): Promise<never> => new Promise<never>(() => undefined);

/** A machine: containers and files outlive its agent. */
export class Machine {
  readonly name: string;
  readonly ip: string;
  readonly runtime: FakeRuntime;
  readonly files = new FakeFiles();
  readonly sandboxFiles = new FakeSandboxFiles();
  agent: Agent | undefined;
  /** To the server. */
  cable = new AbortController();
  readonly #world: World;

  constructor(world: World, number: number) {
    this.#world = world;
    this.name = `n${number}`;
    this.ip = `192.168.0.${number}`;
    this.runtime = new FakeRuntime({ clock: world.clock, program: programOf });
    this.runtime.onChange((container) => world.containerChanged(this, container));
  }

  start(): void {
    this.agent = new Agent(this.#world, this);
  }
  crash(): void {
    this.agent?.dead.abort();
    this.agent = undefined;
  }
  unplug(): void {
    this.cable.abort();
  }
  plug(): void {
    this.cable = new AbortController();
  }
  running(): readonly Container[] {
    return this.runtime.containers().filter(({ state }) => state === 'running');
  }
}

/** What a task was told to do: the last word, whatever runs it. */
export function scriptOf({ command, args }: ContainerSpec): string {
  return [...command, ...args].at(-1) ?? '';
}

/** `run 500 3`: ends after 500 ms with 3; `deaf`: has no ear for SIGTERM; anything else runs on. */
function programOf(spec: ContainerSpec): Program {
  const [verb, ms, code] = scriptOf(spec).split(' ');
  if (verb === 'run') return { exitAfterMs: Number(ms), exitCode: Number(code), termMs: 30 };
  return { termMs: verb === 'deaf' ? 1e9 : 30 };
}

/** Where a task's updates stand, as the store had them. */
export interface Emitted {
  readonly uuids: string[];
  readonly states: string[];
}

export class World {
  readonly clock: SimClock = createSimClock();
  readonly random: SeededRandom;
  readonly disk: FaultyDisk;
  readonly machines: readonly Machine[];
  server: Server;
  withMarathon = false;
  /** Of calls of agents and frameworks whose answer is lost on its way. */
  flakyPercent = 0;
  /** What no part may ever say. */
  readonly problems: unknown[] = [];
  /** By task id. */
  readonly emitted = new Map<string, Emitted>();
  /** Containers that ran, by `<pod uid>/<container>`. */
  readonly #starts = new Map<string, Set<string>>();
  onContainer: (machine: Machine, container: Container) => void = () => undefined;
  onServerDead: () => void = () => undefined;

  constructor(seed: number, nodes = 2) {
    this.random = seededRandom(seed);
    this.disk = new FaultyDisk(this.clock, this.random.fork());
    this.server = new Server(this);
    this.machines = Array.from({ length: nodes }, (_, at) => new Machine(this, at + 1));
  }

  async start(): Promise<void> {
    await this.startServer();
    for (const machine of this.machines) machine.start();
    await this.until('the nodes are registered', () =>
      this.machines.every(({ name }) => this.server.kube.reader.get(nodesResource, name)),
    );
    // What a controller would make.
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
    const metadata = { ...account.metadata, namespace: 'default' };
    const api = this.server.kube.apiFor(systemUser);
    let made = false;
    void api.create(serviceAccounts, { ...account, metadata }).then(() => {
      made = true;
    });
    await this.until('there is a service account', () => made);
  }

  async startServer(): Promise<void> {
    this.server = new Server(this);
    const { server } = this;
    server.run(this).catch((error: unknown) => {
      if (!server.dead.signal.aborted) this.problems.push(error);
    });
    await this.until('the server is ready', () => server.ready && server.master.recovered);
  }

  killServer(): void {
    if (this.server.dead.signal.aborted) return;
    this.server.dead.abort();
    this.disk.crash();
    this.onServerDead();
  }

  async until(what: string, check: () => unknown): Promise<void> {
    for (let turn = 0; turn < 20_000; turn++) {
      this.complain();
      if (check()) return;
      await this.clock.advance(1);
    }
    assert.fail(`Never: ${what}`);
  }

  complain(): void {
    const [first] = this.problems;
    if (first !== undefined) throw first;
  }

  sawTask(task: Task | undefined): void {
    if (task === undefined) return;
    const { taskID } = task.spec;
    const seen = this.emitted.get(taskID) ?? { uuids: [], states: [] };
    this.emitted.set(taskID, seen);
    for (const { uuid, state } of task.status.updates ?? [])
      if (uuid !== undefined && !seen.uuids.includes(uuid)) {
        seen.uuids.push(uuid);
        seen.states.push(state);
      }
  }

  containerChanged(machine: Machine, container: Container): void {
    const { spec, id, state } = container;
    if (state === 'running') {
      const key = `${spec.labels['io.kubernetes.pod.uid']}/${spec.name}`;
      const ran = this.#starts.get(key) ?? new Set();
      this.#starts.set(key, ran.add(id));
      if (ran.size > 1) this.problems.push(new Error(`Container ${key} ran twice`));
    }
    this.onContainer(machine, container);
  }

  tasks(): readonly Task[] {
    return this.server.kube.reader.list(taskKind);
  }
  pods(): readonly Pod[] {
    return this.server.kube.reader.list(pods);
  }
  startsOf(task: Task): number {
    const pod = this.pods().find(
      ({ metadata }) =>
        metadata.name === task.spec.podName && metadata.namespace === task.metadata.namespace,
    );
    return this.#starts.get(`${pod?.metadata.uid}/${task.spec.container}`)?.size ?? 0;
  }

  /** True at every moment at which there is a server. */
  check(): void {
    this.complain();
    for (const { agent } of this.machines) {
      agent?.kubelet.check();
      agent?.executors.check();
    }
    const { server } = this;
    if (!server.alive) return;
    server.kube.check();
    if (server.master.recovered) server.master.check();
    server.marathon.check();
    for (const { name } of this.machines) this.#checkNode(name);
  }

  #checkNode(name: string): void {
    const { pool } = this.server;
    let cpu = 0;
    for (const { amounts } of pool.claimsOn(name)) cpu += amounts['cpu'] ?? 0;
    const story = pool.claimsOn(name).map(({ owner, amounts }) => `${owner} ${amounts['cpu']}`);
    assert(cpu <= 4000, `Node ${name} is oversold: ${cpu}, ${story.join(', ')}`);
  }

  async stop(): Promise<void> {
    for (const machine of this.machines) machine.crash();
    this.server.dead.abort();
    await this.clock.settle();
  }
}

const nodesResource = {
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  namespaced: false,
} as const;

/** Everything that is loaded late is loaded: no seed replays what takes real time. */
export async function warmUp(): Promise<void> {
  const world = new World(0, 1);
  world.withMarathon = true;
  let warm = false;
  void (async () => {
    await world.start();
    const face = world.machines[0]?.agent?.executors.face;
    const bad = { path: '/api/v1/executor', method: 'POST', body: '{}' };
    const headers = { 'content-type': 'application/json' };
    await face?.(inProcessRequest({ ...bad, headers }));
    const asked = world.server.marathon.face(inProcessRequest({ path: '/v2/apps' }));
    let answered = false;
    void asked.finally(() => {
      answered = true;
    });
    while (!answered) await world.clock.advance(1);
    warm = true;
  })();
  for (let turn = 0; !warm && turn < 100_000; turn++) await world.clock.settle();
  await world.stop();
}
