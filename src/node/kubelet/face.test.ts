import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ByteSocket } from '#base';
import { silentLogger } from '#base';
import { createFakeApi, createInformer } from '#client';
import { byteSocket, openWebSocket, serve, systemClock, systemFiles, systemRandom } from '#io';
import type { Served } from '#io';
import type { Pod } from '#kube/kinds';
import { SpdyConnection } from '#wire';
import { createFace } from './face.ts';
import type { Process } from '#node/runtime';
import { FakeRuntime } from './fake-runtime.ts';
import type { KubeletOptions } from './options.ts';

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'p',
    namespace: 'default',
    uid: 'u1',
    resourceVersion: '1',
    creationTimestamp: '',
  },
  spec: { containers: [{ name: 'c', image: 'app', resources: {} }] },
  status: {},
};

interface World extends AsyncDisposable {
  readonly served: Served;
  readonly log: string;
  readonly runtime: LoggingRuntime;
}

class LoggingRuntime extends FakeRuntime {
  path = '';
  /** What the next exec gives, in place of an echo. */
  process: Process | undefined;
  override exec(id: string, options: { readonly command: readonly string[] }): Promise<Process> {
    return this.process === undefined ? super.exec(id, options) : Promise.resolve(this.process);
  }
  override logPath(): string {
    return this.path;
  }
  override async dial(_id?: string, port?: number): Promise<ByteSocket> {
    if (port !== 80) throw new Error(`dial tcp 127.0.0.1:${port}: connect: connection refused`);
    return echoSocket();
  }
}

function echoSocket(): ByteSocket {
  const queue: Uint8Array[] = [];
  let open = true;
  let wake: () => void = () => undefined;
  async function* read(): AsyncGenerator<Uint8Array> {
    while (open || queue.length > 0) {
      const next = queue.shift();
      if (next !== undefined) yield next;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  const close = (): void => {
    open = false;
    wake();
  };
  return {
    incoming: read(),
    write(chunk) {
      queue.push(chunk);
      wake();
      return true;
    },
    drained: () => Promise.resolve(),
    end: close,
    destroy: close,
    closed: Promise.resolve(),
  };
}

async function world(log = '', allow = true): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'kubelet-face-'));
  const path = join(dir, 'log');
  await writeFile(path, log);
  const clock = systemClock;
  const runtime = new LoggingRuntime({ clock });
  runtime.path = path;
  const sandbox = await runtime.createSandbox(
    { podUid: 'u1', attempt: 0, hostNetwork: false } as never,
    new AbortController().signal,
  );
  const container = await runtime.createContainer(sandbox.id, {
    name: 'c',
    attempt: 0,
    labels: { 'io.kubernetes.pod.uid': 'u1' },
    tty: false,
  } as never);
  await runtime.startContainer(container.id);
  const random = systemRandom;
  const options: KubeletOptions = {
    api: createFakeApi({ clock, random }),
    runtime,
    clock,
    random,
    logger: silentLogger,
    createInformer,
    recorder: { event: () => undefined },
    files: systemFiles,
    net: {
      http: () => Promise.reject(),
      tcp: () => Promise.reject(),
      grpc: () => Promise.reject(),
    },
    nodeName: 'n1',
    nodeIp: '127.0.0.1',
    version: 'v1.36.2',
    clusterDns: '',
    clusterDomain: 'cluster.local',
    dirs: { pods: dir, memory: dir, logs: dir },
    authorize: () => allow,
  };
  const face = createFace({ options, pods: () => [pod] });
  const served = await serve({ face, host: '127.0.0.1', port: 0, clock });
  return {
    served,
    log: path,
    runtime,
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      await rm(dir, { recursive: true });
    },
  };
}

const get = (served: Served, path: string): Promise<Response> =>
  fetch(`http://127.0.0.1:${served.port}${path}`);

const lines = [
  '2026-01-01T00:00:00.000000001Z stdout F one',
  '2026-01-01T00:00:01.000000001Z stderr P two',
  '2026-01-01T00:00:01.000000002Z stderr F  and more',
  '2026-01-01T00:00:02.000000001Z stdout F three',
  '',
].join('\n');

const logCases: readonly { name: string; query: string; want: string }[] = [
  { name: 'whole', query: '', want: 'one\ntwo and more\nthree\n' },
  { name: 'tail', query: '?tailLines=1', want: 'three\n' },
  {
    name: 'tail of more than there is',
    query: '?tailLines=100',
    want: 'one\ntwo and more\nthree\n',
  },
  { name: 'no lines', query: '?tailLines=0', want: '' },
  { name: 'one stream', query: '?stream=Stderr', want: 'two and more\n' },
  { name: 'since a time', query: '?sinceTime=2026-01-01T00:00:02Z', want: 'three\n' },
  { name: 'cut', query: '?limitBytes=5', want: 'one\nt' },
  {
    name: 'with times',
    query: '?timestamps=true&tailLines=1',
    want: '2026-01-01T00:00:02.000000001Z three\n',
  },
];
for (const { name, query, want } of logCases)
  test(`GET /containerLogs answers ${name}`, async () => {
    await using here = await world(lines);
    const response = await get(here.served, `/containerLogs/default/p/c${query}`);
    assert.equal(await response.text(), want);
  });

