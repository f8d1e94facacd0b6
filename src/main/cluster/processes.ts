import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';

/** A process of a cluster as its files tell: "server" or the name of a node. */
export interface ProcessState {
  readonly name: string;
  readonly pid: number | undefined;
  readonly supervisorPid: number | undefined;
}

const supervisor = join(import.meta.dirname, '../supervise.sh');

/** Starts a supervised process that outlives this one. */
export function startSupervised(options: {
  readonly runDir: string;
  readonly name: string;
  readonly logPath: string;
  readonly command: readonly string[];
  /** Program and arguments in front, to enter namespaces. */
  readonly enter?: readonly string[];
}): void {
  const { runDir, name, logPath, command, enter = [] } = options;
  const child = spawn(
    'setsid',
    [...enter, '/bin/sh', supervisor, runDir, name, logPath, ...command],
    { stdio: 'ignore', detached: true, cwd: '/' },
  );
  child.unref();
}

export function processState(runDir: string, name: string): ProcessState {
  return {
    name,
    pid: livingPid(join(runDir, `${name}.pid`), runDir),
    supervisorPid: livingPid(join(runDir, `${name}.supervisor.pid`), runDir),
  };
}

/**
 * The pid of a file, when that process still is one of this cluster's: pids are used again by the
 * kernel, so its command line must name us.
 */
function livingPid(path: string, runDir: string): number | undefined {
  let pid: number;
  try {
    pid = Number(readFileSync(path, 'utf8').trim());
  } catch {
    return undefined; // never started, or stopped
  }
  return Number.isInteger(pid) && pid > 1 && belongs(pid, runDir) ? pid : undefined;
}

function belongs(pid: number, runDir: string): boolean {
  const line = commandLine(pid);
  return line.includes(`--run-dir=${runDir}\0`) || line.includes(`supervise.sh\0${runDir}\0`);
}

function commandLine(pid: number | string): string {
  try {
    return `${readFileSync(`/proc/${pid}/cmdline`, 'utf8')}\0`;
  } catch {
    return ''; // it ended meanwhile
  }
}

/** Every process whose command line carries this cluster's run directory, pid files or not. */
export function processesOf(runDir: string): readonly number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => pid !== process.pid && belongs(pid, runDir));
}

/** Ends processes: SIGTERM, then SIGKILL to those that are still there after `graceMs`. */
export async function endProcesses(
  pids: readonly number[],
  options: { readonly graceMs: number; readonly runDir: string },
): Promise<void> {
  for (const pid of pids) signalProcess(pid, 'SIGTERM');
  const deadline = performance.now() + options.graceMs;
  const left = (): number[] => pids.filter((pid) => belongs(pid, options.runDir));
  while (left().length > 0 && performance.now() < deadline) await sleep(20);
  for (const pid of left()) signalProcess(pid, 'SIGKILL');
  while (left().length > 0 && performance.now() < deadline + 5000) await sleep(20);
}

export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
