import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { suite, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Face, FaceRequest } from '#base';
import { createAuthority, issueCertificate, serve, systemClock } from './index.ts';

const life = { notBeforeMs: Date.now() - 60_000, notAfterMs: Date.now() + 3_600_000 };
const authority = createAuthority('test', life);
const issue = (commonName: string, usage: 'serverAuth' | 'clientAuth', by = authority) =>
  issueCertificate(by, {
    ...life,
    subject: { commonName, organizations: [] },
    usages: [usage],
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
  });
const serverPair = issue('server', 'serverAuth');
const tls = {
  key: serverPair.keyPem,
  cert: serverPair.certificatePem,
  clientCa: authority.certificatePem,
};
const echo: Face = async (request: FaceRequest) => {
  const body = await request.body(1024);
  const { certificates } = request.peer;
  const text = `${request.method} ${request.path} ${request.search} ${body.length} ${certificates.length}`;
  return { status: 200, headers: { 'content-type': 'text/plain' }, body: Buffer.from(text) };
};
const listen = (face: Face, secure = true) =>
  serve({
    face,
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    ...(secure ? { tls } : {}),
  });

interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}
async function get(port: number, options: object = {}): Promise<Got> {
  return await new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: '127.0.0.1',
        port,
        path: '/a?b=c',
        ca: authority.certificatePem,
        agent: false,
        ...options,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    request.on('error', reject);
    request.end();
  });
}

suite('serve()', () => {
  test('takes a whole URL as target for its path and its host', async () => {
    await using server = await listen(
      async ({ path, search, headers }) => ({
        status: 200,
        headers: {},
        body: Buffer.from(`${path} ${search} ${headers['host']}`),
      }),
      false,
    );
    for (const [target, said] of [
      ['http://here:5050/redirect', '/redirect  here:5050'],
      ['HTTP://here?a=b', '/ a=b here'],
      ['/plain?c', '/plain c elsewhere'],
    ] as const) {
      const socket = connect(server.port, '127.0.0.1');
      socket.write(`GET ${target} HTTP/1.1\r\nHost: elsewhere\r\nConnection: close\r\n\r\n`);
      let text = '';
      for await (const chunk of socket) text += String(chunk);
      assert.ok(text.endsWith(`\r\n\r\n${said}`), `${target}: ${text}`);
    }
  });

  test('answers HTTP/1.1 over TLS', async () => {
    await using served = await listen(echo);
    const got = await get(served.port);
    assert.equal(got.body.toString(), 'GET /a b=c 0 0');
  });

  test('answers HTTP/2 when the client prefers it', async () => {
    await using served = await listen(echo);
    const session = connectHttp2(`https://127.0.0.1:${served.port}`, {
      ca: authority.certificatePem,
    });
    const stream = session.request({ ':path': '/h2', ':method': 'POST' });
    stream.end('12345');
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    assert.equal(Buffer.concat(chunks).toString(), 'POST /h2  5 0');
    session.close();
  });

  test('passes a client certificate only when the client CA signed it', async () => {
    await using served = await listen(echo);
    const good = issue('user', 'clientAuth');
    const stranger = issue('user', 'clientAuth', createAuthority('stranger', life));
    const known = await get(served.port, { key: good.keyPem, cert: good.certificatePem });
    assert.match(known.body.toString(), /[12]$/);
    const unknown = await get(served.port, {
      key: stranger.keyPem,
      cert: stranger.certificatePem,
    });
    assert.match(unknown.body.toString(), / 0$/);
  });

  test('compresses what is large for those who can read it', async () => {
    const body = Buffer.alloc(200_000, 'x');
    await using served = await listen(async () => ({ status: 200, headers: {}, body }));
    const plain = await get(served.port);
    assert.equal(plain.body.length, body.length);
    const small = await get(served.port, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(small.headers['content-encoding'], 'gzip');
    assert.deepEqual(gunzipSync(small.body), body);
  });

  test('hands an upgraded connection over', async () => {
    const face: Face = async () => ({
      status: 101,
      headers: { connection: 'Upgrade', upgrade: 'websocket' },
      upgrade: (socket) => {
        socket.write(Buffer.from('hello'));
        socket.end();
      },
    });
    await using served = await listen(face, false);
    const text = await new Promise<string>((resolve, reject) => {
      let all = '';
      const socket = connect(served.port, '127.0.0.1', () =>
        socket.write(
          'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
        ),
      );
      socket.on('data', (chunk: Buffer) => {
        all += chunk.toString();
      });
      socket.on('end', () => resolve(all));
      socket.on('error', reject);
    });
    assert.match(text, /^HTTP\/1\.1 101 Switching Protocols\r\n[^]*\r\n\r\nhello$/);
  });

  test('streams until the client leaves', async () => {
    let left = (): void => {};
    const gone = new Promise<void>((resolve) => {
      left = resolve;
    });
    const face: Face = async () => ({
      status: 200,
      headers: {},
      body: async (sink, signal) => {
        sink.write(Buffer.from('one\n'));
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
        left();
      },
    });
    await using served = await listen(face, false);
    const socket = connect(served.port, '127.0.0.1', () =>
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    );
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        if (chunk.includes('one')) resolve();
      });
    });
    socket.destroy();
    await gone;
  });

  test('a taken port names who holds it', async () => {
    await using served = await listen(echo, false);
    await assert.rejects(
      serve({ face: echo, host: '127.0.0.1', port: served.port, clock: systemClock }),
      new RegExp(`the port is taken by process ${process.pid} \\(`),
    );
  });
});
