import { createHash } from 'node:crypto';
import { Duplex } from 'node:stream';
import type { ByteSocket, HeaderMap } from '#base';
import type WebSocketImpl from 'ws';
import { plainHttp } from './plain-http.ts';

/** A WebSocket as messages in and messages out, without events. */
export interface WebSocketStream {
  /** The subprotocol agreed on; '' when none was. */
  readonly protocol: string;
  /** Ends when the peer closes; throws when the connection breaks. May be read once. */
  readonly incoming: AsyncIterable<WebSocketMessage>;
  /** False when the peer reads slower than we write: wait for `drained()`. */
  send(data: Uint8Array | string): boolean;
  drained(): Promise<void>;
  close(code?: number, reason?: string): void;
  readonly closed: Promise<void>;
}
export interface WebSocketMessage {
  readonly data: Uint8Array;
  readonly binary: boolean;
}

const messageBytesMax = 16 * 1024 * 1024;
const sendBacklogBytesMax = 256 * 1024;
const readBacklogMessagesMax = 64;
/** RFC 6455, section 1.3. */
const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export function isWebSocketRequest(headers: HeaderMap): boolean {
  return (
    headers['upgrade']?.toLowerCase() === 'websocket' && headers['sec-websocket-key'] !== undefined
  );
}

/** Subprotocols the client offered, in its order. */
export function offeredProtocols(headers: HeaderMap): readonly string[] {
  return (headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Headers of the 101 reply that agrees to the upgrade. */
export function acceptHeaders(headers: HeaderMap, protocol: string): Record<string, string> {
  const key = headers['sec-websocket-key'] ?? '';
  return {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Accept': createHash('sha1')
      .update(key + acceptSuffix)
      .digest('base64'),
    ...(protocol === '' ? {} : { 'Sec-WebSocket-Protocol': protocol }),
  };
}

/** The server's side on a socket whose 101 head has been sent by whoever holds the connection. */
export async function acceptWebSocket(
  socket: ByteSocket,
  headers: HeaderMap,
  protocol: string,
): Promise<WebSocketStream> {
  const { WebSocketServer } = await import('ws');
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: messageBytesMax,
  });
  const duplex = new SocketDuplex(socket, { swallowHead: true });
  const request = new plainHttp.IncomingMessage(new Duplex({ read() {} }) as never);
  request.method = 'GET';
  request.url = '/';
  // Agreed on already; `ws` would refuse the slash in "SPDY/3.1+portforward.k8s.io".
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && name !== 'sec-websocket-protocol') request.headers[name] = value;
  return new Promise((resolve) => {
    server.handleUpgrade(request, duplex, Buffer.alloc(0), (ws) => resolve(streamOf(ws, protocol)));
  });
}

/** A client, for tests and for tools. */
export async function openWebSocket(
  url: string,
  options: {
    readonly protocols: readonly string[];
    readonly headers?: Readonly<Record<string, string>>;
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
  },
): Promise<WebSocketStream> {
  const { WebSocket } = await import('ws');
  const ws = new WebSocket(url, [...options.protocols], {
    perMessageDeflate: false,
    headers: options.headers,
    ca: options.ca,
    cert: options.cert,
    key: options.key,
  });
  return await new Promise<WebSocketStream>((resolve, reject) => {
    ws.once('error', reject);
    ws.once('open', () => resolve(stream));
    const stream = streamOf(ws);
  });
}

function streamOf(ws: WebSocketImpl, agreed?: string): WebSocketStream {
  const queue: WebSocketMessage[] = [];
  let ended = false;
  let problem: Error | undefined;
  let wake: () => void = () => undefined;
  ws.on('message', (data, binary) => {
    queue.push({ data: bytesOf(data), binary });
    if (queue.length >= readBacklogMessagesMax) ws.pause();
    wake();
  });
  ws.on('error', (error) => {
    problem = error;
  });
  const closed = new Promise<void>((resolve) => {
    ws.once('close', () => {
      ended = true;
      wake();
      resolve();
    });
  });
  async function* read(): AsyncGenerator<WebSocketMessage> {
    for (;;) {
      const next = queue.shift();
      if (next !== undefined) {
        if (ws.isPaused && queue.length === 0) ws.resume();
        yield next;
      } else if (ended) {
        if (problem !== undefined) throw problem;
        return;
      } else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  }
  let drain: (() => void)[] = [];
  return {
    get protocol() {
      return agreed ?? ws.protocol;
    },
    incoming: read(),
    send(data) {
      if (ws.readyState !== ws.OPEN) return true;
      ws.send(data, { binary: typeof data !== 'string' }, () => {
        if (ws.bufferedAmount >= sendBacklogBytesMax) return;
        for (const resolve of drain.splice(0)) resolve();
      });
      return ws.bufferedAmount < sendBacklogBytesMax;
    },
    drained: () =>
      ws.readyState !== ws.OPEN || ws.bufferedAmount < sendBacklogBytesMax
        ? Promise.resolve()
        : Promise.race([closed, new Promise<void>((resolve) => (drain = [...drain, resolve]))]),
    close: (code, reason) => ws.close(code ?? 1000, reason),
    closed,
  };
}

function bytesOf(data: WebSocketImpl.RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}

/** Binary messages as one stream of bytes (tunnelled SPDY, gorilla's and kubectl's way). */
export function webSocketBytes(stream: WebSocketStream): ByteSocket {
  async function* incoming(): AsyncGenerator<Uint8Array> {
    for await (const { data } of stream.incoming) yield data;
  }
  return {
    incoming: incoming(),
    write: (chunk) => stream.send(chunk),
    drained: () => stream.drained(),
    end: () => stream.close(),
    destroy: () => stream.close(),
    closed: stream.closed,
  };
}

/** What `ws` wants of a socket, over what we have. */
class SocketDuplex extends Duplex {
  readonly #socket: ByteSocket;
  #reading = false;
  #head: Buffer | undefined;

  constructor(socket: ByteSocket, options: { readonly swallowHead: boolean }) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#head = options.swallowHead ? Buffer.alloc(0) : undefined;
    void this.#watch();
  }

  override _read(): void {
    if (this.#reading) return;
    this.#reading = true;
    void this.#pump();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    let bytes = chunk;
    if (this.#head !== undefined) {
      const all = Buffer.concat([this.#head, chunk]);
      const end = all.indexOf('\r\n\r\n');
      this.#head = end < 0 ? all : undefined;
      bytes = end < 0 ? Buffer.alloc(0) : all.subarray(end + 4);
    }
    if (bytes.length === 0 || this.#socket.write(bytes)) done();
    else void this.#socket.drained().finally(() => done());
  }

  override _final(done: (error?: Error) => void): void {
    this.#socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  async #watch(): Promise<void> {
    await this.#socket.closed;
    if (!this.destroyed && this.writableEnded) this.destroy();
  }

  async #pump(): Promise<void> {
    try {
      for await (const chunk of this.#socket.incoming) {
        if (this.push(chunk)) continue;
        await new Promise<void>((resolve) => {
          this.#resume = resolve;
        });
      }
      this.push(null);
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #resume: () => void = () => undefined;
  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    this.#resume();
    return chunk;
  }
}
