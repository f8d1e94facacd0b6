import { spawn } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { ArchiveError } from './archive-entry.ts';
import type { ArchiveEntry } from './archive-entry.ts';

/** What an archive from a stranger may grow to. */
export interface ArchiveLimits {
  readonly bytesMax: number;
  readonly entriesMax: number;
}
export type ArchiveForm = 'tar' | 'tar.gz' | 'tar.bz2' | 'tar.xz' | 'zip';

/**
 * Unpacks below `root`, where nobody else may write meanwhile. Nothing leaves it: no name with `..`,
 * no link that points out of it, no way through such a link, no device. Setuid bits are dropped.
 */
export async function extractArchive(
  path: string,
  options: { readonly form: ArchiveForm; readonly root: string; readonly limits: ArchiveLimits },
): Promise<void> {
  const target = new Unpacked(await fs.realpath(options.root), options.limits);
  if (options.form === 'zip') {
    const { zipEntries } = await import('./zip.ts');
    for await (const entry of zipEntries(path)) await target.put(entry);
    return;
  }
  const { extract } = await import('tar-stream');
  const reader = extract();
  const read = pipeline(plainBytes(path, options.form), reader);
  const done = read.then(
    () => undefined,
    (error: unknown) => error,
  );
  try {
    for await (const entry of reader) {
      const { name, type, mode, linkname } = entry.header;
      await target.put({
        name,
        kind: kinds[type ?? 'file'] ?? 'other',
        mode,
        linkTarget: linkname ?? '',
        content: () => Readable.from(entry),
      });
      entry.resume();
    }
  } catch (error) {
    reader.destroy();
    throw (await done) === undefined || error instanceof ArchiveError ? error : await done;
  }
  const failure = await done;
  if (failure instanceof Error) throw new ArchiveError(failure.message, { cause: failure });
}

const kinds: Readonly<Record<string, ArchiveEntry['kind']>> = {
  file: 'file',
  'contiguous-file': 'file',
  directory: 'directory',
  symlink: 'symlink',
  link: 'hardlink',
};

/** `name.gz` to `name`. */
export async function gunzipFile(from: string, to: string, limits: ArchiveLimits): Promise<void> {
  await pipeline(
    createReadStream(from),
    createGunzip(),
    bounded(limits.bytesMax),
    createWriteStream(to),
  );
}

function plainBytes(path: string, form: ArchiveForm): Readable {
  if (form === 'tar.bz2') return decompressed('bzip2', path);
  if (form === 'tar.xz') return decompressed('xz', path);
  const file = createReadStream(path);
  if (form === 'tar') return file;
  const gunzip = createGunzip();
  file.on('error', (error) => gunzip.destroy(error));
  return file.pipe(gunzip);
}

function decompressed(tool: string, path: string): Readable {
  const child = spawn(tool, ['-dc', '--', path], { stdio: ['ignore', 'pipe', 'pipe'] });
  let problem = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (problem.length < 4096) problem += chunk.toString();
  });
  const out = new Transform({
    transform: (chunk, _encoding, done) => done(null, chunk),
    flush: (done) => {
      const end = (code: number | null): void =>
        done(code === 0 ? null : new ArchiveError(problem.trim() || `${tool} failed`));
      if (child.exitCode !== null) end(child.exitCode);
      else child.once('close', end);
    },
  });
  child.once('error', (error) => out.destroy(error));
  // Whoever stops reading ends the tool, which would wait for ever.
  out.once('close', () => child.kill());
  return child.stdout.pipe(out);
}

/** Passes bytes on until there are too many. */
function bounded(bytesMax: number): Transform {
  let left = bytesMax;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length;
      if (left < 0) done(new ArchiveError(`The archive holds more than ${bytesMax} bytes`));
      else done(null, chunk);
    },
  });
}

/** The directory an archive goes to, and what it may still take. */
class Unpacked {
  readonly #root: string;
  readonly #limits: ArchiveLimits;
  #bytesLeft: number;
  #entries = 0;

  constructor(root: string, limits: ArchiveLimits) {
    this.#root = root;
    this.#limits = limits;
    this.#bytesLeft = limits.bytesMax;
  }

