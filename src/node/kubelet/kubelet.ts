import { runNodeLease } from '#client';
import type { Informer } from '#client';
import type { Pod } from '#kube/kinds';
import { isStatus } from '#machinery';
import type { Container, Machine } from '#node/runtime';
import { parseResolvConf } from './dns.ts';
import { messageOf } from './errors.ts';
import { Evictor } from './eviction.ts';
import { createFace } from './face.ts';
import { Housekeeping } from './housekeeping.ts';
import { ImageManager } from './images.ts';
import { NodeKeeper } from './node-keeper.ts';
import { cpuOf, allocatableBytes, memoryOf, mountsWholeTrees } from './node-object.ts';
import type { Kubelet, KubeletOptions } from './options.ts';
import { annotations, labels } from './pod-view.ts';
import type { PodContext } from './pod-context.ts';
import { PodWorker } from './pod-worker.ts';
import { References } from './references.ts';
import { amountsOf, withGiven } from './resize.ts';
import type { Amounts } from './resize.ts';
import { nodes, pods, runtimeClasses, services } from './resources.ts';
import { StatusWriter } from './status-writer.ts';

const tickMs = 10_000;
const imageTicks = 30;

export function createKubelet(options: KubeletOptions): Kubelet {
  return new Agent(options);
}

class Agent implements Kubelet {
  readonly face: Kubelet['face'];
  readonly registered: Promise<void>;
  readonly #options: KubeletOptions;
  readonly #workers = new Map<string, PodWorker>();
  readonly #running = new Set<Promise<void>>();
  readonly #images: ImageManager;
  readonly #node: NodeKeeper;
  readonly #evictor: Evictor;
  readonly #housekeeping: Housekeeping;
  #podInformer: Informer<Pod> | undefined;
  #onRegistered: () => void = () => undefined;

  constructor(options: KubeletOptions) {
    this.#options = options;
    this.#images = new ImageManager(options.runtime.images, options.clock);
    this.#node = new NodeKeeper(options);
    this.#evictor = new Evictor(options);
    this.#housekeeping = new Housekeeping(options, this.#images);
    this.registered = new Promise((resolve) => {
      this.#onRegistered = resolve;
    });
    this.face = createFace({ options, pods: () => this.pods() });
  }

