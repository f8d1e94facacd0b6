import { spawn } from 'node:child_process';
import { constants, watch } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/** One file of a volume that is written from the API. */
export interface PayloadFile {
  readonly data: Uint8Array;
  readonly mode: number;
  readonly uid?: number | undefined;
}
export type PathKind =
  | 'directory'
  | 'file'
  | 'socket'
  | 'charDevice'
  | 'blockDevice'
  | 'other'
  | 'absent';

/** A file read piece by piece while someone else writes it. */
export interface OpenFile {
  read(offset: number, bytesMax: number): Promise<Uint8Array>;
  size(): Promise<number>;
  /** False when the name now belongs to another file (rotated). */
  current(): Promise<boolean>;
  close(): Promise<void>;
}

/** What the agent does with the file system; the simulator has its own. */
export interface Files {
  makeDir(path: string, mode: number): Promise<void>;
  createFile(path: string, mode: number): Promise<void>;
  /** Follows symbolic links, as mounting would. */
  kind(path: string): Promise<PathKind>;
  /** Names in a directory; empty when it does not exist. */
  list(path: string): Promise<readonly string[]>;
  /** Undefined when it does not exist. Reads the last `bytesMax` bytes. */
  readTail(path: string, bytesMax: number): Promise<Uint8Array | undefined>;
  open(path: string): Promise<OpenFile | undefined>;
  /** Calls back when the file may have changed. */
  onChange(path: string, listener: () => void): Disposable;
  /**
   * Makes `dir` show exactly these files, all at once: readers see the old or the new set, through
   * the symbolic link `..data`. Gives whether anything changed.
   */
  writePayload(
    dir: string,
    files: ReadonlyMap<string, PayloadFile>,
    options: { readonly gid?: number | undefined },
  ): Promise<boolean>;
  mountTmpfs(path: string, options: { readonly sizeBytes?: number | undefined }): Promise<void>;
  /** Gives a path at which `sub` below `root` is bound; never leaves `root`, whatever links say. */
  bindInside(
    root: string,
    sub: string,
    options: {
      readonly target: string;
      readonly create: boolean;
      readonly gid?: number | undefined;
    },
  ): Promise<void>;
  /** Unmounts everything at and below `path`, then removes it. */
  remove(path: string): Promise<void>;
  /** Gives everything below to a group, readable and writable for it. */
  giveToGroup(
    path: string,
    gid: number,
    options: { readonly onlyIfRootDiffers: boolean },
  ): Promise<void>;
  usedBytes(path: string): Promise<number>;
}

const oPath = 0o10000000; // Linux O_PATH, which node:fs does not name.

export const systemFiles: Files = {
  async makeDir(path, mode) {
    await fs.mkdir(path, { recursive: true });
    await fs.chmod(path, mode);
  },
  async createFile(path, mode) {
    const handle = await fs.open(path, 'a', mode);
    await handle.chmod(mode);
    await handle.close();
  },
  async kind(path) {
    const stat = await orAbsent(fs.stat(path));
    if (stat === undefined) return 'absent';
    if (stat.isDirectory()) return 'directory';
    if (stat.isFile()) return 'file';
    if (stat.isSocket()) return 'socket';
    if (stat.isCharacterDevice()) return 'charDevice';
    return stat.isBlockDevice() ? 'blockDevice' : 'other';
  },
  list: async (path) => (await orAbsent(fs.readdir(path))) ?? [],
  readTail,
  open: openFile,
  onChange(path, listener) {
    const watcher = watch(path, { persistent: false }, listener);
    watcher.on('error', listener);
    return { [Symbol.dispose]: () => watcher.close() };
  },
  writePayload,
  async mountTmpfs(path, { sizeBytes }) {
    if (await isMount(path)) return;
    await fs.mkdir(path, { recursive: true });
    const size = sizeBytes === undefined ? [] : [`size=${sizeBytes}`];
    await run('mount', ['-t', 'tmpfs', '-o', ['mode=0777', ...size].join(','), 'tmpfs', path]);
  },
  bindInside,
  remove,
  giveToGroup,
  usedBytes,
};

