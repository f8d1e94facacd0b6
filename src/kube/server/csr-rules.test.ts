import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientSigner, nodeClientSigner, nodeServingSigner } from './csr-rules.ts';
import { requestProblem, signerRules } from './csr-rules.ts';

const client = ['digital signature', 'client auth'];
const serving = ['digital signature', 'key encipherment', 'server auth'];
const node = {
  subject: { commonName: 'system:node:n1', organizations: ['system:nodes'] },
  dnsNames: [],
  ipAddresses: [],
  otherNames: 0,
  publicKey: new Uint8Array(),
};
const ownAddress = { ...node, ipAddresses: ['10.0.0.1'] };

type Asked = typeof node | (Omit<typeof node, 'dnsNames' | 'ipAddresses'> & Names);
interface Names {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}
const cases: readonly {
  readonly signer: string;
  readonly asked: Asked;
  readonly usages: readonly string[];
  readonly want: string | undefined;
}[] = [
  { signer: nodeClientSigner, asked: node, usages: client, want: undefined },
  { signer: nodeServingSigner, asked: ownAddress, usages: serving, want: undefined },
  {
    signer: nodeClientSigner,
    asked: node,
    usages: serving,
    want: 'usages did not match [digital signature client auth]',
  },
  {
    signer: nodeClientSigner,
    asked: node,
    usages: [...client, 'code signing'],
    want: 'usages did not match [digital signature client auth]',
  },
  {
    signer: nodeServingSigner,
    asked: node,
    usages: serving,
    want: 'DNS or IP subjectAltName is required',
  },
  {
    signer: nodeClientSigner,
    asked: ownAddress,
    usages: client,
    want: 'IP subjectAltNames are not allowed',
  },
  {
    signer: nodeClientSigner,
    asked: { ...node, dnsNames: ['n1'] },
    usages: client,
    want: 'DNS subjectAltNames are not allowed',
  },
  {
    signer: nodeServingSigner,
    asked: { ...ownAddress, otherNames: 1 },
    usages: serving,
    want: 'Email and URI subjectAltNames are not allowed',
  },
  {
    signer: nodeClientSigner,
    asked: { ...node, subject: { commonName: 'system:node:n1', organizations: ['admins'] } },
    usages: client,
    want: 'subject organization is not system:nodes',
  },
  {
    signer: nodeClientSigner,
    asked: { ...node, subject: { commonName: 'n1', organizations: ['system:nodes'] } },
    usages: client,
    want: 'subject common name does not begin with system:node: ',
  },
  {
    signer: clientSigner,
    asked: { ...node, subject: { commonName: 'me', organizations: ['system:masters'] } },
    usages: ['client auth'],
    want: 'system:masters is not given out',
  },
];
for (const [index, { signer, asked, usages, want }] of cases.entries())
  test(`requestProblem() case ${index}: ${want ?? 'certified'}`, () => {
    const rules = signerRules(signer);
    assert.ok(rules !== undefined);
    assert.equal(requestProblem(rules, asked, usages), want);
  });

test('signerRules() knows no signer but its own', () => {
  assert.equal(signerRules('example.com/mine'), undefined);
  assert.equal(signerRules('toString'), undefined);
});