  pods(): readonly Pod[] {
    return [...this.#workers.values()].map(({ pod }) => pod);
  }

  check(): void {
    const seen = new Set<string>();
    for (const { state, spec } of this.#options.runtime.containers()) {
      if (state !== 'running') continue;
      const key = `${spec.labels[labels.uid]}/${spec.name}`;
      if (seen.has(key)) throw new Error(`Container ${key} runs twice`);
      seen.add(key);
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { options } = this;
    const machine = await options.runtime.machine();
    const { createInformer, api, clock, logger } = options;
    const base = { clock, logger };
    const own = createInformer(api, pods, {
      ...base,
      fieldSelector: `spec.nodeName=${options.nodeName}`,
    });
    const served = createInformer(api, services, base);
    const node = createInformer(api, nodes, {
      ...base,
      fieldSelector: `metadata.name=${options.nodeName}`,
    });
    this.#podInformer = own;
    node.onChange(({ object }) => {
      if (object !== undefined) this.#node.seen(object);
    });
    const context = await this.#context({ machine, services: () => served.list() }, signal);
    own.onChange(({ key }) => {
      if (own.hasSynced) this.#look(key, context, signal);
    });
    options.extension?.onWake?.((uid) => this.#workers.get(uid)?.wake());
    using _exits = options.runtime.onChange((container) => this.#changed(container));
    const background = [
      own.run(signal),
      served.run(signal),
      node.run(signal),
      this.#register(machine, signal),
    ];
    const adopted = Promise.all([own.synced, served.synced]).then(async () => {
      if (signal.aborted) return;
      for (const pod of own.list())
        this.#look(`${pod.metadata.namespace}/${pod.metadata.name}`, context, signal);
      await this.#endOrphans(context, signal);
    });
    await Promise.race([Promise.all([...background, adopted, this.#tick(signal)]), ended(signal)]);
    await Promise.allSettled([...this.#running, ...background]);
  }

  get options(): KubeletOptions {
    return this.#options;
  }

  /** What happens to the Pod of this name now: the object decides, by its uid. */
  #look(key: string, context: PodContext, signal: AbortSignal): void {
    const pod = this.#podInformer?.get(key);
    for (const worker of this.#workers.values())
      if (worker.key === key && worker.uid !== pod?.metadata.uid) worker.update(undefined);
    if (pod === undefined) return;
    const known = this.#workers.get(pod.metadata.uid);
    if (known === undefined) this.#begin(new PodWorker(context, pod), signal);
    else known.update(pod);
  }

  #begin(worker: PodWorker, signal: AbortSignal): void {
    this.#workers.set(worker.uid, worker);
    const run = worker.run(signal).finally(() => {
      this.#running.delete(run);
      if (worker.removed) this.#workers.delete(worker.uid);
    });
    this.#running.add(run);
  }

  #changed(container: Container): void {
    const worker = this.#workers.get(container.spec.labels[labels.uid] ?? '');
    if (worker === undefined) return;
    const { extension } = this.#options;
    const waits = container.state === 'exited' && extension?.handles(worker.pod) === true;
    const told = waits ? extension.told?.(worker.pod) : undefined;
    if (told === undefined) worker.wake();
    else void told.then(() => worker.wake());
  }

  /** Pods that were deleted while no agent ran: the runtime still has them, the API does not. */
  async #endOrphans(context: PodContext, signal: AbortSignal): Promise<void> {
    const { runtime, files, dirs, clock } = this.#options;
    const found = new Map<string, Pod>();
    for (const { spec } of runtime.sandboxes())
      if (!this.#workers.has(spec.podUid) && spec.labels[annotations.apart] === undefined)
        found.set(spec.podUid, orphan(spec.podUid, spec, clock.nowMs()));
    for (const { spec } of runtime.containers()) {
      const uid = spec.labels[labels.uid];
      if (uid === undefined || this.#workers.has(uid) || found.has(uid)) continue;
      const named = {
        podName: spec.labels[labels.name] ?? '',
        podNamespace: spec.labels[labels.namespace] ?? '',
        annotations: spec.annotations,
        labels: spec.labels,
      };
      found.set(uid, orphan(uid, named, clock.nowMs()));
    }
    for (const pod of found.values()) {
      const worker = new PodWorker(context, pod);
      worker.update(undefined);
      this.#begin(worker, signal);
    }
    for (const dir of [dirs.pods, dirs.memory])
      for (const uid of await files.list(dir))
        if (!this.#workers.has(uid)) await files.remove(`${dir}/${uid}`);
    for (const name of await files.list(dirs.logs))
      if (!this.#workers.has(name.slice(name.lastIndexOf('_') + 1)))
        await files.remove(`${dirs.logs}/${name}`);
  }

  async #register(machine: Machine, signal: AbortSignal): Promise<void> {
    const { api, clock, logger, nodeName } = this.#options;
    let waitMs = 100;
    while (!signal.aborted) {
      try {
        if (this.#node.node === undefined) await this.#node.register(machine);
        await this.#node.post(machine, this.#evictor.pressure(), '');
        break;
      } catch (error) {
        if (signal.aborted) return;
        logger.warn('Cannot register the node', { error: messageOf(error) });
        await clock.sleep(waitMs, signal).catch(() => undefined);
        waitMs = Math.min(waitMs * 2, 7000);
      }
    }
    this.#onRegistered();
    const owner = () => {
      const { node } = this.#node;
      if (node === undefined) return undefined;
      return { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node.metadata.uid };
    };
    await runNodeLease({ api, clock, nodeName, owner, logger }, signal);
  }

  /** Every ten seconds: status, pressure, logs; more rarely images. */
  async #tick(signal: AbortSignal): Promise<void> {
    const { clock, runtime, logger } = this.#options;
    for (let tick = 1; !signal.aborted; tick++) {
      await clock.sleep(tickMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        const machine = await runtime.machine();
        await this.#evictor.check(machine, [...this.#workers.values()], async () => {
          await this.#housekeeping.collectContainers();
          await this.#housekeeping.collectImages({ all: true });
        });
        if (this.#node.node !== undefined)
          await this.#node.post(machine, this.#evictor.pressure(), '');
        await this.#housekeeping.rotateLogs();
        if (tick % imageTicks === 0) await this.#housekeeping.collectImages({ all: false });
      } catch (error) {
        if (!signal.aborted) logger.warn('Cannot keep the node', { error });
      }
    }
  }

  async #context(
    about: { readonly machine: Machine; readonly services: PodContext['services'] },
    signal: AbortSignal,
  ): Promise<PodContext> {
    const options = this.#options;
    const { machine } = about;
    const memoryBytes = memoryOf(options, machine);
    const text = options.resolvConf ?? (await readText(options, '/etc/resolv.conf'));
    const minor = /v?(\d+\.\d+)/.exec(options.version)?.[1] ?? '1.36';
    return {
      options,
      images: this.#images,
      references: new References(
        { ...options, changed: (uid) => this.#workers.get(uid)?.referencesChanged() },
        signal,
      ),
      status: new StatusWriter(options, signal),
      tools: { runtime: options.runtime, net: options.net, minor },
      startedMs: options.clock.nowMs(),
      host: {
        nodeIp: options.nodeIp,
        cpuMillis: cpuOf(options, machine),
        memoryBytes,
        allocatable: allocatableBytes(options, machine),
        dns: parseResolvConf(text),
        apparmorProfiles: machine.apparmorProfiles,
        selinux: machine.selinux,
        recursiveReadOnly: mountsWholeTrees(machine),
        seccompDir: options.dirs.seccomp ?? `${options.dirs.pods}/../seccomp`,
      },
      volumes: {
        ...options,
        machineMemoryBytes: memoryBytes,
        recursiveReadOnly: mountsWholeTrees(machine),
      },
      services: about.services,
      node: () => this.#node.node,
      requestsBut: (uid) => this.#requestsBut(uid),
      pressure: () => this.#evictor.pressure(),
      runtimeHandler: (name) => this.#runtimeHandler(name),
    };
  }

  #requestsBut(uid: string): Amounts {
    const all = [...this.#workers.values()]
      .filter((worker) => worker.uid !== uid && !worker.over)
      .map(({ pod }) => amountsOf(withGiven(pod)));
    return {
      cpu: all.reduce((sum, { cpu }) => sum + cpu, 0),
      memory: all.reduce((sum, { memory }) => sum + memory, 0),
    };
  }

  async #runtimeHandler(name: string | undefined): Promise<string> {
    if (name === undefined || name === '') return '';
    try {
      return (await this.#options.api.get(runtimeClasses, { name })).handler;
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
      throw new Error(`failed to get sandbox runtime: RuntimeClass "${name}" not found`, {
        cause: error,
      });
    }
  }
}

async function readText(options: KubeletOptions, path: string): Promise<string> {
  const bytes = await options.files.readTail(path, 64 * 1024);
  return bytes === undefined ? '' : Buffer.from(bytes).toString();
}

/** As much of a Pod as is left when only the runtime knows it. */
function orphan(
  uid: string,
  known: {
    readonly podName: string;
    readonly podNamespace: string;
    readonly annotations: Readonly<Record<string, string>>;
    /** Of a sandbox: those of its Pod, too. */
    readonly labels: Readonly<Record<string, string>>;
  },
  nowMs: number,
): Pod {
  const grace = Number(known.annotations[annotations.graceSeconds] ?? '30');
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: known.podName,
      namespace: known.podNamespace,
      uid,
      resourceVersion: '0',
      creationTimestamp: new Date(nowMs).toISOString(),
      annotations: known.annotations,
      labels: known.labels,
    },
    spec: { containers: [], terminationGracePeriodSeconds: grace },
    status: {},
  };
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
