import type { Face } from '#base';
import type { Pod } from '#kube/kinds';
import type { Task } from '#mesos/kinds';
import type { Container } from '#node/runtime';
import { CustomExecutors } from './custom/custom-executors.ts';
import { emittedOf } from './emitted.ts';
import { AgentFactsReader } from './face/agent-facts.ts';
import { flagsOf, type AgentContext } from './face/context.ts';
import { SandboxView } from './face/sandbox-files.ts';
import { LaunchedContainers } from './nested/launched.ts';
import { idAnnotation } from './nested/launcher.ts';
import { Sessions } from './nested/sessions.ts';
import { counted } from './fetch/counted.ts';
import { podSandbox } from './networks.ts';
import { openFetcher } from './fetch/open-fetcher.ts';
import { containerLabels, podLabels } from './names.ts';
import type {
  Executors,
  ExecutorsExtension,
  ExecutorsOptions,
  FrameworkMessage,
} from './options.ts';
import { OutputSplitter } from './output.ts';
import type { OutputPlace } from './output.ts';
import { WorkPaths } from './paths.ts';
import { SandboxGc } from './sandbox-gc.ts';
import { Sandboxes } from './sandboxes.ts';
import { TaskKeeper } from './task-keeper.ts';
import { VolumeKeeper } from './volume-keeper.ts';
import { World } from './world.ts';
import { registryCredentials } from './registry-credentials.ts';

/** The Mesos side of one node's agent. `run` starts it; its extension and face may be used at once. */
export function createExecutors(options: ExecutorsOptions): Executors {
  return new MesosAgent(options);
}

class MesosAgent implements Executors {
  readonly #world: World;
  readonly #paths: WorkPaths;
  readonly #keeper: TaskKeeper;
  readonly #custom: CustomExecutors;
  readonly #sandboxes: Sandboxes;
  readonly #output: OutputSplitter;
  readonly #gc: SandboxGc;
  readonly #launched: LaunchedContainers;
  readonly extension: ExecutorsExtension;
  readonly face: Face;
  readonly synced: Promise<void>;
  readonly #startedMs: number;
  #wake: (podUid: string) => void = () => undefined;

