import type { ByteSocket, Clock } from '#base';
import type { Pod } from '#kube/kinds';
import type {
  Container,
  ContainerSpec,
  ContainerStats,
  ExecResult,
  Images,
  Machine,
  Process,
  Runtime,
  Sandbox,
  SandboxSpec,
} from '#node/runtime';
import { containerLabels } from './names.ts';
import { plainSecurity } from './nested/settings.ts';
import type { ExecutorsExtension } from './options.ts';

/** How a container behaves; by default it runs for ever and ends 10 ms after SIGTERM. */
export interface Behaviour {
  readonly exitAfterMs?: number;
  readonly exitCode?: number;
  /** From SIGTERM to the end; undefined: deaf to it. */
  readonly termMs?: number | undefined;
  readonly exec?: (command: readonly string[]) => ExecResult;
  readonly oomKilled?: boolean;
}

export class RefusedInTest extends Error {
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** A runtime and the little of a kubelet that tasks need, in memory: containers outlive the agent. */
export class FakeMachine implements Runtime {
  readonly name = 'fake';
  readonly version = '1';
  readonly images: Images;
  readonly #clock: Clock;
  readonly #containers = new Map<string, Container>();
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #listeners = new Set<(container: Container) => void>();
  readonly #busy = new Set<string>();
  behaviour: (spec: ContainerSpec) => Behaviour = () => ({});
  /** `<pod>/<container>` of everything that was ever started. */
  readonly started: string[] = [];
  readonly refused: string[] = [];
  #made = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    const none = (): Promise<never> => Promise.reject(new Error('no images here'));
    this.images = {
      resolve: async () => undefined,
      pull: none,
      load: none,
      list: async () => [],
      remove: none,
      usage: none,
    };
  }

