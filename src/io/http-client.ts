import type { Agent, IncomingMessage, RequestOptions } from 'node:http';
import {
  connect as connectHttp2,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
} from 'node:http2';
import { Agent as TlsAgent, request as requestTls } from 'node:https';
import { isIP } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { Clock, HeaderMap } from '#base';
import { plainHttp } from './plain-http.ts';

export interface HttpClientOptions {
  /** `https://host:port` or `http://host:port`; a path after it goes before every request's path. */
  readonly server: string;
  readonly clock: Clock;
  /** PEM. Absent: the system's roots. */
  readonly ca?: string | Uint8Array | undefined;
  /** PEM of the client's certificate chain and key. */
  readonly cert?: string | Uint8Array | undefined;
  readonly key?: string | Uint8Array | undefined;
  readonly insecureSkipVerify?: boolean | undefined;
  /** Name to verify in the server's certificate instead of the host. */
  readonly serverName?: string | undefined;
}

export interface HttpRequest {
  readonly method: string;
  /** Path with query, encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
}
export interface HttpResponse {
  readonly status: number;
  readonly headers: HeaderMap;
  /** The body as it comes; may be read once, by this or by `body()`. */
  readonly chunks: AsyncIterable<Uint8Array>;
  body(): Promise<Uint8Array>;
}

/** One server, one multiplexed connection (HTTP/2), or a keep-alive pool where it speaks HTTP/1.1. */
export interface HttpClient {
  request(request: HttpRequest): Promise<HttpResponse>;
  close(): void;
}

/** The server could not be reached, or the connection broke before an answer came. */
export class HttpConnectError extends Error {
  override readonly name = 'HttpConnectError';
}

const connectTimeoutMs = 10_000;
const retryMsMin = 20;
const retryMsMax = 2_000;
// client-go probes a silent HTTP/2 connection after 30 s and gives it 15 s to answer (http2 ReadIdleTimeout).
const pingAfterMs = 30_000;
const pingWaitMs = 15_000;
// One that does not answer is probed sooner: after a machine or a process stood still, Node may never
// report that the connection broke meanwhile, and a node must be back long before its Pods are evicted.
const answerMs = 5_000;
const answerPingWaitMs = 10_000;
const windowBytes = 8 * 1024 * 1024;

type Transport =
  | { readonly kind: 'h2'; readonly session: ClientHttp2Session; readonly watch: Watchdog }
  | { readonly kind: 'h1'; readonly agent: Agent };

/** Counts what a connection owes. */
interface Watchdog {
  asked(): void;
  answered(): void;
}

export function createHttpClient(options: HttpClientOptions): HttpClient {
  return new Client(options);
}

