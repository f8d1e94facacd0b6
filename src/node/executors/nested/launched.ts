import { CallRejected } from '#mesos/protocol';
import type { AgentResponseWaitContainer, ContainerID } from '#mesos/protocol';
import type { Container } from '#node/runtime';
import type { Fetcher } from '../fetch/fetcher.ts';
import type { OutputPlace, OutputSplitter } from '../output.ts';
import type { WorkPaths } from '../paths.ts';
import type { Sandboxes } from '../sandboxes.ts';
import type { World } from '../world.ts';
import { idText, rootOf } from './ids.ts';
import { Launcher, idOf, standaloneLabel } from './launcher.ts';
import type { LaunchWish } from './settings.ts';
import { taskContainer } from './task-containers.ts';
import { terminationOf } from './termination.ts';

export interface LaunchedParts {
  readonly paths: WorkPaths;
  readonly fetcher: Fetcher;
  readonly sandboxes: Sandboxes;
  readonly output: OutputSplitter;
}

/** How long the end of a standalone container is told to those who ask late. */
const endKeptMs = 3_600_000;
const containersMax = 1000;

interface Launch {
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/**
 * Containers that LAUNCH_CONTAINER and LAUNCH_NESTED_CONTAINER made. Nested ones lie in the sandbox of
 * their executor's Pod, standalone ones have a sandbox of their own. The runtime remembers both, by an
 * annotation with their id, so they outlive the agent.
 */
export class LaunchedContainers {
  readonly #world: World;
  readonly #parts: LaunchedParts;
  readonly #launcher: Launcher;
  readonly #launching = new Map<string, Launch>();
  /** Ends of standalone containers, whose sandbox has gone. */
  readonly #ends = new Map<string, AgentResponseWaitContainer>();
  /** Runtime ids by the text of ours. */
  readonly #ids = new Map<string, string>();

  constructor(world: World, parts: LaunchedParts) {
    this.#world = world;
    this.#parts = parts;
    this.#launcher = new Launcher(world, parts);
  }

  /** What a former agent left: half-made ones go, standalone ones that ended meanwhile are closed. */
  async adopt(): Promise<void> {
    const { runtime, logger } = this.#world.options;
    for (const container of runtime.containers()) {
      const id = idOf(container);
      if (id === undefined) continue;
      if (container.state === 'created' || container.state === 'unknown')
        await runtime.removeContainer(container.id);
      else {
        this.#ids.set(idText(id), container.id);
        if (container.state === 'exited') this.changed(container);
      }
    }
    for (const { id, spec } of runtime.sandboxes()) {
      const root = spec.labels[standaloneLabel];
      if (root === undefined || this.#ids.has(root)) continue;
      await this.#drop(id).catch((error: unknown) => {
        logger.warn('Cannot remove the sandbox of a standalone container', { error });
      });
    }
  }

  find(id: ContainerID): Container | undefined {
    const found = this.#ids.get(idText(id));
    return found === undefined ? undefined : this.#world.options.runtime.container(found);
  }

  isLaunching(id: ContainerID): boolean {
    return this.#launching.has(idText(id));
  }

