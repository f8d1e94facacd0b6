import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { Cgroups, type CgroupLayout } from './cgroups.ts';
import { toolEnvironment } from './command.ts';

/** What `tandem doctor` wants to know, and what a start refuses without. */
export interface MachineProbe {
  readonly root: boolean;
  readonly cgroups: CgroupLayout | 'none';
  readonly cgroupControllers: readonly string[];
  /** Tool to path, undefined when it is not there. */
  readonly tools: Readonly<Record<string, string | undefined>>;
  /** "crun" or "runc"; '' when neither is there. */
  readonly ociRuntime: string;
  /** What is missing and the Debian package that brings it. */
  readonly missing: readonly { readonly program: string; readonly package: string }[];
  /** A sentence for each thing that stands in the way of running containers. */
  readonly problems: readonly string[];
}

/** Tool to Debian package. */
const packages: Readonly<Record<string, string>> = {
  conmon: 'conmon',
  ip: 'iproute2',
  nft: 'nftables',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  mount: 'mount',
  mountpoint: 'util-linux',
  tar: 'tar',
  perl: 'perl-base',
};
const controllersNeeded = ['cpu', 'memory', 'pids'];

export async function probeMachine(): Promise<MachineProbe> {
  const cgroups = Cgroups.probe();
  const tools: Record<string, string | undefined> = {};
  for (const name of ['crun', 'runc', ...Object.keys(packages)]) tools[name] = findTool(name);
  const ociRuntime = ['crun', 'runc'].find((name) => tools[name] !== undefined) ?? '';
  const missing = [
    ...(ociRuntime === '' ? [{ program: 'crun', package: 'crun' }] : []),
    ...Object.entries(packages)
      .filter(([program]) => tools[program] === undefined)
      .map(([program, name]) => ({ program, package: name })),
  ];
  const wanted = [...new Set(missing.map((item) => item.package))];
  const controllers = cgroups.controllers();
  const root = process.getuid?.() === 0;
  const lacking = controllersNeeded.filter((name) => !controllers.includes(name));
  const problems = [
    ...(root ? [] : ['Containers need root']),
    ...(wanted.length === 0 ? [] : [`Packages are missing: ${wanted.join(' ')}`]),
    ...(lacking.length === 0 ? [] : [`The kernel offers no cgroup for: ${lacking.join(', ')}`]),
  ];
  return {
    root,
    cgroups: lacking.length === controllersNeeded.length ? 'none' : cgroups.layout,
    cgroupControllers: controllers,
    tools,
    ociRuntime,
    missing,
    problems,
  };
}

/** A tool's full path on the system's own search path. */
export function findTool(name: string): string | undefined {
  for (const folder of (toolEnvironment['PATH'] ?? '').split(':')) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch (cause) {
      if (!(cause instanceof Error)) throw cause;
    }
  }
  return undefined;
}