async function readTail(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
  const handle = await orAbsent(fs.open(path, 'r'));
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    const length = Math.min(size === 0 ? bytesMax : size, bytesMax);
    const buffer = new Uint8Array(length);
    const { bytesRead } = await handle.read(buffer, 0, length, Math.max(0, size - bytesMax));
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function openFile(path: string): Promise<OpenFile | undefined> {
  const handle = await orAbsent(fs.open(path, 'r'));
  if (handle === undefined) return undefined;
  const { ino } = await handle.stat();
  return {
    async read(offset, bytesMax) {
      const buffer = new Uint8Array(bytesMax);
      const { bytesRead } = await handle.read(buffer, 0, bytesMax, offset);
      return buffer.subarray(0, bytesRead);
    },
    size: async () => (await handle.stat()).size,
    current: async () => (await orAbsent(fs.stat(path)))?.ino === ino,
    close: () => handle.close(),
  };
}

/** The layout of k8s volume/util/atomic_writer: `..data` -> `..<timestamp>`, names -> `..data/name`. */
async function writePayload(
  dir: string,
  files: ReadonlyMap<string, PayloadFile>,
  options: { readonly gid?: number | undefined },
): Promise<boolean> {
  const old = await orAbsent(fs.readlink(join(dir, '..data')));
  if (old !== undefined && (await samePayload(join(dir, old), files))) return false;
  await fs.mkdir(dir, { recursive: true, mode: 0o755 });
  const fresh = await fs.mkdtemp(join(dir, '..v'));
  await fs.chmod(fresh, options.gid === undefined ? 0o755 : 0o2775);
  if (options.gid !== undefined) await fs.chown(fresh, 0, options.gid);
  for (const [name, file] of files) {
    const path = join(fresh, name);
    await fs.mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await fs.writeFile(path, file.data);
    const owned = options.gid !== undefined || file.uid !== undefined;
    if (owned) await fs.chown(path, file.uid ?? 0, options.gid ?? 0);
    await fs.chmod(path, file.mode);
  }
  await fs.rm(join(dir, '..data_tmp'), { force: true });
  await fs.symlink(relative(dir, fresh), join(dir, '..data_tmp'));
  await fs.rename(join(dir, '..data_tmp'), join(dir, '..data'));
  const tops = new Set([...files.keys()].map((name) => name.split('/')[0] ?? name));
  for (const top of tops) {
    const link = join(dir, top);
    if ((await orAbsent(fs.readlink(link))) !== undefined) continue;
    await fs.symlink(join('..data', top), link);
  }
  for (const name of await fs.readdir(dir)) {
    const stale = name.startsWith('..v')
      ? join(dir, name) !== fresh
      : !name.startsWith('..') && !tops.has(name);
    if (stale) await fs.rm(join(dir, name), { recursive: true, force: true });
  }
  return true;
}

async function samePayload(dir: string, files: ReadonlyMap<string, PayloadFile>): Promise<boolean> {
  const entries = await orAbsent(fs.readdir(dir, { recursive: true, withFileTypes: true }));
  const present = entries?.filter((entry) => entry.isFile()) ?? [];
  if (entries === undefined || present.length !== files.size) return false;
  for (const [name, file] of files) {
    const path = join(dir, name);
    const stat = await orAbsent(fs.stat(path));
    if (stat === undefined || (stat.mode & 0o777) !== (file.mode & 0o777)) return false;
    if (stat.size !== file.data.length) return false;
    if (!(await fs.readFile(path)).equals(file.data)) return false;
  }
  return true;
}

/**
 * Walks with handles, so that nobody in the container can swap a directory for a link between the
 * check and the mount (k8s volume/util/subpath).
 */
async function bindInside(
  root: string,
  sub: string,
  options: { readonly target: string; readonly create: boolean; readonly gid?: number | undefined },
): Promise<void> {
  if (await isMount(options.target)) return;
  if (sub.split('/').includes('..') || sub.startsWith('/'))
    throw new Error(`subPath ${JSON.stringify(sub)} must stay inside the volume`);
  if (options.create) await createInside(root, sub, options.gid);
  const realRoot = await fs.realpath(root);
  const real = await fs.realpath(join(root, sub));
  const inside = relative(realRoot, real);
  if (inside === '..' || inside.startsWith('../'))
    throw new Error(
      `subpath ${JSON.stringify(real)} not within volume path ${JSON.stringify(realRoot)}`,
    );
  const handle = await openNoFollow(realRoot, inside);
  try {
    const stat = await handle.stat();
    if (stat.isDirectory()) await fs.mkdir(options.target, { recursive: true });
    else {
      await fs.mkdir(dirname(options.target), { recursive: true });
      await (await fs.open(options.target, 'a')).close();
    }
    await run('mount', [
      '--no-canonicalize',
      '--bind',
      `/proc/${process.pid}/fd/${handle.fd}`,
      options.target,
    ]);
  } finally {
    await handle.close();
  }
}

/** Makes missing directories of `sub`, refusing to pass through a link that leads out. */
async function createInside(root: string, sub: string, gid: number | undefined): Promise<void> {
  const realRoot = await fs.realpath(root);
  let path = realRoot;
  for (const name of sub.split('/').filter((part) => part !== '' && part !== '.')) {
    const next = join(path, name);
    const real = await orAbsent(fs.realpath(next));
    if (real === undefined) {
      await fs.mkdir(next, 0o750);
      await fs.chmod(next, gid === undefined ? 0o755 : 0o2775);
      if (gid !== undefined) await fs.chown(next, 0, gid);
    } else if (real !== realRoot && !real.startsWith(`${realRoot}/`)) {
      throw new Error(
        `subpath ${JSON.stringify(real)} not within volume path ${JSON.stringify(realRoot)}`,
      );
    }
    path = real ?? next;
    if (!(await fs.stat(path)).isDirectory()) return;
  }
}

async function openNoFollow(root: string, inside: string): Promise<fs.FileHandle> {
  let handle = await fs.open(root, oPath | constants.O_DIRECTORY);
  for (const name of inside.split('/').filter((part) => part !== '')) {
    const parent = handle;
    try {
      handle = await fs.open(`/proc/self/fd/${parent.fd}/${name}`, oPath | constants.O_NOFOLLOW);
    } finally {
      await parent.close();
    }
    if ((await handle.stat()).isSymbolicLink()) {
      await handle.close();
      throw new Error(`subpath: ${JSON.stringify(name)} became a symbolic link`);
    }
  }
  return handle;
}

async function remove(path: string): Promise<void> {
  const below = (await mountPoints())
    .filter((point) => point === path || point.startsWith(`${path}/`))
    .toSorted((a, b) => b.length - a.length);
  for (const point of below) await run('umount', ['--no-canonicalize', '-l', point]);
  await fs.rm(path, { recursive: true, force: true });
}

async function isMount(path: string): Promise<boolean> {
  return (await mountPoints()).includes(path);
}

async function mountPoints(): Promise<readonly string[]> {
  const text = await fs.readFile('/proc/self/mountinfo', 'utf8');
  return text.split('\n').flatMap((line) => {
    const point = line.split(' ')[4];
    if (point === undefined) return [];
    return [
      point.replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(parseInt(code, 8))),
    ];
  });
}

