import {
  X509Certificate,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { isIP } from 'node:net';
import {
  type DerElement,
  der,
  derBits,
  derInteger,
  derOid,
  derSequence,
  derTag,
  derTime,
  oidText,
  readDer,
  readDerAll,
} from './der.ts';

/**
 * X.509 on `node:crypto` alone: P-256 keys, certificates with what TLS and Kubernetes read of them,
 * certificate requests. Written here because the library at hand takes 150 ms to load, a third of
 * what a cold start may take; everything below takes about one.
 */
export interface PemPair {
  readonly certificatePem: string;
  readonly keyPem: string;
}
export interface Subject {
  readonly commonName: string;
  readonly organizations: readonly string[];
}
export interface AlternativeNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}
export type ExtendedUsage = 'clientAuth' | 'serverAuth';
export interface Lifetime {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}
export interface CertificateOptions extends Partial<AlternativeNames>, Lifetime {
  readonly subject: Subject;
  readonly usages: readonly ExtendedUsage[];
}

const oids = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  // Kubernetes reads a user's uid from here (AllowParsingUserUIDFromCertAuth).
  kubernetesUid: '1.3.6.1.4.1.57683.2',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  extensionRequest: '1.2.840.113549.1.9.14',
} as const;

/** A self-signed authority; with `keyPem` an older one is renewed under its own key. */
export function createAuthority(
  commonName: string,
  lifetime: Lifetime,
  keyPem: string = newKeyPem(),
): PemPair {
  const key = createPrivateKey(keyPem);
  const subject = { commonName, organizations: [] };
  const publicKey = publicKeyDer(key);
  const extensions = [
    extension(oids.basicConstraints, derSequence(derTrue()), true),
    // digitalSignature, keyEncipherment, keyCertSign
    extension(oids.keyUsage, derBits(Uint8Array.of(0xa4), 2), true),
    extension(oids.subjectKeyId, der(derTag.octetString, keyId(publicKey)), false),
  ];
  const certificate = signCertificate(
    { issuer: nameDer(subject), subject: nameDer(subject), publicKey, extensions, ...lifetime },
    key,
  );
  return { certificatePem: pem('CERTIFICATE', certificate), keyPem };
}

/** A fresh key and a certificate for it. */
export function issueCertificate(authority: PemPair, options: CertificateOptions): PemPair {
  const keyPem = newKeyPem();
  const publicKey = publicKeyDer(createPrivateKey(keyPem));
  return { certificatePem: certify(authority, publicKey, options), keyPem };
}

/** Certifies what a request asks for, under its own key. Throws when the request is not sound. */
export function signCsr(
  authority: PemPair,
  csrPem: string,
  options: Lifetime & { readonly usages: readonly ExtendedUsage[] },
): string {
  const request = readCsr(csrPem);
  return certify(authority, request.publicKey, { ...request, ...options });
}

function certify(authority: PemPair, publicKey: Uint8Array, options: CertificateOptions): string {
  const issuer = new X509Certificate(authority.certificatePem);
  const issuerKey = createPrivateKey(authority.keyPem);
  const extensions = [
    // digitalSignature, keyEncipherment
    extension(oids.keyUsage, derBits(Uint8Array.of(0xa0), 5), true),
    extension(
      oids.extendedKeyUsage,
      derSequence(...options.usages.map((usage) => derOid(oids[usage]))),
      false,
    ),
    extension(oids.basicConstraints, derSequence(), true),
    extension(oids.authorityKeyId, derSequence(der(0x80, keyId(publicKeyDer(issuerKey)))), false),
    ...alternativeNames(options),
  ];
  const certificate = signCertificate(
    {
      ...options,
      issuer: subjectDer(issuer.raw),
      subject: nameDer(options.subject),
      publicKey,
      extensions,
    },
    issuerKey,
  );
  return pem('CERTIFICATE', certificate);
}

interface ToBeSigned extends Lifetime {
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly extensions: readonly Uint8Array[];
}

