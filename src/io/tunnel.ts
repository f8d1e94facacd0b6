import type { Agent as HttpAgent, IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ByteSocket } from '#base';
import { plainHttp } from './plain-http.ts';

/** Where a request is passed on to: a kubelet, a Pod, a Service's endpoint. */
export interface BackendTarget {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** Show the client certificate and insist on the cluster's authority; else take any certificate. */
  readonly trusted: boolean;
}
export interface BackendRequest {
  readonly method: string;
  /** Path and query as they go on the wire. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: AsyncIterable<Uint8Array> | Uint8Array | undefined;
  readonly signal: AbortSignal;
  /** Waiting for the answer's head ends after this long. */
  readonly headMsMax?: number | undefined;
}
export interface BackendReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Empty after an upgrade. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Set when the backend answered 101: the connection from now on. */
  readonly socket: ByteSocket | undefined;
}
/** A request to a backend could not be made or was not answered; the cause says why. */
export class BackendError extends Error {
  override readonly name = 'BackendError';
}

/** HTTP/1.1 to backends, upgrades included; real one here, another in the simulator. */
export interface BackendClient extends AsyncDisposable {
  send(target: BackendTarget, request: BackendRequest): Promise<BackendReply>;
}
export interface BackendClientOptions {
  readonly authorityPem: string;
  readonly certificatePem: string;
  readonly keyPem: string;
}

const idleSocketsMax = 64;

/** Keeps connections for plain requests; an upgraded one belongs to its reply. */
export function createBackendClient(options: BackendClientOptions): BackendClient {
  const keep = { keepAlive: true, maxFreeSockets: idleSocketsMax, timeout: 60_000 };
  const plain = new plainHttp.Agent(keep);
  const trusted = new HttpsAgent({
    ...keep,
    ca: options.authorityPem,
    cert: options.certificatePem,
    key: options.keyPem,
  });
  // As the reference's proxy: a Pod's own certificate has no authority we know.
  const any = new HttpsAgent({ ...keep, rejectUnauthorized: false });
  const agentOf = (target: BackendTarget): HttpAgent => {
    if (target.scheme === 'http') return plain;
    return target.trusted ? trusted : any;
  };
  return {
    send: (target, request) => send(target, request, agentOf(target)),
    async [Symbol.asyncDispose]() {
      for (const agent of [plain, trusted, any]) agent.destroy();
    },
  };
}

function send(
  target: BackendTarget,
  request: BackendRequest,
  agent: HttpAgent,
): Promise<BackendReply> {
  return new Promise((resolve, reject) => {
    const make = target.scheme === 'https' ? httpsRequest : plainHttp.request;
    const outgoing = make({
      host: target.host,
      port: target.port,
      method: request.method,
      path: request.path,
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [
          name,
          typeof value === 'string' ? value : [...value],
        ]),
      ),
      agent,
      signal: request.signal,
    });
    const waitMs = request.headMsMax;
    const timer =
      waitMs === undefined
        ? undefined
        : setTimeout(() => outgoing.destroy(new Error('no answer in time')), waitMs);
    outgoing.once('response', (response) => {
      clearTimeout(timer);
      resolve(replyOf(response, undefined));
    });
    outgoing.once('upgrade', (response: IncomingMessage, socket: Duplex, head: Buffer) => {
      clearTimeout(timer);
      resolve(replyOf(response, byteSocket(socket, head)));
    });
    outgoing.once('error', (cause) => {
      clearTimeout(timer);
      reject(new BackendError(`dial ${target.host}:${target.port}: ${cause.message}`, { cause }));
    });
    void sendBody(outgoing, request.body);
  });
}

/** A body that breaks off breaks off the request, which is then reported by its own error event. */
async function sendBody(
  outgoing: NodeJS.WritableStream & { destroy(error?: Error): void },
  body: BackendRequest['body'],
): Promise<void> {
  try {
    if (body instanceof Uint8Array) outgoing.write(body);
    else if (body !== undefined) {
      for await (const chunk of body) {
        if (!outgoing.write(chunk)) await once(outgoing, 'drain');
      }
    }
    outgoing.end();
  } catch (error) {
    outgoing.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

function replyOf(response: IncomingMessage, socket: ByteSocket | undefined): BackendReply {
  const headers: Record<string, string | string[]> = {};
  for (let index = 0; index + 1 < response.rawHeaders.length; index += 2) {
    const name = (response.rawHeaders[index] ?? '').toLowerCase();
    const value = response.rawHeaders[index + 1] ?? '';
    const earlier = headers[name];
    headers[name] = earlier === undefined ? value : [earlier, value].flat();
  }
  return {
    status: response.statusCode ?? 502,
    headers,
    body: socket === undefined ? response : emptyBody(),
    socket,
  };
}

async function* emptyBody(): AsyncIterable<Uint8Array> {
  // An upgraded connection has no body of its own.
}

/** A stream of the runtime as our socket; `head` are bytes that were read too far. */
export function byteSocket(stream: Duplex, head: Uint8Array = new Uint8Array()): ByteSocket {
  const closed = new Promise<void>((resolve) => {
    stream.once('close', () => resolve());
  });
  // A broken connection is told by `incoming` and `closed`; unheard it would end the process.
  stream.on('error', () => stream.destroy());
  if (head.length > 0) stream.unshift(Buffer.from(head));
  return {
    incoming: stream,
    write: (chunk) => stream.writable && stream.write(chunk),
    drained: () =>
      stream.writableNeedDrain && !stream.destroyed
        ? Promise.race([once(stream, 'drain'), closed])
        : Promise.resolve(),
    end: () => {
      if (stream.writable) stream.end();
    },
    destroy: () => {
      stream.destroy();
    },
    closed,
  };
}

function once(emitter: NodeJS.EventEmitter, name: string): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      emitter.off(name, done);
      emitter.off('close', done);
      resolve();
    };
    emitter.on(name, done);
    emitter.on('close', done);
  });
}

/** Joins two sockets until both directions have ended; the end of one side is told to the other. */
export async function splice(left: ByteSocket, right: ByteSocket): Promise<void> {
  await Promise.all([pump(left, right), pump(right, left)]);
  left.destroy();
  right.destroy();
}

async function pump(from: ByteSocket, to: ByteSocket): Promise<void> {
  try {
    for await (const chunk of from.incoming) {
      if (!to.write(chunk)) await to.drained();
    }
    to.end();
  } catch {
    // A connection that breaks breaks its partner: there is nobody left to tell.
    from.destroy();
    to.destroy();
  }
}
