import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCsr } from '#io';
import { startCluster } from '../fixture.test.ts';

test('a terminating namespace without finalizers is gone with the finalize request', async () => {
  await using cluster = await startCluster();
  const path = '/api/v1/namespaces/x';
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } };
  await cluster.call('POST', '/api/v1/namespaces', { body });
  await cluster.call('DELETE', path);
  const { json } = await cluster.call('GET', path);
  const done = await cluster.call('PUT', `${path}/finalize`, {
    body: { ...json, spec: { finalizers: [] } },
  });
  assert.equal(done.status, 200, done.text);
  assert.equal((await cluster.call('GET', path)).status, 404);
});

test('a request that an administrator approves is signed', async () => {
  await using cluster = await startCluster();
  const { csrPem } = createCsr({ commonName: 'ann', organizations: ['dev'] });
  const csrs = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
  const made = await cluster.call('POST', csrs, {
    body: {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name: 'ann' },
      spec: {
        request: Buffer.from(csrPem).toString('base64'),
        signerName: 'kubernetes.io/kube-apiserver-client',
        usages: ['client auth'],
      },
    },
  });
  const status = { conditions: [{ type: 'Approved', status: 'True', reason: 'x', message: 'y' }] };
  const approved = await cluster.call('PUT', `${csrs}/ann/approval`, {
    body: { ...made.json, status },
  });
  assert.equal(approved.status, 200, approved.text);
  for (let turn = 0; turn < 200; turn++) {
    const seen = await cluster.call('GET', `${csrs}/ann`);
    if (String(seen.json['status']?.['certificate'] ?? '') !== '') return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail('no certificate');
});
