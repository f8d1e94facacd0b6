/** One cluster for the suites of real clients, with an image that has a shell, tar and a web server. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, startCluster, until } from '../cluster/cluster.ts';
import type { Cluster, Ended } from '../cluster/cluster.ts';
import { digestOf, tarOf } from '../os/runtime-kit.ts';
import type { Kubectl } from './kubectl.ts';

/** Ends at once on SIGTERM, answers on port 8080, and says who it is in its log. */
const serve = (version: number): string =>
  `echo started ${version}; mkdir -p /tmp/www; echo version ${version} >/tmp/www/index.html; ` +
  `trap 'exit 0' TERM; httpd -p 8080 -h /tmp/www; while :; do sleep 0.1; done`;

async function kitImage(): Promise<Buffer> {
  const applets = execFileSync('busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n');
  const busybox = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim();
  const layer = await tarOf([
    ...['bin', 'etc', 'tmp', 'root'].map((name) => ({ name, type: 'directory' as const })),
    { name: 'bin/busybox', content: readFileSync(busybox) },
    ...applets
      .filter((name) => name !== 'busybox')
      .map((name) => ({ name: `bin/${name}`, type: 'symlink' as const, linkname: 'busybox' })),
    { name: 'etc/passwd', mode: 0o644, content: 'root:x:0:0::/root:/bin/sh\n' },
  ]);
  const config = (version: number): string =>
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { Env: ['PATH=/bin'], Cmd: ['sh', '-c', serve(version)] },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    });
  const manifest = [1, 2].map((version) => ({
    Config: `${version}.json`,
    RepoTags: [`kit:${version}`],
    Layers: ['layer.tar'],
  }));
  return tarOf([
    { name: 'manifest.json', content: JSON.stringify(manifest) },
    { name: '1.json', content: config(1) },
    { name: '2.json', content: config(2) },
    { name: 'layer.tar', content: layer },
  ]);
}

export async function startInteropCluster(): Promise<Cluster> {
  const cluster = await startCluster();
  try {
    await cluster.load(await kitImage());
    return cluster;
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}

/** A client that runs on: a watch, a proxy, a forwarded port. */
export interface Running extends AsyncDisposable {
  /** What it has printed, both streams. */
  text(): string;
  /** Until it has printed something like this. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
}

/** One kubectl in a namespace of its own. */
export class Kit {
  readonly cluster: Cluster;
  readonly kubectl: Kubectl;
  readonly namespace: string;
  #files = 0;

  constructor(cluster: Cluster, kubectl: Kubectl) {
    this.cluster = cluster;
    this.kubectl = kubectl;
    this.namespace = `v${kubectl.minor}`;
  }
  /** Cluster-wide names must not meet those of other versions. */
  own(name: string): string {
    return `${name}-${this.namespace}`;
  }
  get minor(): number {
    return this.kubectl.minor;
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    const { input, env } = options;
    return run(this.kubectl.path, ['--namespace', options.namespace ?? this.namespace, ...args], {
      env: { ...this.cluster.env, ...env },
      ...(input === undefined ? {} : { input: Buffer.from(input) }),
    });
  }

  /** A call that must succeed; gives what it printed. */
  async ok(...args: readonly string[]): Promise<string> {
    const ended = await this.run(args);
    assert.equal(ended.code, 0, `kubectl ${args.join(' ')}: ${ended.out}${ended.err}`);
    return ended.out;
  }
  /** A call with input that must succeed. */
  async given(input: string, ...args: readonly string[]): Promise<string> {
    const ended = await this.run(args, { input });
    assert.equal(ended.code, 0, `kubectl ${args.join(' ')}: ${ended.out}${ended.err}`);
    return ended.out;
  }
  /** A call that must fail; gives what it said. */
  async fails(...args: readonly string[]): Promise<string> {
    const ended = await this.run(args);
    assert.notEqual(ended.code, 0, `kubectl ${args.join(' ')} should fail: ${ended.out}`);
    return ended.out + ended.err;
  }
  async json(...args: readonly string[]): Promise<Fields> {
    return JSON.parse(await this.ok(...args, '-o', 'json')) as Fields;
  }

  /** A file with these words in a folder that goes with the cluster. */
  file(content: string, end = 'yaml'): string {
    const path = join(this.cluster.home, `${this.namespace}-${this.#files++}.${end}`);
    writeFileSync(path, content, { mode: 0o755 });
    return path;
  }

  /** In a terminal of its own, with keys typed into it. */
  async terminal(keys: string, ...args: readonly string[]): Promise<Ended> {
    const words = [this.kubectl.path, '--namespace', this.namespace, ...args];
    const command = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    const script = ['-qec', `stty rows 33 cols 99; ${command}`, '/dev/null'];
    return run('script', script, { env: this.cluster.env, input: Buffer.from(keys) });
  }

  start(...args: readonly string[]): Running {
    const child = spawn(this.kubectl.path, ['--namespace', this.namespace, ...args], {
      env: this.cluster.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const ended = new Promise<void>((resolve) => {
      child.once('close', () => resolve());
    });
    return {
      text: () => text,
      says: (pattern) =>
        until(
          `kubectl ${args.join(' ')} says ${pattern}: ${text}`,
          () => pattern.exec(text) ?? undefined,
        ),
      async [Symbol.asyncDispose]() {
        child.kill();
        await ended;
      },
    };
  }

  /** A Pod that serves, ready. */
  async pod(name: string, ...more: readonly string[]): Promise<void> {
    await this.ok(
      'run',
      name,
      '--image=kit:1',
      '--restart=Never',
      '--labels',
      `app=${name}`,
      ...more,
    );
    await this.ready(`pod/${name}`);
  }
  async ready(what: string): Promise<void> {
    await this.ok('wait', '--for=condition=Ready', what, '--timeout=30s');
  }
  /** A Deployment that serves, available. */
  async deployment(name: string, replicas = 1): Promise<void> {
    await this.given(deployment(name, replicas), 'apply', '-f', '-');
    await this.ok('rollout', 'status', `deployment/${name}`, '--timeout=30s');
  }
}

interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly namespace?: string;
}

/** Decoded JSON that tests look into without knowing its shape. */
export type Fields = { readonly [key: string]: Fields } & Iterable<Fields>;

export function deployment(name: string, replicas: number): string {
  const labels = { app: name };
  const container = { name: 'main', image: 'kit:1', ports: [{ containerPort: 8080 }] };
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { terminationGracePeriodSeconds: 1, containers: [container] },
      },
    },
  });
}

export function configMap(name: string, data: Readonly<Record<string, string>>): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
}