  async put(entry: ArchiveEntry): Promise<void> {
    if (++this.#entries > this.#limits.entriesMax)
      throw new ArchiveError(`The archive holds more than ${this.#limits.entriesMax} files`);
    const parts = partsOf(entry.name);
    if (parts.length === 0) return;
    const path = await this.#placeFor(parts);
    const mode = (entry.mode ?? (entry.kind === 'directory' ? 0o755 : 0o644)) & 0o777 & ~0o022;
    switch (entry.kind) {
      case 'directory':
        if (!(await isDirectory(path))) {
          await fs.rm(path, { force: true });
          await fs.mkdir(path);
        }
        await fs.chmod(path, mode | 0o700);
        break;
      case 'file':
        await this.#write(path, entry, mode);
        break;
      case 'symlink':
        this.#checkLink(parts, entry);
        await this.#clear(path);
        await fs.symlink(entry.linkTarget, path);
        break;
      case 'hardlink': {
        const from = await this.#placeFor(partsOf(entry.linkTarget));
        if (!(await fs.lstat(from)).isFile())
          throw new ArchiveError(`Archive entry "${entry.name}" is a link to no file`);
        await this.#clear(path);
        await fs.link(from, path);
        break;
      }
      default:
        throw new ArchiveError(`Archive entry "${entry.name}" is a device or pipe`);
    }
  }

  async #write(path: string, entry: ArchiveEntry, mode: number): Promise<void> {
    await this.#clear(path);
    const limit = bounded(this.#bytesLeft);
    const file = createWriteStream(path, { flags: 'wx', mode });
    await pipeline(entry.content(), limit, file);
    this.#bytesLeft -= file.bytesWritten;
  }

  /** Its directory, made and known to lie within the root once all links are followed. */
  async #placeFor(parts: readonly string[]): Promise<string> {
    const parent = join(this.#root, ...parts.slice(0, -1));
    let real = this.#root;
    for (const part of parts.slice(0, -1)) {
      const next = join(real, part);
      try {
        real = await fs.realpath(next);
      } catch (error) {
        if (!isMissing(error)) throw error;
        await fs.mkdir(next);
        real = next;
      }
      if (real !== this.#root && !real.startsWith(`${this.#root}/`))
        throw new ArchiveError(`Archive entry "${parts.join('/')}" leads out of the sandbox`);
    }
    if (!(await isDirectory(real)))
      throw new ArchiveError(`Archive entry "${parts.join('/')}": "${parent}" is no directory`);
    return join(real, parts.at(-1) ?? '');
  }

  #checkLink(parts: readonly string[], entry: ArchiveEntry): void {
    const { linkTarget } = entry;
    const whole = linkTarget.startsWith('/') ? linkTarget : '';
    const inside = join('/', dirname(parts.join('/')), linkTarget);
    const depth = depthOf([...parts.slice(0, -1), ...linkTarget.split('/')]);
    if (whole !== '' || depth < 0)
      throw new ArchiveError(
        `Archive entry "${entry.name}" is a link out of the sandbox, to "${whole || inside}"`,
      );
  }

  async #clear(path: string): Promise<void> {
    if (await isDirectory(path))
      throw new ArchiveError(`Archive entry "${path}" would replace a directory`);
    await fs.rm(path, { force: true });
  }
}

/** The lowest level a path reaches on its way; below zero it has left where it began. */
function depthOf(parts: readonly string[]): number {
  let depth = 0;
  let lowest = 0;
  for (const part of parts) {
    if (part === '' || part === '.') continue;
    depth += part === '..' ? -1 : 1;
    lowest = Math.min(lowest, depth);
  }
  return lowest;
}

/** As tar(1), a leading `/` is dropped and `..` refused. */
function partsOf(name: string): readonly string[] {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..') || name.includes('\0'))
    throw new ArchiveError(`Archive entry "${name}" leads out of the sandbox`);
  return parts;
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await fs.lstat(path)).isDirectory();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'ENOENT' || error.code === 'ENOTDIR')
  );
}
