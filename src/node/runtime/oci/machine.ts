import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { availableParallelism, release } from 'node:os';
import type { Machine } from '../runtime.ts';
import type { RuntimeOptions } from '../options.ts';
import { codeOf, isMissing } from './namespace.ts';

const ticksPerSecond = 100;

/** What the machine (or the node's share of it) is and has left. */
export async function machineFacts(
  options: Pick<RuntimeOptions, 'dataDir' | 'share'>,
  nodeUsageBytes: number,
): Promise<Machine> {
  const { share } = options;
  const meminfo = read('/proc/meminfo');
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(meminfo)?.[1] ?? 0) * 1024;
  const total = kilobytes('MemTotal');
  const disk = await statfs(options.dataDir);
  const memoryBytes = Math.min(total, share?.memoryBytes ?? total);
  const cpuMillis = availableParallelism() * 1000;
  return {
    cpuMillis: Math.min(cpuMillis, share?.cpuMillis ?? cpuMillis),
    memoryBytes,
    // A share is enforced on the node's own group, so what its Pods use counts against it.
    memoryAvailableBytes: Math.min(
      share?.memoryBytes === undefined ? total : Math.max(0, memoryBytes - nodeUsageBytes),
      kilobytes('MemAvailable'),
    ),
    cpuNanos: busyNanos(),
    filesystemBytes: disk.blocks * disk.bsize,
    filesystemAvailableBytes: disk.bavail * disk.bsize,
    filesystemInodes: disk.files,
    filesystemInodesFree: disk.ffree,
    ...processCounts(),
    apparmorProfiles: apparmorProfiles(),
    selinux: read('/sys/fs/selinux/enforce') !== '',
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(read('/etc/os-release'))?.[1] ?? 'Linux',
    machineId: read('/etc/machine-id').trim(),
    systemUuid: read('/sys/class/dmi/id/product_uuid').trim().toLowerCase(),
    bootId: read('/proc/sys/kernel/random/boot_id').trim(),
    architecture:
      { x64: 'amd64', arm64: 'arm64', ia32: '386' }[process.arch as string] ?? process.arch,
  };
}

/** The kernel stops at whichever of the two limits comes first. */
function processCounts(): Pick<Machine, 'pids' | 'pidsMax'> {
  const [, , , running = ''] = read('/proc/loadavg').split(' ');
  const limits = ['pid_max', 'threads-max'].map((name) =>
    Number(read(`/proc/sys/kernel/${name}`) || Number.POSITIVE_INFINITY),
  );
  return { pids: Number(running.split('/')[1] ?? 0), pidsMax: Math.min(...limits) };
}

/** Lines like "docker-default (enforce)". */
function apparmorProfiles(): readonly string[] | undefined {
  if (read('/sys/module/apparmor/parameters/enabled').trim() !== 'Y') return undefined;
  const loaded = read('/sys/kernel/security/apparmor/profiles').split('\n');
  return loaded.flatMap((line) => /^(.+) \([a-z]+\)$/.exec(line)?.[1] ?? []);
}

/** user + nice + system + irq + softirq + steal of all CPUs since boot. */
function busyNanos(): number {
  const fields = (read('/proc/stat').split('\n')[0] ?? '').split(/\s+/).slice(1).map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return ((user + nice + system + irq + softirq + steal) * 1e9) / ticksPerSecond;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (isMissing(cause) || codeOf(cause) === 'EACCES') return '';
    throw cause;
  }
}
