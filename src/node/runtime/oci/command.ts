import { spawn, type ChildProcess } from 'node:child_process';

/** What a finished command said. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: number;
  readonly stderr: string;
  constructor(argv: readonly string[], result: CommandResult) {
    const said = result.stderr.trim() || result.stdout.trim() || 'it said nothing';
    super(`Cannot run ${argv.slice(0, 4).join(' ')}: exit code ${result.code}: ${said}`);
    this.code = result.code;
    this.stderr = result.stderr;
  }
}
export interface CommandOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly cwd?: string;
}

const outputBytesMax = 4 * 1024 * 1024;
const timeoutMsDefault = 60_000;
/** Nothing of the agent's own environment reaches the tools but what they need. */
export const toolEnvironment: NodeJS.ProcessEnv = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C.UTF-8',
};

/** Runs a command to its end; does not judge the exit code. */
export function tryRun(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const [file = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      env: toolEnvironment,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      timeout: options.timeoutMs ?? timeoutMsDefault,
      killSignal: 'SIGKILL',
    });
    const stdout = gather(child, 'stdout');
    const stderr = gather(child, 'stderr');
    child.on('error', (cause) => {
      reject(new Error(`Cannot run ${file}: ${cause.message}`, { cause }));
    });
    child.on('close', (code, signal) => {
      const text = stderr();
      resolve({
        code: code ?? 128,
        stdout: stdout(),
        stderr: signal === null ? text : `${text} (ended by ${signal})`,
      });
    });
    if (options.input !== undefined) {
      // The command may end before it has read everything: its exit code tells the story.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(options.input);
    }
  });
}

/** Runs a command to its end; throws `CommandError` unless it ends with 0. */
export async function run(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const result = await tryRun(argv, options);
  if (result.code !== 0) throw new CommandError(argv, result);
  return result;
}

function gather(child: ChildProcess, name: 'stdout' | 'stderr'): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  child[name]?.on('data', (chunk: Buffer) => {
    if (bytes < outputBytesMax) chunks.push(chunk);
    bytes += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
