import { mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ResourceLimits } from '../runtime.ts';
import { codeOf, isMissing } from './namespace.ts';

/** v1: a hierarchy per controller. hybrid: that, with v2 beside it for systemd's use. v2: one tree. */
export type CgroupLayout = 'v1' | 'hybrid' | 'v2';

export interface CgroupUsage {
  readonly cpuNanos: number;
  readonly cpuUserNanos: number;
  readonly cpuSystemNanos: number;
  readonly memoryUsageBytes: number;
  readonly memoryWorkingSetBytes: number;
  readonly memoryRssBytes: number;
  readonly pids: number;
}

const noUsage: CgroupUsage = {
  cpuNanos: 0,
  cpuUserNanos: 0,
  cpuSystemNanos: 0,
  memoryUsageBytes: 0,
  memoryWorkingSetBytes: 0,
  memoryRssBytes: 0,
  pids: 0,
};
const delegated = '+cpu +memory +pids +cpuset +io';

/**
 * The machine's control groups. Paths start at the root of the tree(s): "/tandem-x/n1/burstable/pod1".
 * Reads and writes are synchronous: the files are the kernel's memory, microseconds each.
 */
export class Cgroups {
  readonly layout: CgroupLayout;
  #quotaUsMax: number | undefined;
  /** Controller to mount point; on v2 every controller has the same. */
  readonly #mounts: ReadonlyMap<string, string>;

  private constructor(layout: CgroupLayout, mounts: ReadonlyMap<string, string>) {
    this.layout = layout;
    this.#mounts = mounts;
  }

  static probe(mountinfo = readFileSync('/proc/self/mountinfo', 'utf8')): Cgroups {
    const mounts = new Map<string, string>();
    let unified: string | undefined;
    for (const line of mountinfo.split('\n')) {
      const [before = '', after = ''] = line.split(' - ');
      const point = before.split(' ')[4] ?? '';
      const [type, , options = ''] = after.split(' ');
      if (type === 'cgroup2') unified = point;
      if (type !== 'cgroup') continue;
      for (const name of options.split(',')) {
        if (name !== 'rw' && name !== 'ro' && !mounts.has(name)) mounts.set(name, point);
      }
    }
    if (mounts.size === 0 && unified !== undefined)
      return new Cgroups('v2', new Map([['', unified]]));
    return new Cgroups(unified === undefined ? 'v1' : 'hybrid', mounts);
  }

  get isV2(): boolean {
    return this.layout === 'v2';
  }

