/**
 * A cheap HTTP/1.1 client on one TLS socket, so that of the two cores little goes to the load: one
 * request after the other, answers with a Content-Length only.
 */
import { connect, type TLSSocket } from 'node:tls';
import { percentiles, type LoadResult } from './harness.ts';

export interface Endpoint {
  readonly port: number;
  readonly cert: string;
  readonly key: string;
}
export interface PlainRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: string | undefined;
  readonly contentType?: string | undefined;
}
export interface PlainAnswer {
  readonly status: number;
  readonly body: Buffer;
}

const headEnd = Buffer.from('\r\n\r\n');

export class PlainConnection {
  readonly #socket: TLSSocket;
  #pending: Buffer = Buffer.alloc(0);
  #waiting: PromiseWithResolvers<PlainAnswer> | undefined;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#waiting?.reject(error));
    socket.on('close', () => this.#waiting?.reject(new Error('The connection was closed')));
  }

  static open(endpoint: Endpoint): Promise<PlainConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(
        {
          host: '127.0.0.1',
          rejectUnauthorized: false,
          ALPNProtocols: ['http/1.1'],
          port: endpoint.port,
          cert: endpoint.cert,
          key: endpoint.key,
        },
        () => {
          socket.off('error', reject);
          resolve(new PlainConnection(socket));
        },
      );
      socket.once('error', reject);
    });
  }

  send(request: PlainRequest): Promise<PlainAnswer> {
    if (this.#waiting !== undefined) throw new Error('One request at a time');
    this.#waiting = Promise.withResolvers();
    const { method, path, body, contentType = 'application/json' } = request;
    const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n`;
    this.#socket.write(
      body === undefined
        ? `${head}\r\n`
        : `${head}Content-Type: ${contentType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    return this.#waiting.promise;
  }

  /** The bytes of an answer that does not end: a watch. */
  stream(path: string, onBytes: (chunk: Buffer) => void): void {
    this.#socket.removeAllListeners('data');
    this.#socket.on('data', onBytes);
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n`,
    );
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const end = this.#pending.indexOf(headEnd);
    if (end < 0) return;
    const head = this.#pending.toString('latin1', 0, end);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
    if (Number.isNaN(length)) {
      this.#waiting?.reject(new Error(`Cannot read an answer without a length: ${head}`));
      return;
    }
    const bodyAt = end + headEnd.length;
    if (this.#pending.length < bodyAt + length) return;
    const body = this.#pending.subarray(bodyAt, bodyAt + length);
    this.#pending = this.#pending.subarray(bodyAt + length);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({ status: Number(head.slice(9, 12)), body });
  }
}

export interface SendOptions {
  readonly count: number;
  readonly connections?: number;
  readonly request: (index: number) => PlainRequest;
}

/** Sends `count` requests over 32 connections, each as soon as the one before is answered. */
export async function sendAll(endpoint: Endpoint, options: SendOptions): Promise<LoadResult> {
  const { count, connections = 32, request } = options;
  const samples: number[] = [];
  const open = await Promise.all(
    Array.from({ length: connections }, () => PlainConnection.open(endpoint)),
  );
  let next = 0;
  const startMs = performance.now();
  await Promise.all(
    open.map(async (connection) => {
      while (next < count) {
        const sentMs = performance.now();
        const answer = await connection.send(request(next++));
        if (answer.status >= 300)
          throw new Error(`Answer ${answer.status}: ${answer.body.toString().slice(0, 400)}`);
        samples.push(performance.now() - sentMs);
      }
      connection.close();
    }),
  );
  const seconds = (performance.now() - startMs) / 1000;
  return {
    count,
    seconds,
    perSecond: Math.round(count / seconds),
    latencyMs: percentiles(samples),
  };
}
