import type { StatsFs } from 'node:fs';
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Who owns what is made. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}
export interface SystemUser extends Owner {
  readonly name: string;
  readonly home: string;
}
export interface FileFacts {
  /** The last part of its path. */
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  readonly links: number;
  readonly size: number;
  readonly modifiedMs: number;
  /** With the bits of the kind, as stat(2) gives it. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}
/** A file that was opened safely: `path` is where it really lies. */
export interface SandboxFile {
  readonly path: string;
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * What the Mesos agent does in sandboxes. Their content belongs to tasks, who may put links anywhere:
 * nothing here follows a link in the last part of a path, and `open` tells where a file really lies.
 */
export interface SandboxFiles {
  /** With parents (owned by the agent, 0755); `owner` and `mode` are the last one's. */
  makeDir(path: string, options?: { owner?: Owner | undefined; mode?: number }): Promise<void>;
  /** Makes or replaces a symbolic link. */
  link(target: string, path: string): Promise<void>;
  readLink(path: string): Promise<string | undefined>;
  /** Undefined when it does not exist. Does not follow a link. */
  facts(path: string): Promise<FileFacts | undefined>;
  /** Of what is in a directory, links followed; undefined when it is none. */
  list(path: string): Promise<readonly FileFacts[] | undefined>;
  /** The path without links; undefined when it does not exist. */
  realPath(path: string): Promise<string | undefined>;
  /** Undefined when it does not exist; throws for anything but a file. Links are followed. */
  open(path: string): Promise<SandboxFile | undefined>;
  append(path: string, data: Uint8Array, owner: Owner | undefined): Promise<void>;
  truncate(path: string, size: number): Promise<void>;
  /** All at once, for the agent's own notes. */
  write(path: string, data: Uint8Array): Promise<void>;
  readText(path: string): Promise<string | undefined>;
  rename(from: string, to: string): Promise<void>;
  copy(from: string, to: string): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  /** Everything below too; links themselves, not what they point to. */
  chown(path: string, owner: Owner): Promise<void>;
  remove(path: string): Promise<void>;
  space(path: string): Promise<{ readonly bytes: number; readonly availableBytes: number }>;
  /** By name or number, from the machine's /etc/passwd. */
  user(nameOrId: string): Promise<SystemUser | undefined>;
  groupName(gid: number): Promise<string | undefined>;
}

export const systemSandboxFiles: SandboxFiles = {
  makeDir,
  link,
  readLink: (path) => orAbsent(fs.readlink(path)),
  async facts(path) {
    const stat = await orAbsent(fs.lstat(path));
    return stat === undefined ? undefined : factsOf(basename(path), stat);
  },
  list,
  realPath: (path) => orAbsent(fs.realpath(path)),
  open,
  async append(path, data, owner) {
    const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
    const handle = await fs.open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o644);
    try {
      if (!(await handle.stat()).isFile()) throw new Error(`Cannot write "${path}": it is no file`);
      if (owner !== undefined) await handle.chown(owner.uid, owner.gid);
      await handle.appendFile(data);
    } finally {
      await handle.close();
    }
  },
  async truncate(path, size) {
    const { O_WRONLY, O_NOFOLLOW } = constants;
    const handle = await orAbsent(fs.open(path, O_WRONLY | O_NOFOLLOW));
    if (handle === undefined) return;
    try {
      const stat = await handle.stat();
      if (stat.isFile() && stat.size > size) await handle.truncate(size);
    } finally {
      await handle.close();
    }
  },
  async write(path, data) {
    await fs.mkdir(dirname(path), { recursive: true });
    await fs.writeFile(`${path}.new`, data);
    await fs.rename(`${path}.new`, path);
  },
  readText: (path) => orAbsent(fs.readFile(path, 'utf8')),
  rename: (from, to) => fs.rename(from, to),
  copy: (from, to) => fs.copyFile(from, to),
  chmod: (path, mode) => fs.chmod(path, mode),
  chown,
  remove: (path) => fs.rm(path, { recursive: true, force: true }),
  async space(path) {
    const { bsize, blocks, bavail } = await statfs(path);
    return { bytes: bsize * blocks, availableBytes: bsize * bavail };
  },
  user,
  groupName,
};

/** Of the file system that `path` will be on, when it is not there yet. */
async function statfs(path: string): Promise<StatsFs> {
  try {
    return await fs.statfs(path);
  } catch (error) {
    const above = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === path) throw error;
    return await statfs(above);
  }
}