  constructor(options: ExecutorsOptions) {
    this.#world = new World(options);
    this.#startedMs = options.clock.monotonicMs();
    const { tasks, pods, frameworks } = this.#world;
    const known = Promise.all([tasks.synced, pods.synced, frameworks.synced]);
    this.synced = known.then(() => undefined);
    this.#paths = new WorkPaths(options.dataDir);
    this.#output = new OutputSplitter(options.files);
    this.#gc = new SandboxGc(this.#world, this.#paths);
    this.#keeper = new TaskKeeper(this.#world, {
      wake: (podUid) => this.#wake(podUid),
      ended: (task, pod, container) => void this.#finishOutput(task, pod.uid, container),
      custom: (task) => this.#custom.look(task),
      forgotten: () => undefined,
    });
    this.#custom = new CustomExecutors(this.#world, { paths: this.#paths, keeper: this.#keeper });
    const fetcher = counted(openFetcher(options, this.#paths.cache), this.#world.counters);
    this.#sandboxes = new Sandboxes(this.#world, {
      paths: this.#paths,
      fetcher,
      fail: (pod, name, failure) => this.#keeper.fail(pod, name, failure),
    });
    this.#launched = new LaunchedContainers(this.#world, {
      paths: this.#paths,
      fetcher,
      sandboxes: this.#sandboxes,
      output: this.#output,
    });
    this.extension = this.#extension();
    this.face = lazyFace({
      options,
      world: this.#world,
      paths: this.#paths,
      custom: this.#custom,
      launched: this.#launched,
      sessions: new Sessions(this.#world),
      files: new SandboxView(this.#world, {
        paths: this.#paths,
        bringOutput: (containerID) => this.#bringOutput(containerID),
      }),
      fetcher,
      gc: this.#gc,
      facts: new AgentFactsReader(this.#world),
      startedMs: options.clock.nowMs(),
      flags: () => flagsOf(options),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { runtime } = this.#world.options;
    using _changes = runtime.onChange((container) => {
      this.#world.containers.note(container);
      this.#launched.changed(container);
      if (container.spec.annotations[idAnnotation] !== undefined) return;
      this.#keeper.containerChanged(container);
      const podUid = container.spec.labels[containerLabels.uid];
      if (container.state === 'exited' && podUid !== undefined) this.#custom.containerEnded(podUid);
    });
    const { tasks, pods, frameworks } = this.#world;
    const caches = [tasks, pods, frameworks].map((cache) => cache.run(signal));
    // What a framework can do is asked with every update: known before the first one.
    await Promise.race([Promise.all([frameworks.synced, pods.synced]), aborted(signal)]);
    const volumes = new VolumeKeeper(this.#world, this.#paths);
    const work = [...caches, this.#keeper.run(signal), volumes.run(signal)];
    if (!signal.aborted) await this.#recover();
    await Promise.all(work);
    this.#custom.stop();
    this.#gc.stop();
  }

  message({ frameworkID, executorID, data }: FrameworkMessage): boolean {
    const executor = this.#custom.find(frameworkID, executorID);
    const { counters } = this.#world;
    const sent =
      typeof executor !== 'string' && executor.send({ type: 'MESSAGE', message: { data } });
    counters.add(`slave/${sent ? 'valid' : 'invalid'}_framework_messages`);
    return sent;
  }

  shutdown(frameworkID: string, executorID: string): boolean {
    return this.#custom.shutdown(frameworkID, executorID);
  }

  check(): void {
    this.#keeper.check();
  }

  #extension(): ExecutorsExtension {
    return {
      handles: (pod) => pod.metadata.labels?.[podLabels.frameworkID] !== undefined,
      prepare: (pod, signal) => this.#sandboxes.prepare(pod, signal),
      prepareContainer: (pod, name, signal) => this.#prepareContainer(pod, name, signal),
      pullSecrets: (pod, name) => this.#pullSecrets(pod, name),
      forbids: (pod, name) => this.#keeper.forbids(pod.metadata.uid, name),
      beforeStop: (pod, _name, graceMs) => this.#custom.beforeStop(pod, graceMs),
      told: () => this.#keeper.told(),
      ended: (pod) => {
        this.#world.counters.add('slave/executors_terminated');
        return this.#ended(pod);
      },
      onWake: (wake) => {
        this.#wake = wake;
      },
      sandboxSpec: podSandbox,
      containerSpec: async (pod, spec) => {
        this.#refuseEnded(pod, spec.name);
        this.#keeper.making(pod.metadata.uid, spec.name);
        return this.#sandboxes.containerSpec(pod, spec);
      },
      released: (pod) => {
        this.#keeper.released(pod.metadata.uid);
        this.#custom.released(pod.metadata.uid);
        this.#launched.released(pod.metadata.uid);
        this.#world.counters.released(pod.metadata.namespace, pod.metadata.name);
        this.#world.containers.forget(pod.metadata.uid);
        void this.#forgotten(pod.metadata.uid);
      },
    };
  }

  async #prepareContainer(pod: Pod, name: string, signal: AbortSignal): Promise<void> {
    await this.#sandboxes.prepareContainer(pod, name, signal);
    this.#refuseEnded(pod, name);
  }

  /** What was told to have ended, or is to be killed, never starts: not even under a new agent. */
  #refuseEnded(pod: Pod, name: string): void {
    const task = this.#sandboxes.taskOf(pod, name);
    const own = task?.spec.execution === 'Custom' ? undefined : task;
    const over = own !== undefined && (emittedOf(own).terminal || own.spec.kill !== undefined);
    const forbidden =
      this.#keeper.forbids(pod.metadata.uid, name) ??
      (over ? { reason: 'TaskEnded', message: 'The task has ended' } : undefined);
    if (forbidden !== undefined)
      throw this.#world.options.refuse(forbidden.reason, forbidden.message);
  }

  async #pullSecrets(pod: Pod, name: string): Promise<readonly unknown[]> {
    const task = this.#sandboxes.taskOf(pod, name);
    if (task === undefined) return [];
    const directory = this.#sandboxes.directoryOf(task, pod.metadata.uid);
    return registryCredentials(this.#world.options.files, directory);
  }

  async #beginGc(): Promise<void> {
    try {
      await this.#gc.begin();
    } catch (error) {
      this.#world.counters.add('slave/recovery_errors');
      this.#world.options.logger.warn('Cannot look for old sandboxes', { error });
    }
  }

  /** What a former agent left beside Pods and tasks. */
  async #recover(): Promise<void> {
    const { counters, options } = this.#world;
    try {
      await this.#launched.adopt();
    } catch (error) {
      counters.add('slave/recovery_errors');
      options.logger.warn('Cannot take over launched containers', { error });
    }
    await this.#beginGc();
    counters.recoverySeconds = (options.clock.monotonicMs() - this.#startedMs) / 1000;
  }

  async #forgotten(podUid: string): Promise<void> {
    try {
      await this.#gc.ended(podUid);
    } catch (error) {
      this.#world.options.logger.warn('Cannot note the end of a sandbox', { error });
    }
  }

  /** Of a task's container, or of an executor's. */
  async #placeOf(task: Task, podUid: string, container: Container): Promise<OutputPlace> {
    const { files } = this.#world.options;
    const directory = this.#sandboxes.directoryOf(task, podUid);
    const facts = await files.facts(directory);
    return {
      logPath: container.spec.logPath,
      directory,
      owner: facts === undefined ? undefined : { uid: facts.uid, gid: facts.gid },
      notePath: `${this.#paths.notes(podUid)}/output-${container.spec.name}.json`,
    };
  }

  async #finishOutput(task: Task, podUid: string, container: Container): Promise<void> {
    try {
      const place = await this.#placeOf(task, podUid, container);
      if ((await this.#world.options.files.facts(place.directory)) === undefined) return;
      await this.#output.bring(place);
    } catch (error) {
      const { logger } = this.#world.options;
      logger.warn('Cannot put the output of a task into its sandbox', {
        task: task.spec.taskID,
        error,
      });
    }
  }

  /** What the containers of a run have written so far, into their sandboxes: somebody looks. */
  async #bringOutput(podUid: string): Promise<void> {
    const pod = this.#world.pods.by('uid', podUid)[0];
    if (pod !== undefined) await this.#ended(pod);
  }

  async #ended(pod: Pod): Promise<void> {
    for (const { name } of pod.spec.containers) {
      const task = this.#sandboxes.taskOf(pod, name);
      const container = this.#world.containers.newest(pod.metadata.uid, name);
      if (task !== undefined && container !== undefined)
        await this.#finishOutput(task, pod.metadata.uid, container);
    }
    await this.#launched.bringAll(pod.metadata.uid);
  }
}

/** Nothing of the endpoints is loaded before somebody asks. */
function lazyFace(context: Omit<AgentContext, 'codec' | 'logging'>): Face {
  let making: Promise<Face> | undefined;
  const make = async (): Promise<Face> => {
    const { createAgentFace } = await import('./face/face.ts');
    return createAgentFace(context);
  };
  return async (request) => {
    making ??= make();
    return (await making)(request);
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