async function giveToGroup(
  path: string,
  gid: number,
  options: { readonly onlyIfRootDiffers: boolean },
): Promise<void> {
  const stat = await fs.lstat(path);
  const right = stat.gid === gid && (stat.mode & 0o2070) === 0o2070;
  if (options.onlyIfRootDiffers && right) return;
  if (stat.isDirectory())
    for (const name of await fs.readdir(path))
      await giveToGroup(join(path, name), gid, { onlyIfRootDiffers: false });
  if (stat.isSymbolicLink()) return;
  await fs.chown(path, stat.uid, gid);
  await fs.chmod(path, (stat.mode & 0o7777) | 0o660 | (stat.isDirectory() ? 0o2110 : 0));
}

/** Blocks in use, as du counts them; files that vanish meanwhile count nothing. */
async function usedBytes(path: string): Promise<number> {
  const stat = await orAbsent(fs.lstat(path));
  if (stat === undefined) return 0;
  let total = stat.blocks * 512;
  if (!stat.isDirectory()) return total;
  for (const name of (await orAbsent(fs.readdir(path))) ?? [])
    total += await usedBytes(join(path, name));
  return total;
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

function run(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let problem = '';
    child.stderr.on('data', (chunk: Buffer) => {
      if (problem.length < 4096) problem += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(
            `Cannot ${command} ${args.join(' ')}: ${problem.trim() || `exit status ${code}`}`,
          ),
        );
    });
  });
}
