import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '#base';
import { createFakeApi, createInformer } from '#client';
import { systemFiles } from '#io';
import type { Image, Images } from '#node/runtime';
import { createSimClock, seededRandom } from '#sim';
import { FakeRuntime } from './fake-runtime.ts';
import { Housekeeping } from './housekeeping.ts';
import { ImageManager } from './images.ts';
import type { KubeletOptions } from './options.ts';

const never = new AbortController().signal;
const minuteMs = 60_000;

/** Images of 100 bytes each on a disk that is as full as `usedShare` says. */
class FullDisk implements Images {
  readonly kept = new Map<string, Image>();
  usedShare = 0.5;
  constructor(names: readonly string[]) {
    for (const name of names) {
      const loaded = name.startsWith('loaded');
      const config = {
        user: '',
        env: [],
        entrypoint: ['/x'],
        cmd: [],
        workingDir: '',
        stopSignal: undefined,
        volumes: [],
      };
      this.kept.set(name, { id: name, names: [name], digests: [], bytes: 100, loaded, config });
    }
  }
  async resolve(name: string): Promise<Image | undefined> {
    return this.kept.get(name);
  }
  async pull(name: string): Promise<Image> {
    throw new Error(`no registry has ${name}`);
  }
  async load(): Promise<readonly Image[]> {
    return [];
  }
  async list(): Promise<readonly Image[]> {
    return [...this.kept.values()];
  }
  async remove(name: string): Promise<void> {
    this.kept.delete(name);
    this.usedShare -= 0.1;
  }
  async usage(): ReturnType<Images['usage']> {
    const availableBytes = Math.round(1000 * (1 - this.usedShare));
    return { usedBytes: 0, capacityBytes: 1000, availableBytes, inodes: 0, inodesFree: 0 };
  }
}

/** Logs are real files; rotating one does what conmon does. */
class MachineWithDisk extends FakeRuntime {
  override readonly images: FullDisk;
  readonly folder: string;
  rotations = 0;
  constructor(
    options: ConstructorParameters<typeof FakeRuntime>[0],
    disk: { readonly images: FullDisk; readonly folder: string },
  ) {
    super(options);
    this.images = disk.images;
    this.folder = disk.folder;
  }
  override logPath(): string {
    return join(this.folder, '0.log');
  }
  override async rotateLog(): Promise<void> {
    await rename(this.logPath(), `${this.logPath()}.20260101-00000${this.rotations++}`);
    await writeFile(this.logPath(), '');
  }
}

async function machine(names: readonly string[]) {
  const clock = createSimClock();
  const folder = await mkdtemp(join(tmpdir(), 'tandem-house-'));
  const images = new FullDisk(names);
  const runtime = new MachineWithDisk({ clock }, { images, folder });
  const random = seededRandom(1);
  const options: KubeletOptions = {
    api: createFakeApi({ clock, random }),
    runtime,
    clock,
    random,
    logger: silentLogger,
    createInformer,
    recorder: { event: () => undefined },
    files: systemFiles,
    net: {
      http: () => Promise.reject(),
      tcp: () => Promise.reject(),
      grpc: () => Promise.reject(),
    },
    nodeName: 'n1',
    nodeIp: '127.0.0.1',
    version: 'v1.36.2',
    clusterDns: '',
    clusterDomain: 'cluster.local',
    dirs: { pods: folder, memory: folder, logs: folder },
    authorize: () => true,
  };
  const manager = new ImageManager(images, clock);
  const [sandbox] = await Promise.all([
    runtime.createSandbox({ podUid: 'u', attempt: 0, hostNetwork: false } as never, never),
    clock.advance(10),
  ]);
  const run = async (imageId: string): Promise<string> => {
    const spec = { name: imageId, attempt: 0, imageId, labels: {} } as never;
    const [container] = await Promise.all([
      runtime.createContainer(sandbox.id, spec),
      clock.advance(10),
    ]);
    await Promise.all([runtime.startContainer(container.id), clock.advance(10)]);
    return container.id;
  };
  const house = new Housekeeping(options, manager);
  return { clock, images, runtime, manager, house, run, folder };
}

test('Images go when 85 % are used, the longest unused first, until 80 % are left', async () => {
  const names = ['used', 'old', 'fresh', 'loaded:1'];
  const { clock, images, manager, house, run, folder } = await machine(names);
  await run('used');
  await house.collectImages({ all: false });
  images.usedShare = 0.84;
  await clock.advance(5 * minuteMs);
  manager.used('fresh');
  await house.collectImages({ all: false });
  assert.deepEqual([...images.kept.keys()], names);
  await clock.advance(3 * minuteMs);
  images.usedShare = 0.86;
  await house.collectImages({ all: false });
  // All have been seen since; the one that nobody used since then goes, which is enough.
  assert.deepEqual([...images.kept.keys()], ['used', 'fresh', 'loaded:1']);
  await rm(folder, { recursive: true });
});

test('Under pressure all unused images go but those that were loaded or are young', async () => {
  const { clock, images, manager, house, run, folder } = await machine([
    'used',
    'a',
    'b',
    'loaded:1',
  ]);
  await run('used');
  images.usedShare = 0.95;
  await house.collectImages({ all: true });
  await clock.advance(3 * minuteMs);
  manager.used('b');
  await house.collectImages({ all: true });
  assert.deepEqual([...images.kept.keys()], ['used', 'b', 'loaded:1']);
  await rm(folder, { recursive: true });
});

test('A log beyond ten MiB is rotated, and five files at most are kept', async () => {
  const { runtime, house, run, folder } = await machine(['used']);
  await run('used');
  const path = runtime.logPath();
  await writeFile(path, 'small');
  await house.rotateLogs();
  assert.equal(runtime.rotations, 0);
  for (let turn = 0; turn < 7; turn++) {
    await appendFile(path, Buffer.alloc(11 * 2 ** 20));
    await house.rotateLogs();
  }
  assert.equal(runtime.rotations, 7);
  const names = (await readdir(folder)).toSorted();
  assert.deepEqual(names, ['0.log', ...[3, 4, 5, 6].map((n) => `0.log.20260101-00000${n}`)]);
  await rm(folder, { recursive: true });
});
