import type { FaceReply } from '#base';
import type { Process } from '#node/runtime';
import { messageOf } from './errors.ts';
import { containersOf, text } from './face-call.ts';
import type { FaceCall } from './face-call.ts';
import { upgradeStreams } from './remote-streams.ts';
import type { RemoteStreams, StreamWishes } from './remote-streams.ts';

const runTimeoutMs = 60_000;
const runOutputBytesMax = 1024 * 1024;

export async function exec(call: FaceCall): Promise<FaceReply> {
  const command = call.query.getAll('command');
  return stream(call, (id, wishes) =>
    call.context.options.runtime.exec(id, { ...wishes, command }),
  );
}

export async function attach(call: FaceCall): Promise<FaceReply> {
  const [newest] = containersOf(call.context, call.pod, call.container);
  // A container with a terminal has one stream only, whatever the client believes.
  const tty = newest?.spec.tty ?? false;
  return stream(call, (id, wishes) => call.context.options.runtime.attach(id, { ...wishes, tty }));
}

/** POST /run: a command's output as the body. */
export async function runCommand(call: FaceCall): Promise<FaceReply> {
  const [newest] = containersOf(call.context, call.pod, call.container);
  if (newest?.state !== 'running')
    return text(500, `container not found (${JSON.stringify(call.container)})`);
  const command = (call.query.get('cmd') ?? '').split(' ').filter((word) => word !== '');
  const result = await call.context.options.runtime.execSync(newest.id, {
    command,
    timeoutMs: runTimeoutMs,
    outputBytesMax: runOutputBytesMax,
  });
  return { status: 200, headers: { 'content-type': 'text/plain' }, body: result.output };
}

type Open = (id: string, wishes: StreamWishes) => Promise<Process>;

function stream(call: FaceCall, open: Open): FaceReply {
  const { request, query, context, pod, container } = call;
  const [newest] = containersOf(context, pod, container);
  if (newest?.state !== 'running')
    return text(500, `container not found (${JSON.stringify(container)})`);
  // The API server says `input=1`, clients of the node's proxy say `stdin=true`.
  const wish = (...names: readonly string[]): boolean =>
    names.some((name) => ['1', 'true'].includes(query.get(name) ?? ''));
  const tty = wish('tty');
  const wishes: StreamWishes = {
    tty,
    stdin: wish('input', 'stdin'),
    stdout: wish('output', 'stdout'),
    stderr: wish('error', 'stderr') && !tty,
  };
  return upgradeStreams(request, wishes, async (streams) => {
    try {
      await session(await open(newest.id, wishes), streams);
    } catch (error) {
      const message = `error executing command in container: ${messageOf(error)}`;
      await streams.finish({ exitCode: undefined, message }).catch(() => undefined);
    }
  });
}

/** Carries bytes both ways until the process ends or the client goes. */
async function session(process: Process, streams: RemoteStreams): Promise<void> {
  let over = false;
  void streams.closed.then(() => {
    if (!over) process.close();
  });
  void toStdin(process, streams).catch(() => process.close());
  void toTerminal(process, streams).catch(() => undefined);
  // Waited for together: output that breaks before the end (the client went) must find us waiting.
  const [exitCode] = await Promise.all([
    process.exited,
    toClient(process.stdout, 'stdout', streams),
    toClient(process.stderr, 'stderr', streams),
  ]);
  over = true;
  const message = exitCode === 0 ? '' : `command terminated with non-zero exit code: ${exitCode}`;
  await streams.finish({ exitCode, message });
}

async function toStdin(process: Process, streams: RemoteStreams): Promise<void> {
  const { stdin } = process;
  if (stdin === undefined) return;
  for await (const chunk of streams.stdin) if (!stdin.write(chunk)) await stdin.drained();
  stdin.end();
}

async function toTerminal(process: Process, streams: RemoteStreams): Promise<void> {
  for await (const { columns, rows } of streams.sizes) await process.resize(columns, rows);
}

async function toClient(
  source: AsyncIterable<Uint8Array> | undefined,
  name: 'stdout' | 'stderr',
  streams: RemoteStreams,
): Promise<void> {
  if (source === undefined) return;
  for await (const chunk of source) await streams.out(name, chunk);
}
