/** A whole API server over the memory store, for tests: requests without a socket. */
import type { Face, FaceReply, FaceRequest } from '#base';
import { BodyTooLargeError, silentLogger } from '#base';
import { systemClock, systemRandom } from '#io';
import { builtinKinds, groupFacts, kindFacts, typeTables } from '#kube/kinds';
import { createScheme } from '#machinery';
import { type Store, openMemoryStore } from '#store';
import { createCodec } from '#wire';
import { type ApiServer, type ApiServerOptions, type UserInfo, createApiServer } from './index.ts';

export const admin: UserInfo = { name: 'admin', groups: ['system:masters'] };
const apiVersionOf = (group: string, version: string) =>
  group === '' ? version : `${group}/${version}`;

export interface TestServer extends AsyncDisposable {
  readonly server: ApiServer;
  readonly store: Store;
  readonly face: Face;
  call(method: string, target: string, options?: CallOptions): Promise<Answer>;
  /** Opens a watch; each `next()` is one event. */
  watch(target: string, headers?: Readonly<Record<string, string>>): Promise<TestWatch>;
}
export interface CallOptions {
  readonly body?: unknown;
  readonly raw?: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string>>;
}
export interface Answer {
  readonly status: number;
  readonly headers: FaceReply['headers'];
  readonly bytes: Buffer;
  readonly json: unknown;
}
/** `at(answer.json, 'items.0.metadata.name')`: looks into an answer of any shape. */
export function at(value: unknown, path: string): unknown {
  let found = value;
  for (const key of path.split('.'))
    found =
      typeof found === 'object' && found !== null
        ? (found as Readonly<Record<string, unknown>>)[key]
        : undefined;
  return found;
}
export interface TestWatch {
  next(): Promise<unknown>;
  stop(): void;
  readonly ended: Promise<void>;
}

export async function startTestServer(
  options: Partial<ApiServerOptions> = {},
): Promise<TestServer> {
  const clock = options.clock ?? systemClock;
  const store = options.store ?? openMemoryStore({ clock });
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
      apiVersion: apiVersionOf(group, version),
      kind,
      type,
    })),
  });
  const server = createApiServer({
    store,
    scheme,
    codec,
    clock,
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
    authenticators: [{ name: 'test', authenticate: async () => admin }],
    authorizers: [],
    admission: [],
    doors: [],
    ...options,
  });
  await server.start();
  return {
    server,
    store,
    face: server.face,
    call: async (method, target, callOptions) =>
      await callFace(server.face, method, { target, ...callOptions }),
    watch: async (target, headers) => await watchFace(server.face, target, headers),
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await store[Symbol.asyncDispose]();
    },
  };
}

export function requestOf(
  method: string,
  target: string,
  options: CallOptions & { readonly signal?: AbortSignal } = {},
): FaceRequest {
  const [path = '', search = ''] = target.split('?', 2);
  const { body, raw } = options;
  const bytes =
    raw === undefined
      ? Buffer.from(body === undefined ? '' : JSON.stringify(body))
      : Buffer.from(raw);
  return {
    method,
    path,
    search,
    headers: options.headers ?? {},
    peer: {
      address: '127.0.0.1',
      port: 1,
      localAddress: '127.0.0.1',
      localPort: 6443,
      secure: true,
      certificates: [],
    },
    signal: options.signal ?? new AbortController().signal,
    body: async (bytesMax) => {
      if (bytes.length > bytesMax) throw new BodyTooLargeError(bytesMax);
      return bytes;
    },
    async *bodyStream() {
      yield bytes;
    },
  };
}

async function callFace(
  face: Face,
  method: string,
  { target, ...options }: CallOptions & { readonly target: string },
): Promise<Answer> {
  const reply = await face(requestOf(method, target, options));
  const bytes = await bytesOf(reply);
  return {
    status: reply.status,
    headers: reply.headers,
    bytes,
    get json() {
      return JSON.parse(bytes.toString('utf8')) as unknown;
    },
  };
}

async function bytesOf({ body }: FaceReply): Promise<Buffer> {
  if (body === undefined) return Buffer.alloc(0);
  if (body instanceof Uint8Array) return Buffer.from(body);
  if (typeof body !== 'function') return Buffer.concat(body);
  const chunks: Uint8Array[] = [];
  await body(
    { write: (chunk) => chunks.push(chunk) > 0, backlogBytes: 0, drained: async () => {} },
    new AbortController().signal,
  );
  return Buffer.concat(chunks);
}

async function watchFace(
  face: Face,
  target: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<TestWatch> {
  const controller = new AbortController();
  const { signal } = controller;
  const reply = await face(requestOf('GET', target, { headers, signal }));
  if (typeof reply.body !== 'function')
    throw new Error(`Cannot watch: ${(await bytesOf(reply)).toString('utf8')}`);
  const events: unknown[] = [];
  let wake = (): void => {};
  let over = false;
  const sink = {
    write: (chunk: Uint8Array) => {
      for (const line of Buffer.from(chunk).toString('utf8').split('\n'))
        if (line !== '') events.push(JSON.parse(line));
      wake();
      return true;
    },
    backlogBytes: 0,
    drained: async () => {},
  };
  const ended = reply.body(sink, signal).finally(() => {
    over = true;
    wake();
  });
  return {
    ended,
    stop: () => controller.abort(),
    next: async () => {
      const untilMs = Date.now() + 5000;
      for (;;) {
        const event = events.shift();
        if (event !== undefined) return event;
        if (over || Date.now() > untilMs) throw new Error('Watch gave no further event');
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, 5000).unref();
        });
      }
    },
  };
}
