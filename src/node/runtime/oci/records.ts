import { readFileSync, readdirSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerSpec, SandboxSpec } from '../runtime.ts';
import { isMissing } from './namespace.ts';
import { writeWhole } from './paths.ts';

/** What a restarted agent must know of a sandbox. One file each; the lease of its address too. */
export interface SandboxRecord {
  readonly id: string;
  readonly spec: SandboxSpec;
  readonly createdMs: number;
  readonly ip: string;
  readonly veth: string;
  readonly netPin: string;
  readonly ipcPin: string;
  readonly cgroup: string;
  /** The container that holds a shared PID namespace, not shown to anybody. */
  readonly pauseId: string | undefined;
  /** `spare`: connected, and no Pod's yet. */
  readonly state: 'making' | 'spare' | 'ready' | 'notReady';
}
export interface ContainerRecord {
  readonly id: string;
  readonly sandboxId: string;
  readonly spec: ContainerSpec;
  readonly cgroup: string;
  readonly createdMs: number;
  readonly uid: number;
  readonly gid?: number;
  readonly groups?: readonly number[];
  readonly hidden: boolean;
  /** Folders made on the host for the mounts of a plain process, deepest first. */
  readonly madeDirs: readonly string[];
  readonly state: 'making' | 'created' | 'running' | 'exited' | 'unknown';
  readonly startedMs: number | undefined;
  readonly finishedMs: number | undefined;
  readonly exitCode: number | undefined;
  readonly oomKilled: boolean;
  readonly message: string;
  readonly pid: number | undefined;
  /** Start time in clock ticks: tells the process from a later one of the same number. */
  readonly pidStart: string | undefined;
  readonly conmonPid: number | undefined;
}

const recordFile = 'record.json';

export function saveRecord(folder: string, record: SandboxRecord | ContainerRecord): void {
  writeWhole(join(folder, record.id, recordFile), JSON.stringify(record));
}

/** The same beside other work: replacing a file may wait for the disk. */
export async function saveRecordSoon(folder: string, record: ContainerRecord): Promise<void> {
  const path = join(folder, record.id, recordFile);
  await writeFile(`${path}.soon`, JSON.stringify(record), { mode: 0o600 });
  await rename(`${path}.soon`, path);
}

/**
 * The records below `folder`; the ids of folders whose record is missing or torn come back apart,
 * so that what was made for them can be cleared away.
 */
export function loadRecords<T extends { readonly id: string }>(
  folder: string,
): { readonly records: readonly T[]; readonly broken: readonly string[] } {
  const records: T[] = [];
  const broken: string[] = [];
  for (const id of readdirSync(folder)) {
    const record = parseRecord<T>(join(folder, id, recordFile));
    if (record?.id === id) records.push(record);
    else broken.push(id);
  }
  return { records, broken };
}

function parseRecord<T>(path: string): T | undefined {
  try {
    // Written by this very code; a torn one does not parse, an older one is checked by its id.
    const record: T = JSON.parse(readFileSync(path, 'utf8'));
    return record;
  } catch (cause) {
    if (isMissing(cause) || cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

/** Field 22 of /proc/PID/stat, or undefined when there is no such process or it is a zombie. */
export function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
}

/** Whether a process still is the one that was recorded. */
export function isAlive(pid: number | undefined, start: string | undefined): boolean {
  if (pid === undefined) return false;
  const now = processStart(pid);
  return now !== undefined && (start === undefined || now === start);
}

/** Whether `pid` is the conmon of this container: its id is in its arguments. */
export function isConmonOf(pid: number | undefined, id: string): boolean {
  if (pid === undefined || processStart(pid) === undefined) return false;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(id);
  } catch (cause) {
    if (isMissing(cause)) return false;
    throw cause;
  }
}
