import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import { type AddressInfo, connect, createServer as createNet } from 'node:net';
import { test } from 'node:test';
import type { ByteSocket } from '#base';
import { byteSocket, issueCertificate } from '#io';
import { authority, podBody, startCluster } from '../fixture.test.ts';

test('exec joins the client with the kubelet over mutual TLS, both ways, to the end', async () => {
  const pair = issueCertificate(authority, {
    notBeforeMs: Date.now() - 1000,
    notAfterMs: Date.now() + 1e9,
    subject: { commonName: 'n1', organizations: [] },
    usages: ['serverAuth'],
    ipAddresses: ['127.0.0.1'],
  });
  const kubelet = createServer({
    cert: pair.certificatePem,
    key: pair.keyPem,
    ca: authority.certificatePem,
    requestCert: true,
    rejectUnauthorized: true,
  });
  kubelet.on('upgrade', (request, socket) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n`,
    );
    socket.on('data', (chunk: Buffer) => socket.write(chunk.toString().toUpperCase()));
    socket.on('end', () => socket.end('!'));
  });
  await new Promise<void>((resolve) => kubelet.listen(0, '127.0.0.1', resolve));
  const accepted: ByteSocket[] = [];
  const front = createNet({ allowHalfOpen: true }, (socket) => accepted.push(byteSocket(socket)));
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  try {
    await using cluster = await startCluster();
    const status = {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: (kubelet.address() as AddressInfo).port } },
    };
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, status };
    await cluster.call('POST', '/api/v1/nodes', { body: node });
    await cluster.call('POST', '/api/v1/namespaces/default/serviceaccounts', {
      body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } },
    });
    const pods = '/api/v1/namespaces/default/pods';
    await cluster.call('POST', pods, { body: podBody('a', { nodeName: 'n1' }) });
    const answer = await cluster.call('POST', `${pods}/a/exec?command=cat&stdin=true&stdout=true`, {
      headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1' },
    });
    assert.equal(answer.status, 101, answer.text);
    assert.equal(answer.headers['x-stream-protocol-version'], 'v4.channel.k8s.io');
    const client = connect({ port: (front.address() as AddressInfo).port, allowHalfOpen: true });
    const user = byteSocket(client);
    while (accepted.length === 0) await new Promise((resolve) => setImmediate(resolve));
    answer.reply.upgrade?.(accepted[0] ?? assert.fail('no connection'));
    user.write(Buffer.from('hello'));
    user.end();
    const chunks: Uint8Array[] = [];
    for await (const chunk of user.incoming) chunks.push(chunk);
    assert.equal(Buffer.concat(chunks).toString(), 'HELLO!');
  } finally {
    front.close();
    kubelet.closeAllConnections();
    kubelet.close();
  }
});