test('GET /containerLogs with follow goes on as the log grows', { timeout: 10_000 }, async () => {
  await using here = await world(lines);
  const response = await get(here.served, '/containerLogs/default/p/c?follow=true&tailLines=1');
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader?.read())?.value, 'three\n');
  await writeFile(here.log, '2026-01-01T00:00:03Z stdout F four\n', { flag: 'a' });
  assert.equal((await reader?.read())?.value, 'four\n');
  await reader?.cancel();
});

test('The face refuses whoever may not use it, and says what it does not know', async () => {
  await using closed = await world('', false);
  assert.equal((await get(closed.served, '/pods')).status, 401);
  await using open = await world();
  assert.equal((await get(open.served, '/nothing')).status, 404);
  const missing = await get(open.served, '/containerLogs/default/q/c');
  assert.deepEqual([missing.status, await missing.text()], [404, 'pod "q" does not exist\n']);
  assert.equal(await (await get(open.served, '/healthz')).text(), 'ok\n');
  assert.equal((await get(open.served, '/stats/summary')).status, 200);
  assert.equal((await get(open.served, '/metrics/resource')).status, 200);
});

test('Exec over WebSocket v5 carries stdin, its end, stdout and the exit status', {
  timeout: 10_000,
}, async () => {
  await using here = await world();
  const ws = await openWebSocket(
    `ws://127.0.0.1:${here.served.port}/exec/default/p/c?command=cat&input=1&output=1`,
    { protocols: ['v5.channel.k8s.io', 'v4.channel.k8s.io'] },
  );
  assert.equal(ws.protocol, 'v5.channel.k8s.io');
  ws.send(Buffer.from('\0hello'));
  ws.send(Buffer.from([255, 0]));
  const seen: string[] = [];
  for await (const { data } of ws.incoming) seen.push(Buffer.from(data).toString());
  assert.deepEqual(seen, ['\u0001', '\u0001hello', '\u0003{"metadata":{},"status":"Success"}']);
});

test('A client that goes in the middle of an exec ends its process, and nothing else', {
  timeout: 10_000,
}, async () => {
  await using here = await world();
  const broken = Promise.withResolvers<void>();
  const exited = Promise.withResolvers<number>();
  const closed = Promise.withResolvers<void>();
  here.runtime.process = {
    stdin: undefined,
    // A pipe that is destroyed while it is read says so.
    stdout: (async function* () {
      yield Buffer.from('first');
      await broken.promise;
      throw new Error('Premature close');
    })(),
    stderr: undefined,
    resize: () => Promise.resolve(),
    exited: exited.promise,
    close: () => {
      broken.resolve();
      closed.resolve();
    },
  };
  const ws = await openWebSocket(
    `ws://127.0.0.1:${here.served.port}/exec/default/p/c?command=x&output=1`,
    { protocols: ['v5.channel.k8s.io'] },
  );
  for await (const { data } of ws.incoming) if (String(data).includes('first')) break;
  ws.close();
  await closed.promise;
  // A rejection that nobody waits for would end the agent, and fails this test.
  await new Promise((resolve) => setImmediate(resolve));
  exited.resolve(137);
  assert.equal(await (await get(here.served, '/healthz')).text(), 'ok\n');
});

test('Exec over base64 WebSocket tells an exit code', { timeout: 10_000 }, async () => {
  await using here = await world();
  const ws = await openWebSocket(
    `ws://127.0.0.1:${here.served.port}/exec/default/p/c?command=exit&command=3&stdout=true`,
    { protocols: ['v4.base64.channel.k8s.io'] },
  );
  const seen: string[] = [];
  for await (const { data } of ws.incoming) seen.push(Buffer.from(data).toString());
  const status: unknown = JSON.parse(Buffer.from(seen.at(-1)?.slice(1) ?? '', 'base64').toString());
  assert.deepEqual(status, {
    metadata: {},
    status: 'Failure',
    message: 'command terminated with non-zero exit code: 3',
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: '3' }] },
  });
});

test('An unknown subprotocol fails the handshake', async () => {
  await using here = await world();
  await assert.rejects(
    openWebSocket(`ws://127.0.0.1:${here.served.port}/exec/default/p/c?command=x&output=1`, {
      protocols: ['other'],
    }),
    /403/,
  );
});

