import { existsSync, lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { output } from './cluster.ts';

export type Snapshot = Readonly<Record<string, readonly string[]>>;

/** Everything that a cluster could leave on a machine, as sorted lines. */
export async function hostSnapshot(home: string): Promise<Snapshot> {
  const lines = async (...command: [string, ...string[]]): Promise<readonly string[]> =>
    (await output(...command))
      .split('\n')
      .filter((line) => line !== '')
      .toSorted();
  return {
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      // Numbers of mounts are used again.
      .map((line) => line.split(' ').slice(2).join(' '))
      .toSorted(),
    namespaces: await lines('ip', 'netns', 'list'),
    links: (await lines('ip', '-o', 'link', 'show')).map((line) => line.replace(/^\d+: /, '')),
    addresses: (await lines('ip', '-o', 'addr', 'show')).map((line) => line.replace(/^\d+: /, '')),
    routes: [
      ...(await lines('ip', 'route', 'show', 'table', 'all')),
      ...(await lines('ip', 'rule', 'show')),
    ],
    nftables: await lines('nft', 'list', 'ruleset'),
    iptables: existsSync('/usr/sbin/iptables-save')
      ? (await lines('iptables-save')).filter((line) => !line.startsWith('#'))
      : [],
    sysctls: sysctlsBelow('/proc/sys/net'),
    processes: processes(),
    run: tree('/run'),
    shm: tree('/dev/shm'),
    cni: tree('/var/lib/cni'),
    state: tree('/var/lib/tandem'),
    home: tree(home).filter((path) => !path.includes('.kube/cache')),
    kubeconfig: [textOf(join(home, '.kube/config')) ?? 'none'],
  };
}

/** Folders of control groups by the cluster's name: other clusters' on the machine are theirs. */
export function cgroupsOf(name: string): readonly string[] {
  return readdirSync('/sys/fs/cgroup')
    .map((controller) => join('/sys/fs/cgroup', controller))
    .filter((path) => lstatSync(path).isDirectory())
    .flatMap((path) => [path, ...readdirSync(path).map((entry) => join(path, entry))])
    .filter((path) => path.includes(name));
}

function sysctlsBelow(folder: string): readonly string[] {
  return (
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((path) => join(folder, path))
      .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true)
      // A counter, not a setting.
      .filter((path) => !path.endsWith('nf_conntrack_count'))
      .map((path) => `${path}=${textOf(path) ?? ''}`)
      .toSorted()
  );
}

function processes(): readonly string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .map((entry) => (textOf(`/proc/${entry}/cmdline`) ?? '').replaceAll('\0', ' ').trim())
    .filter((line) => line !== '')
    .toSorted();
}

function tree(folder: string): readonly string[] {
  if (!existsSync(folder)) return [`${folder} is not there`];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();
}

/** Undefined for what cannot be read: write-only settings, processes that ended. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