class Client implements HttpClient {
  readonly #options: HttpClientOptions;
  readonly #url: URL;
  readonly #prefix: string;
  #transport: Promise<Transport> | undefined;
  #failures = 0;
  #closed = false;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#url = new URL(options.server);
    this.#prefix = this.#url.pathname.replace(/\/$/, '');
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    for (let attempt = 0; ; attempt++) {
      request.signal?.throwIfAborted();
      const transport = await this.#usable(request.signal);
      try {
        return await (transport.kind === 'h2'
          ? this.#requestHttp2(transport, request)
          : this.#requestHttp1(transport.agent, request));
      } catch (error) {
        // The server never saw the request, or a kept-alive socket was closed under a read: once more.
        if (attempt > 0 || request.signal?.aborted === true || !isUnsent(error, request)) {
          request.signal?.throwIfAborted();
          throw wrap(error, this.#options.server);
        }
      }
    }
  }

  close(): void {
    this.#closed = true;
    const transport = this.#transport;
    this.#transport = undefined;
    void transport?.then(shut, () => undefined);
  }

  /** A connection that still takes requests: the event that tells of its end may come later. */
  async #usable(signal: AbortSignal | undefined): Promise<Transport> {
    const asked = this.#transport;
    const transport = await this.#open(signal);
    if (transport.kind !== 'h2' || !(transport.session.destroyed || transport.session.closed))
      return transport;
    if (this.#transport === asked) this.#transport = undefined;
    return this.#open(signal);
  }

  /** The connection, made once for all who wait for it; after a failure not before its back-off. */
  async #open(signal: AbortSignal | undefined): Promise<Transport> {
    if (this.#closed) throw new HttpConnectError('Cannot send a request: the client was closed');
    if (this.#transport === undefined) {
      const opening = this.#connect();
      this.#transport = opening;
      opening.then(
        () => {
          this.#failures = 0;
        },
        () => {
          this.#failures++;
          if (this.#transport === opening) this.#transport = undefined;
        },
      );
    }
    return abortable(this.#transport, signal);
  }

  async #connect(): Promise<Transport> {
    if (this.#failures > 0)
      await this.#options.clock.sleep(
        Math.min(retryMsMax, retryMsMin * 2 ** Math.min(this.#failures - 1, 10)),
      );
    if (this.#url.protocol === 'http:')
      return { kind: 'h1', agent: new plainHttp.Agent({ keepAlive: true, maxFreeSockets: 8 }) };
    const tls = this.#tlsOptions();
    const socket = await this.#connectTls(tls);
    if (socket.alpnProtocol === 'h2') return this.#startHttp2(socket);
    socket.destroy();
    const agent = new TlsAgent({ ...tls, ALPNProtocols: ['http/1.1'], keepAlive: true });
    return { kind: 'h1', agent };
  }

  #tlsOptions(): ConnectionOptions {
    const { ca, cert, key, insecureSkipVerify, serverName } = this.#options;
    const host = this.#url.hostname.replace(/^\[|\]$/g, '');
    const name = serverName ?? host;
    return {
      host,
      port: Number(this.#url.port || 443),
      ...(ca === undefined ? {} : { ca: pem(ca) }),
      ...(cert === undefined ? {} : { cert: pem(cert) }),
      ...(key === undefined ? {} : { key: pem(key) }),
      ...(isIP(name) === 0 ? { servername: name } : {}),
      rejectUnauthorized: insecureSkipVerify !== true,
      ALPNProtocols: ['h2', 'http/1.1'],
    };
  }

  #connectTls(options: ConnectionOptions): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket = connectTls(options);
      socket.setNoDelay(true);
      const cancel = this.#options.clock.after(connectTimeoutMs, () =>
        socket.destroy(new Error(`no TLS handshake within ${connectTimeoutMs} ms`)),
      );
      const fail = (error: Error): void => {
        cancel();
        reject(wrap(error, this.#options.server));
      };
      socket.once('error', fail);
      socket.once('secureConnect', () => {
        cancel();
        socket.off('error', fail);
        resolve(socket);
      });
    });
  }

  #startHttp2(socket: TLSSocket): Promise<Transport> {
    const session = connectHttp2(this.#url.origin, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: windowBytes },
    });
    const forget = (): void => {
      const current = this.#transport;
      void current?.then(
        (transport) => {
          if (
            transport.kind === 'h2' &&
            transport.session === session &&
            this.#transport === current
          )
            this.#transport = undefined;
        },
        () => undefined,
      );
    };
    session.on('error', forget);
    session.on('goaway', () => {
      forget();
      session.close();
    });
    session.once('close', forget);
    const watch = this.#probe(session, socket);
    return new Promise((resolve, reject) => {
      session.once('error', reject);
      session.once('connect', () => {
        session.off('error', reject);
        session.setLocalWindowSize(2 * windowBytes);
        resolve({ kind: 'h2', session, watch });
      });
    });
  }

  /** Finds out that the peer is gone when nothing was heard for long: TCP alone would take minutes. */
  #probe(session: ClientHttp2Session, socket: TLSSocket): Watchdog {
    const { clock } = this.#options;
    let heard = socket.bytesRead;
    let pinged = false;
    const ping = (waitMs: number, then: () => void): void => {
      const giveUp = clock.after(waitMs, () => session.destroy());
      pinged = true;
      session.ping(() => {
        pinged = false;
        giveUp();
        heard = socket.bytesRead;
        then();
      });
    };
    const again = (): void => {
      if (!session.destroyed) cancel = clock.after(pingAfterMs, look);
    };
    const look = (): void => {
      if (session.destroyed) return;
      if (socket.bytesRead === heard) return ping(pingWaitMs, again);
      heard = socket.bytesRead;
      again();
    };
    let cancel = clock.after(pingAfterMs, look);
    session.once('close', () => cancel());
    return watchdog(clock, () => {
      if (session.destroyed || pinged) return;
      ping(answerPingWaitMs, () => undefined);
    });
  }

