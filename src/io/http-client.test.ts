import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  createAuthority,
  createHttpClient,
  issueCertificate,
  serve,
  systemClock,
} from './index.ts';

const life = { notBeforeMs: Date.now() - 60_000, notAfterMs: Date.now() + 3_600_000 };
const authority = createAuthority('test', life);
const pair = issueCertificate(authority, {
  ...life,
  subject: { commonName: 'server', organizations: [] },
  usages: ['serverAuth'],
  dnsNames: ['localhost'],
  ipAddresses: ['127.0.0.1'],
});

suite('createHttpClient()', () => {
  test('gives the whole answer also to who reads it after the server has closed the stream', async () => {
    await using served = await serve({
      face: async () => ({ status: 200, headers: {}, body: Buffer.from('a late answer') }),
      host: '127.0.0.1',
      port: 0,
      clock: systemClock,
      tls: { key: pair.keyPem, cert: pair.certificatePem },
    });
    const client = createHttpClient({
      server: `https://127.0.0.1:${served.port}`,
      clock: systemClock,
      ca: authority.certificatePem,
    });
    try {
      const late = await client.request({ method: 'GET', path: '/late' });
      // The second answer comes on the same connection: the first stream is long closed by then.
      await (await client.request({ method: 'GET', path: '/other' })).body();
      assert.equal(Buffer.from(await late.body()).toString(), 'a late answer');
    } finally {
      client.close();
    }
  });
});
