import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { silentLogger } from '#base';
import { systemClock } from '#io';
import { openImages } from '#node/runtime';
import type { ImageStore, RegistryOptions } from '#node/runtime';
import { digestOf, dockerArchive, once, tarOf, until, type TarEntry } from './runtime-kit.ts';

let folder = '';
const open: ImageStore[] = [];

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-images-'));
});
after(async () => {
  for (const images of open) await images[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

let stores = 0;
async function store(registries: RegistryOptions = {}, imageDir = join(folder, `s${stores++}`)) {
  const images = await openImages({
    imageDir,
    cluster: 'c',
    node: 'n1',
    registries,
    clock: systemClock,
    logger: silentLogger,
  });
  open.push(images);
  return Object.assign(images, { imageDir });
}
const pulling = { secrets: [], signal: new AbortController().signal };

async function loadLayers(...layers: readonly (readonly TarEntry[])[]) {
  const images = await store();
  const tars = await Promise.all(layers.map(tarOf));
  const archive = await dockerArchive({ name: 'x:1', layers: tars });
  const [image] = await images.load(once(archive));
  assert.ok(image);
  return (await images.record(image.id))?.layers ?? [];
}
const shown = (path: string): string =>
  execFileSync('sh', [
    '-c',
    'cd "$1" && find . -printf "%y %p %m %U %l\\n" | sort',
    'sh',
    path,
  ]).toString();

test('whiteouts take the form that overlayfs understands', async () => {
  const layers = await loadLayers(
    [
      { name: 'a/', type: 'directory' },
      { name: 'a/b', content: 'x' },
      { name: 'gone', content: 'y' },
    ],
    [
      { name: 'a/', type: 'directory', mode: 0o750, uid: 7 },
      { name: 'a/.wh..wh..opq', content: '' },
      { name: '.wh.gone', content: '' },
    ],
  );
  const upper = layers[1] ?? '';
  assert.match(shown(upper), /^c \.\/gone /m);
  assert.match(shown(upper), /^d \.\/a 750 7/m);
  const merged = join(folder, 'merged');
  mkdirSync(merged);
  execFileSync('mount', [
    '-t',
    'overlay',
    '-o',
    `lowerdir=${layers.toReversed().join(':')}`,
    'o',
    merged,
  ]);
  try {
    assert.equal(
      shown(merged)
        .split('\n')
        .filter((line) => line.startsWith('f')).length,
      0,
    );
  } finally {
    execFileSync('umount', [merged]);
  }
});

test('owners, modes, links and times survive', async () => {
  const [layer = ''] = await loadLayers([
    { name: 'bin/', type: 'directory' },
    { name: 'bin/su', content: 'x', mode: 0o4755, uid: 5, mtime: new Date(1_000_000_000_000) },
    { name: 'bin/ln', type: 'link', linkname: 'bin/su' },
    { name: 'etc', type: 'symlink', linkname: '/abs/../x' },
  ]);
  assert.match(shown(layer), /^f \.\/bin\/su 4755 5/m);
  assert.match(shown(layer), /^f \.\/bin\/ln 4755 5/m);
  assert.match(shown(layer), /^l \.\/etc 777 0 \/abs\/\.\.\/x/m);
  assert.equal(
    execFileSync('stat', ['-c', '%Y', join(layer, 'bin/su')])
      .toString()
      .trim(),
    '1000000000',
  );
});

test('an entry behind a symbolic link lands inside the image', async () => {
  const outside = join(folder, 'outside');
  mkdirSync(outside);
  const [layer = ''] = await loadLayers([
    { name: 'real/', type: 'directory' },
    { name: 'out', type: 'symlink', linkname: outside },
    { name: 'in', type: 'symlink', linkname: 'real' },
    { name: 'out/evil', content: 'x' },
    { name: 'in/good', content: 'x' },
    { name: '/absolute', content: 'x' },
  ]);
  assert.equal(shown(outside).trim().split('\n').length, 1);
  assert.match(shown(layer), /^f \.\/real\/good/m);
  assert.match(shown(layer), /^f \.\/absolute/m);
  assert.match(shown(layer), new RegExp(`^f \\.${outside}/evil`, 'm'));
});

const bad: readonly {
  readonly name: string;
  readonly entries: readonly TarEntry[];
  readonly want: RegExp;
}[] = [
  { name: 'dots that reach out', entries: [{ name: '../x', content: '' }], want: /reaches out/ },
  {
    name: 'a hard link to the outside',
    entries: [{ name: 'x', type: 'link', linkname: '/etc/shadow' }],
    want: /links to what the layer does not hold/,
  },
  {
    name: 'a device node',
    entries: [{ name: 'sda', type: 'block-device', devmajor: 8, devminor: 0 }],
    want: /device node "sda"/,
  },
];
for (const { name, entries, want } of bad)
  test(`a layer with ${name} is refused and leaves nothing`, async () => {
    await assert.rejects(loadLayers(entries), want);
  });

test('a decompression bomb is stopped', async () => {
  const images = await store();
  const layer = gzipSync(
    await tarOf([{ name: 'zeros', content: Buffer.alloc(300 * 1024 * 1024) }]),
  );
  const archive = await dockerArchive({ name: 'x:1', layers: [layer] });
  await assert.rejects(images.load(once(archive)), /unpacks to more than/);
  assert.equal((await images.usage()).usedBytes, 0);
});

test('a corrupt archive is one clear error', async () => {
  const images = await store();
  await assert.rejects(images.load(once(Buffer.from('not a tar at all'))), /Cannot load image/);
  const archive = await dockerArchive({ name: 'x:1', layers: [Buffer.from('junk')] });
  await assert.rejects(images.load(once(archive)), /Cannot load image/);
});

test('removing the last name removes the image and its layers', async () => {
  const images = await store();
  const archive = await dockerArchive({
    name: 'x:1',
    layers: [await tarOf([{ name: 'f', content: 'x' }])],
  });
  const [image] = await images.load(once(archive));
  assert.ok(image);
  images.use('container', image.id);
  await assert.rejects(images.remove('x:1'), /stands on it/);
  images.unuse('container');
  await images.remove('x:1');
  assert.deepEqual(await images.list(), []);
  assert.equal((await images.usage()).usedBytes, 0);
});

interface Fake {
  readonly server: Server;
  readonly host: string;
  readonly asked: string[];
  readonly layer: Buffer;
}
type Answer = (
  path: string,
  headers: NodeJS.Dict<string | string[]>,
) =>
  | {
      status: number;
      headers?: Record<string, string>;
      body?: Buffer | string;
      cut?: boolean;
      hang?: boolean;
    }
  | undefined;

/** A registry in this process that misbehaves as told. */
async function fakeRegistry(
  special: Answer,
  compress = gzipSync as (b: Buffer) => Buffer,
): Promise<Fake> {
  const tar = await tarOf([{ name: 'file', content: Buffer.alloc(300_000, 'abcdefg') }]);
  const layer = compress(tar);
  const config = JSON.stringify({ config: {}, rootfs: { diff_ids: [digestOf(tar)] } });
  const describe = (content: Buffer | string) => ({
    digest: digestOf(content),
    size: content.length,
  });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    config: describe(config),
    layers: [{ ...describe(layer), mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' }],
  });
  const own = { 'linux/amd64': 'amd64', 'linux/arm64': 'arm64' };
  const index = JSON.stringify({
    manifests: [
      { ...describe('{}'), platform: { os: 'windows', architecture: 'amd64' } },
      ...Object.values(own).map((architecture) => ({
        ...describe(manifest),
        platform: { os: 'linux', architecture },
      })),
    ],
  });
  const blobs = new Map([config, layer, manifest, index].map((one) => [digestOf(one), one]));
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(`${path}${request.headers.range === undefined ? '' : ` ${request.headers.range}`}`);
    const answer = special(path, request.headers);
    if (answer?.hang === true) return;
    if (answer !== undefined) {
      response.writeHead(answer.status, answer.headers);
      if (answer.cut === true)
        response.write(answer.body, () => setTimeout(() => response.destroy(), 50));
      else response.end(answer.body);
      return;
    }
    const name = path.split('/').at(-1) ?? '';
    const body = path.endsWith('/manifests/1') ? index : blobs.get(name);
    if (body === undefined) {
      response.writeHead(404).end();
      return;
    }
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const content = Buffer.from(body);
    if (from > 0)
      response.writeHead(206, {
        'content-range': `bytes ${from}-${content.length - 1}/${content.length}`,
      });
    response.end(content.subarray(from));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  return { server, host: `127.0.0.1:${port}`, asked, layer };
}
async function withFake(
  special: Answer,
  action: (fake: Fake) => Promise<void>,
  compress?: typeof gzipSync,
) {
  const fake = await fakeRegistry(special, compress);
  try {
    await action(fake);
  } finally {
    fake.server.closeAllConnections();
    fake.server.close();
  }
}

test('an index leads to the image of this platform', async () => {
  await withFake(
    () => undefined,
    async ({ host }) => {
      const images = await store();
      const image = await images.pull(`${host}/some/app:1`, pulling);
      assert.deepEqual(image.names, [`${host}/some/app:1`]);
      assert.match(image.digests[0] ?? '', /^127\.0\.0\.1:\d+\/some\/app@sha256:/);
      assert.equal(image.loaded, false);
    },
  );
});

test('a zstd layer is unpacked', async () => {
  await withFake(
    () => undefined,
    async ({ host }) => {
      const images = await store();
      const image = await images.pull(`${host}/app:1`, pulling);
      assert.match(shown((await images.record(image.id))?.layers[0] ?? ''), /file/);
    },
    zstdCompressSync as typeof gzipSync,
  );
});

test('a transfer that breaks is resumed where it stopped', async () => {
  let turns = 0;
  const fake: { now?: Fake } = {};
  await withFake(
    (path) => {
      const layer = fake.now?.layer ?? Buffer.alloc(0);
      if (!path.endsWith(digestOf(layer)) || turns++ > 0) return undefined;
      const headers = { 'content-length': String(layer.length) };
      return { status: 200, headers, body: layer.subarray(0, 200), cut: true };
    },
    async (now) => {
      fake.now = now;
      const images = await store();
      await images.pull(`${now.host}/app:1`, pulling);
      assert.ok(
        now.asked.some((line) => line.endsWith(' bytes=200-')),
        now.asked.join('\n'),
      );
    },
  );
});

test('a layer that lies about its digest is refused', async () => {
  const fake: { now?: Fake } = {};
  await withFake(
    (path) => {
      const layer = fake.now?.layer ?? Buffer.alloc(0);
      return path.endsWith(digestOf(layer))
        ? { status: 200, body: Buffer.alloc(layer.length) }
        : undefined;
    },
    async (now) => {
      fake.now = now;
      const images = await store();
      await assert.rejects(images.pull(`${now.host}/app:1`, pulling), /whose digest is/);
      assert.deepEqual(await images.list(), []);
    },
  );
});

test('a registry that stalls is given up with its name', async () => {
  await withFake(
    () => ({ status: 200, hang: true }),
    async ({ host }) => {
      const images = await store({ stallMs: 100 });
      await assert.rejects(images.pull(`${host}/app:1`, pulling), /does not answer/);
    },
  );
});

test('a bearer token is fetched with the credentials of the Pod', async () => {
  const fake: { host: string } = { host: '' };
  await withFake(
    (path, headers) => {
      const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;
      if (path.startsWith('/token'))
        return headers['authorization'] === basic
          ? { status: 200, body: JSON.stringify({ token: 'good' }) }
          : { status: 401 };
      if (headers['authorization'] === 'Bearer good') return undefined;
      const realm = `Bearer realm="http://${fake.host}/token",service="s",scope="repository:app:pull"`;
      return { status: 401, headers: { 'www-authenticate': realm } };
    },
    async ({ host, asked }) => {
      fake.host = host;
      const images = await store();
      await assert.rejects(images.pull(`${host}/app:1`, pulling), /answered 401/);
      const auth = Buffer.from('me:secret').toString('base64');
      const secrets = [{ auths: { [host]: { auth } } }];
      await images.pull(`${host}/app:1`, { ...pulling, secrets });
      assert.ok(
        asked.some((line) => line.includes('/token?service=s&scope=repository%3Aapp%3Apull')),
      );
    },
  );
});

test('what no registry has is refused with what to do', async () => {
  await withFake(
    () => ({ status: 404 }),
    async ({ host }) => {
      const images = await store();
      await assert.rejects(images.pull(`${host}/nope:2`, pulling), (cause: Error) => {
        assert.match(
          cause.message,
          /no registry has "127\S+nope:2" and it was not loaded: load it with "tandem image load FILE" or push it/,
        );
        return true;
      });
      await assert.rejects(images.pull('Bad Name', pulling), /InvalidImageName|parse image name/);
    },
  );
});

test('a real registry, written to by a real client, is read, through a mirror too', async () => {
  const place = join(folder, 'registry');
  mkdirSync(place);
  const port = 20_000 + (process.pid % 10_000);
  const config = join(place, 'config.yml');
  writeFileSync(
    config,
    `version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: ${place}/data\nhttp:\n  addr: 127.0.0.1:${port}\n`,
  );
  const registry = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  try {
    const host = `127.0.0.1:${port}`;
    const table = (): string => readFileSync('/proc/net/tcp', 'utf8');
    await until('registry', () => table().includes(`:${port.toString(16).toUpperCase()} `));
    const archive = join(folder, 'push.tar');
    const layers = [await tarOf([{ name: 'hello', content: 'world' }])];
    writeFileSync(archive, await dockerArchive({ name: 'x:1', layers }));
    execFileSync('skopeo', [
      'copy',
      '--insecure-policy',
      '--dest-tls-verify=false',
      `docker-archive:${archive}`,
      `docker://${host}/team/x:1`,
    ]);
    const images = await store();
    const image = await images.pull(`${host}/team/x:1`, pulling);
    assert.match(shown((await images.record(image.id))?.layers[0] ?? ''), /hello/);
    const mirrored = await store({ mirrors: { 'docker.io': [`http://${host}`] } });
    assert.equal((await mirrored.pull('team/x:1', pulling)).id, image.id);
    const inside = await store({ networkNamespace: '/proc/self/ns/net' });
    assert.equal((await inside.pull(`${host}/team/x:1`, pulling)).id, image.id);
  } finally {
    registry.kill();
  }
});

test('an OCI layout loads by the name in its annotations', async () => {
  const archive = join(folder, 'layout.tar');
  const source = join(folder, 'source.tar');
  const layers = [await tarOf([{ name: 'hello', content: 'world' }])];
  writeFileSync(source, await dockerArchive({ name: 'x:1', layers }));
  execFileSync('skopeo', [
    'copy',
    '--insecure-policy',
    `docker-archive:${source}`,
    `oci-archive:${archive}:named:3`,
  ]);
  const images = await store();
  const [image] = await images.load(once(readFileSync(archive)));
  assert.deepEqual(image?.names, ['docker.io/library/named:3']);
});
