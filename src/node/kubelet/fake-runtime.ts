import type { ByteSocket, Clock } from '#base';
import { ContainerError, ImageError } from '#node/runtime';
import type {
  Container,
  ContainerSpec,
  ContainerStats,
  ExecResult,
  Image,
  Images,
  Machine,
  Process,
  ResourceLimits,
  Runtime,
  Sandbox,
  SandboxSpec,
} from '#node/runtime';

/** How a container behaves: when it ends by itself and how it takes SIGTERM. */
export interface Program {
  /** Undefined: runs until it is ended. */
  readonly exitAfterMs?: number | undefined;
  readonly exitCode?: number | undefined;
  /** Time from SIGTERM to the end; undefined: deaf. */
  readonly termMs?: number | undefined;
  readonly exec?: ((command: readonly string[]) => ExecResult) | undefined;
  readonly startError?: string | undefined;
}
export interface FakeRuntimeOptions {
  readonly clock: Clock;
  /** Behaviour by container; runs for ever and ends 10 ms after SIGTERM unless told otherwise. */
  readonly program?: (spec: ContainerSpec) => Program;
  readonly images?: readonly string[];
  /** References that a pull brings. */
  readonly registry?: readonly string[];
  readonly pullMs?: number;
}

/**
 * A machine in memory that behaves as a real one: things take time, a name runs once, what runs
 * outlives the agent. Throws on misuse, so that a worker's mistakes show.
 */
export class FakeRuntime implements Runtime {
  readonly name = 'fake';
  readonly version = '1';
  readonly images: Images;
  readonly #clock: Clock;
  readonly #program: (spec: ContainerSpec) => Program;
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #containers = new Map<string, Container>();
  readonly #listeners = new Set<(container: Container) => void>();
  readonly starts: string[] = [];
  /** Whose limits were changed in place, in order. */
  readonly updates: string[] = [];
  #made = 0;
  memoryAvailableBytes = 4 * 2 ** 30;
  stats: (spec: ContainerSpec) => ContainerStats | undefined = () => undefined;
  /** What tests change of the machine. */
  facts: Partial<Machine> = {};

  constructor(options: FakeRuntimeOptions) {
    this.#clock = options.clock;
    this.#program = options.program ?? (() => ({}));
    this.images = new FakeImages(options);
  }

