import type { ByteSocket } from '#base';
import { SpdyError, SpdyReader, SpdyWriter } from './spdy-frames.ts';
import type { SpdyFrame, SpdyHeaders } from './spdy-frames.ts';

/** One stream of a connection: two half-closable directions. */
export interface SpdyStream {
  readonly id: number;
  readonly headers: SpdyHeaders;
  /** Ends when the peer finished its side; throws `SpdyError` when the stream was reset. May be read once. */
  readonly incoming: AsyncIterable<Uint8Array>;
  write(chunk: Uint8Array): Promise<void>;
  /** Finishes our side. */
  end(): Promise<void>;
  /** Both sides at once, without ado. */
  reset(): Promise<void>;
}

const streamBacklogBytesMax = 1024 * 1024;
const dataBytesMax = 32 * 1024;
const streamsMax = 1024;
const rstInvalidStream = 2;
const rstCancel = 5;

/**
 * A SPDY/3.1 connection on a socket, either side. Windows are not used: the library behind kubectl and
 * client-go (moby/spdystream) neither sends nor heeds them, so TCP alone slows a fast sender down.
 */
export class SpdyConnection {
  readonly #socket: ByteSocket;
  readonly #reader = new SpdyReader();
  readonly #writer = new SpdyWriter();
  readonly #streams = new Map<number, Stream>();
  readonly #accepted: SpdyStream[] = [];
  #wake: () => void = () => undefined;
  #ended = false;
  #nextId: number;
  #lastPeerId = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(socket: ByteSocket, options: { readonly side: 'server' | 'client' }) {
    this.#socket = socket;
    this.#nextId = options.side === 'client' ? 1 : 2;
  }

  /** Reads until the peer is gone; must be running for anything to happen. */
  async run(): Promise<void> {
    try {
      for await (const chunk of this.#socket.incoming)
        for (const frame of await this.#reader.read(chunk)) await this.#take(frame);
    } finally {
      this.#ended = true;
      for (const stream of this.#streams.values()) stream.broken();
      this.#wake();
    }
  }

  /** Streams the peer opens, as they come; ends with the connection. */
  async *accept(): AsyncGenerator<SpdyStream> {
    for (;;) {
      const next = this.#accepted.shift();
      if (next !== undefined) yield next;
      else if (this.#ended) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  async open(headers: SpdyHeaders): Promise<SpdyStream> {
    const stream = new Stream(this.#nextId, headers, this);
    this.#nextId += 2;
    this.#streams.set(stream.id, stream);
    await this.send({ type: 'synStream', streamId: stream.id, fin: false, headers });
    return stream;
  }

  /** Frames leave in the order of the calls; resolves when the socket took it. */
  send(frame: Parameters<SpdyWriter['encode']>[0]): Promise<void> {
    const sent = this.#writing.then(async () => {
      if (this.#ended) return;
      if (!this.#socket.write(await this.#writer.encode(frame))) await this.#socket.drained();
    });
    this.#writing = sent.catch(() => undefined);
    return sent;
  }

  forget(id: number): void {
    this.#streams.delete(id);
  }

  async close(): Promise<void> {
    await this.send({ type: 'goAway', lastStreamId: this.#lastPeerId, status: 0 });
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #take(frame: SpdyFrame): Promise<void> {
    switch (frame.type) {
      case 'synStream':
        await this.#opened(frame.streamId, frame);
        return;
      case 'data': {
        const stream = this.#streams.get(frame.streamId);
        if (stream === undefined) {
          await this.send({
            type: 'rstStream',
            streamId: frame.streamId,
            status: rstInvalidStream,
          });
          return;
        }
        await stream.arrived(frame.data, frame.fin);
        return;
      }
      case 'synReply':
      case 'headers':
        if (frame.fin) await this.#streams.get(frame.streamId)?.arrived(new Uint8Array(), true);
        return;
      case 'rstStream':
        this.#streams.get(frame.streamId)?.broken();
        return;
      case 'ping':
        // Answer theirs; ours would carry our own parity, and we send none.
        await this.send(frame);
        return;
      case 'goAway':
      case 'settings':
      case 'windowUpdate':
      case 'unknown':
        return;
    }
  }

  async #opened(
    id: number,
    frame: { readonly headers: SpdyHeaders; readonly fin: boolean },
  ): Promise<void> {
    if (this.#streams.has(id) || this.#streams.size >= streamsMax) {
      await this.send({ type: 'rstStream', streamId: id, status: rstInvalidStream });
      return;
    }
    this.#lastPeerId = id;
    const stream = new Stream(id, frame.headers, this);
    this.#streams.set(id, stream);
    await this.send({ type: 'synReply', streamId: id, fin: false, headers: {} });
    if (frame.fin) await stream.arrived(new Uint8Array(), true);
    this.#accepted.push(stream);
    this.#wake();
  }
}

class Stream implements SpdyStream {
  readonly id: number;
  readonly headers: SpdyHeaders;
  readonly incoming: AsyncIterable<Uint8Array>;
  readonly #connection: SpdyConnection;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #finished = false;
  #ours = false;
  #broken = false;
  #wake: () => void = () => undefined;
  #roomy: () => void = () => undefined;

  constructor(id: number, headers: SpdyHeaders, connection: SpdyConnection) {
    this.id = id;
    this.headers = headers;
    this.#connection = connection;
    this.incoming = this.#read();
  }

  /** Waits while too much lies unread: that stops the whole connection, as TCP would. */
  async arrived(data: Uint8Array, fin: boolean): Promise<void> {
    if (data.length > 0) this.#queue.push(data);
    this.#queuedBytes += data.length;
    if (fin) this.#finished = true;
    this.#wake();
    if (fin && this.#ours) this.#connection.forget(this.id);
    if (this.#queuedBytes > streamBacklogBytesMax && !this.#broken)
      await new Promise<void>((resolve) => {
        this.#roomy = resolve;
      });
  }

  broken(): void {
    this.#broken = true;
    this.#connection.forget(this.id);
    this.#wake();
    this.#roomy();
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length && !this.#broken && !this.#ours; at += dataBytesMax)
      await this.#connection.send({
        type: 'data',
        streamId: this.id,
        fin: false,
        data: chunk.subarray(at, at + dataBytesMax),
      });
  }

  async end(): Promise<void> {
    if (this.#ours || this.#broken) return;
    this.#ours = true;
    await this.#connection.send({
      type: 'data',
      streamId: this.id,
      fin: true,
      data: new Uint8Array(),
    });
    if (this.#finished) this.#connection.forget(this.id);
  }

  async reset(): Promise<void> {
    if (this.#broken) return;
    this.broken();
    await this.#connection.send({ type: 'rstStream', streamId: this.id, status: rstCancel });
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = this.#queue.shift();
      if (next !== undefined) {
        this.#queuedBytes -= next.length;
        if (this.#queuedBytes <= streamBacklogBytesMax) this.#roomy();
        yield next;
      } else if (this.#finished) return;
      else if (this.#broken) throw new SpdyError(`Stream ${this.id} was reset`);
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
