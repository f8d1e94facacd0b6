import type { ByteSocket, FaceReply } from '#base';
import type { Pod } from '#kube/kinds';
import {
  acceptHeaders,
  acceptWebSocket,
  isWebSocketRequest,
  offeredProtocols,
  webSocketBytes,
} from '#io';
import { SpdyConnection } from '#wire';
import type { SpdyStream } from '#wire';
import { messageOf } from './errors.ts';
import { text } from './face-call.ts';
import type { FaceCall } from './face-call.ts';
import { PushQueue } from './push-queue.ts';

const spdyProtocol = 'portforward.k8s.io';
const tunnelProtocol = `SPDY/3.1+${spdyProtocol}`;
const channelProtocols = [
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'channel.k8s.io',
  'base64.channel.k8s.io',
];

/** Opens a connection to a port inside the Pod. */
type Dial = (port: number) => Promise<ByteSocket>;

export async function portForward(call: FaceCall): Promise<FaceReply> {
  const { request, context, pod } = call;
  const dial: Dial = async (port) => {
    const { runtime } = context.options;
    const sandbox = runtime
      .sandboxes()
      .find(({ spec, state }) => spec.podUid === pod.metadata.uid && state === 'ready');
    if (sandbox === undefined) throw new Error('the pod has no network');
    return await runtime.dial(sandbox.id, port);
  };
  if (isWebSocketRequest(request.headers)) return webSocket(call, dial);
  if (request.headers['upgrade']?.toLowerCase() !== 'spdy/3.1')
    return text(
      400,
      `unable to upgrade: missing upgrade headers in request: ${JSON.stringify(request.headers)}`,
    );
  const offered = (request.headers['x-stream-protocol-version'] ?? '').split(/\s*,\s*/);
  if (!offered.includes(spdyProtocol))
    return text(
      403,
      `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${spdyProtocol}]`,
    );
  return {
    status: 101,
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'SPDY/3.1',
      'X-Stream-Protocol-Version': spdyProtocol,
    },
    upgrade: (socket) => void forwardSpdy(socket, pod, dial),
  };
}

function webSocket(call: FaceCall, dial: Dial): FaceReply {
  const { request, pod, query } = call;
  const offered = offeredProtocols(request.headers);
  if (offered.includes(tunnelProtocol))
    return {
      status: 101,
      headers: acceptHeaders(request.headers, tunnelProtocol),
      upgrade: (socket) =>
        void acceptWebSocket(socket, request.headers, tunnelProtocol).then((ws) =>
          forwardSpdy(webSocketBytes(ws), pod, dial),
        ),
    };
  const protocol =
    offered.length === 0 ? '' : offered.find((name) => channelProtocols.includes(name));
  if (protocol === undefined)
    return text(
      403,
      `requested protocol(s) are not supported: [${offered.join(' ')}]; supports [${channelProtocols.join(' ')}]`,
    );
  const ports = [...query.getAll('port'), ...query.getAll('ports')]
    .flatMap((list) => list.split(','))
    .map(Number);
  if (ports.length === 0) return text(400, 'query parameter "port" is required');
  if (ports.some((port) => !isPort(port)))
    return text(400, 'port must be a number between 1 and 65535');
  return {
    status: 101,
    headers: acceptHeaders(request.headers, protocol),
    upgrade: (socket) => void forwardChannels(socket, { call, protocol, ports }, dial),
  };
}

/** A pair of streams for each connection, told together by `requestID`. */
async function forwardSpdy(socket: ByteSocket, pod: Pod, dial: Dial): Promise<void> {
  const connection = new SpdyConnection(socket, { side: 'server' });
  void connection.run().catch(() => undefined);
  const pairs = new Map<string, { error?: SpdyStream; data?: SpdyStream }>();
  for await (const stream of connection.accept()) {
    const type = stream.headers['streamtype'] ?? '';
    const port = Number(stream.headers['port']);
    if ((type !== 'error' && type !== 'data') || !isPort(port)) {
      await stream.reset();
      continue;
    }
    // Very old clients name no request: their streams come in order.
    const id = stream.headers['requestid'] ?? String(stream.id - (type === 'data' ? 2 : 0));
    const pair = { ...pairs.get(id), [type]: stream };
    pairs.set(id, pair);
    if (pair.error === undefined || pair.data === undefined) continue;
    pairs.delete(id);
    void forwardPair({ error: pair.error, data: pair.data, port }, pod, dial);
  }
}

