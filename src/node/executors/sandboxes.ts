import type { Pod } from '#kube/kinds';
import type { Task } from '#mesos/kinds';
import type { CommandInfoURI } from '#mesos/protocol';
import type { SystemUser } from '#io';
import type { ContainerSpec } from '#node/runtime';
import { taskContainer } from './container-settings.ts';
import { containerInfoOf } from './environment.ts';
import type { Fetcher } from './fetch/fetcher.ts';
import type { LaunchFailure } from './launch-failure.ts';
import { podAnnotations } from './names.ts';
import { nestedIDOf, runNamesOf, type RunNames, type WorkPaths } from './paths.ts';
import { networkProblem } from './networks.ts';
import { processLimits } from './rlimits.ts';
import { makeVolumes } from './volume-places.ts';
import { executorVolumes, taskVolumes } from './volumes.ts';
import type { World } from './world.ts';

// slave/paths.cpp, createSandboxDirectory: nobody else may look into a task's directory.
const sandboxMode = 0o750;
const tasksWaitMs = 20_000;
const root = { uid: 0, gid: 0 };

/** Notes on one run, for after a restart: what the store may have forgotten by then. */
export interface RunNote extends RunNames {
  readonly namespace: string;
  readonly podName: string;
}

/** Makes what containers of tasks find when they start: directories, files, volumes, settings. */
export class Sandboxes {
  readonly #world: World;
  readonly #paths: WorkPaths;
  readonly #fetcher: Fetcher;
  readonly #fail: (pod: Pod, name: string, failure: LaunchFailure) => void;

  constructor(
    world: World,
    of: {
      readonly paths: WorkPaths;
      readonly fetcher: Fetcher;
      fail(pod: Pod, name: string, failure: LaunchFailure): void;
    },
  ) {
    this.#world = world;
    this.#paths = of.paths;
    this.#fetcher = of.fetcher;
    this.#fail = of.fail;
  }