  #requestHttp2(
    { session, watch }: Transport & { readonly kind: 'h2' },
    request: HttpRequest,
  ): Promise<HttpResponse> {
    const body = request.body;
    const stream = session.request(
      { ...request.headers, ':method': request.method, ':path': this.#prefix + request.path },
      { endStream: body === undefined },
    );
    const { signal } = request;
    const onAbort = (): void => {
      stream.close(constants.NGHTTP2_CANCEL);
      stream.destroy(signal?.reason instanceof Error ? signal.reason : undefined);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    stream.once('close', () => signal?.removeEventListener('abort', onAbort));
    if (body !== undefined) stream.end(body);
    watch.asked();
    let open = true;
    const answered = (): void => {
      if (open) watch.answered();
      open = false;
    };
    stream.once('response', answered);
    stream.once('close', answered);
    return new Promise((resolve, reject) => {
      stream.once('error', reject);
      stream.once('close', () =>
        reject(new Error('the connection was closed before an answer came')),
      );
      stream.once('response', (headers) => {
        const { ':status': status, ...rest } = headers;
        resolve(response(Number(status), rest, chunksOf(stream)));
      });
    });
  }

  #requestHttp1(agent: Agent, request: HttpRequest): Promise<HttpResponse> {
    const options: RequestOptions = {
      agent,
      method: request.method,
      host: this.#url.hostname.replace(/^\[|\]$/g, ''),
      port: this.#url.port || (this.#url.protocol === 'http:' ? 80 : 443),
      path: this.#prefix + request.path,
      headers: { ...request.headers },
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    };
    return new Promise((resolve, reject) => {
      const send = this.#url.protocol === 'http:' ? plainHttp.request : requestTls;
      const sent = send(options, (incoming: IncomingMessage) =>
        resolve(response(incoming.statusCode ?? 0, incoming.headers, incoming)),
      );
      sent.setNoDelay(true);
      sent.once('error', (error) => {
        this.#failures++;
        reject(error);
      });
      sent.end(request.body);
    });
  }
}

/** Calls `silent` when requests wait, and none of them was answered for a while. */
function watchdog(clock: Clock, silent: () => void): Watchdog {
  let waiting = 0;
  let answers = 0;
  let armed = false;
  const arm = (): void => {
    if (armed) return;
    armed = true;
    const before = answers;
    clock.after(answerMs, () => {
      armed = false;
      if (waiting === 0) return;
      if (answers === before) silent();
      arm();
    });
  };
  return {
    asked() {
      waiting++;
      arm();
    },
    answered() {
      waiting--;
      answers++;
    },
  };
}

function response(
  status: number,
  raw: Readonly<Record<string, string | readonly string[] | number | undefined>>,
  chunks: AsyncIterable<Uint8Array>,
): HttpResponse {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(raw))
    if (value !== undefined)
      headers[name] = Array.isArray(value) ? value.join(', ') : String(value);
  return {
    status,
    headers,
    chunks,
    async body() {
      const parts: Uint8Array[] = [];
      for await (const chunk of chunks) parts.push(chunk);
      return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    },
  };
}

/**
 * What a stream brings, until its end. Node's own iterator takes an HTTP/2 stream that the server has
 * closed, and that still holds data nobody has read, for one that was cut off.
 */
async function* chunksOf(stream: ClientHttp2Stream): AsyncGenerator<Uint8Array> {
  let wake = (): void => {};
  const look = (): void => wake();
  const events = ['readable', 'end', 'error', 'close'] as const;
  for (const event of events) stream.on(event, look);
  try {
    for (;;) {
      const chunk = stream.read() as Buffer | null;
      if (chunk !== null) yield chunk;
      else if (stream.readableEnded) return;
      else if (stream.errored) throw stream.errored;
      else if (stream.destroyed) throw new Error('the connection was closed within an answer');
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    for (const event of events) stream.off(event, look);
    if (!stream.readableEnded) stream.destroy();
  }
}

function shut(transport: Transport): void {
  if (transport.kind === 'h2') transport.session.destroy();
  else transport.agent.destroy();
}

function pem(value: string | Uint8Array): string | Buffer {
  return typeof value === 'string' ? value : Buffer.from(value);
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** True when the server cannot have acted on the request. */
function isUnsent(error: unknown, request: HttpRequest): boolean {
  const code = codeOf(error);
  if (
    code === 'ERR_HTTP2_INVALID_SESSION' ||
    code === 'ERR_HTTP2_GOAWAY_SESSION' ||
    (code === 'ERR_HTTP2_STREAM_ERROR' && String(error).includes('NGHTTP2_REFUSED_STREAM'))
  )
    return true;
  return code === 'ECONNRESET' && request.method === 'GET';
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}

function wrap(error: unknown, server: string): unknown {
  if (error instanceof HttpConnectError) return error;
  const text = error instanceof Error ? error.message || codeOf(error) : String(error);
  return new HttpConnectError(`Cannot talk to ${server}: ${text}`, { cause: error });
}