  /** What the kubelet does with a Pod that is bound here: once for each of its containers. */
  async launch(pod: Pod, extension: ExecutorsExtension, dead: AbortSignal): Promise<void> {
    const { uid, name, namespace = '' } = pod.metadata;
    if (this.#busy.has(uid)) return;
    this.#busy.add(uid);
    try {
      await extension.prepare(pod, dead);
      const sandboxId = `s-${uid}`;
      if (!this.#sandboxes.has(sandboxId))
        this.#sandboxes.set(sandboxId, fakeSandbox(sandboxId, pod, this.#clock.nowMs()));
      for (const container of pod.spec.containers) {
        if (this.#find(uid, container.name) !== undefined || dead.aborted) continue;
        if (extension.forbids(pod, container.name) !== undefined) continue;
        try {
          await extension.prepareContainer(pod, container.name, dead);
          const plain = fakeSpec(container.name, {
            [containerLabels.uid]: uid,
            [containerLabels.name]: name,
            [containerLabels.namespace]: namespace,
          });
          const spec = await extension.containerSpec(pod, plain);
          if (dead.aborted) return;
          const made = await this.createContainer(sandboxId, spec);
          await this.startContainer(made.id);
        } catch (error) {
          if (dead.aborted || !(error instanceof RefusedInTest)) throw error;
          this.refused.push(`${name}/${container.name}: ${error.reason}`);
        }
      }
    } finally {
      this.#busy.delete(uid);
    }
  }

  #find(uid: string, name: string): Container | undefined {
    return [...this.#containers.values()].find(
      ({ spec }) => spec.labels[containerLabels.uid] === uid && spec.name === name,
    );
  }

  async createContainer(sandboxId: string, spec: ContainerSpec): Promise<Container> {
    await this.#clock.sleep(2);
    const container: Container = {
      id: `c${++this.#made}`,
      sandboxId,
      spec,
      state: 'created',
      createdMs: this.#clock.nowMs(),
      startedMs: undefined,
      finishedMs: undefined,
      exitCode: undefined,
      exitSignal: undefined,
      oomKilled: false,
      message: '',
      pid: undefined,
      uid: 0,
    };
    this.#set(container);
    return container;
  }

  async startContainer(id: string): Promise<void> {
    await this.#clock.sleep(2);
    const container = this.#containers.get(id);
    if (container === undefined) return;
    this.started.push(`${container.spec.labels[containerLabels.name]}/${container.spec.name}`);
    const { exitAfterMs, exitCode = 0, oomKilled } = this.behaviour(container.spec);
    this.#set({ ...container, state: 'running', startedMs: this.#clock.nowMs(), pid: this.#made });
    if (exitAfterMs !== undefined)
      this.#clock.after(exitAfterMs, () => this.end(id, exitCode, oomKilled));
  }

  end(id: string, exitCode: number, oomKilled = false): void {
    const container = this.#containers.get(id);
    if (container === undefined || container.state === 'exited') return;
    const finishedMs = this.#clock.nowMs();
    this.#set({ ...container, state: 'exited', exitCode, oomKilled, finishedMs, pid: undefined });
  }

  async stopContainer(id: string, options: { graceMs: number }): Promise<void> {
    const container = this.#containers.get(id);
    if (container === undefined) return;
    const behaviour = this.behaviour(container.spec);
    const deaf = 'termMs' in behaviour && behaviour.termMs === undefined;
    const termMs = behaviour.termMs ?? 10;
    const heeds = !deaf && termMs < options.graceMs;
    await this.#clock.sleep(heeds ? termMs : options.graceMs);
    this.end(id, heeds ? 143 : 137);
  }

  async signalContainer(id: string, signal: number): Promise<boolean> {
    if (this.#containers.get(id)?.state !== 'running') return false;
    this.end(id, 128 + signal);
    return true;
  }

  async removeContainer(id: string): Promise<void> {
    this.#containers.delete(id);
  }
  containers(): readonly Container[] {
    return [...this.#containers.values()];
  }
  container(id: string): Container | undefined {
    return this.#containers.get(id);
  }
  onChange(listener: (container: Container) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
  /** The agent has died: nobody listens any more. */
  agentDied(): void {
    this.#listeners.clear();
  }
  #set(container: Container): void {
    this.#containers.set(container.id, container);
    for (const listener of this.#listeners) listener(container);
  }

  async execSync(id: string, options: { command: readonly string[] }): Promise<ExecResult> {
    const container = this.#containers.get(id);
    if (container?.state !== 'running') throw new Error(`container ${id} is not running`);
    await this.#clock.sleep(1);
    const answer = this.behaviour(container.spec).exec?.(options.command);
    return answer ?? { exitCode: 0, output: new Uint8Array(), timedOut: false };
  }

  sandboxes(): readonly Sandbox[] {
    return [...this.#sandboxes.values()];
  }
  createSandbox(): Promise<Sandbox> {
    return unused();
  }
  async stopSandbox(): Promise<void> {}
  async removeSandbox(): Promise<void> {}
  exec(): Promise<Process> {
    return unused();
  }
  attach(): Promise<Process> {
    return unused();
  }
  dial(): Promise<ByteSocket> {
    return Promise.reject(new Error('connection refused'));
  }
  logPath(id: string): string {
    return `/logs/${id}.log`;
  }
  async rotateLog(): Promise<void> {}
  stats: ContainerStats | undefined;
  async containerStats(): Promise<ContainerStats | undefined> {
    return this.stats;
  }
  machine(): Promise<Machine> {
    return unused();
  }
  async updateResources(): Promise<void> {}
  async updateSandboxResources(): Promise<void> {}
  async [Symbol.asyncDispose](): Promise<void> {}
}

function unused(): Promise<never> {
  return Promise.reject(new Error('not needed here'));
}

function fakeSandbox(id: string, pod: Pod, createdMs: number): Sandbox {
  const { uid, name, namespace = '' } = pod.metadata;
  const spec: SandboxSpec = {
    podName: name,
    podNamespace: namespace,
    podUid: uid,
    attempt: 0,
    hostname: name,
    hostNetwork: true,
    hostPid: false,
    hostIpc: false,
    sharePid: false,
    dns: { servers: [], searches: [], options: [] },
    sysctls: {},
    hostAliases: [],
    labels: {},
    annotations: {},
    resources: {},
    qosClass: 'Burstable',
  };
  return { id, spec, state: 'ready', ip: '', createdMs };
}

function fakeSpec(name: string, labels: Readonly<Record<string, string>>): ContainerSpec {
  return {
    name,
    attempt: 0,
    imageId: undefined,
    command: ['/bin/sh', '-c', 'true'],
    args: [],
    workingDir: '',
    env: [],
    mounts: [],
    devices: [],
    resources: { memoryBytes: 32 * 2 ** 20 },
    security: plainSecurity,
    tty: false,
    stdin: false,
    stdinOnce: false,
    logPath: `/logs/${labels[containerLabels.name]}/${name}/0.log`,
    labels,
    annotations: {},
    stopSignal: undefined,
  };
}