  controllers(): readonly string[] {
    if (!this.isV2) return [...this.#mounts.keys()];
    return (readFile(join(this.#root('memory'), 'cgroup.controllers')) ?? '').trim().split(' ');
  }

  /** What `share` allows all containers together: microseconds of CPU time each 100 ms. */
  get quotaUsMax(): number | undefined {
    return this.#quotaUsMax;
  }

  /**
   * The share of the machine that a node may use, enforced on the group of all its Pods; what the
   * share does not name is unlimited again. A version 1 hierarchy takes no quota below one further
   * down, so those are cut first.
   */
  share(path: string, share: { readonly cpuMillis?: number; readonly memoryBytes?: number }): void {
    const quotaUs = share.cpuMillis === undefined ? undefined : share.cpuMillis * 100;
    if (quotaUs === undefined && share.memoryBytes === undefined && !this.exists(path)) return;
    this.make(path, {});
    if (quotaUs !== undefined && !this.isV2)
      for (const dir of treeOf(this.#dir('cpu', path))) {
        const file = join(dir, 'cpu.cfs_quota_us');
        if (Number(readFile(file) ?? -1) > quotaUs) writeFileSync(file, String(quotaUs));
      }
    this.limit(path, { cpuQuotaUs: quotaUs ?? 0, memoryBytes: share.memoryBytes ?? 0 });
    this.#quotaUsMax = quotaUs;
  }

  /** Makes the group with all its parents and sets its limits. */
  make(path: string, limits: ResourceLimits): void {
    if (this.isV2) this.#makeV2(path);
    else
      for (const controller of ['cpu', 'memory', 'pids'])
        if (this.#mounts.has(controller))
          mkdirSync(this.#dir(controller, path), { recursive: true });
    this.limit(path, limits);
  }

  /** Changes the limits of a group; a controller the machine lacks is left out. */
  limit(path: string, limits: ResourceLimits): void {
    if (limits.cpuShares !== undefined)
      if (this.isV2) this.#set('cpu', path, { 'cpu.weight': String(weightOf(limits.cpuShares)) });
      else this.#set('cpu', path, { 'cpu.shares': String(Math.max(2, limits.cpuShares)) });
    if (limits.cpuQuotaUs !== undefined) {
      const quota = Math.min(limits.cpuQuotaUs, this.#quotaUsMax ?? Number.POSITIVE_INFINITY);
      if (this.isV2)
        this.#set('cpu', path, { 'cpu.max': quota > 0 ? `${quota} 100000` : 'max 100000' });
      else this.#set('cpu', path, { 'cpu.cfs_quota_us': String(quota > 0 ? quota : -1) });
    }
    if (limits.memoryBytes !== undefined) {
      const bytes = limits.memoryBytes;
      if (this.isV2) this.#set('memory', path, { 'memory.max': bytes > 0 ? String(bytes) : 'max' });
      else this.#set('memory', path, { 'memory.limit_in_bytes': String(bytes > 0 ? bytes : -1) });
    }
    if (limits.pids !== undefined)
      this.#set('pids', path, { 'pids.max': limits.pids > 0 ? String(limits.pids) : 'max' });
    if (limits.cpusetCpus !== undefined && limits.cpusetCpus !== '')
      this.#set('cpuset', path, { 'cpuset.cpus': limits.cpusetCpus });
  }

  /** Processes in the group and below it. */
  processes(path: string): readonly number[] {
    const pids = new Set<number>();
    for (const controller of this.#killers()) {
      for (const dir of treeOf(this.#dir(controller, path)))
        for (const line of (readFile(join(dir, 'cgroup.procs')) ?? '').split('\n'))
          if (line !== '' && line !== '0') pids.add(Number(line));
    }
    return [...pids];
  }

  /** SIGKILL to everything in the group and below; processes that fork meanwhile are caught too. */
  kill(path: string): void {
    if (this.isV2) {
      const file = join(this.#dir('memory', path), 'cgroup.kill');
      if (tryWrite(file, '1')) return;
    }
    for (let turn = 0; turn < 8; turn++) {
      const pids = this.processes(path);
      if (pids.length === 0) return;
      for (const pid of pids) signal(pid, 'SIGKILL');
    }
  }

  /** Removes the group and those below it. False while processes are in it. */
  remove(path: string): boolean {
    let gone = true;
    const roots = new Set(this.#mounts.keys().map((controller) => this.#dir(controller, path)));
    for (const root of roots)
      for (const dir of treeOf(root)) {
        try {
          rmdirSync(dir);
        } catch (cause) {
          if (codeOf(cause) === 'EBUSY' || codeOf(cause) === 'ENOTEMPTY') gone = false;
          else if (!isMissing(cause)) throw cause;
        }
      }
    return gone;
  }

  hasChildren(path: string): boolean {
    return this.#killers().some((name) => (readDir(this.#dir(name, path)) ?? []).length > 0);
  }

  exists(path: string): boolean {
    return this.#killers().some((name) => readDir(this.#dir(name, path)) !== undefined);
  }

  /** How often the kernel killed for want of memory in this group. */
  oomKills(path: string): number {
    const name = this.isV2 ? 'memory.events' : 'memory.oom_control';
    const text = readFile(join(this.#dir('memory', path), name)) ?? '';
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
  }

  usage(path: string): CgroupUsage {
    if (path === '' && !this.isV2 && this.#mounts.size === 0) return noUsage;
    const memory = this.#dir('memory', path);
    const stat = readFile(join(memory, 'memory.stat')) ?? '';
    const field = (name: string): number =>
      Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0);
    const used = Number(
      readFile(join(memory, this.isV2 ? 'memory.current' : 'memory.usage_in_bytes')) ?? 0,
    );
    const inactive = field(this.isV2 ? 'inactive_file' : 'total_inactive_file');
    return {
      ...this.#cpuTime(path),
      memoryUsageBytes: used,
      memoryWorkingSetBytes: Math.max(0, used - inactive),
      memoryRssBytes: field(this.isV2 ? 'anon' : 'total_rss'),
      pids: Number(readFile(join(this.#dir('pids', path), 'pids.current')) ?? 0),
    };
  }

  /** Version 1 counts the two kinds in ticks of 10 ms (USER_HZ), so that they may be a little apart. */
  #cpuTime(path: string): Pick<CgroupUsage, 'cpuNanos' | 'cpuUserNanos' | 'cpuSystemNanos'> {
    const dir = this.#dir(this.isV2 ? 'cpu' : 'cpuacct', path);
    const stat = readFile(join(dir, this.isV2 ? 'cpu.stat' : 'cpuacct.stat')) ?? '';
    const field = (name: string): number =>
      Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0);
    if (this.isV2)
      return {
        cpuNanos: field('usage_usec') * 1000,
        cpuUserNanos: field('user_usec') * 1000,
        cpuSystemNanos: field('system_usec') * 1000,
      };
    return {
      cpuNanos: Number(readFile(join(dir, 'cpuacct.usage')) ?? 0),
      cpuUserNanos: field('user') * 1e7,
      cpuSystemNanos: field('system') * 1e7,
    };
  }

  #makeV2(path: string): void {
    let dir = this.#root('memory');
    for (const part of path.split('/').filter(Boolean)) {
      // A controller is to be had below only when each parent hands it down.
      for (const controller of delegated.split(' '))
        tryWrite(join(dir, 'cgroup.subtree_control'), controller);
      dir = join(dir, part);
      mkdirSync(dir, { recursive: true });
    }
    for (const controller of delegated.split(' '))
      tryWrite(join(dir, 'cgroup.subtree_control'), controller);
  }

  #set(controller: string, path: string, files: Readonly<Record<string, string>>): void {
    if (!this.isV2 && !this.#mounts.has(controller)) return;
    for (const [name, value] of Object.entries(files))
      writeFileSync(join(this.#dir(controller, path), name), value);
  }

  #killers(): readonly string[] {
    if (this.isV2) return ['memory'];
    return ['memory', 'pids', 'cpu', 'freezer'].filter((name) => this.#mounts.has(name));
  }
  #root(controller: string): string {
    return this.#mounts.get(this.isV2 ? '' : controller) ?? `/sys/fs/cgroup/${controller}`;
  }
  #dir(controller: string, path: string): string {
    return join(this.#root(controller), path);
  }
}

/** The kubelet's formula from shares (2..262144) to weight (1..10000). */
export function weightOf(shares: number): number {
  return 1 + Math.floor(((Math.max(2, shares) - 2) * 9999) / 262_142);
}

/** Sends a signal; a process that is gone is no error. */
export function signal(pid: number, name: NodeJS.Signals | number): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (cause) {
    if (codeOf(cause) === 'ESRCH') return false;
    throw cause;
  }
}

function tryWrite(file: string, text: string): boolean {
  try {
    writeFileSync(file, text);
    return true;
  } catch (cause) {
    // What the kernel does not offer here (EINVAL, EBUSY, ENOENT) is had without.
    return cause === undefined;
  }
}
function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
}
function readDir(path: string): readonly string[] | undefined {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
}
/** The directory and all below, deepest first; empty when it is not there. */
function treeOf(dir: string): readonly string[] {
  const names = readDir(dir);
  if (names === undefined) return [];
  return [...names.flatMap((name) => treeOf(join(dir, name))), dir];
}