  /** Directories of the executor. */
  async prepare(pod: Pod, signal: AbortSignal): Promise<void> {
    const task = await this.#awaited(pod, () => this.#world.tasksOfPod(pod)[0], signal);
    await this.#orRefuse(pod, { names: pod.spec.containers.map(({ name }) => name), signal }, () =>
      this.#makeRun(pod, task),
    );
  }

  async #makeRun(pod: Pod, task: Task): Promise<void> {
    const names = runNamesOf(task, pod.metadata.uid);
    const { files } = this.#world.options;
    const run = this.#paths.run(names);
    if (task.spec.execution === 'Group') {
      await files.makeDir(run);
      const volumes = executorVolumes(task, names, this.#paths);
      const owner = volumes.length === 0 ? undefined : await this.userOf(pod, task);
      await makeVolumes(files, volumes, { directory: run, owner, process: true });
    } else await files.makeDir(run, { owner: await this.userOf(pod, task), mode: sandboxMode });
    await files.link(run, this.#paths.latest(names));
    const { namespace = '', name: podName } = pod.metadata;
    const note: RunNote = { ...names, namespace, podName };
    const text = `${JSON.stringify(note)}\n`;
    await files.write(`${this.#paths.notes(names.containerID)}/run.json`, Buffer.from(text));
  }

  async prepareContainer(pod: Pod, name: string, signal: AbortSignal): Promise<void> {
    // A container that was appended may be seen before its task.
    const task = await this.#awaited(pod, () => this.taskOf(pod, name), signal);
    await this.#orRefuse(pod, { names: [name], signal }, () => this.#fill(pod, task, signal));
  }

  /** What goes wrong before a launch is that launch's end: Mesos knows no second try. */
  async #orRefuse(
    pod: Pod,
    of: { readonly names: readonly string[]; readonly signal: AbortSignal },
    action: () => Promise<void>,
  ): Promise<void> {
    const { refuse, logger } = this.#world.options;
    try {
      await action();
    } catch (error) {
      if (of.signal.aborted || !(error instanceof Error)) throw error;
      logger.info('Cannot prepare a task', { pod: pod.metadata.name, error });
      const failure: LaunchFailure = { reason: 'ContainerLaunchFailed', message: error.message };
      for (const name of of.names) this.#fail(pod, name, failure);
      throw refuse(failure.reason, error.message);
    }
  }

  /** The task of a container; for an executor's container any of its tasks. */
  taskOf(pod: Pod, name: string): Task | undefined {
    const all = this.#world.tasksOfPod(pod);
    return (
      all.find(({ spec }) => spec.container === name) ??
      all.find(({ spec }) => spec.execution === 'Custom')
    );
  }

  directoryOf(task: Task, podUid: string): string {
    const names = runNamesOf(task, podUid);
    return task.spec.execution === 'Group'
      ? this.#paths.nested(names, nestedIDOf(task))
      : this.#paths.run(names);
  }

  async containerSpec(pod: Pod, spec: ContainerSpec): Promise<ContainerSpec> {
    const task = this.taskOf(pod, spec.name);
    if (task === undefined) return spec;
    const { runtime, nodeIp, port } = this.#world.options;
    const names = runNamesOf(task, pod.metadata.uid);
    const images = spec.imageId === undefined ? [] : await runtime.images.list();
    const image = images.find(({ id }) => id === spec.imageId);
    return taskContainer(spec, {
      pod,
      task,
      framework: this.#world.framework(task.spec.frameworkID)?.spec.info,
      containerID: names.containerID,
      directory: this.directoryOf(task, names.containerID),
      nodeIp,
      port,
      containerIp: this.#world.sandboxIp(undefined, names.containerID),
      user: await this.userOf(pod, task),
      volumes: taskVolumes(task, names, this.#paths),
      imageDirectory: image?.config.workingDir ?? '',
    });
  }

  async #fill(pod: Pod, task: Task, signal: AbortSignal): Promise<void> {
    const { files } = this.#world.options;
    const names = runNamesOf(task, pod.metadata.uid);
    const owner = await this.userOf(pod, task);
    const directory = this.directoryOf(task, names.containerID);
    // What cannot be had is this launch's end.
    processLimits(containerInfoOf(task));
    const problem = networkProblem(task);
    if (problem !== undefined) throw new Error(problem);
    // Nobody may exchange what the agent is writing to: the task gets it when it is complete.
    await files.makeDir(directory, { owner: root, mode: 0o700 });
    if (task.spec.execution === 'Group') {
      await files.makeDir(`${this.#paths.run(names)}/tasks`);
      await files.link(directory, this.#paths.taskLink(names, task.spec.taskID));
    }
    const volumes = taskVolumes(task, names, this.#paths);
    await makeVolumes(files, volumes, { directory, owner, process: isProcess(pod, task) });
    await this.#fetch(task, { names, directory, user: owner?.name ?? '' }, signal);
    if (owner !== undefined) await files.chown(directory, owner);
    await files.chmod(directory, sandboxMode);
  }

  async #fetch(
    task: Task,
    of: { readonly names: RunNames; readonly directory: string; readonly user: string },
    signal: AbortSignal,
  ): Promise<void> {
    const uris = urisOf(task);
    if (uris.length === 0) return;
    const { names, directory, user } = of;
    const nested = task.spec.execution === 'Group' ? `.${nestedIDOf(task)}` : '';
    const containerID = `${names.containerID}${nested}`;
    try {
      await this.#fetcher.fetch({ uris, directory, user, containerID }, signal);
    } catch (error) {
      // Half an archive, or as much of a bomb as was let in, is of use to nobody.
      await this.#world.options.files.remove(directory);
      await this.#world.options.files.makeDir(directory, { mode: sandboxMode });
      throw error;
    }
  }

  /** Tasks come by another stream than their Pod, and may come later. */
  async #awaited(pod: Pod, find: () => Task | undefined, signal: AbortSignal): Promise<Task> {
    const { clock } = this.#world.options;
    const untilMs = clock.monotonicMs() + tasksWaitMs;
    for (;;) {
      signal.throwIfAborted();
      const task = find();
      if (task !== undefined) return task;
      if (clock.monotonicMs() > untilMs)
        throw new Error(`Cannot find the tasks of Pod "${pod.metadata.name}"`);
      await clock.sleep(5, signal);
    }
  }

  /** Who the executor, or a task of it, runs as. */
  async userOf(pod: Pod, task: Task): Promise<SystemUser | undefined> {
    const { task: info, execution } = task.spec;
    const command = execution === 'Custom' ? info.executor?.command : info.command;
    const name =
      command?.user ??
      pod.metadata.annotations?.[podAnnotations.user] ??
      this.#world.framework(task.spec.frameworkID)?.spec.info.user;
    if (name === undefined || name === '') return undefined;
    const user = await this.#world.options.files.user(name);
    if (user === undefined)
      throw new Error(`Failed to get user information for '${name}': No such user`);
    return user;
  }
}

function urisOf(task: Task): readonly CommandInfoURI[] {
  const { task: info, execution } = task.spec;
  const command = execution === 'Custom' ? info.executor?.command : info.command;
  return command?.uris ?? [];
}

/** Has the task's container no image? */
function isProcess(pod: Pod, { spec }: Task): boolean {
  const { containers } = pod.spec;
  const own = containers.find(({ name }) => name === spec.container) ?? containers[0];
  return (own?.image ?? '') === '';
}
