import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Logger } from '#base';
import { createHttpApi } from '#client';
import type { HttpApi } from '#client';
import { createCsr, writeSecretFile } from '#io';
import { StatusError } from '#machinery';
import { certificateSigningRequests } from '../resources.ts';

/** A key and its certificate, PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}
export interface CredentialOptions {
  /** Where this node keeps its keys. */
  readonly dir: string;
  readonly server: string;
  readonly ca: string;
  readonly nodeName: string;
  readonly nodeIp: string;
  /** Bootstrap token: only needed for the first certificate. */
  readonly token: () => string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** A certificate is renewed when less than this part of its life is left. */
const renewLastPart = 0.2;
const signedMsMax = 30_000;

/**
 * The node's client certificate: from disk, or asked for with the bootstrap token
 * (signer kubernetes.io/kube-apiserver-client-kubelet), or renewed with the one it has.
 */
export async function clientCredentials(options: CredentialOptions): Promise<KeyPair> {
  const there = read(options.dir, 'client');
  if (there !== undefined && !nearEnd(there.cert, options.clock)) return there;
  const valid = there !== undefined && !expired(there.cert, options.clock);
  const api = createHttpApi({
    server: options.server,
    ca: options.ca,
    clock: options.clock,
    userAgent: 'tandem-agent',
    ...(valid ? there : { token: options.token() }),
  });
  try {
    return await signed(api, options, {
      name: 'client',
      signer: 'kubernetes.io/kube-apiserver-client-kubelet',
      usages: ['digital signature', 'client auth'],
      ips: [],
    });
  } finally {
    api.close();
  }
}

/** What the kubelet's HTTPS API shows (signer kubernetes.io/kubelet-serving). */
export async function servingCredentials(
  api: HttpApi,
  options: CredentialOptions,
): Promise<KeyPair> {
  const there = read(options.dir, 'serving');
  if (there !== undefined && !nearEnd(there.cert, options.clock)) {
    if (new X509Certificate(there.cert).checkIP(options.nodeIp) !== undefined) return there;
  }
  return signed(api, options, {
    name: 'serving',
    signer: 'kubernetes.io/kubelet-serving',
    usages: ['digital signature', 'server auth'],
    ips: [options.nodeIp],
  });
}

interface Wanted {
  readonly name: string;
  readonly signer: string;
  readonly usages: readonly string[];
  readonly ips: readonly string[];
}

async function signed(api: HttpApi, options: CredentialOptions, wanted: Wanted): Promise<KeyPair> {
  const { nodeName, clock, signal } = options;
  const subject = { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] };
  const names = wanted.ips.length === 0 ? {} : { dnsNames: [nodeName], ipAddresses: wanted.ips };
  const { csrPem, keyPem } = createCsr(subject, names);
  const request = await untilServed(options, () =>
    api.create(certificateSigningRequests, {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { generateName: `node-csr-${nodeName}-` },
      spec: {
        request: Buffer.from(csrPem).toString('base64'),
        signerName: wanted.signer,
        usages: wanted.usages,
      },
    }),
  );
  const deadline = clock.monotonicMs() + signedMsMax;
  for (let waitMs = 5; ; waitMs = Math.min(waitMs * 2, 500)) {
    const now = await untilServed(options, () =>
      api.get(certificateSigningRequests, { name: request.metadata.name }),
    );
    const denied = now.status.conditions?.find(
      ({ type }) => type === 'Denied' || type === 'Failed',
    );
    if (denied !== undefined)
      throw new Error(
        `Cannot get a certificate for node "${nodeName}": ${denied.message ?? denied.type}`,
      );
    const encoded = now.status.certificate;
    if (encoded !== undefined && encoded !== null && encoded !== '') {
      const cert = Buffer.from(encoded, 'base64').toString();
      mkdirSync(options.dir, { recursive: true, mode: 0o700 });
      await writeSecretFile(join(options.dir, `${wanted.name}.key`), keyPem);
      await writeSecretFile(join(options.dir, `${wanted.name}.crt`), cert);
      return { cert, key: keyPem };
    }
    if (clock.monotonicMs() > deadline)
      throw new Error(
        `Cannot get a certificate for node "${nodeName}": nobody signed "${request.metadata.name}" in ${signedMsMax} ms`,
      );
    await clock.sleep(waitMs, signal);
  }
}

/** The server may still be starting: an agent waits for it as long as it must. */
async function untilServed<T>(options: CredentialOptions, call: () => Promise<T>): Promise<T> {
  for (let waitMs = 10; ; waitMs = Math.min(waitMs * 2, 2000)) {
    try {
      return await call();
    } catch (error) {
      const passing =
        error instanceof StatusError &&
        (error.code >= 500 || error.code === 401 || error.code === 403);
      if (!passing) throw error;
      if (waitMs >= 2000) options.logger.warn('The server does not take this node yet', { error });
      await options.clock.sleep(waitMs, options.signal);
    }
  }
}

function read(dir: string, name: string): KeyPair | undefined {
  const cert = join(dir, `${name}.crt`);
  const key = join(dir, `${name}.key`);
  if (!existsSync(cert) || !existsSync(key)) return undefined;
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

function nearEnd(cert: string, clock: Clock): boolean {
  const { validFromDate, validToDate } = new X509Certificate(cert);
  const life = validToDate.getTime() - validFromDate.getTime();
  return clock.nowMs() > validToDate.getTime() - life * renewLastPart;
}
function expired(cert: string, clock: Clock): boolean {
  return clock.nowMs() >= new X509Certificate(cert).validToDate.getTime();
}
