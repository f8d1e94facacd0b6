import { readFileSync, statSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { watch } from 'node:fs';
import type { ByteSocket } from '#base';
import type { RuntimeOptions } from '../options.ts';
import { openImages, type ImageStore } from '../images/images.ts';
import {
  ContainerError,
  type Container,
  type ContainerSpec,
  type ContainerStats,
  type ExecOptions,
  type ExecResult,
  type ExecSyncOptions,
  type Machine,
  type Process,
  type ResourceLimits,
  type Runtime,
  type Sandbox,
  type SandboxSpec,
  type StreamOptions,
} from '../runtime.ts';
import { boundingSet } from './capabilities.ts';
import { Cgroups } from './cgroups.ts';
import { run } from './command.ts';
import { control } from './conmon.ts';
import { Containers, newContainerId, type ContainerPlace } from './containers.ts';
import { attachStreams, execStreams, execSync, type ExecTarget } from './exec.ts';
import { machineFacts } from './machine.ts';
import { messageOf, openNodeNamespace, type NodeNamespace } from './namespace.ts';
import { Network } from './network.ts';
import { makePaths, pathsOf } from './paths.ts';
import { pauseSpec, planContainer } from './plan.ts';
import { findTool, probeMachine } from './probe.ts';
import { relay } from './relay.ts';
import type { SandboxRecord } from './records.ts';
import { Sandboxes } from './sandboxes.ts';
import { overSocketOf } from './streams.ts';
import { treeBytes } from './usage.ts';

/**
 * Opens a node's runtime and adopts what runs. As root. The process may be inside the node's mount
 * namespace (see `openNodeNamespace`), which saves a process per call, or outside it; it must be in
 * the network namespace where the bridge belongs.
 */
export async function openOciRuntime(options: RuntimeOptions): Promise<Runtime> {
  const probe = await probeMachine();
  if (probe.problems.length > 0)
    throw new Error(`Cannot run containers: ${probe.problems.join('; ')}`);
  const oci = findTool(options.ociRuntime ?? probe.ociRuntime);
  const conmon = probe.tools['conmon'];
  if (oci === undefined || conmon === undefined)
    throw new Error(`Cannot run containers: ${options.ociRuntime ?? 'crun'} is not installed`);
  const paths = pathsOf(options);
  makePaths(paths);
  const cgroups = Cgroups.probe();
  cgroups.share(`/${options.cgroupRoot}/${options.node}`, options.share ?? {});
  const namespace = await openNodeNamespace(options.runDir);
  const { prefix } = namespace;
  const network = new Network(options.network, prefix);
  await network.open();
  const { clock, logger, cluster, node, cgroupRoot } = options;
  const common = { paths, cgroups, clock, logger };
  const sandboxes = new Sandboxes({ ...common, cluster, node, cgroupRoot, network });
  const { exits, sockets, ociRoot } = paths;
  const place = { ...common, prefix, conmon, oci, exits, sockets, ociRoot };
  const containers = new Containers(place);
  await containers.adopt();
  await sandboxes.adopt(await pinnedIn(namespace));
  const images = await openImages(options);
  const version = (await run([oci, '--root', ociRoot, '--version'])).stdout.split('\n')[0] ?? '';
  const runtime = new OciRuntime({
    options,
    place,
    network,
    sandboxes,
    containers,
    images,
    version,
  });
  await runtime.clearOrphans();
  return runtime;
}

/** Pins that are still namespaces, seen from within the node's mount namespace. */
async function pinnedIn(namespace: NodeNamespace): Promise<ReadonlySet<string>> {
  const table = await run([...namespace.prefix, 'cat', '/proc/self/mountinfo']);
  const points = table.stdout
    .split('\n')
    .filter((line) => line.includes(' - nsfs '))
    .map((line) => line.split(' ')[4] ?? '');
  return new Set(points);
}

interface Inside {
  readonly options: RuntimeOptions;
  readonly place: ContainerPlace;
  readonly network: Network;
  readonly sandboxes: Sandboxes;
  readonly containers: Containers;
  readonly images: ImageStore;
  readonly version: string;
}

class OciRuntime implements Runtime {
  readonly name: string;
  readonly version: string;
  readonly images: ImageStore;
  readonly #in: Inside;
  readonly #bounding = boundingSet(readFileSync('/proc/self/status', 'utf8'));

  constructor(inside: Inside) {
    this.#in = inside;
    this.images = inside.images;
    this.name = inside.place.oci.endsWith('crun') ? 'crun' : 'runc';
    this.version = inside.version.replace(/^\S+ version /, '');
  }

  /**
   * Containers whose sandbox has gone, sandboxes whose shared PID namespace has, and uses of images by
   * containers that are no more.
   */
  async clearOrphans(): Promise<void> {
    const { containers, sandboxes, images } = this.#in;
    for (const container of containers.list())
      if (sandboxes.record(container.sandboxId) === undefined)
        await containers.remove(container.id);
    for (const { id, state, pauseId } of sandboxes.ids.flatMap(
      (one) => sandboxes.record(one) ?? [],
    ))
      if (state === 'ready' && pauseId !== undefined)
        if (containers.record(pauseId)?.state !== 'running') await this.stopSandbox(id);
    images.keepUses(new Set(containers.list().map((container) => container.id)));
  }

  async createSandbox(spec: SandboxSpec, signal: AbortSignal): Promise<Sandbox> {
    signal.throwIfAborted();
    const { sandboxes } = this.#in;
    const record = await sandboxes.create(spec);
    try {
      if (spec.sharePid && !spec.hostPid) await this.#startPause(record);
      signal.throwIfAborted();
    } catch (cause) {
      await this.#endPause(record.id);
      await sandboxes.remove(record.id);
      throw cause;
    }
    const made = sandboxes.list().find((sandbox) => sandbox.id === record.id);
    if (made === undefined) throw new Error(`Cannot find sandbox "${record.id}"`);
    return made;
  }

  async stopSandbox(id: string): Promise<void> {
    for (const record of this.#in.containers.of(id))
      if (!record.hidden) await this.#in.containers.kill(record.id);
    await this.#endPause(id);
    await this.#in.sandboxes.stop(id);
  }

  async removeSandbox(id: string): Promise<void> {
    for (const record of this.#in.containers.of(id)) await this.removeContainer(record.id);
    await this.#in.sandboxes.remove(id);
  }

  sandboxes(): readonly Sandbox[] {
    return this.#in.sandboxes.list();
  }

  async createContainer(sandboxId: string, spec: ContainerSpec): Promise<Container> {
    const sandbox = this.#sandbox(sandboxId);
    const pause = sandbox.pauseId === undefined ? undefined : this.#pausePid(sandbox.pauseId);
    return this.#create(sandbox, spec, { hidden: false, pidPath: pause });
  }

  async #create(
    sandbox: SandboxRecord,
    spec: ContainerSpec,
    how: { readonly hidden: boolean; readonly pidPath: string | undefined },
  ): Promise<Container> {
    const { images, containers, place, sandboxes } = this.#in;
    const id = newContainerId();
    const stored = spec.imageId === undefined ? undefined : await images.record(spec.imageId);
    if (spec.imageId !== undefined && stored === undefined)
      throw new ContainerError('CreateContainerError', `Cannot find image "${spec.imageId}"`);
    if (spec.imageId !== undefined) images.use(id, spec.imageId);
    try {
      const plan = planContainer({
        id,
        spec,
        sandbox,
        hidden: how.hidden,
        pidPath: how.pidPath,
        image: stored,
        folder: containers.folder(id),
        sandboxDir: sandboxes.folder(sandbox.id),
        shmDir: sandbox.spec.hostIpc ? '/dev/shm' : sandboxes.shmDir(sandbox.id),
        cgroupV2: place.cgroups.isV2,
        bounding: this.#bounding,
        cpuQuotaUsMax: place.cgroups.quotaUsMax,
      });
      return await containers.create(plan);
    } catch (cause) {
      images.unuse(id);
      throw cause instanceof ContainerError
        ? cause
        : new ContainerError('CreateContainerError', messageOf(cause), { cause });
    }
  }

  async #startPause(sandbox: SandboxRecord): Promise<void> {
    const { containers, sandboxes } = this.#in;
    const spec = pauseSpec(join(sandboxes.folder(sandbox.id), 'pause.log'));
    const pause = await this.#create(sandbox, spec, { hidden: true, pidPath: undefined });
    sandboxes.setPause(sandbox.id, pause.id);
    await containers.start(pause.id);
  }
  async #endPause(sandboxId: string): Promise<void> {
    for (const record of this.#in.containers.of(sandboxId))
      if (record.hidden) await this.#in.containers.remove(record.id);
  }
  #pausePid(pauseId: string): string {
    const record = this.#in.containers.record(pauseId);
    if (record?.state !== 'running' || record.pid === undefined)
      throw new ContainerError('CreateContainerError', 'The process that holds the Pod has ended');
    return `/proc/${record.pid}/ns/pid`;
  }

  startContainer(id: string): Promise<void> {
    return this.#in.containers.start(id);
  }

  async stopContainer(id: string, options: { graceMs: number; signal?: string }): Promise<void> {
    const record = this.#in.containers.record(id);
    if (record === undefined) return;
    const imageId = record.spec.imageId;
    const wanted = options.signal ?? record.spec.stopSignal;
    const image =
      wanted !== undefined || imageId === undefined ? undefined : await this.images.record(imageId);
    const name = wanted ?? image?.image.config.stopSignal ?? 'SIGTERM';
    await this.#in.containers.stop(id, name, options.graceMs);
  }

  async signalContainer(id: string, signal: number): Promise<boolean> {
    return this.#in.containers.signal(id, signal);
  }

  async removeContainer(id: string): Promise<void> {
    await this.#in.containers.remove(id);
    this.images.unuse(id);
  }

  containers(): readonly Container[] {
    return this.#in.containers.list();
  }
  container(id: string): Container | undefined {
    return this.#in.containers.get(id);
  }
  onChange(listener: (container: Container) => void): Disposable {
    return this.#in.containers.onChange(listener);
  }

  execSync(id: string, options: ExecSyncOptions): Promise<ExecResult> {
    return execSync(this.#target(id), options);
  }
  exec(id: string, options: ExecOptions): Promise<Process> {
    return execStreams(this.#target(id), options);
  }
  attach(id: string, options: StreamOptions): Promise<Process> {
    return attachStreams(this.#target(id), options);
  }

  async dial(sandboxId: string, port: number): Promise<ByteSocket> {
    const sandbox = this.#sandbox(sandboxId);
    if (sandbox.netPin === '') return overSocketOf(connect({ host: '127.0.0.1', port }));
    const prefix = [...this.#in.place.prefix, 'nsenter', `--net=${sandbox.netPin}`, '--'];
    return relay(prefix, ['tcp', '127.0.0.1', String(port)]);
  }

  logPath(id: string): string {
    return this.#record(id).spec.logPath;
  }

  /** The file takes the time as its last name, as the kubelet's rotated logs do. */
  async rotateLog(id: string): Promise<void> {
    const path = this.logPath(id);
    const stamp = new Date(this.#in.options.clock.nowMs())
      .toISOString()
      .replaceAll(/[-:]|\..*/g, '');
    const fresh = Promise.withResolvers<void>();
    const watcher = watch(dirname(path), (_, name) => {
      if (name !== null && path.endsWith(`/${name}`) && existing(path)) fresh.resolve();
    });
    const cancel = this.#in.options.clock.after(1_000, () => fresh.resolve());
    try {
      await rename(path, `${path}.${stamp.replace('T', '-')}`);
      await control(this.#in.containers.folder(id), '2 0 0');
      await fresh.promise;
    } finally {
      cancel();
      watcher.close();
    }
  }

  async containerStats(id: string): Promise<ContainerStats | undefined> {
    const record = this.#in.containers.record(id);
    if (record === undefined) return undefined;
    const { cgroups, clock } = this.#in.place;
    if (!cgroups.exists(record.cgroup)) return undefined;
    return {
      atMs: clock.nowMs(),
      ...cgroups.usage(record.cgroup),
      rootfsUsedBytes: await treeBytes(join(this.#in.containers.folder(id), 'upper')),
      logsUsedBytes: await treeBytes(record.spec.logPath),
    };
  }

  machine(): Promise<Machine> {
    const { options, place } = this.#in;
    const node = place.cgroups.usage(`/${options.cgroupRoot}/${options.node}`);
    return machineFacts(options, node.memoryWorkingSetBytes);
  }

  async updateResources(id: string, resources: ResourceLimits): Promise<void> {
    this.#in.containers.updateResources(id, resources);
  }
  async updateSandboxResources(id: string, resources: ResourceLimits): Promise<void> {
    this.#in.sandboxes.updateResources(id, resources);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#in.containers.close();
    await this.#in.sandboxes.close();
    this.#in.network.close();
    await this.images[Symbol.asyncDispose]();
  }

  #sandbox(id: string): SandboxRecord {
    const sandbox = this.#in.sandboxes.record(id);
    if (sandbox?.state !== 'ready')
      throw new ContainerError('CreateContainerError', `Sandbox "${id}" is not ready`);
    return sandbox;
  }
  #record(id: string) {
    const record = this.#in.containers.record(id);
    if (record === undefined) throw new Error(`Cannot find container "${id}"`);
    return record;
  }
  #target(id: string): ExecTarget {
    const record = this.#record(id);
    if (record.state !== 'running')
      throw new Error(`Cannot reach container "${record.spec.name}": it is not running`);
    const { place, containers, options } = this.#in;
    return { place, id, bundle: containers.folder(id), clock: options.clock };
  }
}

function existing(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
