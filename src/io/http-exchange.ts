import type {
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
  ServerResponse,
} from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { BodyTooLargeError } from '#base';
import type { FaceReply, FaceRequest, HeaderMap, Peer, Sink, StreamBody } from '#base';

/** What HTTP/1.1 and HTTP/2 have in common, seen from a face. */
export interface Exchange {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly peer: Peer;
  readonly input: Readable;
  /** Emits 'close' when the exchange is over, well or not. */
  readonly output: Writable;
  sendHead(status: number, headers: FaceReply['headers'], bodyBytes: number | undefined): void;
}

export function exchangeOfHttp1(
  request: IncomingMessage,
  response: ServerResponse,
  peer: Peer,
): Exchange {
  return {
    method: request.method ?? 'GET',
    ...addressOf(request),
    peer,
    input: request,
    output: response,
    sendHead: (status, headers, bodyBytes) => {
      if (bodyBytes !== undefined) response.setHeader('content-length', bodyBytes);
      // An unread rest of a body would be taken for the next request.
      if (!request.complete) response.setHeader('connection', 'close');
      response.writeHead(status, headers as Record<string, string | string[]>);
    },
  };
}

/** A whole URL as target is as good as a path, and its authority counts, not Host: RFC 9112 3.2.2. */
function addressOf({ url = '/', headers }: IncomingMessage): Pick<Exchange, 'target' | 'headers'> {
  const whole = url.startsWith('/') ? null : /^https?:\/\/([^/?#]+)(.*)$/i.exec(url);
  if (whole === null) return { target: url, headers };
  const [, host = '', rest = ''] = whole;
  return { target: rest.startsWith('/') ? rest : `/${rest}`, headers: { ...headers, host } };
}

export function exchangeOfHttp2(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders & Readonly<Record<string, string | string[] | undefined>>,
  peer: Peer,
): Exchange {
  const plain: IncomingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers))
    if (!name.startsWith(':')) plain[name] = value;
  const authority = headers[':authority'];
  if (plain.host === undefined && typeof authority === 'string') plain.host = authority;
  return {
    method: String(headers[':method'] ?? 'GET'),
    target: String(headers[':path'] ?? '/'),
    headers: plain,
    peer,
    input: stream,
    output: stream,
    sendHead: (status, replyHeaders, bodyBytes) => {
      if (stream.destroyed || stream.headersSent) return;
      const head: OutgoingHttpHeaders = { ':status': status };
      for (const [name, value] of Object.entries(replyHeaders)) {
        const lower = name.toLowerCase();
        // RFC 9113 8.2.2: connection-specific fields do not exist in HTTP/2.
        if (lower !== 'connection' && lower !== 'transfer-encoding')
          head[lower] = typeof value === 'string' ? value : [...value];
      }
      if (bodyBytes !== undefined) head['content-length'] = bodyBytes;
      stream.respond(head);
    },
  };
}

/** A request as faces see it; what costs something is made when it is first asked for. */
export class ExchangeRequest implements FaceRequest {
  readonly method: string;
  readonly path: string;
  readonly search: string;
  readonly #exchange: Exchange;
  #controller: AbortController | undefined;
  #headers: HeaderMap | undefined;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    this.method = exchange.method;
    const mark = exchange.target.indexOf('?');
    this.path = mark === -1 ? exchange.target : exchange.target.slice(0, mark);
    this.search = mark === -1 ? '' : exchange.target.slice(mark + 1);
  }

  get headers(): HeaderMap {
    if (this.#headers !== undefined) return this.#headers;
    const joined: Record<string, string | undefined> = { ...(this.#exchange.headers as HeaderMap) };
    for (const name in joined) {
      const value: unknown = joined[name];
      if (Array.isArray(value)) joined[name] = value.join(', ');
    }
    this.#headers = joined;
    return joined;
  }

  get peer(): Peer {
    return this.#exchange.peer;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController();
      this.#controller = controller;
      const gone = (): void => controller.abort(new Error('Request ended: the client went away'));
      if (this.#exchange.output.destroyed) gone();
      else this.#exchange.output.once('close', gone);
    }
    return this.#controller.signal;
  }

  async body(bytesMax: number): Promise<Uint8Array> {
    const declared = this.#exchange.headers['content-length'];
    if (declared !== undefined && Number(declared) > bytesMax)
      throw new BodyTooLargeError(bytesMax);
    const { input } = this.#exchange;
    return await new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      input.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > bytesMax) {
          input.pause();
          input.removeAllListeners('data');
          reject(new BodyTooLargeError(bytesMax));
        } else chunks.push(chunk);
      });
      input.once('end', () =>
        resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)),
      );
      input.once('error', reject);
      input.once('close', () => reject(new Error('Cannot read body: the connection was closed')));
    });
  }

  bodyStream(): AsyncIterable<Uint8Array> {
    return this.#exchange.input as AsyncIterable<Buffer>;
  }
}

