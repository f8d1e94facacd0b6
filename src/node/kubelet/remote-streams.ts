import type { ByteSocket, FaceReply, FaceRequest } from '#base';
import { acceptHeaders, acceptWebSocket, isWebSocketRequest, offeredProtocols } from '#io';
import { SpdyConnection } from '#wire';
import type { SpdyStream } from '#wire';
import { PushQueue } from './push-queue.ts';
import { text } from './face-call.ts';

/** What the client wants of a process' streams. */
export interface StreamWishes {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}
/** The client's ends of a process' streams, whatever carries them. */
export interface RemoteStreams {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly sizes: AsyncIterable<TerminalSize>;
  out(stream: 'stdout' | 'stderr', chunk: Uint8Array): Promise<void>;
  /** How it ended; `exitCode` undefined: it could not be run, `message` says why. */
  finish(end: { readonly exitCode: number | undefined; readonly message: string }): Promise<void>;
  /** Resolves when the client is gone. */
  readonly closed: Promise<void>;
}
type Session = (streams: RemoteStreams) => Promise<void>;

const webSocketProtocols = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'channel.k8s.io',
  'base64.channel.k8s.io',
  '',
];
const spdyProtocols = [
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
];
const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 };
/** v5: the client half-closes a channel with this byte and the channel's number. */
const closeChannel = 255;