async function makeDir(
  path: string,
  options: { owner?: Owner | undefined; mode?: number } = {},
): Promise<void> {
  await fs.mkdir(path, { recursive: true, mode: 0o755 });
  if (options.owner === undefined && options.mode === undefined) return;
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  const handle = await fs.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    if (options.owner !== undefined) await handle.chown(options.owner.uid, options.owner.gid);
    if (options.mode !== undefined) await handle.chmod(options.mode);
  } finally {
    await handle.close();
  }
}

async function link(target: string, path: string): Promise<void> {
  if ((await orAbsent(fs.readlink(path))) === target) return;
  await fs.rm(`${path}.new`, { force: true });
  await fs.symlink(target, `${path}.new`);
  await fs.rename(`${path}.new`, path);
}

async function list(path: string): Promise<readonly FileFacts[] | undefined> {
  const names = await orAbsent(fs.readdir(path));
  if (names === undefined) return undefined;
  const found: FileFacts[] = [];
  for (const name of names) {
    const full = join(path, name);
    const stat = (await orAbsent(fs.stat(full))) ?? (await orAbsent(fs.lstat(full)));
    if (stat !== undefined) found.push(factsOf(name, stat));
  }
  return found;
}

async function open(path: string): Promise<SandboxFile | undefined> {
  const { O_RDONLY, O_NONBLOCK } = constants;
  // Without waiting: a task may have put a FIFO there.
  const handle = await orAbsent(fs.open(path, O_RDONLY | O_NONBLOCK));
  if (handle === undefined) return undefined;
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new Error(`Cannot read "${path}": it is no file`);
    return {
      path: await fs.readlink(`/proc/self/fd/${handle.fd}`),
      size: stat.size,
      async read(offset, length) {
        const buffer = new Uint8Array(length);
        const { bytesRead } = await handle.read(buffer, 0, length, offset);
        return buffer.subarray(0, bytesRead);
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function chown(path: string, owner: Owner): Promise<void> {
  await fs.lchown(path, owner.uid, owner.gid);
  const stat = await fs.lstat(path);
  if (!stat.isDirectory()) return;
  for (const name of await fs.readdir(path)) await chown(join(path, name), owner);
}

async function user(nameOrId: string): Promise<SystemUser | undefined> {
  for (const line of (await fs.readFile('/etc/passwd', 'utf8')).split('\n')) {
    const [name = '', , uid = '', gid = '', , home = ''] = line.split(':');
    if (name !== '' && (name === nameOrId || uid === nameOrId))
      return { name, uid: Number(uid), gid: Number(gid), home };
  }
  return undefined;
}

async function groupName(gid: number): Promise<string | undefined> {
  for (const line of (await fs.readFile('/etc/group', 'utf8')).split('\n')) {
    const [name = '', , id = ''] = line.split(':');
    if (id === String(gid)) return name;
  }
  return undefined;
}

type Stats = Awaited<ReturnType<typeof fs.lstat>>;

function factsOf(name: string, stat: Stats): FileFacts {
  const plain = stat.isFile() ? 'file' : stat.isSymbolicLink() ? 'link' : 'other';
  return {
    name,
    kind: stat.isDirectory() ? 'directory' : plain,
    links: Number(stat.nlink),
    size: Number(stat.size),
    modifiedMs: Number(stat.mtimeMs),
    mode: Number(stat.mode),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
  };
}

async function orAbsent<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (
      error instanceof Error &&
      'code' in error &&
      (error.code === 'ENOENT' || error.code === 'ENOTDIR')
    )
      return undefined;
    throw error;
  }
}
