import assert from 'node:assert/strict';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Clock } from '#base';
import {
  certificateSubject,
  createAuthority,
  createCsr,
  issueCertificate,
  readCsr,
  signCsr,
} from './certificates.ts';
import { ensurePki } from './pki.ts';
import { systemClock } from './system.ts';

const nowMs = Date.now();
const year = { notBeforeMs: nowMs - 1000, notAfterMs: nowMs + 365 * 86_400_000 };

test('issueCertificate() gives a certificate that its authority, its names and its key fit', () => {
  const authority = createAuthority('tandem-test', year);
  const pair = issueCertificate(authority, {
    ...year,
    subject: { commonName: 'system:node:n1', organizations: ['system:nodes', 'a,b\nO=c'] },
    usages: ['clientAuth', 'serverAuth'],
    dnsNames: ['n1', 'n1.local'],
    ipAddresses: ['10.0.0.1', 'fd00::1'],
  });
  const ca = new X509Certificate(authority.certificatePem);
  const leaf = new X509Certificate(pair.certificatePem);
  assert(ca.ca && ca.verify(ca.publicKey));
  assert(leaf.verify(ca.publicKey) && leaf.checkIssued(ca) && !leaf.ca);
  assert(leaf.checkPrivateKey(createPrivateKey(pair.keyPem)));
  assert.equal(leaf.checkHost('n1.local'), 'n1.local');
  assert.equal(leaf.checkIP('fd00::1'), 'fd00::1');
  assert.equal(leaf.checkIP('10.0.0.2'), undefined);
  assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1']);
  assert.deepEqual(certificateSubject(leaf.raw), {
    commonName: 'system:node:n1',
    organizations: ['system:nodes', 'a,b\nO=c'],
    uid: undefined,
  });
});

test('signCsr() certifies the key, subject and names of a request', () => {
  const authority = createAuthority('tandem-test', year);
  const { csrPem, keyPem } = createCsr(
    { commonName: 'system:node:n2', organizations: ['system:nodes'] },
    { dnsNames: ['n2'], ipAddresses: ['10.0.0.2'] },
  );
  const request = readCsr(csrPem);
  assert.deepEqual(request.dnsNames, ['n2']);
  assert.deepEqual(request.ipAddresses, ['10.0.0.2']);
  const leaf = new X509Certificate(signCsr(authority, csrPem, { ...year, usages: ['serverAuth'] }));
  assert(leaf.checkPrivateKey(createPrivateKey(keyPem)));
  assert.equal(certificateSubject(leaf.raw).commonName, 'system:node:n2');
  assert.equal(leaf.checkIP('10.0.0.2'), '10.0.0.2');
});

test('readCsr() refuses a request whose content was changed after signing', () => {
  const { csrPem } = createCsr({ commonName: 'system:node:n2', organizations: ['system:nodes'] });
  const bytes = Buffer.from(csrPem.replace(/-----.*-----/g, ''), 'base64');
  const at = bytes.indexOf('node:n2');
  bytes.write('node:n3', at);
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----`;
  assert.throws(() => readCsr(forged), /signature is not valid/);
  assert.throws(() => readCsr('no pem'), /no "CERTIFICATE REQUEST" block/);
});

test('ensurePki() keeps what serves, and renews what is near its end, lacks a name or lost its key', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tandem-pki-'));
  try {
    let offsetMs = 0;
    const clock: Clock = { ...systemClock, nowMs: () => nowMs + offsetMs };
    const options = {
      clusterName: 'test',
      clock,
      hosts: ['192.0.2.1'],
      serviceAddress: '10.96.0.1',
      clusterDomain: 'cluster.local',
    };
    const first = await ensurePki(dir, options);
    assert.equal((await stat(join(dir, 'ca.key'))).mode & 0o777, 0o600);
    const server = new X509Certificate(first.server.certificatePem);
    for (const name of ['localhost', 'kubernetes.default.svc.cluster.local'])
      assert.equal(server.checkHost(name), name);
    for (const address of ['127.0.0.1', '10.96.0.1', '192.0.2.1'])
      assert.equal(server.checkIP(address), address);
    const second = await ensurePki(dir, options);
    assert.deepEqual(JSON.stringify(second), JSON.stringify(first));
    const moved = await ensurePki(dir, { ...options, hosts: ['192.0.2.2'] });
    assert.notEqual(moved.server.certificatePem, first.server.certificatePem);
    assert.equal(moved.admin.certificatePem, first.admin.certificatePem);
    await writeFile(join(dir, 'admin.key'), first.server.keyPem);
    assert.notEqual(
      (await ensurePki(dir, options)).admin.certificatePem,
      first.admin.certificatePem,
    );
    offsetMs = 300 * 86_400_000;
    const later = await ensurePki(dir, options);
    assert.notEqual(later.server.certificatePem, moved.server.certificatePem);
    assert.equal(later.authority.certificatePem, first.authority.certificatePem);
    offsetMs = 9 * 365 * 86_400_000;
    const renewed = await ensurePki(dir, options);
    assert.notEqual(renewed.authority.certificatePem, first.authority.certificatePem);
    assert(
      new X509Certificate(later.server.certificatePem).verify(
        new X509Certificate(renewed.authority.certificatePem).publicKey,
      ),
    );
  } finally {
    await rm(dir, { recursive: true });
  }
});