// apiserver responsewriters: nothing below 128 KiB is worth compressing, and level 1 is enough.
const gzipFromBytes = 128 * 1024;
const gzipAsync = promisify(gzip);

function isLarge({ body, headers, status }: FaceReply): boolean {
  if (body === undefined || typeof body === 'function' || status !== 200) return false;
  if (headers['content-encoding'] !== undefined) return false;
  if (body instanceof Uint8Array) return body.length > gzipFromBytes;
  let bytes = 0;
  for (const slice of body) bytes += slice.length;
  return bytes > gzipFromBytes;
}

/** The reply as it goes out: what is large is compressed for who can read it; small ones at once. */
export function packed(
  accepted: string | undefined,
  reply: FaceReply,
): FaceReply | Promise<FaceReply> {
  return isLarge(reply) ? compressed(accepted, reply) : reply;
}

async function compressed(accepted: string | undefined, reply: FaceReply): Promise<FaceReply> {
  const { body } = reply;
  if (body === undefined || typeof body === 'function') return reply;
  if (typeof accepted !== 'string' || !/\bgzip\b/.test(accepted)) return reply;
  const whole = body instanceof Uint8Array ? body : Buffer.concat(body);
  const headers = { ...reply.headers, 'content-encoding': 'gzip', vary: 'Accept-Encoding' };
  return { status: reply.status, headers, body: await gzipAsync(whole, { level: 1 }) };
}

/** Slices are gathered into writes of about this size: fewer TLS records, no second copy of it all. */
const gatherBytes = 256 * 1024;

export async function sendReply(
  exchange: Exchange,
  request: ExchangeRequest,
  plain: FaceReply,
): Promise<void> {
  const { output } = exchange;
  const accepted = exchange.headers['accept-encoding'];
  const packing = packed(typeof accepted === 'string' ? accepted : undefined, plain);
  // Most replies are small: they are sent at once.
  const reply = packing instanceof Promise ? await packing : packing;
  const { body } = reply;
  const bodiless = exchange.method === 'HEAD' || reply.status === 204 || reply.status === 304;
  if (body === undefined || body instanceof Uint8Array) {
    const bytes = body === undefined || reply.status === 204 ? undefined : body.length;
    exchange.sendHead(reply.status, reply.headers, bytes ?? (bodiless ? undefined : 0));
    if (body === undefined || bodiless) output.end();
    else output.end(body);
    return;
  }
  if (typeof body === 'function') {
    exchange.sendHead(reply.status, reply.headers, undefined);
    if (!bodiless) await stream(output, request.signal, body);
    output.end();
    return;
  }
  let total = 0;
  for (const slice of body) total += slice.length;
  exchange.sendHead(reply.status, reply.headers, total);
  if (!bodiless) await sendSlices(output, body);
  output.end();
}

export async function sendSlices(output: Writable, slices: readonly Uint8Array[]): Promise<void> {
  let from = 0;
  while (from < slices.length && !output.destroyed) {
    let bytes = 0;
    let to = from;
    while (to < slices.length && (to === from || bytes < gatherBytes))
      bytes += slices[to++]?.length ?? 0;
    const chunk = to - from === 1 ? slices[from] : Buffer.concat(slices.slice(from, to), bytes);
    from = to;
    if (!output.write(chunk) && from < slices.length) await drained(output);
  }
}

async function stream(output: Writable, signal: AbortSignal, body: StreamBody): Promise<void> {
  const sink: Sink = {
    write: (chunk) => (output.destroyed ? false : output.write(chunk)),
    get backlogBytes() {
      return output.writableLength;
    },
    drained: () => drained(output),
  };
  // A client must see the head although the first chunk may come much later.
  if ('flushHeaders' in output && typeof output.flushHeaders === 'function') output.flushHeaders();
  await body(sink, signal);
}

export async function drained(output: Writable): Promise<void> {
  if (output.destroyed || !output.writableNeedDrain) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      output.off('drain', done);
      output.off('close', done);
      resolve();
    };
    output.once('drain', done);
    output.once('close', done);
  });
}
