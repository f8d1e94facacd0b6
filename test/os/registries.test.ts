import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createPlain } from 'node:http';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { silentLogger } from '#base';
import { systemClock } from '#io';
import { openImages, registrySettings } from '#node/runtime';
import type { ImageStore } from '#node/runtime';
import { loopbackCertificate, startRegistry } from './registry-kit.ts';
import type { TestRegistry } from './registry-kit.ts';
import { digestOf, dockerArchive, tarOf } from './runtime-kit.ts';

let folder = '';
let registry: TestRegistry;
const opened: AsyncDisposable[] = [];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-registries-'));
  registry = await startRegistry();
  const layers = [await tarOf([{ name: 'hello', content: 'world' }])];
  registry.push(await dockerArchive({ name: 'x:1', layers }), 'team/x:1');
});
after(async () => {
  for (const one of opened) await one[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

let stores = 0;
interface Place {
  readonly images: ImageStore;
  /** Writes the user's file anew. */
  set(settings: unknown): void;
}
async function place(settings?: unknown): Promise<Place> {
  const path = join(folder, `registries-${stores++}.json`);
  const set = (value: unknown): void =>
    writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  if (settings !== undefined) set(settings);
  const images = await openImages({
    imageDir: join(folder, `store-${stores}`),
    cluster: 'c',
    node: 'n1',
    registries: registrySettings(path),
    clock: systemClock,
    logger: silentLogger,
  });
  opened.push(images);
  return { images, set };
}
const pulling = { secrets: [], signal: new AbortController().signal };

test('own CA and credentials come from the file, and a change of it counts at once', async () => {
  const { host, caFile, user } = registry;
  const { images, set } = await place();
  const pull = () => images.pull(`${host}/team/x:1`, pulling);
  await assert.rejects(pull(), /certificate/);
  set({ registries: { [host]: { caFile } } });
  await assert.rejects(pull(), /answered 401/);
  set({ registries: { [host]: { caFile, ...user, password: 'wrong' } } });
  await assert.rejects(pull(), /answered 401/);
  set({ registries: { [host]: { caFile, ...user } } });
  const image = await pull();
  assert.equal(image.digests[0]?.startsWith(`${host}/team/x@sha256:`), true);
});

test("the Pod's own secrets come before the machine's, an authority may count for all", async () => {
  const { host, caFile, user } = registry;
  const { images } = await place({
    caFiles: [caFile],
    registries: { [host]: { username: 'me', password: 'old' } },
  });
  const auth = Buffer.from(`${user.username}:${user.password}`).toString('base64');
  const secrets = [{ auths: { [`https://${host}`]: { auth } } }];
  await images.pull(`${host}/team/x:1`, { ...pulling, secrets });
});

test('a docker config of the machine is read where it lies', async () => {
  const { host, caFile, user } = registry;
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths: { [host]: user } }));
  const settings = { caFiles: [caFile], dockerConfigs: ['config.json'] };
  const { images } = await place(settings);
  await images.pull(`${host}/team/x:1`, pulling);
});

test('an insecure registry is spoken to without knowing its authority', async () => {
  const { host, user } = registry;
  const { images } = await place({ registries: { [host]: { insecure: true, ...user } } });
  await images.pull(`${host}/team/x:1`, pulling);
});

test('a file that cannot be understood refuses pulls and says why', async () => {
  const { images, set } = await place('{ not json');
  const pull = () => images.pull('127.0.0.1:9/x:1', pulling);
  await assert.rejects(pull(), { reason: 'ErrImagePull', message: /Cannot read .*\.json: / });
  set({ mirors: {} });
  await assert.rejects(pull(), /has a field "mirors", which nobody knows/);
  set({ registries: { a: { mirrors: 'https://b' } } });
  await assert.rejects(pull(), /mirrors must be a list of texts/);
  set({ registries: { a: { caFile: 'missing.pem' } } });
  await assert.rejects(pull(), /missing\.pem/);
});

