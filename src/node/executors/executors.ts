import type { Face } from '#base';
import type { Pod } from '#kube/kinds';
import type { Task } from '#mesos/kinds';
import type { Container } from '#node/runtime';
import { openFetcher } from './fetch/open-fetcher.ts';
import { podLabels } from './names.ts';
import type { Executors, ExecutorsExtension, ExecutorsOptions } from './options.ts';
import { OutputSplitter } from './output.ts';
import type { OutputPlace } from './output.ts';
import { WorkPaths } from './paths.ts';
import { Sandboxes } from './sandboxes.ts';
import { TaskKeeper } from './task-keeper.ts';
import { World } from './world.ts';

/** The Mesos side of one node's agent. `run` starts it; its extension and face may be used at once. */
export function createExecutors(options: ExecutorsOptions): Executors {
  return new MesosAgent(options);
}

class MesosAgent implements Executors {
  readonly #world: World;
  readonly #paths: WorkPaths;
  readonly #keeper: TaskKeeper;
  readonly #sandboxes: Sandboxes;
  readonly #output: OutputSplitter;
  readonly extension: ExecutorsExtension;
  readonly face: Face;
  #wake: (podUid: string) => void = () => undefined;

  constructor(options: ExecutorsOptions) {
    this.#world = new World(options);
    this.#paths = new WorkPaths(options.dataDir);
    this.#output = new OutputSplitter(options.files);
    this.#keeper = new TaskKeeper(this.#world, {
      wake: (podUid) => this.#wake(podUid),
      ended: (task, pod, container) => void this.#finishOutput(task, pod.uid, container),
      custom: async () => undefined,
      forgotten: () => undefined,
    });
    this.#sandboxes = new Sandboxes(this.#world, {
      paths: this.#paths,
      fetcher: openFetcher(options, this.#paths.cache),
      fail: (pod, name, failure) => this.#keeper.fail(pod, name, failure),
    });
    this.extension = this.#extension();
    this.face = async () => ({ status: 404, headers: {}, body: Buffer.from('404 Not Found.') });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { runtime } = this.#world.options;
    using _changes = runtime.onChange((container) => {
      this.#world.containers.note(container);
      this.#keeper.containerChanged(container);
    });
    const { tasks, pods, frameworks } = this.#world;
    const caches = [tasks, pods, frameworks].map((cache) => cache.run(signal));
    // What a framework can do is asked with every update: known before the first one.
    await Promise.race([Promise.all([frameworks.synced, pods.synced]), aborted(signal)]);
    await Promise.all([...caches, this.#keeper.run(signal)]);
  }

  message(): boolean {
    return false;
  }

  shutdown(): boolean {
    return false;
  }

  check(): void {
    this.#keeper.check();
  }

  #extension(): ExecutorsExtension {
    return {
      handles: (pod) => pod.metadata.labels?.[podLabels.frameworkID] !== undefined,
      prepare: (pod, signal) => this.#sandboxes.prepare(pod, signal),
      prepareContainer: (pod, name, signal) => this.#prepareContainer(pod, name, signal),
      forbids: (pod, name) => this.#keeper.forbids(pod.metadata.uid, name),
      beforeStop: async () => undefined,
      ended: (pod) => this.#ended(pod),
      onWake: (wake) => {
        this.#wake = wake;
      },
      containerSpec: async (pod, spec) => {
        const forbidden = this.#keeper.forbids(pod.metadata.uid, spec.name);
        if (forbidden !== undefined)
          throw this.#world.options.refuse(forbidden.reason, forbidden.message);
        this.#keeper.making(pod.metadata.uid, spec.name);
        return this.#sandboxes.containerSpec(pod, spec);
      },
      released: (pod) => {
        this.#keeper.released(pod.metadata.uid);
        this.#world.containers.forget(pod.metadata.uid);
      },
    };
  }

  async #prepareContainer(pod: Pod, name: string, signal: AbortSignal): Promise<void> {
    await this.#sandboxes.prepareContainer(pod, name, signal);
    const forbidden = this.#keeper.forbids(pod.metadata.uid, name);
    if (forbidden !== undefined)
      throw this.#world.options.refuse(forbidden.reason, forbidden.message);
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

  async #ended(pod: Pod): Promise<void> {
    for (const { name } of pod.spec.containers) {
      const task = this.#sandboxes.taskOf(pod, name);
      const container = this.#world.containers.newest(pod.metadata.uid, name);
      if (task !== undefined && container !== undefined)
        await this.#finishOutput(task, pod.metadata.uid, container);
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