  /** All that run, with their ids. */
  list(): readonly { readonly id: ContainerID; readonly container: Container }[] {
    return [...this.#ids.values()].flatMap((runtimeID) => {
      const container = this.#world.options.runtime.container(runtimeID);
      const id = container === undefined ? undefined : idOf(container);
      if (container?.state !== 'running' || id === undefined) return [];
      return [{ id, container }];
    });
  }

  async launch(id: ContainerID, wish: LaunchWish): Promise<'launched' | 'already'> {
    const text = idText(id);
    const old = this.find(id);
    if (this.#launching.has(text) || (old !== undefined && old.state !== 'exited'))
      return 'already';
    if (wish.container !== undefined && wish.container.type !== 'MESOS')
      throw new CallRejected(400, 'The provided ContainerInfo is not supported');
    const problem = this.#parentProblem(id);
    if (problem !== undefined) throw new CallRejected(400, problem);
    if (this.list().length + this.#launching.size >= containersMax)
      throw new CallRejected(400, `There are ${containersMax} containers already`);
    if (old !== undefined) await this.remove(id);
    this.#ends.delete(text);
    const abort = new AbortController();
    const made = this.#launcher.launch(id, wish, abort.signal);
    const done = made.then(
      () => undefined,
      () => undefined,
    );
    this.#launching.set(text, { abort, done });
    try {
      const container = await made;
      this.#ids.set(text, container.id);
      // It may have ended before its id was known.
      this.changed(this.#world.options.runtime.container(container.id) ?? container);
      return 'launched';
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new CallRejected(400, abort.signal.aborted ? 'Container was destroyed' : why);
    } finally {
      this.#launching.delete(text);
    }
  }

  /** Why the container around it cannot take it. */
  #parentProblem({ parent }: ContainerID): string | undefined {
    if (parent === undefined) return undefined;
    const text = idText(parent);
    const launched = this.find(parent);
    const state = launched?.state ?? taskContainer(this.#world, parent)?.state;
    if (this.#launching.has(text)) return `Parent container ${text} does not exist`;
    if (state !== 'running') return `Parent container ${text} does not exist`;
    const pod = this.#world.pods.by('uid', rootOf(parent).value)[0];
    return pod?.metadata.deletionTimestamp === undefined
      ? undefined
      : `Parent container ${text} is in 'DESTROYING' state`;
  }

  /** Resolves with its end; undefined when there is no such container. */
  async wait(
    id: ContainerID,
    signal: AbortSignal,
  ): Promise<AgentResponseWaitContainer | undefined> {
    await this.#launching.get(idText(id))?.done;
    const container = this.find(id);
    if (container === undefined) return this.#ends.get(idText(id));
    return terminationOf(await endOf(this.#world, container, signal));
  }

  /** False when there is none that runs. */
  async kill(id: ContainerID, signal: number): Promise<boolean> {
    const launching = this.#launching.get(idText(id));
    if (launching !== undefined) {
      launching.abort.abort();
      return true;
    }
    const container = this.find(id);
    if (container === undefined) return false;
    return this.#world.options.runtime.signalContainer(container.id, signal);
  }

  /** Of one that has ended, with its sandbox; its descendants too. */
  async remove(id: ContainerID): Promise<void> {
    const text = idText(id);
    const container = this.find(id);
    if (this.#launching.has(text) || (container !== undefined && container.state !== 'exited'))
      throw new CallRejected(500, 'Nested container has not terminated yet');
    const { runtime, files } = this.#world.options;
    for (const [name, runtimeID] of this.#ids) {
      if (name !== text && !name.startsWith(`${text}.`)) continue;
      const inner = runtime.container(runtimeID);
      await runtime.removeContainer(runtimeID);
      if (inner !== undefined) await this.#forgetOutput(rootOf(id).value, inner);
      this.#ids.delete(name);
    }
    this.#ends.delete(text);
    const directory = this.#launcher.directoryOf(id);
    if (directory !== undefined) await files.remove(directory);
  }

  /** Its log, and how much of it was brought: another container may come under the same id. */
  async #forgetOutput(root: string, { spec }: Container): Promise<void> {
    const { files } = this.#world.options;
    await files.remove(spec.logPath.slice(0, spec.logPath.lastIndexOf('/')));
    await files.remove(this.#notePath(root, spec.name));
  }

  #notePath(root: string, name: string): string {
    return `${this.#parts.paths.notes(root)}/output-${name}.json`;
  }

  /** The runtime tells of any container: an end takes with it what was launched inside. */
  changed(container: Container): void {
    if (container.state !== 'exited') return;
    for (const inner of this.list())
      if (inner.id.parent !== undefined && !this.#parentRuns(inner.id.parent))
        void this.#stop(inner.container.id);
    const id = idOf(container);
    if (id !== undefined && this.#ids.get(idText(id)) === container.id)
      void this.#ended(id, container);
  }

  /** The root of an executor is its Pod, which ends its containers itself. */
  #parentRuns(parent: ContainerID): boolean {
    const launched = this.find(parent);
    if (launched !== undefined) return launched.state === 'running';
    if (parent.parent === undefined) return true;
    const state = taskContainer(this.#world, parent)?.state;
    return state === undefined || state === 'running';
  }

  async #stop(runtimeID: string): Promise<void> {
    const { runtime, logger } = this.#world.options;
    try {
      await runtime.stopContainer(runtimeID, { graceMs: 0 });
    } catch (error) {
      this.#world.counters.add('containerizer/mesos/container_destroy_errors');
      logger.warn('Cannot end a nested container', { error });
    }
  }

  async #ended(id: ContainerID, container: Container): Promise<void> {
    const { logger, clock } = this.#world.options;
    const text = idText(id);
    try {
      await this.bring(id, container);
      if (id.parent !== undefined) return;
      this.#ends.set(text, terminationOf(container));
      clock.after(endKeptMs, () => this.#ends.delete(text));
      for (const name of this.#ids.keys())
        if (name === text || name.startsWith(`${text}.`)) this.#ids.delete(name);
      await this.#drop(container.sandboxId);
      await this.#world.options.files.remove(this.#parts.paths.notes(text));
    } catch (error) {
      logger.warn('Cannot close a launched container', { container: text, error });
    }
  }

  async #drop(sandboxID: string): Promise<void> {
    const { runtime } = this.#world.options;
    await runtime.stopSandbox(sandboxID);
    await runtime.removeSandbox(sandboxID);
  }

  /** What all containers below a root have written so far, into their sandboxes. */
  async bringAll(root: string): Promise<void> {
    for (const [text, runtimeID] of this.#ids) {
      if (text !== root && !text.startsWith(`${root}.`)) continue;
      const container = this.#world.options.runtime.container(runtimeID);
      const id = container === undefined ? undefined : idOf(container);
      if (container !== undefined && id !== undefined) await this.bring(id, container);
    }
  }

  /** The Pod they lay in has gone. */
  released(podUid: string): void {
    for (const text of this.#ids.keys()) if (text.startsWith(`${podUid}.`)) this.#ids.delete(text);
  }

  async bring(id: ContainerID, container: Container): Promise<void> {
    const directory = this.#launcher.directoryOf(id);
    const { files } = this.#world.options;
    if (directory === undefined) return;
    const facts = await files.facts(directory);
    if (facts === undefined) return;
    const place: OutputPlace = {
      logPath: container.spec.logPath,
      directory,
      owner: { uid: facts.uid, gid: facts.gid },
      notePath: this.#notePath(rootOf(id).value, container.spec.name),
    };
    await this.#parts.output.bring(place);
  }
}

/** Waits for a container of the runtime to end. */
export function endOf(world: World, container: Container, signal: AbortSignal): Promise<Container> {
  const { runtime } = world.options;
  return new Promise((resolve, reject) => {
    const gone = (): void => {
      changes[Symbol.dispose]();
      reject(new Error('The client has gone'));
    };
    let last = container;
    const look = (now: Container | undefined): void => {
      if (now !== undefined) last = now;
      if (now !== undefined && now.state !== 'exited') return;
      changes[Symbol.dispose]();
      signal.removeEventListener('abort', gone);
      resolve(last);
    };
    const changes = runtime.onChange((changed) => {
      if (changed.id === container.id) look(changed);
    });
    signal.addEventListener('abort', gone, { once: true });
    look(runtime.container(container.id));
  });
}