function signCertificate(parts: ToBeSigned, key: KeyObject): Uint8Array {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x01;
  const algorithm = derSequence(derOid(oids.ecdsaWithSha256));
  const body = derSequence(
    der(0xa0, derInteger(2)),
    derInteger(serial),
    algorithm,
    parts.issuer,
    derSequence(derTime(parts.notBeforeMs), derTime(parts.notAfterMs)),
    parts.subject,
    parts.publicKey,
    der(0xa3, derSequence(...parts.extensions)),
  );
  return derSequence(body, algorithm, derBits(sign('sha256', body, key)));
}

/** A certificate request (PKCS#10) for a fresh key. */
export function createCsr(
  subject: Subject,
  names: Partial<AlternativeNames> = {},
): { readonly csrPem: string; readonly keyPem: string } {
  const keyPem = newKeyPem();
  const key = createPrivateKey(keyPem);
  const extensions = alternativeNames(names);
  const attributes =
    extensions.length === 0
      ? []
      : [derSequence(derOid(oids.extensionRequest), der(derTag.set, derSequence(...extensions)))];
  const body = derSequence(
    derInteger(0),
    nameDer(subject),
    publicKeyDer(key),
    der(0xa0, ...attributes),
  );
  const csr = derSequence(
    body,
    derSequence(derOid(oids.ecdsaWithSha256)),
    derBits(sign('sha256', body, key)),
  );
  return { csrPem: pem('CERTIFICATE REQUEST', csr), keyPem };
}

export interface CertificateRequest extends AlternativeNames {
  readonly subject: Subject;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array;
  /** Names of kinds that are not listed above: e-mail addresses, URIs and others. */
  readonly otherNames: number;
}

const signatureHashes: Readonly<Record<string, string>> = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
};

/** Reads a request and checks that it was signed with the key it carries. */
export function readCsr(csrPem: string): CertificateRequest {
  const outer = readDerAll(readDer(unpem('CERTIFICATE REQUEST', csrPem)).content);
  const [body, algorithm, signature] = outer;
  if (body === undefined || algorithm === undefined || signature === undefined)
    throw new Error('Cannot read certificate request: it is cut short');
  const [, subject, publicKey, attributes] = readDerAll(body.content);
  if (subject === undefined || publicKey === undefined)
    throw new Error('Cannot read certificate request: subject or key is missing');
  const hash = signatureHashes[oidText(readDer(algorithm.content).content)];
  const key = createPublicKey({ key: Buffer.from(publicKey.bytes), format: 'der', type: 'spki' });
  if (hash === undefined || !verify(hash, body.bytes, key, signature.content.subarray(1)))
    throw new Error('Cannot accept certificate request: its signature is not valid');
  return {
    subject: readName(subject),
    publicKey: publicKey.bytes,
    ...requestedNames(attributes),
  };
}

function requestedNames(attributes: DerElement | undefined): AlternativeNames & {
  readonly otherNames: number;
} {
  const dnsNames: string[] = [];
  const ipAddresses: string[] = [];
  let otherNames = 0;
  for (const attribute of readDerAll(attributes?.content ?? new Uint8Array())) {
    const [id, values] = readDerAll(attribute.content);
    if (id === undefined || values === undefined) continue;
    if (oidText(id.content) !== oids.extensionRequest) continue;
    for (const wanted of readDerAll(readDer(values.content).content)) {
      const parts = readDerAll(wanted.content);
      const value = parts.at(-1);
      if (parts[0] === undefined || value === undefined) continue;
      if (oidText(parts[0].content) !== oids.subjectAltName) continue;
      for (const name of readDerAll(readDer(value.content).content)) {
        if (name.tag === 0x82) dnsNames.push(Buffer.from(name.content).toString('latin1'));
        else if (name.tag === 0x87) ipAddresses.push(addressText(name.content));
        else otherNames++;
      }
    }
  }
  return { dnsNames, ipAddresses, otherNames };
}

