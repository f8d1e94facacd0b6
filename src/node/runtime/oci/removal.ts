import { readFileSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '#base';
import { Cgroups, signal } from './cgroups.ts';
import { tryRun } from './command.ts';
import { closeNodeNamespace, isMissing, mountPoints } from './namespace.ts';
import { removeMountPoints } from './mount-points.ts';
import { pathsOf, shmPrefix, vethPrefix } from './paths.ts';
import { loadRecords } from './records.ts';
import type { ContainerRecord } from './records.ts';

export interface RemovalOptions {
  readonly cluster: string;
  readonly node: string;
  readonly dataDir: string;
  readonly runDir: string;
  readonly cgroupRoot: string;
  /** In this process' network namespace; absent or already gone is fine. */
  readonly bridge: string | undefined;
  readonly clock: Clock;
  /** Keep images, logs and records (`down`); `destroy` takes all. */
  readonly keepData?: boolean;
}

const endWaitMs = 5_000;

/**
 * Takes away everything that one node has made on the host, whatever state it was left in: it looks
 * for what exists (by cgroup, by path, by name), not for what the records say. The agent must have
 * ended. Idempotent. Processes below `/tandem-x/n1`, conmons of its folders, its namespace, links,
 * shared memory, folders.
 */
export async function removeEverything(options: RemovalOptions): Promise<void> {
  const cgroups = Cgroups.probe();
  const group = `/${options.cgroupRoot}/${options.node}`;
  await endProcesses(options, cgroups, group);
  await unmountBelow(options);
  await closeNodeNamespace(options.runDir);
  await removeLinks(options);
  cgroups.remove(group);
  removeParent(cgroups, options.cgroupRoot);
  await removeShm(options);
  await rm(options.runDir, { recursive: true, force: true });
  removeMountPoints(madeBy(options));
  if (options.keepData !== true) await rm(options.dataDir, { recursive: true, force: true });
}

async function endProcesses(
  options: RemovalOptions,
  cgroups: Cgroups,
  group: string,
): Promise<void> {
  const untilMs = options.clock.monotonicMs() + endWaitMs;
  for (;;) {
    const helpers = helperProcesses(options);
    for (const pid of helpers) signal(pid, 'SIGKILL');
    cgroups.kill(group);
    const left = cgroups.processes(group).length + helpers.length;
    if (left === 0) return;
    if (options.clock.monotonicMs() > untilMs)
      throw new Error(`Cannot end the processes of node "${options.node}": ${left} are left`);
    await options.clock.sleep(10);
  }
}

/** conmon, crun and relays name the node's folders in their arguments. */
function helperProcesses(options: RemovalOptions): readonly number[] {
  const marks = [`${options.runDir}/`, `${options.dataDir}/`];
  const tools = new Set(['conmon', 'crun', 'runc', 'perl', 'nsenter', 'unshare']);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      const words = textOf(`/proc/${name}/cmdline`).split('\0');
      const tool = words[0]?.split('/').at(-1) ?? '';
      const script = words.slice(0, 3).some((word) => word.endsWith('/create.sh'));
      if (!tools.has(tool) && !script) return false;
      return words.some((word) => marks.some((mark) => word.includes(mark)));
    })
    .map(Number);
}

/** Mounts below the node's folders in this namespace (a start without a namespace of its own). */
async function unmountBelow({ runDir, dataDir }: RemovalOptions): Promise<void> {
  const inside = [...mountPoints()].filter((point) =>
    [`${runDir}/`, `${dataDir}/`].some((mark) => point.startsWith(mark)),
  );
  for (const point of inside.toSorted((a, b) => b.length - a.length))
    await tryRun(['umount', '-l', point]);
}

async function removeLinks({ cluster, node, bridge }: RemovalOptions): Promise<void> {
  const shown = await tryRun(['ip', '-o', 'link', 'show']);
  const names = [...shown.stdout.matchAll(/^\d+: ([^:@]+)[@:]/gm)].map((match) => match[1] ?? '');
  const own = names.filter((name) => name.startsWith(vethPrefix(cluster, node)));
  for (const name of [...own, ...(bridge !== undefined && names.includes(bridge) ? [bridge] : [])])
    await tryRun(['ip', 'link', 'del', 'dev', name]);
}

/** The cluster's own cgroup goes with its last node. */
function removeParent(cgroups: Cgroups, root: string): void {
  if (cgroups.processes(`/${root}`).length === 0 && !cgroups.hasChildren(`/${root}`))
    cgroups.remove(`/${root}`);
}

async function removeShm({ cluster, node }: RemovalOptions): Promise<void> {
  const prefix = shmPrefix(cluster, node);
  const folder = dirname(prefix);
  for (const name of namesIn(folder))
    if (`${folder}/${name}`.startsWith(prefix))
      await rm(`${folder}/${name}`, { recursive: true, force: true });
}

/** What plain processes of the node had mounts on. */
function madeBy(options: RemovalOptions): readonly string[] {
  const { containers } = pathsOf(options);
  if (namesIn(containers).length === 0) return [];
  const { records } = loadRecords<ContainerRecord>(containers);
  const folders = new Set(records.flatMap(({ madeDirs }) => madeDirs));
  return [...folders].toSorted((a, b) => b.length - a.length);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    if (isMissing(cause)) return [];
    throw cause;
  }
}
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (isMissing(cause)) return '';
    throw cause;
  }
}
