import {
  X509Certificate,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
} from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '#base';
import {
  type CertificateOptions,
  type PemPair,
  createAuthority,
  issueCertificate,
} from './certificates.ts';

/** Keys and certificates of one cluster, as they lie in its `pki` folder. */
export interface Pki {
  readonly authority: PemPair;
  /** What the API server shows its clients. */
  readonly server: PemPair;
  /** What the API server shows kubelets. */
  readonly kubeletClient: PemPair;
  /** User `kubernetes-admin` in group `system:masters`, for the owner's kubeconfig. */
  readonly admin: PemPair;
  /** Signs service account tokens (ES256). */
  readonly serviceAccountKeyPem: string;
  readonly serviceAccountPublicPem: string;
  /** A pair signed by the cluster's authority; nothing is written. */
  issue(options: Omit<CertificateOptions, 'notBeforeMs' | 'notAfterMs'>): PemPair;
}
export interface PkiOptions {
  readonly clusterName: string;
  readonly clock: Clock;
  /** Names and addresses clients reach the server by, beside those that are always there. */
  readonly hosts: readonly string[];
  /** First address of the service range, where Pods find the API. */
  readonly serviceAddress: string;
  readonly clusterDomain: string;
}

const dayMs = 86_400_000;
const authorityDays = 3650;
const leafDays = 365;
/** A certificate with less than this part of its life left is made anew. */
const renewLastPart = 0.2;

/** Reads what is there, makes what is missing, near its end or no longer fitting. Idempotent. */
export async function ensurePki(dir: string, options: PkiOptions): Promise<Pki> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const nowMs = options.clock.nowMs();
  const authority = await ensureAuthority(dir, options, nowMs);
  const issue: Pki['issue'] = (wanted) =>
    issueCertificate(authority, { ...wanted, ...lifetime(nowMsOf(options), leafDays) });
  const ensureLeaf = async (
    name: string,
    wanted: Parameters<Pki['issue']>[0],
  ): Promise<PemPair> => {
    const existing = await readPair(dir, name);
    if (existing !== undefined && serves(existing, authority, { ...wanted, nowMs }))
      return existing;
    return writePair(dir, name, issue(wanted));
  };
  const [server, kubeletClient, admin, serviceAccountKeyPem] = await Promise.all([
    ensureLeaf('server', {
      subject: { commonName: 'kube-apiserver', organizations: [] },
      usages: ['serverAuth'],
      ...serverNames(options),
    }),
    ensureLeaf('kubelet-client', {
      subject: {
        commonName: 'kube-apiserver-kubelet-client',
        organizations: ['system:masters'],
      },
      usages: ['clientAuth'],
    }),
    ensureLeaf('admin', {
      subject: { commonName: 'kubernetes-admin', organizations: ['system:masters'] },
      usages: ['clientAuth'],
    }),
    ensureServiceAccountKey(dir),
  ]);
  const serviceAccountPublicPem = createPublicKey(serviceAccountKeyPem)
    .export({ type: 'spki', format: 'pem' })
    .toString();
  return {
    authority,
    server,
    kubeletClient,
    admin,
    serviceAccountKeyPem,
    serviceAccountPublicPem,
    issue,
  };
}

function nowMsOf(options: PkiOptions): number {
  return options.clock.nowMs();
}

/** Begins a little in the past: machines' clocks differ. */
function lifetime(nowMs: number, days: number): { notBeforeMs: number; notAfterMs: number } {
  return { notBeforeMs: nowMs - 3_600_000, notAfterMs: nowMs + days * dayMs };
}

async function ensureAuthority(dir: string, options: PkiOptions, nowMs: number): Promise<PemPair> {
  const existing = await readPair(dir, 'ca');
  const commonName = `tandem-${options.clusterName}`;
  if (existing === undefined)
    return writePair(dir, 'ca', createAuthority(commonName, lifetime(nowMs, authorityDays)));
  if (!nearEnd(new X509Certificate(existing.certificatePem), nowMs)) return existing;
  // The same key and name: what was signed before stays valid under the renewed certificate.
  const renewed = createAuthority(commonName, lifetime(nowMs, authorityDays), existing.keyPem);
  return writePair(dir, 'ca', renewed);
}

function serverNames(options: PkiOptions): { dnsNames: string[]; ipAddresses: string[] } {
  const wanted = [
    'localhost',
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    `kubernetes.default.svc.${options.clusterDomain}`,
    '127.0.0.1',
    '::1',
    options.serviceAddress,
    ...options.hosts,
  ];
  const unique = [...new Set(wanted)];
  return {
    dnsNames: unique.filter((name) => isIP(name) === 0),
    ipAddresses: unique.filter((name) => isIP(name) !== 0),
  };
}

function serves(
  pair: PemPair,
  authority: PemPair,
  wanted: Omit<CertificateOptions, 'notBeforeMs' | 'notAfterMs'> & { readonly nowMs: number },
): boolean {
  const certificate = new X509Certificate(pair.certificatePem);
  const issuer = new X509Certificate(authority.certificatePem);
  if (nearEnd(certificate, wanted.nowMs)) return false;
  if (!certificate.checkPrivateKey(createPrivateKey(pair.keyPem))) return false;
  if (!certificate.verify(issuer.publicKey)) return false;
  return (
    (wanted.dnsNames ?? []).every((name) => certificate.checkHost(name) !== undefined) &&
    (wanted.ipAddresses ?? []).every((address) => certificate.checkIP(address) !== undefined)
  );
}

function nearEnd(certificate: X509Certificate, nowMs: number): boolean {
  const startMs = certificate.validFromDate.getTime();
  const endMs = certificate.validToDate.getTime();
  return nowMs < startMs || nowMs > endMs - (endMs - startMs) * renewLastPart;
}

async function ensureServiceAccountKey(dir: string): Promise<string> {
  const path = join(dir, 'service-account.key');
  const existing = await readText(path);
  if (existing !== undefined) return existing;
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  await writeSecretFile(path, privateKey);
  return privateKey;
}

async function readPair(dir: string, name: string): Promise<PemPair | undefined> {
  const [certificatePem, keyPem] = await Promise.all([
    readText(join(dir, `${name}.crt`)),
    readText(join(dir, `${name}.key`)),
  ]);
  if (certificatePem === undefined || keyPem === undefined) return undefined;
  return { certificatePem, keyPem };
}

/** The key first: a certificate without its key is noticed at the next start and replaced. */
async function writePair(dir: string, name: string, pair: PemPair): Promise<PemPair> {
  await writeSecretFile(join(dir, `${name}.key`), pair.keyPem);
  await writeSecretFile(join(dir, `${name}.crt`), pair.certificatePem);
  return pair;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whole or not at all: written beside and renamed; readable by its owner only. */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  const beside = `${path}.${randomBytes(4).toString('hex')}`;
  const file = await open(beside, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}
