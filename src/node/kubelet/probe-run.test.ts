import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { after, test } from 'node:test';
import { createAuthority, issueCertificate, systemClock, systemProbeNet } from '#io';
import type { Container } from '#kube/kinds';
import { FakeRuntime } from './fake-runtime.ts';
import { runHook } from './hooks.ts';
import { runProbe } from './probe-run.ts';

const runtime = new FakeRuntime({ clock: systemClock });
const tools = { runtime, net: systemProbeNet, minor: '1.36', clock: systemClock };
const closing: (() => void)[] = [];
after(() => {
  for (const close of closing) close();
});

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  closing.push(() => server.close());
  return (server.address() as AddressInfo).port;
}
const web = (listener: RequestListener): Promise<number> => listening(createServer(listener));
const spec: Container = { name: 'c', resources: {}, ports: [] };
const target = { containerId: '', spec, ip: '127.0.0.1' };
type Probe = Parameters<typeof runProbe>[2];
const probe = (wanted: Probe) => runProbe(tools, target, wanted);

test('HTTP: 200 to 399 is well, the body is the output, and the headers are the reference ones', async () => {
  const seen: Record<string, unknown>[] = [];
  const port = await web(({ headers, url }, response) => {
    seen.push({ ...headers, url });
    response.end('fine');
  });
  const named: Container = { ...spec, ports: [{ name: 'web', containerPort: port }] };
  const httpHeaders = [{ name: 'X-Own', value: 'yes' }];
  const result = await runProbe(
    tools,
    { ...target, spec: named },
    {
      httpGet: { path: '/health?x=1', port: 'web', httpHeaders },
    },
  );
  assert.deepEqual(result, { ok: true, output: 'fine' });
  const [first] = seen;
  assert.deepEqual(
    ['url', 'user-agent', 'accept', 'x-own', 'connection'].map((name) => first?.[name]),
    ['/health?x=1', 'kube-probe/1.36', '*/*', 'yes', 'close'],
  );
});

test('HTTP: other answers, refusals and silence fail in the words of the reference', async () => {
  const bad = await web((_, response) => response.writeHead(503).end('no'));
  const mute = await web(() => undefined);
  const gone = await web((request) => request.socket.destroy());
  const closed = await web(() => undefined);
  closing.pop()?.();
  const outputs = [];
  for (const port of [bad, gone, closed, mute])
    outputs.push((await probe({ httpGet: { path: '/', port }, timeoutSeconds: 1 })).output);
  assert.deepEqual(outputs, [
    'HTTP probe failed with statuscode: 503',
    `Get "http://127.0.0.1:${gone}/": EOF`,
    `Get "http://127.0.0.1:${closed}/": dial tcp 127.0.0.1:${closed}: connect: connection refused`,
    `Get "http://127.0.0.1:${mute}/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
  ]);
});

test('HTTP: redirects are followed on the same host, elsewhere they are well with a warning', async () => {
  const port = await web((request, response) => {
    const to: Readonly<Record<string, string>> = {
      '/near': '/end',
      '/far': 'http://elsewhere.invalid/',
      '/round': '/round',
    };
    const location = to[request.url ?? ''];
    if (location === undefined) response.end('end');
    else response.writeHead(302, { location }).end('moved');
  });
  const get = (path: string) => probe({ httpGet: { path, port } });
  assert.deepEqual(await get('/near'), { ok: true, output: 'end' });
  assert.deepEqual(await get('/far'), {
    ok: true,
    warning: true,
    output: 'Probe terminated redirects, Response body: moved',
  });
  assert.match((await get('/round')).output, /stopped after 10 redirects/);
});

test('HTTPS: certificates are not looked at', async () => {
  const life = { notBeforeMs: Date.now() - 1000, notAfterMs: Date.now() + 60_000 };
  const { certificatePem, keyPem } = issueCertificate(createAuthority('unknown', life), {
    ...life,
    subject: { commonName: 'other', organizations: [] },
    usages: ['serverAuth'],
  });
  const server = createHttps({ cert: certificatePem, key: keyPem }, (_, response) => {
    response.end('secret');
  });
  const port = await listening(server);
  const result = await probe({ httpGet: { path: '/', port, scheme: 'HTTPS' } });
  assert.deepEqual(result, { ok: true, output: 'secret' });
});

test('HTTP: of a long body ten KiB are read', async () => {
  const port = await web((_, response) => response.end('x'.repeat(1_000_000)));
  const { ok, output } = await probe({ httpGet: { path: '/', port } });
  assert.deepEqual([ok, output.length], [true, 10 * 1024]);
});

test('TCP: an open port is well, a closed one is named', async () => {
  const server = createTcp((socket) => socket.destroy());
  const port = await listening(server);
  assert.deepEqual(await probe({ tcpSocket: { port } }), { ok: true, output: '' });
  server.close();
  assert.deepEqual(await probe({ tcpSocket: { port } }), {
    ok: false,
    output: `dial tcp 127.0.0.1:${port}: connect: connection refused`,
  });
});

/** grpc.health.v1.Health: one service is well, one is not, others are unknown (status 5). */
async function healthServer(): Promise<number> {
  const server = createHttp2();
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const name = Buffer.concat(chunks).subarray(7).toString();
      const status = { '': 1, good: 1, bad: 2 }[name];
      const known = headers[':path'] === '/grpc.health.v1.Health/Check' && status !== undefined;
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc' },
        { waitForTrailers: true },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': known ? '0' : '5' }));
      stream.end(known ? Buffer.from([0, 0, 0, 0, 2, 8, status]) : '');
    });
  });
  return await listening(server);
}

test('gRPC: SERVING is well, all else is not', async () => {
  const port = await healthServer();
  const ask = (service?: string) =>
    probe({ grpc: { port, ...(service === undefined ? {} : { service }) } });
  assert.deepEqual(
    [await ask(), await ask('good'), await ask('bad')],
    [
      { ok: true, output: 'service healthy' },
      { ok: true, output: 'service healthy' },
      { ok: false, output: 'service unhealthy (responded with "NOT_SERVING")' },
    ],
  );
  const unknown = await ask('other');
  assert.equal(unknown.ok, false);
  assert.match(unknown.output, /code = 5/);
});

test('gRPC: a port nobody listens on fails at once, a mute one at the timeout', async () => {
  const server = createTcp(() => undefined);
  const mute = await listening(server);
  const late = await probe({ grpc: { port: mute }, timeoutSeconds: 1 });
  assert.match(late.output, /timeout: failed to connect service "127\.0\.0\.1:\d+" within 1s: /);
  const gone = createTcp();
  const port = await listening(gone);
  gone.close();
  assert.equal(
    (await probe({ grpc: { port } })).output,
    `error: failed to connect service at "127.0.0.1:${port}": dial tcp 127.0.0.1:${port}: connect: connection refused`,
  );
});

test('A hook by HTTP is done whatever the answer says, and fails when there is none', async () => {
  const seen: (string | undefined)[] = [];
  const port = await web(({ headers }, response) => {
    seen.push(headers['user-agent']);
    response.writeHead(500).end();
  });
  const options = { timeoutMs: 1000, signal: new AbortController().signal };
  const call = (to: number) =>
    runHook(tools, target, { ...options, handler: { httpGet: { path: '/', port: to } } });
  await call(port);
  assert.deepEqual(seen, ['kube-lifecycle/1.36']);
  await assert.rejects(call(1), /connection refused/);
});
