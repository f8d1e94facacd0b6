import type { Cancel } from '#base';
import type { Informer } from '#client';
import { agents as agentKind } from '#mesos/kinds';
import type { Agent } from '#mesos/kinds';
import type { WorkPaths } from './paths.ts';
import { persistentPath } from './volumes.ts';
import type { World } from './world.ts';

/** What this node last saw of its Agent object. */
interface Note {
  readonly uid: string;
  /** Directories of its persistent volumes. */
  readonly volumes: readonly string[];
}

/**
 * Removes the data of destroyed persistent volumes: those that the node's Agent object had and has
 * no more. A volume that nobody is known to have destroyed stays: of another Agent object (the node
 * was deleted and joined anew) nothing is removed.
 */
export class VolumeKeeper {
  readonly #world: World;
  readonly #paths: WorkPaths;
  readonly #agents: Informer<Agent>;
  #work: Promise<void> = Promise.resolve();
  #removed = 0;

  constructor(world: World, paths: WorkPaths) {
    const { api, createInformer, clock, logger, nodeName } = world.options;
    this.#world = world;
    this.#paths = paths;
    this.#agents = createInformer<Agent>(api, agentKind, {
      clock,
      logger,
      fieldSelector: `metadata.name=${nodeName}`,
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#quietly(() => this.#world.options.files.remove(this.#bin));
    const stop: Cancel = this.#agents.onChange(({ object }) => this.#changed(object));
    const running = this.#agents.run(signal);
    await Promise.race([this.#agents.synced, running]);
    for (const agent of this.#agents.list()) this.#changed(agent);
    await running;
    stop();
    await this.#work;
  }

  #changed(agent: Agent | undefined): void {
    if (agent === undefined) return;
    this.#work = this.#work.then(() => this.#quietly(() => this.#follow(agent)));
  }

  async #follow({ metadata: { uid }, spec }: Agent): Promise<void> {
    const volumes = (spec.resources ?? []).flatMap(
      (resource) => persistentPath(resource, this.#paths) ?? [],
    );
    const before = await this.#read();
    const there = new Set(volumes);
    const lost = before?.uid === uid ? before.volumes.filter((path) => !there.has(path)) : [];
    if (before?.uid === uid && lost.length === 0 && before.volumes.length === volumes.length)
      return;
    if (before === undefined && volumes.length === 0) return;
    for (const path of lost) await this.#remove(path);
    const note: Note = { uid, volumes };
    await this.#world.options.files.write(this.#notePath, Buffer.from(JSON.stringify(note)));
  }

  /** Out of its place at once, so that a volume made anew under its name begins empty. */
  async #remove(path: string): Promise<void> {
    const { files, logger } = this.#world.options;
    if ((await files.facts(path)) === undefined) return;
    logger.info('Removing the data of a destroyed volume', { path });
    await files.makeDir(this.#bin);
    const away = `${this.#bin}/${this.#removed++}`;
    try {
      await files.rename(path, away);
    } catch {
      await files.remove(path); // it is on another file system
    }
    await files.remove(away);
  }

  async #read(): Promise<Note | undefined> {
    const text = await this.#world.options.files.readText(this.#notePath);
    if (text === undefined) return undefined;
    const { uid, volumes } = JSON.parse(text) as Partial<Note>;
    return typeof uid === 'string' && Array.isArray(volumes) ? { uid, volumes } : undefined;
  }

  async #quietly(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#world.options.logger.warn('The data of destroyed volumes stays', { error });
    }
  }

  get #bin(): string {
    return `${this.#paths.root}/volumes/removed`;
  }
  get #notePath(): string {
    return `${this.#paths.root}/volumes.json`;
  }
}
