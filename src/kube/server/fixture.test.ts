/** A whole Kubernetes API over the memory store, for tests: requests without a socket. */
import { BodyTooLargeError, type FaceReply, type FaceRequest, silentLogger } from '#base';
import {
  type BackendClient,
  createAuthority,
  issueCertificate,
  systemClock,
  systemRandom,
} from '#io';
import { builtinKinds, groupFacts, kindFacts, typeTables } from '#kube/kinds';
import { createScheme } from '#machinery';
import { createPool, type Pool } from '#pool';
import { type Store, openMemoryStore } from '#store';
import { createCodec } from '#wire';
import { generateKeyPairSync } from 'node:crypto';
import { createKubeServer, type KubeServer } from './index.ts';

export const adminToken = 'admin-token';
export const issuer = 'https://kubernetes.default.svc.cluster.local';

export interface Json {
  readonly [key: string]: Json & string & number & boolean & Json[];
}
export interface Answer {
  readonly status: number;
  readonly headers: FaceReply['headers'];
  readonly text: string;
  readonly json: Json;
  readonly reply: FaceReply;
}
export interface CallOptions {
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}
export interface TestCluster extends AsyncDisposable {
  readonly kube: KubeServer;
  readonly pool: Pool;
  readonly store: Store;
  call(method: string, target: string, options?: CallOptions): Promise<Answer>;
}

const life = { notBeforeMs: Date.now() - 1000, notAfterMs: Date.now() + 1e10 };
export const authority = createAuthority('tandem-test', life);
const kubeletClient = issueCertificate(authority, {
  ...life,
  subject: { commonName: 'apiserver', organizations: [] },
  usages: ['clientAuth'],
});
const serviceAccountKeyPem = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();

export async function startCluster(
  options: { readonly backend?: BackendClient; readonly store?: Store } = {},
): Promise<TestCluster> {
  const store = options.store ?? openMemoryStore({ clock: systemClock });
  const pool = createPool();
  const codec = createCodec(typeTables);
  const scheme = createScheme({
    kinds: builtinKinds,
    codec,
    tables: typeTables,
    groupOrder: groupFacts.map(({ group, preferred, versions }) => ({
      group,
      preferred,
      versions: versions.map(({ version }) => version),
    })),
    bodyTypes: kindFacts.map(({ group, version, kind, type }) => ({
      apiVersion: group === '' ? version : `${group}/${version}`,
      kind,
      type,
    })),
  });
  const kube = createKubeServer({
    store,
    pool,
    scheme,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    version: {
      major: '1',
      minor: '36',
      gitVersion: 'v1.36.2',
      gitCommit: '',
      gitTreeState: '',
      buildDate: '',
      goVersion: '',
      compiler: '',
      platform: '',
    },
    pki: { authority, kubeletClient, serviceAccountKeyPem },
    issuer,
    serviceRange: '10.96.0.0/16',
    advertise: { address: '192.0.2.1', port: 6443 },
    bootstrapToken: { id: 'abcdef', secret: '0123456789abcdef' },
    adminToken,
    backend: options.backend,
  });
  await kube.start();
  return {
    kube,
    pool,
    store,
    call: async (method, target, callOptions) =>
      await call(kube, method, { target, ...callOptions }),
    [Symbol.asyncDispose]: async () => {
      await kube.stop();
      if (options.store === undefined) await store[Symbol.asyncDispose]();
    },
  };
}

async function call(
  kube: KubeServer,
  method: string,
  what: CallOptions & { readonly target: string },
): Promise<Answer> {
  const [path = '', search = ''] = what.target.split('?', 2);
  const bytes = Buffer.from(what.body === undefined ? '' : JSON.stringify(what.body));
  const request: FaceRequest = {
    method,
    path,
    search,
    headers: {
      ...(bytes.length === 0 ? {} : { 'content-type': 'application/json' }),
      ...(what.token === '' ? {} : { authorization: `Bearer ${what.token ?? adminToken}` }),
      ...what.headers,
    },
    peer: { address: '', port: 0, localAddress: '', localPort: 0, secure: true, certificates: [] },
    signal: AbortSignal.timeout(10_000),
    async body(bytesMax) {
      if (bytes.length > bytesMax) throw new BodyTooLargeError(bytesMax);
      return bytes;
    },
    async *bodyStream() {
      yield bytes;
    },
  };
  const reply = await kube.face(request);
  const text = await textOf(reply);
  return {
    status: reply.status,
    headers: reply.headers,
    text,
    json: text.startsWith('{') ? JSON.parse(text) : {},
    reply,
  };
}

async function textOf(reply: FaceReply): Promise<string> {
  const { body } = reply;
  if (body === undefined) return '';
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  if (typeof body !== 'function') return Buffer.concat(body).toString();
  const chunks: Uint8Array[] = [];
  await body(
    {
      write(chunk) {
        chunks.push(chunk);
        return true;
      },
      backlogBytes: 0,
      drained: async () => {},
    },
    AbortSignal.timeout(10_000),
  );
  return Buffer.concat(chunks).toString();
}

export function podBody(name: string, spec: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'c', image: 'nginx:1' }], ...spec },
  };
}