interface Fake extends AsyncDisposable {
  readonly host: string;
  readonly ca: string;
  readonly seen: { readonly path: string; readonly authorization: string | undefined }[];
}
type Guard = (request: IncomingMessage, host: string) => Promise<FakeAnswer | undefined>;
interface FakeAnswer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** One small image behind a door that `guard` keeps; over TLS unless said otherwise. */
async function fakeRegistry(guard: Guard, plain = false): Promise<Fake> {
  const tar = await tarOf([{ name: 'file', content: 'x' }]);
  const config = JSON.stringify({ config: {}, rootfs: { diff_ids: [digestOf(tar)] } });
  const describe = (content: Buffer | string) => ({
    digest: digestOf(content),
    size: content.length,
  });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    config: describe(config),
    layers: [describe(tar)],
  });
  const blobs = new Map([config, tar, manifest].map((one) => [digestOf(one), one]));
  const { ca, cert, key } = loopbackCertificate();
  const seen: Fake['seen'][number][] = [];
  let host = '';
  const listener: RequestListener = (request, response) => {
    const path = request.url ?? '';
    seen.push({ path, authorization: request.headers.authorization });
    void guard(request, host).then((answer) => {
      const name = path.split('/').at(-1) ?? '';
      const body = path.endsWith('/manifests/1') ? manifest : blobs.get(name);
      const { status, headers = {}, body: said = '' } = answer ?? { status: 0 };
      if (answer !== undefined) response.writeHead(status, headers).end(said);
      else response.writeHead(body === undefined ? 404 : 200).end(body);
    });
  };
  const server: Server = plain ? createPlain(listener) : createSecure({ cert, key }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    ca,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

test('an identity token is exchanged for a bearer token', async () => {
  const asked: string[] = [];
  await using fake = await fakeRegistry(async (request, host) => {
    if (request.url === '/token') {
      const form = new URLSearchParams(await bodyOf(request));
      asked.push(`${request.method} ${form.get('grant_type')} ${form.get('scope')}`);
      const good = form.get('refresh_token') === 'long-lived';
      return good ? { status: 200, body: '{"access_token":"short"}' } : { status: 401 };
    }
    if (request.headers.authorization === 'Bearer short') return undefined;
    const challenge = `Bearer realm="https://${host}/token",service="s"`;
    return { status: 401, headers: { 'www-authenticate': challenge } };
  });
  writeFileSync(join(folder, 'fake.crt'), fake.ca);
  const entry = { caFile: 'fake.crt', identityToken: 'long-lived' };
  const { images } = await place({ registries: { [fake.host]: entry } });
  await images.pull(`${fake.host}/app:1`, pulling);
  assert.deepEqual(asked, ['POST refresh_token repository:app:pull']);
});

test('a mirror comes first, with its own credentials and never those of the registry', async () => {
  await using mirror = await fakeRegistry(async (request) => {
    const wanted = `Basic ${Buffer.from('mirror:pass').toString('base64')}`;
    if (request.headers.authorization === wanted) return undefined;
    return { status: 401, headers: { 'www-authenticate': 'Basic realm="m"' } };
  }, true);
  const { images } = await place({
    registries: {
      'docker.io': { mirrors: [`http://${mirror.host}`], username: 'hub', password: 'hub' },
      [mirror.host]: { username: 'mirror', password: 'pass' },
    },
  });
  const image = await images.pull('team/app:1', pulling);
  assert.deepEqual(image.names, ['docker.io/team/app:1']);
  const hub = Buffer.from('hub:hub').toString('base64');
  assert.ok(mirror.seen.every(({ authorization }) => authorization?.includes(hub) !== true));
});

test('a mirror that has nothing is passed over for the registry itself', async () => {
  await using empty = await fakeRegistry(async () => ({ status: 404 }), true);
  await using origin = await fakeRegistry(async () => undefined, true);
  const { images } = await place({
    registries: { [origin.host]: { mirrors: [`http://${empty.host}`] } },
  });
  await images.pull(`${origin.host}/app:1`, pulling);
  assert.ok(empty.seen.length > 0);
});
