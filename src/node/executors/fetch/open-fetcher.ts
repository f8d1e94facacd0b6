import type { ArchiveForm, SandboxFiles } from '#io';
import type { CommandInfoURI } from '#mesos/protocol';
import type { ExecutorsOptions } from '../options.ts';
import { FetchCache } from './cache.ts';
import type { FetchRequest, Fetcher } from './fetcher.ts';
import { sourceOf } from './uri.ts';
import type { FetchSource } from './uri.ts';

export type FetcherOptions = Pick<
  ExecutorsOptions,
  'files' | 'fetchTools' | 'clock' | 'random' | 'logger'
>;

// --fetcher_stall_timeout
const stallMs = 60_000;
const entriesMax = 200_000;
const megabyte = 2 ** 20;
/** What compression may promise: more than any honest archive, less than a bomb. */
const growthMax = 100;
const spaceKeptBytes = 256 * megabyte;

const forms: readonly (readonly [string, ArchiveForm])[] = [
  ['.tar', 'tar'],
  ['.tgz', 'tar.gz'],
  ['.tar.gz', 'tar.gz'],
  ['.tbz2', 'tar.bz2'],
  ['.tar.bz2', 'tar.bz2'],
  ['.txz', 'tar.xz'],
  ['.tar.xz', 'tar.xz'],
  ['.zip', 'zip'],
];

export function openFetcher(options: FetcherOptions, cacheDir: string): Fetcher {
  return new UriFetcher(options, cacheDir);
}

/** Mesos' fetcher: one URI after the other, the first failure ends the launch (docs/fetcher.md). */
class UriFetcher implements Fetcher {
  readonly #options: FetcherOptions;
  readonly #cache: FetchCache;

  constructor(options: FetcherOptions, cacheDir: string) {
    this.#options = options;
    this.#cache = new FetchCache(options, cacheDir);
  }

  async fetch(request: FetchRequest, signal: AbortSignal): Promise<void> {
    for (const uri of request.uris) {
      try {
        await this.#one(uri, request, signal);
      } catch (error) {
        if (signal.aborted || !(error instanceof Error)) throw error;
        throw new Error(
          `Failed to fetch all URIs for container '${request.containerID}': ${error.message}`,
          { cause: error },
        );
      }
    }
  }

  cache(): { readonly totalBytes: number; readonly usedBytes: number } {
    return this.#cache.size();
  }

  async #one(uri: CommandInfoURI, request: FetchRequest, signal: AbortSignal): Promise<void> {
    const { files } = this.#options;
    const source = sourceOf(uri);
    const target = `${request.directory}/${source.to}`;
    const parent = target.slice(0, target.lastIndexOf('/'));
    if (parent !== request.directory) await files.makeDir(parent);
    const extracts = uri.extract !== false && uri.executable !== true;
    const form = extracts ? formOf(source.to) : undefined;
    if (uri.cache === true) {
      const cached = await this.#cached(source, request.user, signal);
      if (cached !== undefined) {
        using _kept = cached;
        if (form === undefined) await files.copy(cached.path, target);
        else await this.#extract(cached.path, { form, target, directory: request.directory });
        if (uri.executable === true) await files.chmod(target, 0o755);
        return;
      }
    }
    await this.#bring(source, target, signal);
    if (uri.executable === true) await files.chmod(target, 0o755);
    else if (form !== undefined)
      await this.#extract(target, { form, target, directory: request.directory });
  }

  /** From the cache, or through it; undefined when the cache cannot help. */
  async #cached(
    source: FetchSource,
    user: string,
    signal: AbortSignal,
  ): Promise<({ readonly path: string } & Disposable) | undefined> {
    try {
      return await this.#cache.get(`${user}@${source.uri}`, (path) =>
        this.#bring(source, path, signal),
      );
    } catch (error) {
      if (signal.aborted || !(error instanceof Error)) throw error;
      this.#options.logger.info('Cannot fetch through the cache', { uri: source.uri, error });
      return undefined;
    }
  }

  async #bring(source: FetchSource, path: string, signal: AbortSignal): Promise<void> {
    const { files, fetchTools } = this.#options;
    if (source.kind === 'local') {
      const facts = await files.facts((await files.realPath(source.from)) ?? source.from);
      if (facts?.kind !== 'file')
        throw new Error(`Failed to fetch '${source.uri}': '${source.from}' is no file`);
      await files.copy(source.from, path);
      return;
    }
    if (source.kind === 'hadoop') {
      await this.#byHadoop(source, path, signal);
      return;
    }
    const { availableBytes } = await files.space(path.slice(0, path.lastIndexOf('/')));
    const bytesMax = Math.max(megabyte, availableBytes - spaceKeptBytes);
    const options = { stallMs, bytesMax, signal };
    const byFtp = source.kind === 'ftp';
    const status = await this.#told(source, () =>
      byFtp
        ? fetchTools.downloadByFtp(new URL(source.from), path, options)
        : fetchTools.download(source.from, path, options),
    );
    if (status !== (byFtp ? 226 : 200))
      throw new Error(
        `Failed to fetch '${source.uri}': ` +
          `Error downloading resource, received ${byFtp ? 'FTP' : 'HTTP'} return code ${status}`,
      );
  }

  async #byHadoop(source: FetchSource, path: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.fetchTools.copyByHadoop(source.from, path, signal);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new Error(`Failed to fetch '${source.uri}': ${error.message}`, { cause: error });
    }
  }

  async #told<T>(source: FetchSource, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new Error(
        `Failed to fetch '${source.uri}': Error downloading resource: ${error.message}`,
        { cause: error },
      );
    }
  }

  async #extract(
    from: string,
    to: { readonly form: ArchiveForm | 'gz'; readonly target: string; readonly directory: string },
  ): Promise<void> {
    const { fetchTools, files } = this.#options;
    const limits = { bytesMax: await roomFor(files, from), entriesMax };
    try {
      if (to.form === 'gz') await fetchTools.gunzip(from, to.target.slice(0, -3), limits);
      else await fetchTools.extract(from, { form: to.form, root: to.directory, limits });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const name = to.target.slice(to.directory.length + 1);
      throw new Error(`Failed to extract '${name}': ${error.message}`, { cause: error });
    }
  }
}

function formOf(name: string): ArchiveForm | 'gz' | undefined {
  for (const [suffix, form] of forms) if (name.endsWith(suffix)) return form;
  return name.endsWith('.gz') ? 'gz' : undefined;
}

/** What an archive may unpack to: in proportion to its size, and within what the disk has left. */
async function roomFor(files: SandboxFiles, archive: string): Promise<number> {
  const size = (await files.facts(archive))?.size ?? 0;
  const { availableBytes } = await files.space(archive.slice(0, archive.lastIndexOf('/')));
  const grown = Math.max(64 * megabyte, growthMax * size);
  return Math.max(0, Math.min(grown, availableBytes - spaceKeptBytes));
}
