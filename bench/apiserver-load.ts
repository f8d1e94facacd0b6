/**
 * The clients of `bench/apiserver.ts`, in a process of their own: HTTP/1.1 over TLS on raw sockets,
 * so that little of the two cores goes to them. Takes one JSON argument, prints one JSON line.
 */
import { connect, type TLSSocket } from 'node:tls';
import { percentiles } from './harness.ts';

export interface LoadPlan {
  readonly port: number;
  /** Who the clients are. */
  readonly certPem: string;
  readonly keyPem: string;
  readonly connections: number;
  readonly seconds: number;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** POST: `%` in it becomes a name of its own. */
  readonly body?: string;
  /** Reads streams that never end and counts lines instead. */
  readonly watch?: boolean;
}

const plan = JSON.parse(process.argv[2] ?? '{}') as LoadPlan;
const samples: number[] = [];
let requests = 0;
let bytes = 0;
let failures = 0;
let lines = 0;
let firstFailure = '';
const headEnd = Buffer.from('\r\n\r\n');
const endMs = performance.now() + plan.seconds * 1000;

function requestText(): string {
  const head = `${plan.method} ${plan.path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n`;
  if (plan.body === undefined) return `${head}\r\n`;
  const body = plan.body.replace('%', `${process.pid}-${requests}`);
  return `${head}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

async function open(): Promise<TLSSocket> {
  return await new Promise((resolve, reject) => {
    const socket = connect(
      {
        port: plan.port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        cert: plan.certPem,
        key: plan.keyPem,
        ALPNProtocols: ['http/1.1'],
      },
      () => resolve(socket),
    );
    socket.setNoDelay(true);
    socket.once('error', reject);
  });
}

/** One request after the other on one connection, until the time is over. */
async function closedLoop(socket: TLSSocket): Promise<void> {
  await new Promise<void>((resolve) => {
    let sentMs = 0;
    let pending: Buffer = Buffer.alloc(0);
    let missing = -1;
    const send = (): void => {
      requests++;
      sentMs = performance.now();
      socket.write(requestText());
    };
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (missing < 0) {
        pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
        const end = pending.indexOf(headEnd);
        if (end < 0) return;
        const head = pending.toString('latin1', 0, end);
        if (!head.startsWith('HTTP/1.1 20')) {
          failures++;
          firstFailure ||= pending.toString('utf8').slice(0, 600);
        }
        const length = /content-length: (\d+)/i.exec(head)?.[1];
        missing = Number(length ?? 0) - (pending.length - end - 4);
        pending = Buffer.alloc(0);
      } else missing -= chunk.length;
      if (missing > 0) return;
      missing = -1;
      samples.push(performance.now() - sentMs);
      if (performance.now() < endMs) send();
      else {
        socket.destroy();
        resolve();
      }
    });
    send();
  });
}

async function watching(socket: TLSSocket): Promise<void> {
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    for (let at = chunk.indexOf('{"type"'); at >= 0; at = chunk.indexOf('{"type"', at + 7)) lines++;
  });
  socket.write(requestText());
  await new Promise<void>((resolve) => {
    setTimeout(resolve, plan.seconds * 1000);
  });
  socket.destroy();
}

const sockets = await Promise.all(Array.from({ length: plan.connections }, open));
console.log('connected');
const startMs = performance.now();
await Promise.all(
  sockets.map((socket) => (plan.watch === true ? watching(socket) : closedLoop(socket))),
);
const seconds = (performance.now() - startMs) / 1000;
const result = {
  perSecond: Math.round((plan.watch === true ? lines : samples.length) / seconds),
  megabytesPerSecond: Math.round(bytes / seconds / 1e6),
  failures,
  firstFailure,
  latencyMs: percentiles(samples.length === 0 ? [0] : samples),
};
console.log(JSON.stringify(result));
