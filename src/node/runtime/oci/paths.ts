import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RuntimeOptions } from '../options.ts';

/** Every place a node's runtime writes to. Lasting things below `data`, the rest below `run`. */
export interface Paths {
  readonly data: string;
  readonly sandboxes: string;
  readonly containers: string;
  readonly exits: string;
  readonly run: string;
  readonly netPins: string;
  readonly ipcPins: string;
  readonly sockets: string;
  readonly ociRoot: string;
}

export function pathsOf(options: Pick<RuntimeOptions, 'dataDir' | 'runDir'>): Paths {
  const { dataDir: data, runDir: run } = options;
  return {
    data,
    sandboxes: join(data, 'sandboxes'),
    containers: join(data, 'containers'),
    exits: join(data, 'exits'),
    run,
    netPins: join(run, 'net'),
    ipcPins: join(run, 'ipc'),
    sockets: join(run, 's'),
    ociRoot: join(run, 'oci'),
  };
}

export function makePaths(paths: Paths): void {
  for (const path of Object.values(paths)) mkdirSync(path, { recursive: true, mode: 0o711 });
}

/** A file that is either the old or the new one, never half: written aside and renamed. */
export function writeWhole(path: string, content: string | Uint8Array, mode = 0o600): void {
  const aside = `${path}.tmp`;
  writeFileSync(aside, content, { mode });
  renameSync(aside, path);
}

/** Short names for links and the like, where the kernel gives 15 bytes. */
export function shortHash(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}

/** What all interfaces of a node's Pods on the host's side start with. */
export function vethPrefix(cluster: string, node: string): string {
  return `tv${shortHash(`${cluster}/${node}`, 4)}`;
}

/** Shared memory of Pods lies on the host's own /dev/shm, so that no mount is needed. */
export function shmPrefix(cluster: string, node: string): string {
  return `/dev/shm/tandem-${cluster}-${node}-`;
}
