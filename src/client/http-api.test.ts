import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Face, FaceReply, FaceRequest } from '#base';
import { createAuthority, issueCertificate, serve, systemClock } from '#io';
import { isStatus, type KubeObject, type ResourceName } from '#machinery';
import { createHttpApi } from './http-api.ts';

interface Thing extends KubeObject {
  readonly text?: string;
}
const things: ResourceName<Thing> = {
  group: 'test',
  version: 'v1',
  kind: 'Thing',
  plural: 'things',
  namespaced: true,
};

/** A face behind TLS with client certificates, and an Api that talks to it. */
async function world(face: (request: FaceRequest) => FaceReply | Promise<FaceReply>) {
  const lifetime = { notBeforeMs: Date.now() - 60_000, notAfterMs: Date.now() + 3_600_000 };
  const authority = createAuthority('test', lifetime);
  const served = issueCertificate(authority, {
    ...lifetime,
    subject: { commonName: 'server', organizations: [] },
    ipAddresses: ['127.0.0.1'],
    usages: ['serverAuth'],
  });
  const client = issueCertificate(authority, {
    ...lifetime,
    subject: { commonName: 'me', organizations: [] },
    usages: ['clientAuth'],
  });
  const tls = {
    key: served.keyPem,
    cert: served.certificatePem,
    clientCa: authority.certificatePem,
  };
  const asFace: Face = async (request) => face(request);
  const listen = (port: number) =>
    serve({ face: asFace, host: '127.0.0.1', port, clock: systemClock, tls });
  const server = await listen(0);
  const api = createHttpApi({
    server: `https://127.0.0.1:${server.port}`,
    clock: systemClock,
    ca: authority.certificatePem,
    cert: client.certificatePem,
    key: client.keyPem,
  });
  return { api, server, listen };
}
const json = (status: number, value: unknown): FaceReply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify(value)),
});
const thing = (name: string, text?: string): Thing => ({
  apiVersion: 'test/v1',
  kind: 'Thing',
  metadata: { name, namespace: 'ns', uid: 'u', resourceVersion: '7', creationTimestamp: '' },
  ...(text === undefined ? {} : { text }),
});

test('createHttpApi() sends a client certificate, many calls at once, and reads statuses', async () => {
  const { api, server } = await world(async (request) => {
    assert.equal(request.peer.certificates.length > 0, true);
    if (request.method === 'POST') {
      const body = JSON.parse(Buffer.from(await request.body(1000)).toString());
      assert.equal(request.path, '/apis/test/v1/namespaces/ns/things');
      return json(201, body);
    }
    if (request.path.endsWith('/gone'))
      return json(404, {
        kind: 'Status',
        reason: 'NotFound',
        message: 'things.test "gone" not found',
        code: 404,
      });
    return json(200, thing(request.path.split('/').at(-1) ?? ''));
  });
  const names = Array.from({ length: 200 }, (_, at) => `t${at}`);
  const got = await Promise.all(names.map((name) => api.get(things, { namespace: 'ns', name })));
  assert.deepEqual(
    got.map((one) => one.metadata.name),
    names,
  );
  assert.equal((await api.create(things, thing('new'))).metadata.name, 'new');
  await assert.rejects(
    api.get(things, { namespace: 'ns', name: 'gone' }),
    (error) => isStatus(error, 'NotFound') && error.message === 'things.test "gone" not found',
  );
  api.close();
  await server.close();
});

test('watch() joins lines that were cut anywhere and throws what the server says', async () => {
  const text = 'ü'.repeat(300);
  const lines = [
    { type: 'ADDED', object: thing('a', text) },
    { type: 'MODIFIED', object: thing('b') },
    { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'old' } },
  ];
  const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const { api, server } = await world(() => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: async (sink) => {
      for (let at = 0; at < bytes.length; at += 37) {
        sink.write(bytes.subarray(at, at + 37));
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  }));
  const seen: string[] = [];
  const signal = new AbortController().signal;
  await assert.rejects(
    async () => {
      for await (const batch of api.watch(things, { resourceVersion: '1', signal }))
        for (const event of batch) seen.push(`${event.type} ${event.object.text ?? ''}`);
    },
    (error) => isStatus(error, 'Expired'),
  );
  assert.deepEqual(seen, [`ADDED ${text}`, 'MODIFIED ']);
  api.close();
  await server.close();
});

test('createHttpApi() says that a server is away, and finds it when it is back', async () => {
  const { api, server, listen } = await world((request) =>
    json(200, thing(request.path.split('/').at(-1) ?? '')),
  );
  const target = { namespace: 'ns', name: 'a' };
  await api.get(things, target);
  const { port } = server;
  await server.close(0);
  await assert.rejects(api.get(things, target), (error) => isStatus(error, 'ServiceUnavailable'));
  const again = await listen(port);
  assert.equal((await api.get(things, target)).metadata.name, 'a');
  api.close();
  await again.close();
});

test('a watch ends with its signal', async () => {
  const { api, server } = await world(() => ({
    status: 200,
    headers: {},
    body: (sink, signal) =>
      new Promise((resolve) => {
        sink.write(Buffer.from(`${JSON.stringify({ type: 'ADDED', object: thing('a') })}\n`));
        signal.addEventListener('abort', () => resolve());
      }),
  }));
  const stop = new AbortController();
  try {
    for await (const batch of api.watch(things, { resourceVersion: '1', signal: stop.signal })) {
      assert.equal(batch.length, 1);
      stop.abort();
    }
  } catch (error) {
    assert(stop.signal.aborted, String(error));
  }
  api.close();
  await server.close();
});
