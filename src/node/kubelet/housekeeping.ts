import { labels } from './pod-view.ts';
import type { ImageManager } from './images.ts';
import type { KubeletOptions } from './options.ts';

const highShare = 0.85;
const lowShare = 0.8;
const imageAgeMs = 120_000;
const logBytesMax = 10 * 1024 * 1024;
const logFilesMax = 5;

/** Images nobody uses, when the disk fills up; log files that grow. */
export class Housekeeping {
  readonly #options: KubeletOptions;
  readonly #images: ImageManager;
  readonly #firstSeenMs = new Map<string, number>();

  constructor(options: KubeletOptions, images: ImageManager) {
    this.#options = options;
    this.#images = images;
  }

  async rotateLogs(): Promise<void> {
    const { runtime, files, logger } = this.#options;
    for (const { id, state } of runtime.containers()) {
      if (state !== 'running') continue;
      const path = runtime.logPath(id);
      const file = await files.open(path);
      if (file === undefined) continue;
      const size = await file.size();
      await file.close();
      if (size < logBytesMax) continue;
      try {
        await runtime.rotateLog(id);
        await this.#dropOldLogs(path);
      } catch (error) {
        logger.warn('Cannot rotate a log', { container: id, error });
      }
    }
  }

  async #dropOldLogs(path: string): Promise<void> {
    const { files } = this.#options;
    const dir = path.slice(0, path.lastIndexOf('/'));
    const base = path.slice(dir.length + 1);
    const rotated = (await files.list(dir))
      .filter((name) => name.startsWith(`${base}.`))
      .toSorted();
    for (const name of rotated.slice(0, Math.max(0, rotated.length - (logFilesMax - 1))))
      await files.remove(`${dir}/${name}`);
  }

  /** Frees down to 80 % when 85 % are used, or everything unused when `all`. */
  async collectImages(options: { readonly all: boolean }): Promise<void> {
    const { runtime, clock, logger } = this.#options;
    const usage = await runtime.images.usage();
    if (usage.capacityBytes === 0) return;
    const now = clock.nowMs();
    const known = await runtime.images.list();
    for (const { id } of known) if (!this.#firstSeenMs.has(id)) this.#firstSeenMs.set(id, now);
    const usedShare = 1 - usage.availableBytes / usage.capacityBytes;
    if (!options.all && usedShare < highShare) return;
    let excess = usage.capacityBytes * (1 - lowShare) - usage.availableBytes;
    const inUse = new Set(runtime.containers().map(({ spec }) => spec.imageId));
    const lastUsed = (id: string): number =>
      this.#images.lastUsedMs(id) ?? this.#firstSeenMs.get(id) ?? now;
    const unused = known
      .filter(({ id, loaded }) => !inUse.has(id) && !loaded && now - lastUsed(id) >= imageAgeMs)
      .toSorted((a, b) => lastUsed(a.id) - lastUsed(b.id));
    for (const { id, bytes } of unused) {
      if (!options.all && excess <= 0) return;
      try {
        await runtime.images.remove(id);
        excess -= bytes;
      } catch (error) {
        logger.info('Cannot remove an image', { image: id, error });
      }
    }
  }

  /** Ended containers of Pods beyond the last one of each name. */
  async collectContainers(): Promise<void> {
    const { runtime } = this.#options;
    const ended = new Map<string, { id: string; createdMs: number }[]>();
    const all = runtime.containers().toSorted((a, b) => b.createdMs - a.createdMs);
    for (const { id, state, spec, createdMs } of all) {
      if (state !== 'exited') continue;
      const key = `${spec.labels[labels.uid]}/${spec.name}`;
      ended.set(key, [...(ended.get(key) ?? []), { id, createdMs }]);
    }
    for (const list of ended.values())
      for (const { id } of list.slice(1)) await runtime.removeContainer(id);
  }
}