async function forwardPair(
  pair: { readonly error: SpdyStream; readonly data: SpdyStream; readonly port: number },
  pod: Pod,
  dial: Dial,
): Promise<void> {
  const { error, data, port } = pair;
  try {
    const socket = await dial(port);
    const up = async (): Promise<void> => {
      for await (const chunk of data.incoming) if (!socket.write(chunk)) await socket.drained();
      socket.end();
    };
    const down = async (): Promise<void> => {
      for await (const chunk of socket.incoming) await data.write(chunk);
      await data.end();
    };
    // When the Pod has closed, what the client still sends has no taker.
    void up().catch(() => socket.destroy());
    await down().finally(() => socket.destroy());
  } catch (problem) {
    await error.write(Buffer.from(failure(pod, port, problem))).catch(() => undefined);
  } finally {
    await error.end().catch(() => undefined);
    await data.end().catch(() => undefined);
  }
}

function failure(pod: Pod, port: number, problem: unknown): string {
  const { name, uid } = pod.metadata;
  return `error forwarding port ${port} to pod ${name}, uid ${uid}: ${messageOf(problem)}`;
}

/** The older WebSocket form: for port i, channel 2i carries data and 2i+1 errors. */
async function forwardChannels(
  socket: ByteSocket,
  about: { readonly call: FaceCall; readonly protocol: string; readonly ports: readonly number[] },
  dial: Dial,
): Promise<void> {
  const { call, protocol, ports } = about;
  const ws = await acceptWebSocket(socket, call.request.headers, protocol);
  const base64 = protocol.includes('base64');
  const send = async (channel: number, data: Uint8Array): Promise<void> => {
    const message = base64
      ? `${String.fromCharCode(0x30 + channel)}${Buffer.from(data).toString('base64')}`
      : Buffer.concat([Buffer.from([channel]), data]);
    if (!ws.send(message)) await ws.drained();
  };
  const inputs = ports.map(() => new PushQueue<Uint8Array>());
  for (const [index, port] of ports.entries()) {
    const head = Buffer.alloc(2);
    head.writeUInt16LE(port);
    await send(2 * index, head);
    await send(2 * index + 1, head);
    const input = inputs[index];
    if (input !== undefined) void forwardChannel({ port, index, input, send }, call.pod, dial);
  }
  try {
    for await (const { data } of ws.incoming) {
      const channel = base64 ? (data[0] ?? 0) - 0x30 : (data[0] ?? 0);
      const rest = data.subarray(1);
      const payload = base64 ? Buffer.from(Buffer.from(rest).toString('latin1'), 'base64') : rest;
      if (channel % 2 === 0) await inputs[channel / 2]?.push(payload);
    }
  } catch (error) {
    call.context.options.logger.debug('A port-forward connection broke', { error });
  } finally {
    for (const input of inputs) input.end();
  }
}

async function forwardChannel(
  about: {
    readonly port: number;
    readonly index: number;
    readonly input: PushQueue<Uint8Array>;
    readonly send: (channel: number, data: Uint8Array) => Promise<void>;
  },
  pod: Pod,
  dial: Dial,
): Promise<void> {
  const { port, index, input, send } = about;
  try {
    const socket = await dial(port);
    const up = async (): Promise<void> => {
      for await (const chunk of input) if (!socket.write(chunk)) await socket.drained();
      socket.end();
    };
    void up().catch(() => socket.destroy());
    for await (const chunk of socket.incoming) await send(2 * index, chunk);
  } catch (problem) {
    await send(2 * index + 1, Buffer.from(failure(pod, port, problem)));
  }
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65_536;
}