  async createSandbox(spec: SandboxSpec, signal: AbortSignal): Promise<Sandbox> {
    await this.#clock.sleep(3);
    signal.throwIfAborted();
    for (const { state, spec: other } of this.#sandboxes.values())
      if (state === 'ready' && other.podUid === spec.podUid)
        throw new Error(`Pod ${spec.podUid} has a ready sandbox already`);
    const id = `s${++this.#made}`;
    const ip = spec.hostNetwork ? '' : `10.1.0.${this.#made % 250}`;
    const sandbox: Sandbox = { id, spec, state: 'ready', ip, createdMs: this.#clock.nowMs() };
    this.#sandboxes.set(id, sandbox);
    return sandbox;
  }

  async stopSandbox(id: string): Promise<void> {
    await this.#clock.sleep(1);
    for (const { sandboxId, state } of this.#containers.values())
      if (sandboxId === id && state === 'running') throw new Error(`Sandbox ${id} is in use`);
    const sandbox = this.#sandboxes.get(id);
    if (sandbox !== undefined) this.#sandboxes.set(id, { ...sandbox, state: 'notReady' });
  }

  async removeSandbox(id: string): Promise<void> {
    for (const { sandboxId } of this.#containers.values())
      if (sandboxId === id) throw new Error(`Sandbox ${id} still has containers`);
    this.#sandboxes.delete(id);
  }

  sandboxes(): readonly Sandbox[] {
    return [...this.#sandboxes.values()];
  }

  async createContainer(sandboxId: string, spec: ContainerSpec): Promise<Container> {
    await this.#clock.sleep(2);
    if (this.#sandboxes.get(sandboxId)?.state !== 'ready')
      throw new ContainerError('CreateContainerError', `sandbox ${sandboxId} is not ready`);
    for (const other of this.#containers.values())
      if (
        other.sandboxId === sandboxId &&
        other.spec.name === spec.name &&
        (other.state !== 'exited' || other.spec.attempt === spec.attempt)
      )
        throw new Error(`Container ${spec.name} of ${sandboxId} is there already`);
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
    this.#containers.set(container.id, container);
    return container;
  }

  async startContainer(id: string): Promise<void> {
    await this.#clock.sleep(2);
    const container = this.#containers.get(id);
    if (container?.state !== 'created') throw new Error(`Container ${id} cannot start`);
    const program = this.#program(container.spec);
    if (program.startError !== undefined) {
      this.#end(id, { exitCode: 128, message: program.startError, started: false });
      throw new ContainerError('RunContainerError', program.startError);
    }
    this.starts.push(`${container.spec.name}/${container.spec.attempt}`);
    this.#set({ ...container, state: 'running', startedMs: this.#clock.nowMs(), pid: this.#made });
    if (program.exitAfterMs !== undefined)
      this.#clock.after(program.exitAfterMs, () => this.end(id, program.exitCode ?? 0));
  }

  async stopContainer(id: string, options: { graceMs: number }): Promise<void> {
    const container = this.#containers.get(id);
    if (container === undefined || container.state === 'exited') return;
    if (container.state === 'created') {
      this.end(id, 137);
      return;
    }
    const { termMs = 10 } = this.#program(container.spec);
    const heeds = termMs < options.graceMs;
    await this.#clock.sleep(heeds ? termMs : options.graceMs);
    this.end(id, heeds ? 143 : 137);
  }

  async removeContainer(id: string): Promise<void> {
    const container = this.#containers.get(id);
    if (container?.state === 'running') throw new Error(`Container ${id} runs`);
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

  /** Ends a running container as the kernel would see it. */
  end(id: string, exitCode: number, options: { readonly oomKilled?: boolean } = {}): void {
    this.#end(id, { exitCode, message: '', started: true, ...options });
  }

  #end(
    id: string,
    how: { exitCode: number; message: string; started: boolean; oomKilled?: boolean },
  ): void {
    const container = this.#containers.get(id);
    if (container === undefined || container.state === 'exited') return;
    this.#set({
      ...container,
      state: 'exited',
      exitCode: how.exitCode,
      message: how.message,
      oomKilled: how.oomKilled ?? false,
      finishedMs: this.#clock.nowMs(),
      pid: undefined,
    });
  }

  #set(container: Container): void {
    this.#containers.set(container.id, container);
    for (const listener of this.#listeners) listener(container);
  }

  async signalContainer(id: string): Promise<boolean> {
    return this.#containers.get(id)?.state === 'running';
  }

  async execSync(
    id: string,
    options: { command: readonly string[]; timeoutMs: number },
  ): Promise<ExecResult> {
    const container = this.#containers.get(id);
    if (container?.state !== 'running') throw new Error(`container ${id} is not running`);
    const answer = this.#program(container.spec).exec?.(options.command);
    await this.#clock.sleep(answer?.timedOut === true ? options.timeoutMs : 1);
    return answer ?? { exitCode: 0, output: new Uint8Array(), timedOut: false };
  }

  async exec(_id: string, options: { readonly command: readonly string[] }): Promise<Process> {
    return echoProcess(options.command);
  }

  async attach(): Promise<Process> {
    return echoProcess(['cat']);
  }

  async dial(): Promise<ByteSocket> {
    throw new Error('connection refused');
  }

  logPath(id: string): string {
    return `/logs/${id}.log`;
  }

  async rotateLog(): Promise<void> {
    await this.#clock.sleep(1);
  }

  async containerStats(id: string): Promise<ContainerStats | undefined> {
    const container = this.#containers.get(id);
    return container === undefined ? undefined : this.stats(container.spec);
  }

  async updateResources(id: string, resources: ResourceLimits): Promise<void> {
    await this.#clock.sleep(1);
    const container = this.#containers.get(id);
    if (container?.state !== 'running') throw new Error(`Container ${id} is not running`);
    const { spec } = container;
    const changed = { ...spec, resources: { ...spec.resources, ...resources } };
    this.#containers.set(id, { ...container, spec: changed });
    this.updates.push(spec.name);
  }

  async updateSandboxResources(id: string, resources: ResourceLimits): Promise<void> {
    await this.#clock.sleep(1);
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined) throw new Error(`Cannot find sandbox ${id}`);
    this.#sandboxes.set(id, { ...sandbox, spec: { ...sandbox.spec, resources } });
    this.updates.push('pod');
  }

  async machine(): Promise<Machine> {
    return {
      cpuMillis: 4000,
      memoryBytes: 8 * 2 ** 30,
      memoryAvailableBytes: this.memoryAvailableBytes,
      cpuNanos: 0,
      filesystemBytes: 100 * 2 ** 30,
      filesystemAvailableBytes: 80 * 2 ** 30,
      filesystemInodes: 1_000_000,
      filesystemInodesFree: 900_000,
      pidsMax: 32_768,
      pids: 300,
      apparmorProfiles: undefined,
      selinux: false,
      kernelVersion: '6.1',
      osImage: 'Simulated',
      machineId: 'm',
      systemUuid: 'u',
      bootId: 'b',
      architecture: 'amd64',
      ...this.facts,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.clear();
  }
}

/** What is written to stdin comes back on stdout; `exit N` ends with N. */
function echoProcess(command: readonly string[]): Process {
  const queue: Uint8Array[] = [];
  let wake: () => void = () => undefined;
  let open = true;
  let done: (code: number) => void = () => undefined;
  const exited = new Promise<number>((resolve) => {
    done = resolve;
  });
  const finish = (): void => {
    open = false;
    wake();
    done(command[0] === 'exit' ? Number(command[1]) : 0);
  };
  async function* read(): AsyncGenerator<Uint8Array> {
    while (open || queue.length > 0) {
      const next = queue.shift();
      if (next !== undefined) yield next;
      else if (open)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  }
  if (command[0] === 'exit') finish();
  return {
    stdin: {
      write: (chunk) => {
        queue.push(chunk);
        wake();
        return true;
      },
      drained: () => Promise.resolve(),
      end: finish,
    },
    stdout: read(),
    stderr: undefined,
    resize: () => Promise.resolve(),
    exited,
    close: finish,
  };
}

class FakeImages implements Images {
  readonly #clock: Clock;
  readonly #pullMs: number;
  readonly #images = new Map<string, Image>();
  readonly #registry: ReadonlySet<string>;

  constructor(options: FakeRuntimeOptions) {
    this.#clock = options.clock;
    this.#pullMs = options.pullMs ?? 200;
    this.#registry = new Set(options.registry ?? []);
    for (const name of options.images ?? ['app']) this.#images.set(name, image(name, true));
  }

  async resolve(reference: string): Promise<Image | undefined> {
    if (!/^[a-z0-9./:@_-]+$/.test(reference))
      throw new ImageError('InvalidImageName', 'invalid reference format');
    return this.#images.get(reference);
  }

  async pull(reference: string, options: { readonly signal: AbortSignal }): Promise<Image> {
    await this.#clock.sleep(this.#pullMs, options.signal);
    if (!this.#registry.has(reference))
      throw new ImageError('ErrImagePull', `failed to resolve reference "${reference}": not found`);
    const pulled = image(reference, false);
    this.#images.set(reference, pulled);
    return pulled;
  }

  async load(): Promise<readonly Image[]> {
    return [];
  }

  async list(): Promise<readonly Image[]> {
    return [...this.#images.values()];
  }

  async remove(reference: string): Promise<void> {
    this.#images.delete(reference);
  }

  async usage(): ReturnType<Images['usage']> {
    return { usedBytes: 0, capacityBytes: 100, availableBytes: 80, inodes: 100, inodesFree: 90 };
  }
}

function image(name: string, loaded: boolean): Image {
  return {
    id: `sha256:${name}`,
    names: [name],
    digests: [`${name}@sha256:1`],
    bytes: 1000,
    loaded,
    config: {
      user: '',
      env: [],
      entrypoint: ['/app'],
      cmd: [],
      workingDir: '/',
      stopSignal: undefined,
      volumes: [],
    },
  };
}
