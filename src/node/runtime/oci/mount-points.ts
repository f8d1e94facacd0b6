import {
  lstatSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmdirSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { codeOf, isMissing } from './namespace.ts';

/** Mode that crun gives to the mount points it makes, and nobody else to anything. */
const madeMode = 0o1755;

/**
 * Mount points of a plain process are made on the host. Gives those to take away again, deepest first:
 * what is absent, and what an earlier such process made, which may be gone before this one.
 */
export function mountPointsToMake(targets: readonly string[]): readonly string[] {
  const made = new Set<string>();
  for (const target of targets)
    for (let path = target; path.length > 1 && isOurs(path); path = dirname(path)) made.add(path);
  return [...made].toSorted((a, b) => b.length - a.length);
}

function isOurs(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat === undefined || (stat.isDirectory() && (stat.mode & 0o7777) === madeMode);
}

/**
 * Removes what of them is empty and used by nobody. Removing a folder would take away the mounts that
 * other namespaces have on it.
 */
export function removeMountPoints(folders: readonly string[]): void {
  const there = folders.filter(
    (folder) => lstatSync(folder, { throwIfNoEntry: false }) !== undefined,
  );
  if (there.length === 0) return;
  const used = usedMountPoints();
  for (const folder of there) {
    const path = realpathSync(folder);
    if ([...used].some((point) => point === path || point.startsWith(`${path}/`))) continue;
    try {
      rmdirSync(folder);
    } catch (cause) {
      const left = isMissing(cause) || codeOf(cause) === 'ENOTEMPTY' || codeOf(cause) === 'EBUSY';
      if (!left) throw cause;
    }
  }
}

/** Of every mount namespace on the machine, each asked once. */
function usedMountPoints(): ReadonlySet<string> {
  const points = new Set<string>();
  const namespaces = new Set<string>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    try {
      const namespace = readlinkSync(`/proc/${pid}/ns/mnt`);
      if (namespaces.has(namespace)) continue;
      namespaces.add(namespace);
      for (const line of readFileSync(`/proc/${pid}/mountinfo`, 'utf8').split('\n')) {
        const point = line.split(' ')[4];
        if (point !== undefined) points.add(point);
      }
    } catch (cause) {
      // It has ended, or is another user's.
      if (!isMissing(cause) && codeOf(cause) !== 'EACCES' && codeOf(cause) !== 'EINVAL')
        throw cause;
    }
  return points;
}
