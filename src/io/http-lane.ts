import type { Socket } from 'node:net';
import { BodyTooLargeError } from '#base';
import type { Clock, Face, FaceReply, FaceRequest, HeaderMap, Logger, Peer, Sink } from '#base';
import { drained, packed, sendSlices } from './http-exchange.ts';
import { type LaneHead, LaneHeads } from './http-lane-head.ts';
import { plainHttp } from './plain-http.ts';

/**
 * The short way of an HTTP/1.1 connection: requests that are whole, small and plain are read and
 * answered here, in one read and one write each. At the first one that is anything else (a chunked
 * body, an upgrade, a doubled header, a single odd byte) the connection with all its unread bytes
 * goes to Node's HTTP server for good, so that leniency and refusals are decided in one place.
 */
export interface LaneOptions {
  readonly face: Face;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly keepAliveMs: number;
  readonly peer: () => Peer;
  /** Takes the connection over; what was read of it is in the socket again. */
  readonly giveUp: (socket: Socket) => void;
}

/** Longer bodies are not worth gathering here. */
const bodyBytesMax = 256 * 1024;
/** Requests that a client sends ahead of answers wait in the kernel beyond this. */
const aheadBytesMax = 64 * 1024;

export class HttpLane {
  readonly #socket: Socket;
  readonly #options: LaneOptions;
  readonly #heads = new LaneHeads();
  readonly #onData = (chunk: Buffer): void => this.#read(chunk);
  readonly #onTimeout = (): void => {
    if (!this.#busy) this.#socket.destroy();
  };
  /** Bytes that no request was made of yet. */
  #unread: Buffer | undefined;
  #busy = false;
  #ending = false;

  constructor(socket: Socket, options: LaneOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.setTimeout(options.keepAliveMs);
    socket.on('timeout', this.#onTimeout);
    socket.on('data', this.#onData);
  }

  /** Closes the connection after the request under way, at once when there is none. */
  end(): void {
    this.#ending = true;
    if (!this.#busy) this.#socket.end();
  }

  #read(chunk: Buffer): void {
    this.#unread = this.#unread === undefined ? chunk : Buffer.concat([this.#unread, chunk]);
    if (!this.#busy) this.#next();
    else if (this.#unread.length > aheadBytesMax) this.#socket.pause();
  }

  /** Begins the next request if it is here as a whole. */
  #next(): void {
    const bytes = this.#unread;
    if (bytes === undefined || this.#socket.destroyed) return;
    const head = this.#heads.read(bytes);
    if (head === undefined || head.bodyBytes > bodyBytesMax) {
      this.#giveUp(bytes);
      return;
    }
    const end = head.bytes + head.bodyBytes;
    if (bytes.length < end) return;
    this.#unread = bytes.length === end ? undefined : bytes.subarray(end);
    this.#busy = true;
    const request = new LaneRequest(this.#socket, {
      head,
      body: bytes.subarray(head.bytes, end),
      peer: this.#options.peer(),
    });
    this.#options.face(request).then(
      (reply) => {
        this.#answer(request, reply);
      },
      (error: unknown) => {
        this.#fail(request, error);
      },
    );
  }

  #giveUp(bytes: Buffer): void {
    const socket = this.#socket;
    this.#unread = undefined;
    socket.pause();
    socket.off('data', this.#onData);
    socket.off('timeout', this.#onTimeout);
    socket.setTimeout(0);
    socket.unshift(bytes);
    this.#options.giveUp(socket);
    socket.resume();
  }

  #answer(request: LaneRequest, plain: FaceReply): void {
    try {
      const { body } = plain;
      if (body === undefined || (body instanceof Uint8Array && body.length < aheadBytesMax)) {
        if (this.#sendWhole(request, plain, body)) this.#done(request);
        else this.#finish(request, drained(this.#socket));
      } else this.#finish(request, this.#sendLong(request, plain));
    } catch (error) {
      this.#fail(request, error);
    }
  }

  #finish(request: LaneRequest, sending: Promise<void>): void {
    sending.then(
      () => this.#done(request),
      (error: unknown) => this.#fail(request, error),
    );
  }

  /** Head and body in one write. False: the client reads slower than we write. */
  #sendWhole(request: LaneRequest, reply: FaceReply, body: Uint8Array | undefined): boolean {
    if (this.#socket.destroyed) return true;
    const { status } = reply;
    const bytes = status === 204 ? undefined : (body?.length ?? (status === 304 ? undefined : 0));
    const head = this.#headText(reply, bytes === undefined ? '' : `content-length: ${bytes}\r\n`);
    if (body === undefined || isBodiless(request, status))
      return this.#socket.write(head, 'latin1');
    const whole = Buffer.allocUnsafe(head.length + body.length);
    whole.write(head, 0, 'latin1');
    whole.set(body, head.length);
    return this.#socket.write(whole);
  }

  async #sendLong(request: LaneRequest, plain: FaceReply): Promise<void> {
    const reply = await packed(request.headers['accept-encoding'], plain);
    const { body, status } = reply;
    const socket = this.#socket;
    const bodiless = isBodiless(request, status);
    if (typeof body === 'function') {
      // A length that the face tells of is the framing (RFC 9112 6.2: never both).
      const known = hasHeader(reply, 'content-length');
      const framing = known ? '' : 'transfer-encoding: chunked\r\n';
      socket.write(this.#headText(reply, framing), 'latin1');
      if (bodiless) return;
      await body(known ? plainSink(socket) : chunkedSink(socket), request.signal);
      if (!known && !socket.destroyed) socket.write('0\r\n\r\n', 'latin1');
      return;
    }
    const slices = body instanceof Uint8Array ? [body] : (body ?? []);
    let bytes = 0;
    for (const slice of slices) bytes += slice.length;
    socket.write(this.#headText(reply, `content-length: ${bytes}\r\n`), 'latin1');
    if (!bodiless) await sendSlices(socket, slices);
    await drained(socket);
  }

  #headText({ status, headers }: FaceReply, framing: string): string {
    const { clock, keepAliveMs } = this.#options;
    let text = `HTTP/1.1 ${status} ${plainHttp.STATUS_CODES[status] ?? 'Unknown'}\r\n`;
    for (const name in headers) {
      const value = headers[name] ?? '';
      // What becomes of the connection is decided here.
      if (name.toLowerCase() === 'connection') continue;
      if (typeof value === 'string') text += headerLine(name, value);
      else for (const one of value) text += headerLine(name, one);
    }
    text += `date: ${dateText(clock.nowMs())}\r\n${framing}`;
    return this.#ending
      ? `${text}connection: close\r\n\r\n`
      : `${text}connection: keep-alive\r\nkeep-alive: timeout=${Math.floor(keepAliveMs / 1000)}\r\n\r\n`;
  }

  #done(request: LaneRequest): void {
    this.#busy = false;
    request.release();
    const socket = this.#socket;
    if (socket.destroyed) return;
    if (this.#ending) {
      socket.end();
      return;
    }
    if (socket.isPaused()) socket.resume();
    // Not from here: a client that sent many requests ahead would make the stack deep.
    if (this.#unread !== undefined) queueMicrotask(() => this.#next());
  }

  #fail(request: LaneRequest, error: unknown): void {
    if (!this.#socket.destroyed)
      this.#options.logger.error('Cannot answer', { target: request.path, error });
    this.#socket.destroy();
  }
}

class LaneRequest implements FaceRequest {
  readonly method: string;
  readonly path: string;
  readonly search: string;
  readonly headers: HeaderMap;
  readonly peer: Peer;
  readonly #socket: Socket;
  readonly #body: Buffer;
  #controller: AbortController | undefined;
  readonly #gone = (): void => {
    this.#controller?.abort(new Error('Request ended: the client went away'));
  };

  constructor(
    socket: Socket,
    { head, body, peer }: { readonly head: LaneHead; readonly body: Buffer; readonly peer: Peer },
  ) {
    this.#socket = socket;
    this.method = head.method;
    this.path = head.path;
    this.search = head.search;
    this.headers = head.headers;
    this.peer = peer;
    this.#body = body;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#socket.destroyed) this.#gone();
      else this.#socket.once('close', this.#gone);
    }
    return this.#controller.signal;
  }

