import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import type { ByteSocket, Clock } from '#base';
import type {
  ExecOptions,
  ExecResult,
  ExecSyncOptions,
  Process,
  StreamOptions,
} from '../runtime.ts';
import { signal } from './cgroups.ts';
import { toolEnvironment } from './command.ts';
import { control, ociArgs, type ConmonPlace } from './conmon.ts';
import { isMissing } from './namespace.ts';
import { packetsOf, relay } from './relay.ts';
import { ociText } from './spec.ts';
import type { OciProcess } from './spec.ts';
import { Channel, inputOf, readUpTo } from './streams.ts';

let turns = 0;

/** One exec's own folder: its process document, pid file and control FIFO. */
interface ExecPlace {
  readonly folder: string;
  readonly processFile: string;
  readonly pidFile: string;
}

function prepare(
  bundle: string,
  options: Pick<ExecOptions, 'command' | 'tty' | 'env' | 'user' | 'size'>,
): ExecPlace {
  const folder = join(bundle, 'exec', `${process.pid}-${turns++}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const text = readFileSync(join(bundle, 'config.json'), 'utf8');
  const config: { readonly process: OciProcess } = JSON.parse(text);
  const env = (options.env ?? []).map(({ name, value }) => `${name}=${value}`);
  const named = new Set((options.env ?? []).map(({ name }) => name));
  if (options.tty && !named.has('TERM')) env.push('TERM=xterm');
  for (const line of env) named.add(line.slice(0, line.indexOf('=')));
  const had = config.process.env.filter((line) => !named.has(line.slice(0, line.indexOf('='))));
  const wanted: OciProcess = {
    ...config.process,
    terminal: options.tty,
    args: options.command,
    env: [...had, ...env],
    ...(options.size === undefined
      ? {}
      : { consoleSize: { width: options.size.columns, height: options.size.rows } }),
    ...(options.user === undefined ? {} : { user: { ...options.user, additionalGids: [] } }),
  };
  const processFile = join(folder, 'process.json');
  writeFileSync(processFile, ociText(wanted), { mode: 0o600 });
  return { folder, processFile, pidFile: join(folder, 'pid') };
}

function execArgs(place: ConmonPlace, id: string, at: ExecPlace): readonly string[] {
  const { prefix, oci } = place;
  const files = ['--process', at.processFile, '--pid-file', at.pidFile];
  return [...prefix, oci, ...ociArgs(place), 'exec', ...files, id];
}

/** A signal to the exec's process alone. */
function signalMain(at: ExecPlace, wanted: number): void {
  const pid = Number(readIf(at.pidFile) ?? 0);
  if (pid > 1) signal(pid, wanted);
}

/** SIGKILL to the exec's process and what it has started, which is in nobody's group of its own. */
function killTree(at: ExecPlace): void {
  const pid = Number(readIf(at.pidFile) ?? 0);
  if (pid <= 1) return;
  const all = [pid];
  for (let index = 0; index < all.length; index++) {
    const children = readIf(`/proc/${all[index]}/task/${all[index]}/children`) ?? '';
    all.push(...children.split(' ').filter(Boolean).map(Number));
  }
  for (const one of all) signal(one, 'SIGKILL');
}

export interface ExecTarget {
  readonly place: ConmonPlace;
  readonly id: string;
  readonly bundle: string;
  readonly clock: Clock;
}

export async function execSync(target: ExecTarget, options: ExecSyncOptions): Promise<ExecResult> {
  const at = prepare(target.bundle, { command: options.command, tty: false });
  const [file = '', ...args] = execArgs(target.place, target.id, at);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env: toolEnvironment });
  const output: Buffer[] = [];
  let timedOut = false;
  const cancel =
    options.timeoutMs <= 0
      ? () => undefined
      : target.clock.after(options.timeoutMs, () => {
          timedOut = true;
          killTree(at);
          child.kill('SIGKILL');
          child.stdout.destroy();
          child.stderr.destroy();
        });
  const ended = exitOf(child);
  try {
    const room = options.outputBytesMax;
    const reads = [child.stdout, child.stderr].map((stream) => readUpTo(stream, output, room));
    const results = await Promise.allSettled([ended, ...reads]);
    const [code] = results;
    if (code?.status === 'rejected') throw code.reason;
    const bytes = Buffer.concat(output).subarray(0, options.outputBytesMax);
    return { exitCode: timedOut ? 124 : await ended, output: bytes, timedOut };
  } finally {
    cancel();
    rmSync(at.folder, { recursive: true, force: true });
  }
}

/** Exec with pipes is the OCI runtime's own; with a terminal, conmon holds the pty. */
export async function execStreams(target: ExecTarget, options: ExecOptions): Promise<Process> {
  const at = prepare(target.bundle, options);
  if (options.tty) return execTerminal(target, at, options);
  const [file = '', ...args] = execArgs(target.place, target.id, at);
  const child = spawn(file, args, {
    stdio: [
      options.stdin ? 'pipe' : 'ignore',
      options.stdout ? 'pipe' : 'ignore',
      options.stderr ? 'pipe' : 'ignore',
    ],
    env: toolEnvironment,
  });
  child.stdin?.on('error', () => undefined); // the process has closed its input: its right
  const exited = finishing(exitOf(child), at);
  return {
    stdin: child.stdin === null ? undefined : inputOf(child.stdin),
    stdout: child.stdout ?? undefined,
    stderr: child.stderr ?? undefined,
    resize: () => Promise.resolve(),
    signal: (wanted) => signalMain(at, wanted),
    exited,
    close: () => {
      killTree(at);
      child.kill('SIGKILL');
      child.stdout?.destroy();
      child.stderr?.destroy();
    },
  };
}

async function finishing(exit: Promise<number>, at: ExecPlace): Promise<number> {
  try {
    return await exit;
  } finally {
    rmSync(at.folder, { recursive: true, force: true });
  }
}

function exitOf(child: ReturnType<typeof spawn>): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, name) => resolve(code ?? (name === 'SIGKILL' ? 137 : 143)));
  });
}

/**
 * conmon's exec with attach: it says on the attach pipe when its socket is there, waits on the start
 * pipe until we are connected, and tells the exit code on the sync pipe.
 */
async function execTerminal(
  target: ExecTarget,
  at: ExecPlace,
  options: StreamOptions,
): Promise<Process> {
  const { place, id } = target;
  const name = `${id.slice(0, 12)}-${process.pid}-${turns}`;
  const args = [
    '--api-version',
    '1',
    '-c',
    id,
    '-u',
    name,
    '-r',
    place.oci,
    '-b',
    at.folder,
    '-p',
    at.pidFile,
    '-n',
    name,
    '-l',
    'none',
    '--socket-dir-path',
    place.sockets,
    '-e',
    '--exec-attach',
    '--exec-process-spec',
    at.processFile,
    '-t',
    ...ociArgs(place).flatMap((arg) => ['--runtime-arg', arg]),
    ...(options.stdin ? ['-i'] : []),
  ];
  const [file = '', ...rest] = [...place.prefix, place.conmon, ...args];
  const child = spawn(file, rest, {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...toolEnvironment, _OCI_SYNCPIPE: '3', _OCI_STARTPIPE: '4', _OCI_ATTACHPIPE: '5' },
  });
  const [sync, start, attach]: readonly unknown[] = [...child.stdio].slice(3);
  const lines = linesOf(sync);
  const ready = linesOf(attach);
  if (!(start instanceof Duplex)) throw new Error('Cannot exec: conmon has no start pipe');
  start.on('error', () => undefined); // conmon ended: its sync pipe tells why
  start.write('\0');
  await ready();
  const socket = await relay(place.prefix, ['packets', join(place.sockets, name, 'attach')]);
  start.write('\0');
  start.end();
  const first = await lines();
  if (first.data < 0) {
    socket.destroy();
    rmSync(at.folder, { recursive: true, force: true });
    throw new Error(`Cannot exec: ${first.message}`);
  }
  const exited = finishing(
    lines().then((last) => last.data),
    at,
  );
  return overSocket(
    socket,
    { ...options, bundle: at.folder },
    {
      exited,
      close: () => killTree(at),
      signal: (wanted) => signalMain(at, wanted),
    },
  );
}

interface SyncLine {
  readonly data: number;
  readonly message: string;
}

/** Reads a sync pipe line by line; a pipe that ends early gives exit code -1. */
function linesOf(stream: unknown): () => Promise<SyncLine> {
  const said: SyncLine[] = [];
  const waiting: ((line: SyncLine) => void)[] = [];
  const give = (line: SyncLine): void => {
    const next = waiting.shift();
    if (next === undefined) said.push(line);
    else next(line);
  };
  let text = '';
  let ended = false;
  if (stream instanceof Duplex) {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n')) {
        give(parseLine(text.slice(0, at)));
        text = text.slice(at + 1);
      }
    });
    stream.on('close', () => {
      ended = true;
      for (const wait of waiting.splice(0)) wait({ data: -1, message: 'conmon ended' });
    });
  }
  return () => {
    const line = said.shift();
    if (line !== undefined) return Promise.resolve(line);
    if (ended) return Promise.resolve({ data: -1, message: 'conmon ended' });
    return new Promise((resolve) => {
      waiting.push(resolve);
    });
  };
}

function parseLine(text: string): SyncLine {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) return { data: -1, message: text };
  const fields = new Map<string, unknown>(Object.entries(value));
  const data = fields.get('data') ?? fields.get('exit_code') ?? fields.get('pid');
  const message = fields.get('message');
  return {
    data: typeof data === 'number' ? data : -1,
    message: typeof message === 'string' ? message : text,
  };
}

/** Streams of a container's main process, as long as it or the client lasts. */
export async function attachStreams(target: ExecTarget, options: StreamOptions): Promise<Process> {
  const { place, id, bundle } = target;
  const socket = await relay(place.prefix, ['packets', join(place.sockets, id, 'attach')]);
  const ended = socket.closed.then(() => 0);
  return overSocket(socket, { ...options, bundle }, { exited: ended, close: () => undefined });
}

/** Splits conmon's packets: their first byte is 2 for output and 3 for errors. */
function overSocket(
  socket: ByteSocket,
  options: StreamOptions & { readonly bundle: string },
  end: {
    readonly exited: Promise<number>;
    readonly close: () => void;
    readonly signal?: (signal: number) => void;
  },
): Process {
  const stdout = options.stdout ? new Channel() : undefined;
  const stderr = options.stderr && !options.tty ? new Channel() : undefined;
  const pump = async (): Promise<void> => {
    try {
      for await (const packet of packetsOf(socket.incoming)) {
        const kind = packet[0];
        await (kind === 3 ? stderr : stdout)?.push(packet.subarray(1));
      }
    } finally {
      stdout?.end();
      stderr?.end();
    }
  };
  const pumped = pump();
  pumped.catch(() => undefined); // a broken relay ends the streams, which is all there is to say
  return {
    stdin: options.stdin
      ? { write: socket.write, drained: socket.drained, end: socket.end }
      : undefined,
    stdout,
    stderr,
    resize: (columns, rows) => {
      // A terminal that has just gone needs no size.
      return control(options.bundle, `1 ${rows} ${columns}`).catch(() => undefined);
    },
    ...(end.signal === undefined ? {} : { signal: end.signal }),
    exited: end.exited,
    close: () => {
      end.close();
      socket.destroy();
    },
  };
}

function readIf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
}
