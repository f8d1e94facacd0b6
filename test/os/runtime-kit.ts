import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack as openPack } from 'tar-stream';
import type { Header } from 'tar-stream';
import { silentLogger } from '#base';
import { systemClock } from '#io';
import { openOciRuntime, removeEverything } from '#node/runtime';
import type { ContainerSpec, Runtime, RuntimeOptions, SandboxSpec } from '#node/runtime';

export type TarEntry = Partial<Header> &
  Pick<Header, 'name'> & { readonly content?: string | Buffer };

/** A tar archive as bytes. */
export async function tarOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const pack = openPack();
  for (const { content = '', ...header } of entries)
    pack.entry({ mode: 0o755, uid: 0, gid: 0, mtime: new Date(0), ...header }, content);
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const applets = ['sh', 'sleep', 'cat', 'ls', 'echo', 'id', 'stty', 'nc', 'wget', 'ip', 'hostname'];

/** Busybox as one layer: enough of a system to run commands in. */
export async function busyboxLayer(more: readonly string[] = []): Promise<Buffer> {
  const folders = ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev', 'root', 'var'];
  return tarOf([
    ...folders.map((name) => ({ name, type: 'directory' as const })),
    { name: 'bin/busybox', content: readFileSync('/bin/busybox') },
    ...[...applets, ...more].map((name) => ({
      name: `bin/${name}`,
      type: 'symlink' as const,
      linkname: 'busybox',
    })),
    {
      name: 'etc/passwd',
      mode: 0o644,
      content: 'root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n',
    },
    { name: 'etc/group', mode: 0o644, content: 'root:x:0:\nstaff:x:50:app\napp:x:1001:\n' },
  ]);
}

export interface ImagePlan {
  readonly name: string;
  readonly layers: readonly Buffer[];
  readonly config?: Readonly<Record<string, unknown>>;
  readonly gzip?: boolean;
}

export function digestOf(content: Buffer | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** A docker archive as `docker save` writes it. */
export async function dockerArchive({ name, layers, config, gzip }: ImagePlan): Promise<Buffer> {
  const document = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: { Env: ['PATH=/bin', 'FROM_IMAGE=yes'], Cmd: ['/bin/sh'], ...config },
    rootfs: { type: 'layers', diff_ids: layers.map(digestOf) },
  });
  const files = layers.map((layer, index) => ({ name: `l${index}/layer.tar`, content: layer }));
  const manifest = [
    { Config: 'config.json', RepoTags: [name], Layers: files.map((file) => file.name) },
  ];
  const archive = await tarOf([
    { name: 'manifest.json', content: JSON.stringify(manifest) },
    { name: 'config.json', content: document },
    ...files,
  ]);
  return gzip === true ? gzipSync(archive) : archive;
}

export async function* once(content: Buffer): AsyncGenerator<Uint8Array> {
  yield content;
}

export interface Fixture extends AsyncDisposable {
  readonly runtime: Runtime;
  readonly options: RuntimeOptions;
  readonly folder: string;
  /** Ends this runtime as an agent's end does, and opens another on the same folders. */
  reopen(): Promise<Runtime>;
}