/** Answers an upgrade request, whichever protocol it asks for, and hands the streams to `session`. */
export function upgradeStreams(
  request: FaceRequest,
  wishes: StreamWishes,
  session: Session,
): FaceReply {
  const { headers } = request;
  if (!wishes.stdin && !wishes.stdout && !wishes.stderr)
    return text(400, 'you must specify at least 1 of stdin, stdout, stderr');
  if (isWebSocketRequest(headers)) return webSocketReply(request, wishes, session);
  if (headers['upgrade']?.toLowerCase() !== 'spdy/3.1')
    return text(
      400,
      `unable to upgrade: missing upgrade headers in request: ${JSON.stringify(headers)}`,
    );
  const offered = (headers['x-stream-protocol-version'] ?? 'channel.k8s.io').split(/\s*,\s*/);
  const protocol = spdyProtocols.find((name) => offered.includes(name));
  if (protocol === undefined)
    return text(
      403,
      `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${spdyProtocols.join(' ')}]`,
    );
  return {
    status: 101,
    headers: { Connection: 'Upgrade', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': protocol },
    upgrade: (socket) => void spdySession(socket, { protocol, wishes }, session),
  };
}

function webSocketReply(request: FaceRequest, wishes: StreamWishes, session: Session): FaceReply {
  const offered = offeredProtocols(request.headers);
  const protocol =
    offered.length === 0 ? '' : offered.find((name) => webSocketProtocols.includes(name));
  if (protocol === undefined)
    return text(
      403,
      `requested protocol(s) are not supported: [${offered.join(' ')}]; supports [${webSocketProtocols.join(' ')}]`,
    );
  return {
    status: 101,
    headers: acceptHeaders(request.headers, protocol),
    upgrade: (socket) => void webSocketSession(socket, { request, protocol, wishes }, session),
  };
}

async function webSocketSession(
  socket: ByteSocket,
  about: {
    readonly request: FaceRequest;
    readonly protocol: string;
    readonly wishes: StreamWishes;
  },
  session: Session,
): Promise<void> {
  const { protocol, wishes } = about;
  const ws = await acceptWebSocket(socket, about.request.headers, protocol);
  const base64 = protocol.includes('base64');
  const versioned = protocol.startsWith('v4') || protocol.startsWith('v5');
  const stdin = new PushQueue<Uint8Array>();
  const sizes = new PushQueue<TerminalSize>();
  const send = async (channel: number, data: Uint8Array): Promise<void> => {
    const message = base64
      ? `${channel}${Buffer.from(data).toString('base64')}`
      : Buffer.concat([Buffer.from([channel]), data]);
    if (!ws.send(message)) await ws.drained();
  };
  const receive = async (): Promise<void> => {
    for await (const { data } of ws.incoming) {
      const first = data[0] ?? 0;
      if (protocol.startsWith('v5') && first === closeChannel) {
        if (data[1] === channels.stdin) stdin.end();
        continue;
      }
      const channel = base64 ? first - 0x30 : first;
      const rest = data.subarray(1);
      const payload = base64 ? Buffer.from(Buffer.from(rest).toString('latin1'), 'base64') : rest;
      if (channel === channels.stdin && payload.length > 0) await stdin.push(payload);
      if (channel === channels.resize) pushSize(sizes, payload);
    }
  };
  void receive()
    .catch(() => undefined)
    .finally(() => {
      stdin.end();
      sizes.end();
    });
  // Tells the client that the other side is there (k8s streaming/pkg/wsstream).
  const lowest = wishes.stdout ? channels.stdout : wishes.stderr ? channels.stderr : channels.error;
  await send(lowest, new Uint8Array());
  await session({
    stdin,
    sizes,
    out: (stream, chunk) => send(channels[stream], chunk),
    async finish(end) {
      const status = versioned ? statusText(end) : end.exitCode === 0 ? '' : end.message;
      if (status !== '') await send(channels.error, Buffer.from(status));
      ws.close(1000);
    },
    closed: ws.closed,
  });
}

async function spdySession(
  socket: ByteSocket,
  about: { readonly protocol: string; readonly wishes: StreamWishes },
  session: Session,
): Promise<void> {
  const { protocol, wishes } = about;
  const connection = new SpdyConnection(socket, { side: 'server' });
  const running = connection.run().catch(() => undefined);
  const resizes = wishes.tty && !['channel.k8s.io', 'v2.channel.k8s.io'].includes(protocol);
  const expected =
    1 + [wishes.stdin, wishes.stdout, wishes.stderr && !wishes.tty, resizes].filter(Boolean).length;
  const streams = new Map<string, SpdyStream>();
  for await (const stream of connection.accept()) {
    streams.set(stream.headers['streamtype'] ?? '', stream);
    if (streams.size >= expected) break;
  }
  const error = streams.get('error');
  if (error === undefined) {
    connection.destroy();
    return;
  }
  const sizes = new PushQueue<TerminalSize>();
  const resize = streams.get('resize');
  if (resize !== undefined) void readSizes(resize, sizes);
  const versioned = protocol === 'v4.channel.k8s.io';
  await session({
    stdin: streams.get('stdin')?.incoming ?? empty(),
    sizes,
    out: async (name, chunk) => await streams.get(name)?.write(chunk),
    async finish(end) {
      const status = versioned ? statusText(end) : end.exitCode === 0 ? '' : end.message;
      if (status !== '') await error.write(Buffer.from(status));
      for (const stream of streams.values()) await stream.end();
      await connection.close();
    },
    closed: running,
  });
}

async function readSizes(stream: SpdyStream, sizes: PushQueue<TerminalSize>): Promise<void> {
  try {
    for await (const chunk of stream.incoming) pushSize(sizes, chunk);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  } finally {
    sizes.end();
  }
}

function pushSize(sizes: PushQueue<TerminalSize>, payload: Uint8Array): void {
  try {
    const size: unknown = JSON.parse(Buffer.from(payload).toString());
    if (typeof size !== 'object' || size === null) return;
    const { Width, Height } = { Width: 0, Height: 0, ...size };
    if (Number(Width) > 0 && Number(Height) > 0)
      void sizes.push({ columns: Number(Width), rows: Number(Height) });
  } catch (error) {
    // A size that cannot be read changes nothing.
    if (!(error instanceof SyntaxError)) throw error;
  }
}

async function* empty(): AsyncGenerator<Uint8Array> {}

/** metav1.Status as the error channel of v4 and v5 carries it. */
function statusText(end: {
  readonly exitCode: number | undefined;
  readonly message: string;
}): string {
  if (end.exitCode === 0) return JSON.stringify({ metadata: {}, status: 'Success' });
  if (end.exitCode === undefined)
    return JSON.stringify({
      metadata: {},
      status: 'Failure',
      message: end.message,
      reason: 'InternalError',
      details: { causes: [{ message: end.message }] },
      code: 500,
    });
  return JSON.stringify({
    metadata: {},
    status: 'Failure',
    message: end.message,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(end.exitCode) }] },
  });
}
