import * as https from 'node:https';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { plainHttp } from './plain-http.ts';

/** The connections that probes and lifecycle hooks make. Failures are `Error`s with Go's texts. */
export interface ProbeNet {
  http(target: HttpTarget, timeoutMs: number): Promise<HttpAnswer>;
  tcp(host: string, port: number, timeoutMs: number): Promise<void>;
  /** grpc.health.v1 Check: the serving status (1 is SERVING). */
  grpc(target: { host: string; port: number; service: string }, timeoutMs: number): Promise<number>;
}
export interface HttpTarget {
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
}
export interface HttpAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly location: string | undefined;
  /** '' when the server named none. */
  readonly contentType: string;
  /** The first 10 KiB. */
  readonly body: string;
}

const bodyBytesMax = 10 * 1024;

export const systemProbeNet: ProbeNet = { http: httpGet, tcp: tcpOpen, grpc: grpcCheck };

/**
 * Does anybody listen on all these ports in the network namespace of a process? It only looks
 * (proc(5), /proc/PID/net/tcp): nobody's accept() sees a connection. True when that cannot be told.
 */
export async function tcpListens(pid: number, ports: readonly number[]): Promise<boolean> {
  const missing = new Set(ports);
  try {
    for (const file of ['tcp', 'tcp6']) {
      const text = await readFile(`/proc/${pid}/net/${file}`, 'latin1').catch((error: unknown) => {
        if (file === 'tcp6') return ''; // a machine without IPv6
        throw error;
      });
      // " 0: 0100007F:1F90 00000000:0000 0A ...": local address and port in hex, state 0A is LISTEN.
      for (const [, port] of text.matchAll(/^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F:]+ 0A /gm))
        missing.delete(Number.parseInt(port ?? '', 16));
      if (missing.size === 0) return true;
    }
  } catch (error) {
    if (error instanceof Error) return true; // it has ended, or is not ours to see
    throw error;
  }
  return false;
}

function httpGet(target: HttpTarget, timeoutMs: number): Promise<HttpAnswer> {
  const url = new URL(target.url);
  const headers: Record<string, string> = {};
  for (const [name, value] of target.headers) headers[name] = value;
  return new Promise((resolve, reject) => {
    const failed = (text: string): void =>
      reject(new Error(`Get ${JSON.stringify(target.url)}: ${text}`));
    const options = { headers, agent: false, rejectUnauthorized: false };
    const call = url.protocol === 'https:' ? https.get : plainHttp.get;
    const request = call(url, options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const answer = (): void => {
        clearTimeout(timer);
        const body = Buffer.concat(chunks).subarray(0, bodyBytesMax).toString();
        resolve({
          status: response.statusCode ?? 0,
          statusText: response.statusMessage ?? '',
          location: response.headers.location,
          contentType: response.headers['content-type'] ?? '',
          body,
        });
        response.destroy();
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size >= bodyBytesMax) answer();
      });
      response.once('end', answer);
      response.once('error', (error) => failed(error.message));
    });
    const timer = setTimeout(() => {
      failed('context deadline exceeded (Client.Timeout exceeded while awaiting headers)');
      request.destroy();
    }, timeoutMs);
    request.once('error', (error) => {
      clearTimeout(timer);
      failed(goText(error, hostPort(url)));
    });
  });
}

function tcpOpen(host: string, port: number, timeoutMs: number): Promise<void> {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const timer = setTimeout(() => {
      reject(new Error(`dial tcp ${address}: i/o timeout`));
      socket.destroy();
    }, timeoutMs);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve();
      socket.destroy();
    });
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(new Error(goText(error, address)));
    });
  });
}

function hostPort(url: URL): string {
  return `${url.hostname}:${url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port}`;
}

/** What Go's net package says, because people and tools look for these texts in events. */
function goText(error: Error, address: string): string {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ECONNREFUSED') return `dial tcp ${address}: connect: connection refused`;
  if (code === 'EHOSTUNREACH') return `dial tcp ${address}: connect: no route to host`;
  if (code === 'ENETUNREACH') return `dial tcp ${address}: connect: network is unreachable`;
  if (code === 'ETIMEDOUT') return `dial tcp ${address}: connect: connection timed out`;
  if (code === 'ECONNRESET')
    return error.message === 'socket hang up' ? 'EOF' : 'read: connection reset by peer';
  return error.message;
}

async function grpcCheck(
  target: { host: string; port: number; service: string },
  timeoutMs: number,
): Promise<number> {
  const http2 = await import('node:http2');
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  const session = http2.connect(`http://${host}:${target.port}`);
  const name = Buffer.from(target.service);
  // HealthCheckRequest{service = 1}
  const message =
    name.length === 0
      ? Buffer.alloc(0)
      : Buffer.concat([Buffer.from([10, ...varint(name.length)]), name]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  try {
    return await new Promise<number>((resolve, reject) => {
      const timer = setTimeout(
        () =>
          reject(
            new Error(
              `timeout: failed to connect service ${JSON.stringify(`${host}:${target.port}`)} within ${timeoutMs / 1000}s: context deadline exceeded`,
            ),
          ),
        timeoutMs,
      );
      const settle = (action: () => void): void => {
        clearTimeout(timer);
        action();
      };
      session.once('error', (error: Error) =>
        settle(() => reject(notConnected(error, `${host}:${target.port}`))),
      );
      const stream = session.request({
        ':method': 'POST',
        ':path': '/grpc.health.v1.Health/Check',
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      const chunks: Buffer[] = [];
      let status = '';
      const read = (headers: http2Headers): void => {
        const value = headers['grpc-status'];
        if (typeof value === 'string') status = value;
      };
      stream.on('response', read);
      stream.on('trailers', read);
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      // A stream that never got a connection fails before its session does.
      stream.once('error', (error: Error) =>
        settle(() => reject(notConnected(causeOf(error), `${host}:${target.port}`))),
      );
      stream.once('end', () => {
        const body = Buffer.concat(chunks).subarray(5);
        if (status !== '' && status !== '0')
          settle(() => reject(new Error(`rpc error: code = ${status}`)));
        // HealthCheckResponse{status = 1 varint}
        else settle(() => resolve(body[0] === 8 ? (body[1] ?? 0) : 0));
      });
      stream.end(Buffer.concat([frame, message]));
    });
  } finally {
    session.destroy();
  }
}
function causeOf(error: Error): Error {
  return error.cause instanceof Error ? error.cause : error;
}

function notConnected(error: Error, address: string): Error {
  const why = goText(error, address);
  return new Error(`error: failed to connect service at ${JSON.stringify(address)}: ${why}`);
}

/** A length as protobuf writes it: seven bits a byte, the lowest first. */
function varint(value: number): readonly number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

type http2Headers = Readonly<Record<string, string | string[] | number | boolean | undefined>>;
