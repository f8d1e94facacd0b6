import type { Cancel } from '#base';
import type { RunNote } from './sandboxes.ts';
import type { WorkPaths } from './paths.ts';
import type { World } from './world.ts';

// --gc_delay, --gc_disk_headroom, --disk_watch_interval
const delayMs = 7 * 86_400_000;
const headroom = 0.1;
const watchMs = 60_000;

/** How old a sandbox may become on a disk that is so full (mesos.md 5.9). */
export function ageMsMax(usage: number): number {
  return delayMs * Math.max(0, 1 - headroom - usage);
}

interface Run {
  readonly note: RunNote;
  /** When its Pod was gone; undefined while it is there. */
  readonly endedMs: number;
}

/**
 * Removes sandboxes of executors that are gone, a week after their end or earlier when the disk
 * fills. Looks each minute while there is anything that may become old, and not at all otherwise.
 */
export class SandboxGc {
  readonly #world: World;
  readonly #paths: WorkPaths;
  readonly #runs = new Map<string, Run>();
  #cancel: Cancel | undefined;
  #loaded = false;

  constructor(world: World, paths: WorkPaths) {
    this.#world = world;
    this.#paths = paths;
  }

  /** What former agents left. Once, after the caches are filled. */
  async begin(): Promise<void> {
    if (this.#loaded) return;
    this.#loaded = true;
    const { files } = this.#world.options;
    for (const { name } of (await files.list(`${this.#paths.root}/meta/runs`)) ?? []) {
      const note = await this.#noteOf(name);
      if (note === undefined || this.#lives(note)) continue;
      const run = await files.facts(this.#paths.run(note));
      this.#runs.set(name, { note, endedMs: run?.modifiedMs ?? 0 });
    }
    this.#arm();
  }

  /** A Pod is gone from this node. */
  async ended(podUid: string): Promise<void> {
    const note = await this.#noteOf(podUid);
    if (note === undefined) return;
    this.#runs.set(podUid, { note, endedMs: this.#world.options.clock.nowMs() });
    this.#arm();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  async #noteOf(podUid: string): Promise<RunNote | undefined> {
    const { files } = this.#world.options;
    const text = await files.readText(`${this.#paths.notes(podUid)}/run.json`);
    if (text === undefined) return undefined;
    // Our own note, written whole or not at all.
    const note: RunNote = JSON.parse(text);
    return note;
  }

  #lives({ containerID }: RunNote): boolean {
    return this.#world.pods.by('uid', containerID).length > 0;
  }

  #arm(): void {
    if (this.#cancel !== undefined || this.#runs.size === 0) return;
    const { clock, logger } = this.#world.options;
    this.#cancel = clock.after(watchMs, () => {
      this.#cancel = undefined;
      this.sweep()
        .catch((error: unknown) => logger.warn('Cannot remove old sandboxes', { error }))
        .finally(() => this.#arm());
    });
  }

  async sweep(): Promise<void> {
    const { files, clock } = this.#world.options;
    const { bytes, availableBytes } = await files.space(this.#paths.root);
    const oldestMs = clock.nowMs() - ageMsMax(bytes === 0 ? 0 : 1 - availableBytes / bytes);
    for (const [podUid, { note, endedMs }] of this.#runs) {
      if (endedMs > oldestMs || this.#lives(note)) continue;
      await this.#removeRun(note);
      const latest = this.#paths.latest(note);
      if ((await files.readLink(latest)) === this.#paths.run(note)) await files.remove(latest);
      await files.remove(this.#paths.notes(podUid));
      await this.#removeEmpty(note);
      this.#runs.delete(podUid);
    }
  }

  /** Sandboxes that wait for their time. */
  get pending(): number {
    return this.#runs.size;
  }

  async #removeRun(note: RunNote): Promise<void> {
    const { options, counters } = this.#world;
    try {
      await options.files.remove(this.#paths.run(note));
      counters.add('gc/path_removals_succeeded');
    } catch (error) {
      counters.add('gc/path_removals_failed');
      throw error;
    }
  }

  /** The directories above a run, as far as nothing else is in them. */
  async #removeEmpty(note: RunNote): Promise<void> {
    const { files } = this.#world.options;
    const executor = this.#paths.executor(note);
    const framework = executor.slice(0, executor.lastIndexOf('/executors/'));
    for (const path of [`${executor}/runs`, executor, `${framework}/executors`, framework]) {
      const inside = await files.list(path);
      if (inside === undefined || inside.length > 0) return;
      await files.remove(path);
    }
  }
}
