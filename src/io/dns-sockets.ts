import { createSocket } from 'node:dgram';
import type { Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

type Handler = (bytes: Uint8Array, transport: 'udp' | 'tcp') => Promise<Uint8Array | undefined>;

const tcpIdleMs = 10_000;
const tcpConnectionsMax = 256;
const udpPendingMax = 4096;

/** Serves DNS on UDP and TCP of one address until it is disposed. */
export async function serveDns(options: {
  readonly address: string;
  readonly port: number;
  readonly handler: Handler;
}): Promise<AsyncDisposable> {
  const udp = createSocket('udp4');
  let pending = 0;
  udp.on('message', (message, from) => {
    // Past the bound a query is dropped, as a full socket would: the client asks again.
    if (pending >= udpPendingMax) return;
    pending++;
    void options
      .handler(message, 'udp')
      .then((answer) => {
        if (answer !== undefined) udp.send(answer, from.port, from.address);
      })
      .finally(() => pending--);
  });
  udp.bind({ address: options.address, port: options.port });
  await once(udp, 'listening');
  const tcp = createServer((socket) => void serveConnection(socket, options.handler));
  tcp.maxConnections = tcpConnectionsMax;
  tcp.listen({ host: options.address, port: options.port });
  try {
    await once(tcp, 'listening');
  } catch (error) {
    udp.close();
    throw error;
  }
  // A client that vanishes between its query and our answer is no error of ours.
  udp.on('error', () => undefined);
  return {
    async [Symbol.asyncDispose]() {
      udp.close();
      tcp.close();
      await once(tcp, 'close');
    },
  };
}

/** Messages with a two-byte length in front (RFC 7766), answered in order. */
async function serveConnection(socket: Socket, handler: Handler): Promise<void> {
  socket.setTimeout(tcpIdleMs, () => socket.destroy());
  try {
    for await (const message of framed(socket)) {
      const answer = await handler(message, 'tcp');
      if (answer === undefined) break;
      socket.write(frame(answer));
    }
    socket.end();
  } catch {
    socket.destroy();
  }
}

async function* framed(socket: Socket): AsyncGenerator<Uint8Array> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of socket) {
    pending = Buffer.concat([pending, chunk as Buffer]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const length = pending.readUInt16BE(0);
      yield pending.subarray(2, 2 + length);
      pending = pending.subarray(2 + length);
    }
  }
}

function frame(message: Uint8Array): Buffer {
  const bytes = Buffer.alloc(2 + message.length);
  bytes.writeUInt16BE(message.length, 0);
  bytes.set(message, 2);
  return bytes;
}

/** Sends a query to `server` port 53 and gives its answer; rejects after `timeoutMs`. */
export async function askDns(
  server: string,
  query: Uint8Array,
  options: {
    readonly transport: 'udp' | 'tcp';
    readonly timeoutMs: number;
    readonly port?: number;
  },
): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(options.timeoutMs);
  const port = options.port ?? 53;
  if (options.transport === 'tcp') {
    const socket = connect({ host: server, port });
    const abort = (): void => void socket.destroy(new Error('DNS server did not answer in time'));
    signal.addEventListener('abort', abort, { once: true });
    try {
      socket.write(frame(query));
      for await (const answer of framed(socket)) return answer;
      throw new Error('DNS server closed the connection without an answer');
    } finally {
      signal.removeEventListener('abort', abort);
      socket.destroy();
    }
  }
  const socket: UdpSocket = createSocket(server.includes(':') ? 'udp6' : 'udp4');
  try {
    socket.connect(port, server);
    await once(socket, 'connect', { signal });
    socket.send(query);
    for (;;) {
      const [answer] = (await once(socket, 'message', { signal })) as [Buffer];
      if (answer[0] === query[0] && answer[1] === query[1]) return answer;
    }
  } finally {
    socket.close();
  }
}