async function openSpdy(served: Served, path: string, protocol: string): Promise<SpdyConnection> {
  const socket = connect(served.port, '127.0.0.1');
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n` +
      `X-Stream-Protocol-Version: ${protocol}\r\nContent-Length: 0\r\n\r\n`,
  );
  const head = await new Promise<Buffer>((resolve) => {
    let read = Buffer.alloc(0);
    const collect = (chunk: Buffer): void => {
      read = Buffer.concat([read, chunk]);
      if (!read.includes('\r\n\r\n')) return;
      socket.off('data', collect);
      socket.pause();
      resolve(read);
    };
    socket.on('data', collect);
  });
  assert.match(head.toString(), /^HTTP\/1.1 101 /);
  const rest = head.subarray(head.indexOf('\r\n\r\n') + 4);
  return new SpdyConnection(byteSocket(socket, rest), { side: 'client' });
}

/** kubectl's tunnel: a subprotocol that strict clients refuse to name, frames written by hand. */
async function openTunnel(served: Served, path: string): Promise<SpdyConnection> {
  const socket = connect(served.port, '127.0.0.1');
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
      'Sec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io\r\n\r\n',
  );
  const bytes = byteSocket(socket);
  async function* incoming(): AsyncGenerator<Uint8Array> {
    let read = Buffer.alloc(0);
    let open = false;
    for await (const chunk of bytes.incoming) {
      read = Buffer.concat([read, chunk]);
      const end = open ? -1 : read.indexOf('\r\n\r\n');
      if (end >= 0) {
        const head = read.subarray(0, end).toString();
        assert.match(head, /s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/);
        assert.match(head, /SPDY\/3.1\+portforward.k8s.io/);
        read = read.subarray(end + 4);
        open = true;
      }
      while (open && read.length >= 2 && read.length >= 2 + ((read[1] ?? 0) & 127)) {
        const length = (read[1] ?? 0) & 127;
        if (((read[0] ?? 0) & 15) === 2) yield read.subarray(2, 2 + length);
        read = read.subarray(2 + length);
      }
    }
  }
  const write = (chunk: Uint8Array): boolean => {
    assert(chunk.length < 126);
    return bytes.write(Buffer.concat([Buffer.from([130, 128 | chunk.length, 0, 0, 0, 0]), chunk]));
  };
  return new SpdyConnection({ ...bytes, incoming: incoming(), write }, { side: 'client' });
}

async function textOf(source: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('Exec over SPDY carries streams and the exit status', { timeout: 10_000 }, async () => {
  await using here = await world();
  const path = '/exec/default/p/c?command=cat&input=1&output=1';
  const connection = await openSpdy(here.served, path, 'v4.channel.k8s.io');
  const running = connection.run().catch(() => undefined);
  const error = await connection.open({ streamType: 'error' });
  const stdin = await connection.open({ streamType: 'stdin' });
  const stdout = await connection.open({ streamType: 'stdout' });
  await stdin.write(Buffer.from('x'.repeat(100_000)));
  await stdin.end();
  assert.equal((await textOf(stdout.incoming)).length, 100_000);
  assert.equal(await textOf(error.incoming), '{"metadata":{},"status":"Success"}');
  connection.destroy();
  await running;
});

async function forward(connection: SpdyConnection, port: string): Promise<[string, string]> {
  const running = connection.run().catch(() => undefined);
  const headers = { port, requestID: '0' };
  const error = await connection.open({ streamType: 'error', ...headers });
  const data = await connection.open({ streamType: 'data', ...headers });
  await data.write(Buffer.from('ping'));
  await data.end();
  const result: [string, string] = [await textOf(data.incoming), await textOf(error.incoming)];
  connection.destroy();
  await running;
  return result;
}

test('Port-forward over SPDY and through a WebSocket tunnel reaches the port', {
  timeout: 10_000,
}, async () => {
  await using here = await world();
  const path = '/portForward/default/p';
  const spdy = await openSpdy(here.served, path, 'portforward.k8s.io');
  assert.deepEqual(await forward(spdy, '80'), ['ping', '']);
  const refused = await openSpdy(here.served, path, 'portforward.k8s.io');
  assert.deepEqual(await forward(refused, '81'), [
    '',
    'error forwarding port 81 to pod p, uid u1: dial tcp 127.0.0.1:81: connect: connection refused',
  ]);
  const tunnel = await openTunnel(here.served, path);
  assert.deepEqual(await forward(tunnel, '80'), ['ping', '']);
});

test('Port-forward over WebSocket channels names the port first', { timeout: 10_000 }, async () => {
  await using here = await world();
  const ws = await openWebSocket(
    `ws://127.0.0.1:${here.served.port}/portForward/default/p?port=80`,
    {
      protocols: ['v4.channel.k8s.io'],
    },
  );
  ws.send(Buffer.from('\0ping'));
  const seen: string[] = [];
  for await (const { data } of ws.incoming) {
    seen.push(Buffer.from(data).toString('latin1'));
    if (seen.length === 3) ws.close();
  }
  assert.deepEqual(seen, ['\0\x50\0', '\x01\x50\0', '\0ping']);
});
