import { openWebSocket } from '#io';
import { CommandError, UsageError, exitCodes } from './errors.ts';
import type { ObjectContext } from './objects.ts';
import type { ParsedCommand } from './parse.ts';
import type { Connection } from './connection.ts';

export async function logs(command: ParsedCommand, context: ObjectContext): Promise<number> {
  const [name] = command.arguments;
  if (name === undefined) throw new UsageError('logs needs a POD, or --component');
  const query = new URLSearchParams();
  const container = command.text('container');
  const tail = command.number('tail');
  if (container !== undefined) query.set('container', container);
  if (tail !== undefined) query.set('tailLines', String(tail));
  if (command.flag('follow')) query.set('follow', 'true');
  if (command.flag('previous')) query.set('previous', 'true');
  const response = await context.api.requestRaw({
    path: `${podPath(context.namespace, name)}/log?${query.toString()}`,
  });
  if (response.status !== 200) {
    const { reason, message } = JSON.parse(new TextDecoder().decode(await response.body())) as {
      reason?: string;
      message?: string;
    };
    throw new CommandError(`Error from server (${reason ?? response.status}): ${message ?? ''}`);
  }
  for await (const chunk of response.chunks) process.stdout.write(chunk);
  return exitCodes.ok;
}

function podPath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
}

// Channels of v5.channel.k8s.io (k8s.io/apimachinery remotecommand constants).
const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** Runs a command in a container and ends with its exit code. */
export async function exec(
  command: ParsedCommand,
  to: { readonly context: ObjectContext; readonly connection: Connection },
): Promise<number> {
  const [name, ...words] = command.arguments;
  if (name === undefined || words.length === 0)
    throw new UsageError('exec needs POD -- COMMAND...');
  const stdin = command.flag('stdin');
  const tty = command.flag('tty');
  if (tty && !process.stdin.isTTY) throw new UsageError('-t needs a terminal');
  const query = new URLSearchParams({
    stdout: 'true',
    stderr: String(!tty),
    stdin: String(stdin),
    tty: String(tty),
  });
  for (const word of words) query.append('command', word);
  const container = command.text('container');
  if (container !== undefined) query.set('container', container);
  const { server, ca, cert, key } = to.connection;
  const url = `${server.replace(/^http/, 'ws')}${podPath(to.context.namespace, name)}/exec?${query.toString()}`;
  let stream: Awaited<ReturnType<typeof openWebSocket>>;
  try {
    stream = await openWebSocket(url, { protocols: ['v5.channel.k8s.io'], ca, cert, key });
  } catch (cause) {
    throw new CommandError(
      `Cannot exec in pod "${name}": ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
  const release = connectInput(stream, { stdin, tty });
  try {
    let exitCode: number = exitCodes.failed;
    for await (const { data } of stream.incoming) {
      const rest = data.subarray(1);
      if (data[0] === channel.stdout) process.stdout.write(rest);
      else if (data[0] === channel.stderr) process.stderr.write(rest);
      else if (data[0] === channel.error) exitCode = exitOf(rest);
    }
    return exitCode;
  } finally {
    release();
  }
}

/** Standard input and window size go out; the result gives the terminal back. */
function connectInput(
  stream: { send(data: Uint8Array): boolean },
  options: { readonly stdin: boolean; readonly tty: boolean },
): () => void {
  const send = (to: number, data: Uint8Array): void =>
    void stream.send(Buffer.concat([Buffer.of(to), data]));
  const resize = (): void =>
    send(
      channel.resize,
      Buffer.from(JSON.stringify({ Width: process.stdout.columns, Height: process.stdout.rows })),
    );
  const onData = (chunk: Buffer): void => send(channel.stdin, chunk);
  const onEnd = (): void => send(channel.close, Buffer.of(channel.stdin));
  if (options.tty) {
    process.stdin.setRawMode(true);
    process.stdout.on('resize', resize);
    resize();
  }
  if (options.stdin) {
    process.stdin.on('data', onData);
    process.stdin.on('end', onEnd);
  }
  return () => {
    process.stdout.off('resize', resize);
    process.stdin.off('data', onData);
    process.stdin.off('end', onEnd);
    if (options.tty) process.stdin.setRawMode(false);
    process.stdin.pause();
  };
}

/** The exit code in a Status; anything that is no exit code is told and fails. */
function exitOf(bytes: Uint8Array): number {
  const status = JSON.parse(new TextDecoder().decode(bytes)) as {
    status?: string;
    reason?: string;
    message?: string;
    details?: { causes?: { reason?: string; message?: string }[] };
  };
  if (status.status === 'Success') return exitCodes.ok;
  const code = status.details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message;
  if (code !== undefined) return Number(code);
  throw new CommandError(
    `Error from server (${status.reason ?? 'Failure'}): ${status.message ?? ''}`,
  );
}