export async function openFixture(change: Partial<RuntimeOptions> = {}): Promise<Fixture> {
  const tag = randomBytes(3).toString('hex');
  const folder = mkdtempSync(join(tmpdir(), `tandem-rt-${tag}-`));
  const options: RuntimeOptions = {
    cluster: `t${tag}`,
    node: 'n1',
    dataDir: join(folder, 'data'),
    // As long as those of real clusters: beyond what the address of a socket holds.
    runDir: `/run/tandem-t${tag}-with-a-name-as-long-as-that-of-a-cluster`,
    imageDir: join(folder, 'images'),
    cgroupRoot: `tandem-t${tag}`,
    network: {
      podCidr: `10.${200 + Math.floor(Number.parseInt(tag, 16) % 50)}.${Number.parseInt(tag.slice(0, 2), 16)}.0/24`,
      bridge: `tbr${tag}`,
      mtu: 1500,
    },
    clock: systemClock,
    logger: silentLogger,
    ...change,
  };
  let runtime = await openOciRuntime(options);
  return {
    options,
    folder,
    get runtime() {
      return runtime;
    },
    reopen: async () => {
      await runtime[Symbol.asyncDispose]();
      runtime = await openOciRuntime(options);
      return runtime;
    },
    [Symbol.asyncDispose]: async () => {
      await runtime[Symbol.asyncDispose]();
      await removeEverything({ ...options, bridge: options.network.bridge });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What of a fixture is still on the host: must be nothing. */
export function leftovers({
  options,
  folder,
}: Pick<Fixture, 'options' | 'folder'>): readonly string[] {
  const { cluster, runDir, network, cgroupRoot } = options;
  const found: string[] = [];
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  if (mounts.includes(runDir) || mounts.includes(folder)) found.push('mounts');
  const links = execFileSync('ip', ['-o', 'link']).toString();
  if (links.includes(network.bridge)) found.push('bridge');
  const prefix = `tv${createHash('sha256').update(`${cluster}/n1`).digest('hex').slice(0, 4)}`;
  if (links.includes(` ${prefix}`)) found.push('veth');
  for (const controller of readdirSync('/sys/fs/cgroup'))
    try {
      if (readdirSync(join('/sys/fs/cgroup', controller)).includes(cgroupRoot))
        found.push(`cgroup ${controller}`);
    } catch (cause) {
      if (!(cause instanceof Error) || !/ENOTDIR|ENOENT/.test(cause.message)) throw cause;
    }
  if (readdirSync('/dev/shm').some((name) => name.includes(cluster))) found.push('shm');
  if (readdirSync('/run').includes(runDir.slice('/run/'.length))) found.push('run folder');
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder))
        found.push(`process ${pid}`);
    } catch (cause) {
      if (!(cause instanceof Error) || !/ENOENT|ESRCH/.test(cause.message)) throw cause;
    }
  return found;
}

let pods = 0;
export function sandboxSpec(change: Partial<SandboxSpec> = {}): SandboxSpec {
  const number = pods++;
  return {
    podName: `pod-${number}`,
    podNamespace: 'default',
    podUid: `uid-${process.pid}-${number}`,
    attempt: 0,
    hostname: `pod-${number}`,
    hostNetwork: false,
    hostPid: false,
    hostIpc: false,
    sharePid: false,
    dns: { servers: ['10.96.0.10'], searches: ['default.svc.cluster.local'], options: ['ndots:5'] },
    sysctls: {},
    hostAliases: [],
    labels: {},
    annotations: {},
    resources: {},
    qosClass: 'BestEffort',
    ...change,
  };
}

export function containerSpec(
  folder: string,
  change: Partial<ContainerSpec> & Pick<ContainerSpec, 'imageId'>,
): ContainerSpec {
  const { security, ...rest } = change;
  return {
    name: 'main',
    attempt: 0,
    command: [],
    args: [],
    workingDir: '',
    env: [],
    mounts: [],
    devices: [],
    resources: {},
    tty: false,
    stdin: false,
    stdinOnce: false,
    logPath: join(folder, 'logs', `${pods++}.log`),
    labels: {},
    annotations: {},
    stopSignal: undefined,
    ...rest,
    security: {
      privileged: false,
      runAsUser: undefined,
      runAsUserName: undefined,
      runAsGroup: undefined,
      runAsNonRoot: false,
      supplementalGroups: [],
      readOnlyRootFilesystem: false,
      allowPrivilegeEscalation: true,
      capabilitiesAdd: [],
      capabilitiesDrop: [],
      seccomp: 'Unconfined',
      procMountUnmasked: false,
      ...security,
    },
  };
}

/** Until `check` gives something, at most ten seconds. */
export async function until<T>(what: string, check: () => T | undefined | false): Promise<T> {
  const endMs = performance.now() + 10_000;
  for (;;) {
    const found = check();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > endMs) throw new Error(`Timed out: ${what}`);
    await systemClock.sleep(5);
  }
}

export async function textOf(stream: AsyncIterable<Uint8Array> | undefined): Promise<string> {
  const chunks: Uint8Array[] = [];
  if (stream !== undefined) for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
