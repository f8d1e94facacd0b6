import assert from 'node:assert/strict';
import { createServer as createHttps } from 'node:https';
import { connect, createServer as createNet, type AddressInfo, type Server } from 'node:net';
import { test } from 'node:test';
import type { ByteSocket } from '#base';
import { createAuthority, issueCertificate } from './certificates.ts';
import { BackendError, byteSocket, createBackendClient, splice } from './tunnel.ts';

const year = { notBeforeMs: Date.now() - 1000, notAfterMs: Date.now() + 365 * 86_400_000 };
const authority = createAuthority('tandem-test', year);
const serverPair = issueCertificate(authority, {
  ...year,
  subject: { commonName: 'n1', organizations: [] },
  usages: ['serverAuth'],
  ipAddresses: ['127.0.0.1'],
});
const clientPair = issueCertificate(authority, {
  ...year,
  subject: { commonName: 'apiserver', organizations: ['system:masters'] },
  usages: ['clientAuth'],
});

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function kubelet(): Promise<{ port: number } & AsyncDisposable> {
  const server = createHttps({
    cert: serverPair.certificatePem,
    key: serverPair.keyPem,
    ca: authority.certificatePem,
    requestCert: true,
    rejectUnauthorized: true,
  });
  server.on('request', (request, response) => {
    response.writeHead(request.url === '/missing' ? 404 : 200, { 'X-Path': request.url ?? '' });
    response.write('line 1\n');
    response.end('line 2\n');
  });
  server.on('upgrade', (request, socket) => {
    if (request.url === '/refused') {
      socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno');
      return;
    }
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\nhello `,
    );
    socket.on('data', (chunk: Buffer) => socket.write(chunk.toString().toUpperCase()));
    socket.on('end', () => socket.end('bye'));
    socket.on('error', () => socket.destroy());
  });
  const port = await listening(server);
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function client() {
  return createBackendClient({ authorityPem: authority.certificatePem, ...clientPair });
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('send() streams an answer over mutual TLS', async () => {
  await using server = await kubelet();
  await using backend = client();
  const target = { scheme: 'https', host: '127.0.0.1', port: server.port, trusted: true } as const;
  const reply = await backend.send(target, {
    method: 'GET',
    path: '/containerLogs/a/b/c?follow=true',
    headers: {},
    signal: AbortSignal.timeout(5000),
  });
  assert.equal(reply.status, 200);
  assert.equal(reply.headers['x-path'], '/containerLogs/a/b/c?follow=true');
  assert.equal(await textOf(reply.body), 'line 1\nline 2\n');
});

test('send() refuses a server whose certificate the authority did not sign', async () => {
  await using server = await kubelet();
  await using backend = createBackendClient({
    authorityPem: createAuthority('other', year).certificatePem,
    ...clientPair,
  });
  const target = { scheme: 'https', host: '127.0.0.1', port: server.port, trusted: true } as const;
  const request = { method: 'GET', path: '/', headers: {}, signal: AbortSignal.timeout(5000) };
  await assert.rejects(backend.send(target, request), BackendError);
});

test('send() hands over an upgraded connection with what was read too far, and half-closes', async () => {
  await using server = await kubelet();
  await using backend = client();
  const target = { scheme: 'https', host: '127.0.0.1', port: server.port, trusted: true } as const;
  const reply = await backend.send(target, {
    method: 'POST',
    path: '/exec/a/b/c?command=ls',
    headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1' },
    signal: AbortSignal.timeout(5000),
  });
  assert.equal(reply.status, 101);
  assert.equal(reply.headers['upgrade'], 'SPDY/3.1');
  assert(reply.socket !== undefined);
  reply.socket.write(Buffer.from('abc'));
  reply.socket.end();
  assert.equal(await textOf(reply.socket.incoming), 'hello ABCbye');
});

test('send() passes on an answer that is not 101', async () => {
  await using server = await kubelet();
  await using backend = client();
  const target = { scheme: 'https', host: '127.0.0.1', port: server.port, trusted: true } as const;
  const reply = await backend.send(target, {
    method: 'POST',
    path: '/refused',
    headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1' },
    signal: AbortSignal.timeout(5000),
  });
  assert.equal(reply.socket, undefined);
  assert.equal(reply.status, 400);
  assert.equal(await textOf(reply.body), 'no');
});

test('splice() joins two connections both ways until both have ended', async () => {
  const accepted: ByteSocket[] = [];
  const front = createNet({ allowHalfOpen: true }, (socket) => accepted.push(byteSocket(socket)));
  const back = createNet({ allowHalfOpen: true }, (socket) => {
    socket.on('data', (chunk) => socket.write(chunk));
    socket.on('end', () => socket.end('.'));
  });
  try {
    const [frontPort, backPort] = await Promise.all([listening(front), listening(back)]);
    const user = byteSocket(connect({ port: frontPort, allowHalfOpen: true }));
    const far = byteSocket(connect({ port: backPort, allowHalfOpen: true }));
    const payload = Buffer.alloc(3_000_000, 'x');
    user.write(payload);
    user.end();
    while (accepted.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const spliced = splice(accepted[0] ?? assert.fail('no connection'), far);
    const echoed = await textOf(user.incoming);
    assert.equal(echoed.length, payload.length + 1);
    await spliced;
  } finally {
    front.close();
    back.close();
  }
});