/** Who a certificate in DER speaks for; the reader of client certificates. */
export function certificateSubject(
  certificate: Uint8Array,
): Subject & { readonly uid: string | undefined } {
  return readName(readDer(subjectDer(certificate)));
}

/** Name attributes in any order, each possibly repeated; strings are taken as UTF-8. */
function readName(name: DerElement): Subject & { readonly uid: string | undefined } {
  let commonName = '';
  let uid: string | undefined;
  const organizations: string[] = [];
  for (const set of readDerAll(name.content)) {
    for (const pair of readDerAll(set.content)) {
      const [id, value] = readDerAll(pair.content);
      if (id === undefined || value === undefined) continue;
      const text = Buffer.from(value.content).toString('utf8');
      const type = oidText(id.content);
      if (type === oids.commonName) commonName = text;
      else if (type === oids.organization) organizations.push(text);
      else if (type === oids.kubernetesUid) uid = text;
    }
  }
  return { commonName, organizations, uid };
}

/** The subject's Name as it stands in the certificate. */
function subjectDer(certificate: Uint8Array): Uint8Array {
  const fields = readDerAll(readDer(readDer(certificate).content).content);
  // An explicit version comes first in every certificate of version 2 and later.
  const subject = fields[fields[0]?.tag === 0xa0 ? 5 : 4];
  if (subject === undefined) throw new Error('Cannot read certificate: it is cut short');
  return subject.bytes;
}

function nameDer(subject: Subject): Uint8Array {
  const attribute = (oid: string, text: string): Uint8Array =>
    der(derTag.set, derSequence(derOid(oid), der(derTag.utf8, Buffer.from(text))));
  return derSequence(
    ...subject.organizations.map((name) => attribute(oids.organization, name)),
    attribute(oids.commonName, subject.commonName),
  );
}

function alternativeNames(names: Partial<AlternativeNames>): readonly Uint8Array[] {
  const entries = [
    ...(names.dnsNames ?? []).map((name) => der(0x82, Buffer.from(name, 'latin1'))),
    ...(names.ipAddresses ?? []).map((address) => der(0x87, addressBytes(address))),
  ];
  if (entries.length === 0) return [];
  return [extension(oids.subjectAltName, derSequence(...entries), false)];
}

function extension(oid: string, value: Uint8Array, critical: boolean): Uint8Array {
  return derSequence(derOid(oid), ...(critical ? [derTrue()] : []), der(derTag.octetString, value));
}

function derTrue(): Uint8Array {
  return der(derTag.boolean, Uint8Array.of(0xff));
}

function newKeyPem(): string {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return privateKey;
}

function publicKeyDer(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

/** SHA-1 of the key's bits (RFC 5280 section 4.2.1.2, method 1). */
function keyId(publicKey: Uint8Array): Uint8Array {
  const bits = readDerAll(readDer(publicKey).content)[1]?.content.subarray(1) ?? publicKey;
  return createHash('sha1').update(bits).digest();
}

function addressBytes(address: string): Uint8Array {
  if (isIP(address) === 4) return Uint8Array.from(address.split('.').map(Number));
  if (isIP(address) !== 6) throw new Error(`Cannot certify address: "${address}" is not an IP`);
  const [head = '', tail] = address.split('::');
  const words = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
  const before = words(head);
  const after = words(tail ?? '');
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const between = Array.from({ length: zeros }, () => 0);
  const all = [...before, ...between, ...after];
  return Uint8Array.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const words = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  return words.join(':');
}

function pem(label: string, bytes: Uint8Array): string {
  const text = Buffer.from(bytes)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`;
}

function unpem(label: string, text: string): Uint8Array {
  const match = new RegExp(
    `-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----`,
  ).exec(text);
  if (match?.[1] === undefined) throw new Error(`Cannot read PEM: there is no "${label}" block`);
  return Buffer.from(match[1], 'base64');
}
