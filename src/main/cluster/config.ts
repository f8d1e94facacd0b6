import {
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** What a cluster was set up with; lies as `cluster.json` in its data directory. */
export interface ClusterConfig {
  readonly format: 1;
  readonly name: string;
  readonly dataDir: string;
  readonly slot: number;
  readonly portOffset: number;
  readonly nodes: number;
  /** Cores and bytes that each node reports instead of the whole machine. */
  readonly nodeCpus: number | undefined;
  readonly nodeMemoryBytes: number | undefined;
  readonly ephemeral: boolean;
  /** Started as root: with nodes, networks and containers. */
  readonly root: boolean;
  /** User id of whoever made it, also through sudo: needs no credentials on the Mesos faces. */
  readonly owner: number;
  /** The Mesos faces let nobody in without credentials. */
  readonly authenticate: boolean;
  /** Every kubeconfig that was written to. */
  readonly kubeconfigs: readonly JoinedKubeconfig[];
  /** The machine as the first cluster on it found it. */
  readonly machineBefore: MachineBefore;
  /** False when the data directory was there, empty, before the first `up`. */
  readonly madeDataDir: boolean;
}

export interface MachineBefore {
  /** By path below /proc/sys. */
  readonly sysctls: Readonly<Record<string, string>>;
  /** Whether somebody had used `ip netns` already. */
  readonly netnsFolder: boolean;
}

/** What `destroy` needs to give a kubeconfig back as it was. */
export interface JoinedKubeconfig {
  readonly path: string;
  readonly contextBefore: string;
  /** The whole file before the first `up`; undefined when there was none. */
  readonly textBefore?: string | undefined;
  /** Sum of what we wrote: while it fits, nobody else has written since. */
  readonly writtenSum: string;
  readonly madeFolder: boolean;
}

/** Where a user's clusters lie when nobody says `--data-dir`. */
export function stateRoot(root: boolean): string {
  if (root) return '/var/lib/tandem';
  return join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local/share'), 'tandem');
}

/** Sockets, pids and pins: gone after a reboot, rebuilt by `up`. */
export function runDirOf(config: {
  readonly name: string;
  readonly root: boolean;
  readonly dataDir: string;
}): string {
  return config.root ? `/run/tandem/${config.name}` : join(config.dataDir, 'run');
}

/** Every cluster of this user leaves a note here, so that names find data directories and slots stay apart. */
function registryDir(root: boolean): string {
  return join(stateRoot(root), '.clusters');
}

export function knownClusters(root: boolean): readonly ClusterConfig[] {
  return namesIn(registryDir(root))
    .filter((name) => name.endsWith('.json'))
    .map((name) => readNote(join(registryDir(root), name)))
    .filter((config) => config !== undefined);
}

export function findCluster(name: string, root: boolean): ClusterConfig | undefined {
  return readNote(join(registryDir(root), `${name}.json`));
}

export function readConfig(dataDir: string): ClusterConfig {
  return decode(readFileSync(join(dataDir, 'cluster.json'), 'utf8'));
}

function decode(text: string): ClusterConfig {
  const config = JSON.parse(text) as ClusterConfig & {
    kubeconfigs?: ClusterConfig['kubeconfigs'];
    sysctlsBefore?: MachineBefore['sysctls'];
    machineBefore?: MachineBefore;
    owner?: number;
    authenticate?: boolean;
  };
  return {
    ...config,
    owner: config.owner ?? 0,
    authenticate: config.authenticate ?? false,
    kubeconfigs: config.kubeconfigs ?? [],
    machineBefore: config.machineBefore ?? {
      sysctls: config.sysctlsBefore ?? {},
      netnsFolder: true,
    },
  };
}

/** The note comes first and goes last: whatever else of a cluster exists, `destroy` finds it. */
export function saveConfig(config: ClusterConfig): void {
  const text = `${JSON.stringify(config, undefined, 2)}\n`;
  writeAtomic(join(registryDir(config.root), `${config.name}.json`), text);
  writeAtomic(join(config.dataDir, 'cluster.json'), text);
}

/** The last thing `destroy` does: afterwards nothing knows of the cluster. */
export function forgetCluster(name: string, root: boolean): void {
  const folder = registryDir(root);
  // A start that was killed while it wrote leaves the file it was about to rename.
  const own = (file: string): boolean =>
    file === `${name}.json` || file.startsWith(`${name}.json.`);
  for (const file of namesIn(folder).filter(own)) rmSync(join(folder, file), { force: true });
  for (const dir of [folder, stateRoot(root)]) removeIfEmpty(dir);
}

export function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOENT' && code !== 'ENOTEMPTY' && code !== 'EBUSY') throw error;
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

export function writeAtomic(path: string, text: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, path);
}

function readNote(path: string): ClusterConfig | undefined {
  try {
    return decode(readFileSync(path, 'utf8'));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new Error(`Cannot read ${path}: remove it if the cluster is gone`, { cause: error });
  }
}

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
