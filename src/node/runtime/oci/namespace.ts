import { mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, tryRun } from './command.ts';

const pinAttemptsMax = 300;

/** The mount namespace in which one node's sandboxes, pins and containers live. */
export interface NodeNamespace {
  /**
   * Put before a command, it runs inside; empty when this process is inside already. The command
   * starts in `/`: give it absolute paths.
   */
  readonly prefix: readonly string[];
  readonly path: string;
}

/**
 * Finds or makes the node's pinned mount namespace. What is mounted outside later is seen inside,
 * never the other way. On a version 1 cgroup host with a version 2 mount at `unified`, the inside has
 * that mount taken away, or crun 1.8 refuses: "cgroups in hybrid mode not supported".
 */
export async function openNodeNamespace(runDir: string): Promise<NodeNamespace> {
  const path = pinPath(runDir);
  const own = readlinkSync('/proc/self/ns/mnt');
  if (readId(runDir) === own) return { prefix: [], path };
  const prefix = ['nsenter', `--mount=${path}`, '--'];
  if (isMountPoint(path)) return { prefix, path };
  const folder = join(runDir, 'mnt');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // A namespace can be pinned only on a mount that is not shared with others.
  if (!isMountPoint(folder)) {
    await run(['mount', '--bind', folder, folder]);
    await run(['mount', '--make-private', folder]);
  }
  writeFileSync(path, '', { mode: 0o600 });
  const script = [
    'while mountpoint -q /sys/fs/cgroup/unified; do umount /sys/fs/cgroup/unified || exit 1; done',
    'readlink /proc/self/ns/mnt > "$1"',
  ].join('\n');
  const options = [`--mount=${path}`, '--propagation', 'slave'];
  await pinned(['unshare', ...options, 'sh', '-c', script, 'sh', idPath(runDir)]);
  return { prefix, path };
}

/**
 * A kernel lets a mount namespace be pinned only in one of a lower number (mnt_ns_loop), and since 6.18
 * numbers come in batches per CPU: inside a container every second try may meet EINVAL.
 */
async function pinned(command: readonly string[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await run(command);
      return;
    } catch (cause) {
      if (attempt === pinAttemptsMax || !messageOf(cause).includes('Invalid argument')) throw cause;
    }
  }
}

/** Takes the pin away; the namespace ends with its last process. Idempotent. */
export async function closeNodeNamespace(runDir: string): Promise<void> {
  const folder = join(runDir, 'mnt');
  for (const path of [pinPath(runDir), folder]) {
    for (let turn = 0; turn < 4 && isMountPoint(path); turn++) await tryRun(['umount', '-l', path]);
  }
  rmSync(idPath(runDir), { force: true });
}

export function isMountPoint(path: string): boolean {
  return mountPoints().has(path);
}

/** Mount points of this process' namespace, with the octal escapes of mountinfo undone. */
export function mountPoints(): ReadonlySet<string> {
  const points = new Set<string>();
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const point = line.split(' ')[4];
    if (point === undefined) continue;
    points.add(
      point.replaceAll(/\\(\d{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    );
  }
  return points;
}

function pinPath(runDir: string): string {
  return join(runDir, 'mnt', 'ns');
}
function idPath(runDir: string): string {
  return join(runDir, 'mnt.id');
}
function readId(runDir: string): string | undefined {
  try {
    return readFileSync(idPath(runDir), 'utf8').trim();
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
}

/** ENOENT and its kin: the normal answer of things that are gone. */
export function isMissing(cause: unknown): boolean {
  const code = codeOf(cause);
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ESRCH' || code === 'ENODEV';
}
export function codeOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' ? cause.code : undefined;
}
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
