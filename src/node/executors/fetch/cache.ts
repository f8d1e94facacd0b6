import type { FetcherOptions } from './open-fetcher.ts';

// --fetcher_cache_size
const cacheBytesMax = 2 * 2 ** 30;

interface Entry {
  readonly path: string;
  size: number;
  users: number;
  lastMs: number;
  ready: Promise<void>;
}

/**
 * Files that several tasks fetch, kept by user and URI; the least recently used go first. What a
 * former agent left is removed at the first use: nobody knows whether it is whole.
 */
export class FetchCache {
  readonly #options: FetcherOptions;
  readonly #dir: string;
  readonly #entries = new Map<string, Entry>();
  #opened: Promise<void> | undefined;
  #made = 0;

  constructor(options: FetcherOptions, dir: string) {
    this.#options = options;
    this.#dir = dir;
  }

  /** The cached file, brought when it is not there; it stays until the result is disposed of. */
  async get(
    key: string,
    bring: (path: string) => Promise<void>,
  ): Promise<{ readonly path: string } & Disposable> {
    this.#opened ??= this.#open();
    await this.#opened;
    const { clock } = this.#options;
    const entry = this.#entries.get(key) ?? this.#add(key, bring);
    entry.users++;
    entry.lastMs = clock.monotonicMs();
    try {
      await entry.ready;
    } catch (error) {
      entry.users--;
      throw error;
    }
    await this.#shrink();
    return {
      path: entry.path,
      [Symbol.dispose]: () => {
        entry.users--;
      },
    };
  }

  size(): { readonly totalBytes: number; readonly usedBytes: number } {
    let usedBytes = 0;
    for (const { size } of this.#entries.values()) usedBytes += size;
    return { totalBytes: cacheBytesMax, usedBytes };
  }

  #add(key: string, bring: (path: string) => Promise<void>): Entry {
    const { files, clock } = this.#options;
    const path = `${this.#dir}/c${this.#made++}`;
    const entry: Entry = {
      path,
      size: 0,
      users: 0,
      lastMs: clock.monotonicMs(),
      ready: Promise.resolve(),
    };
    this.#entries.set(key, entry);
    const load = async (): Promise<void> => {
      try {
        await bring(path);
        entry.size = (await files.facts(path))?.size ?? 0;
        if (entry.size > cacheBytesMax) throw new Error('The file is larger than the cache');
      } catch (error) {
        this.#entries.delete(key);
        await files.remove(path);
        throw error;
      }
    };
    entry.ready = load();
    return entry;
  }

  async #open(): Promise<void> {
    await this.#options.files.remove(this.#dir);
    await this.#options.files.makeDir(this.#dir, { mode: 0o700 });
  }

  async #shrink(): Promise<void> {
    let { usedBytes: total } = this.size();
    const oldest = [...this.#entries].toSorted(([, a], [, b]) => a.lastMs - b.lastMs);
    for (const [key, entry] of oldest) {
      if (total <= cacheBytesMax) return;
      if (entry.users > 0) continue;
      this.#entries.delete(key);
      total -= entry.size;
      await this.#options.files.remove(entry.path);
    }
  }
}