  /** Answered: the connection lives on and must not keep us. */
  release(): void {
    if (this.#controller !== undefined) this.#socket.off('close', this.#gone);
  }

  async body(bytesMax: number): Promise<Uint8Array> {
    if (this.#body.length > bytesMax) throw new BodyTooLargeError(bytesMax);
    return this.#body;
  }

  async *bodyStream(): AsyncIterable<Uint8Array> {
    if (this.#body.length > 0) yield this.#body;
  }
}

function hasHeader({ headers }: FaceReply, wanted: string): boolean {
  for (const name in headers) if (name.toLowerCase() === wanted) return true;
  return false;
}

function isBodiless({ method }: LaneRequest, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304;
}

// RFC 9110 5.5 and 5.6.2: anything else could end the header early.
const validName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const invalidValue = /[^\t\x20-\x7e\x80-\xff]/;

function headerLine(name: string, value: string): string {
  if (!validName.test(name) || invalidValue.test(value))
    throw new Error(`Cannot send header ${JSON.stringify(name)}: it holds invalid characters`);
  return `${name}: ${value}\r\n`;
}

let lastSecond = Number.NaN;
let lastDate = '';
function dateText(nowMs: number): string {
  const second = Math.floor(nowMs / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastDate = new Date(nowMs).toUTCString();
  }
  return lastDate;
}

function plainSink(socket: Socket): Sink {
  return {
    write: (chunk) => !socket.destroyed && socket.write(chunk),
    get backlogBytes() {
      return socket.writableLength;
    },
    drained: () => drained(socket),
  };
}

/** Every write is one chunk and one write to the socket. */
function chunkedSink(socket: Socket): Sink {
  return {
    ...plainSink(socket),
    write(chunk) {
      if (socket.destroyed) return false;
      if (chunk.length === 0) return true;
      const size = `${chunk.length.toString(16)}\r\n`;
      const framed = Buffer.allocUnsafe(size.length + chunk.length + 2);
      framed.write(size, 0, 'latin1');
      framed.set(chunk, size.length);
      framed.write('\r\n', size.length + chunk.length, 'latin1');
      return socket.write(framed);
    },
    get backlogBytes() {
      return socket.writableLength;
    },
  };
}
