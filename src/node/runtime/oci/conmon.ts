import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { constants } from 'node:fs';
import { ContainerError } from '../runtime.ts';
import { toolEnvironment } from './command.ts';
import { codeOf, isMissing } from './namespace.ts';

/** The binaries and folders that every container shares. */
export interface ConmonPlace {
  readonly prefix: readonly string[];
  readonly conmon: string;
  readonly oci: string;
  readonly ociRoot: string;
  readonly exits: string;
  readonly sockets: string;
}
export interface ConmonStart {
  readonly id: string;
  readonly name: string;
  readonly bundle: string;
  readonly logPath: string;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  /** Shell command that mounts the root file system on `rootfs`, within a mount namespace of its own. */
  readonly mountRoot: string;
}

const syncFd = 3;
const syncBytesMax = 64 * 1024;

/** Arguments that make the OCI runtime find our containers. */
export function ociArgs(place: Pick<ConmonPlace, 'oci' | 'ociRoot'>): readonly string[] {
  const crun = place.oci.endsWith('crun');
  return ['--root', place.ociRoot, ...(crun ? ['--cgroup-manager=cgroupfs'] : [])];
}

/**
 * Starts conmon, which creates the container and then holds it: log, exit code, attach, terminal.
 * The root is mounted in a mount namespace that only the `create` call sees: the container keeps its
 * copy, and no mount is left for anybody to take away. Resolves with the container's pid.
 */
export async function createUnderConmon(place: ConmonPlace, start: ConmonStart): Promise<number> {
  const wrapper = join(start.bundle, 'create.sh');
  const script = [
    '#!/bin/sh',
    `exec unshare --mount --propagation unchanged sh -c ${quoted(
      `cd ${quoted(start.bundle)} && ${start.mountRoot} && exec ${quoted(place.oci)} "$@"`,
    )} sh "$@"`,
  ];
  writeFileSync(wrapper, `${script.join('\n')}\n`, { mode: 0o700 });
  const named: Readonly<Record<string, string>> = {
    '--api-version': '1',
    '-c': start.id,
    '-u': start.id,
    '-r': wrapper,
    '-b': start.bundle,
    '-p': join(start.bundle, 'pid'),
    '-P': join(start.bundle, 'conmon.pid'),
    '-n': start.name,
    '--exit-dir': place.exits,
    '--persist-dir': start.bundle,
    '-l': `k8s-file:${start.logPath}`,
    '--socket-dir-path': place.sockets,
    '--log-level': 'error',
  };
  const args = [
    ...Object.entries(named).flat(),
    // Else it waits for the disk before it says that the container has ended.
    '--no-sync-log',
    ...ociArgs(place).flatMap((arg) => ['--runtime-arg', arg]),
    ...(start.tty ? ['-t'] : []),
    ...(start.stdin ? ['-i'] : []),
    ...(start.stdin && !start.stdinOnce ? ['--leave-stdin-open'] : []),
  ];
  return syncOf([...place.prefix, place.conmon, ...args]);
}

/** Runs conmon until it says on its sync pipe how the runtime's `create` went. */
function syncOf(argv: readonly string[]): Promise<number> {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    env: { ...toolEnvironment, _OCI_SYNCPIPE: String(syncFd) },
  });
  return new Promise((resolve, reject) => {
    const refuse = (why: string): void =>
      reject(new ContainerError('CreateContainerError', tidyMessage(why)));
    const pipe = child.stdio[syncFd];
    let text = '';
    child.on('error', (cause) => refuse(`cannot start conmon: ${cause.message}`));
    pipe?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (!text.includes('\n') && text.length < syncBytesMax) return;
      pipe.destroy();
      const said = parseSync(text);
      if (said.pid > 0) resolve(said.pid);
      else refuse(said.message);
    });
    pipe?.on('end', () => refuse(text === '' ? 'conmon ended without a word' : text));
  });
}

/** `{"data": 123}`, or `{"data": -1, "message": "..."}`; older ones say "pid". */
function parseSync(text: string): { readonly pid: number; readonly message: string } {
  const said: unknown = JSON.parse(text.slice(0, text.indexOf('\n')));
  if (typeof said !== 'object' || said === null) return { pid: -1, message: text };
  const data = 'data' in said ? said.data : 'pid' in said ? said.pid : -1;
  const message = 'message' in said && typeof said.message === 'string' ? said.message : text;
  return { pid: typeof data === 'number' ? data : -1, message };
}

/** crun's line without its time stamp and level. */
function tidyMessage(text: string): string {
  return text
    .trim()
    .replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z?: /, '')
    .slice(0, 4096);
}

export function conmonPid(bundle: string): number | undefined {
  try {
    return Number(readFileSync(join(bundle, 'conmon.pid'), 'utf8').trim()) || undefined;
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
}

/** conmon's control FIFO: "1 ROWS COLUMNS" resizes the terminal, "2 0 0" opens the log anew. */
export async function control(bundle: string, line: string): Promise<void> {
  const path = join(bundle, 'ctl');
  try {
    const handle = await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      await handle.write(`${line}\n`);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    // ENXIO: nobody reads it, conmon has ended.
    if (!isMissing(cause) && codeOf(cause) !== 'ENXIO') throw cause;
  }
}

/** As one word of a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
