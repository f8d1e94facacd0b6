/** Whole clusters for the suites of this folder: each has its own name, home, ports and data. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as openTls } from 'node:tls';

/** The long forms: the figures that the project promises, instead of a sample of them. */
export const long = process.env['TANDEM_TEST_LONG'] === '1';
export const checkout = resolve(import.meta.dirname, '../..');

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly ms: number;
}

/** What `status -o json` says, as far as tests read it. */
export interface Status {
  readonly name: string;
  readonly dataDir: string;
  readonly url: string;
  readonly healthy: boolean;
  readonly server: Part & { readonly ready: boolean };
  readonly agents: readonly (Part & {
    readonly node: string;
    readonly ready: boolean;
    readonly address: string;
  })[];
}
interface Part {
  readonly pid: number | null;
  readonly supervisorPid: number | null;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  json(): Json;
}
/** Decoded JSON that tests look into without knowing its shape. */
export type Json = { readonly [key: string]: Json } & {
  readonly [index: number]: Json;
} & Iterable<Json>;

export interface ClusterOptions {
  /** Flags of the first `up`; nothing is started when absent. */
  readonly up?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly dataDir?: string;
}

/** A name nobody else uses, and a port offset in the range that these suites may use. */
export class Cluster implements AsyncDisposable {
  readonly name = `c${randomBytes(3).toString('hex')}`;
  readonly offset = freeOffset();
  /** Everybody may write there: plain processes run as nobody. */
  readonly home = openFolder();
  readonly env: Readonly<Record<string, string>>;
  readonly #dataDir: string | undefined;
  #agent: Agent | undefined;

  constructor(options: ClusterOptions = {}) {
    this.#dataDir = options.dataDir;
    const { KUBECONFIG: _theirs, ...inherited } = process.env as Record<string, string>;
    this.env = { ...inherited, HOME: this.home, NO_COLOR: '1', ...options.env };
  }

  get dataDir(): string {
    return this.#dataDir ?? `/var/lib/tandem/${this.name}`;
  }
  get runDir(): string {
    return `/run/tandem/${this.name}`;
  }
  get url(): string {
    return `https://127.0.0.1:${6443 + this.offset}`;
  }
  get kubeconfig(): string {
    return join(this.home, '.kube/config');
  }

  /** One command of `./tandem` on this cluster. */
  tandem(verb: string, ...args: readonly string[]): Promise<Ended> {
    return run(join(checkout, 'tandem'), [verb, '--name', this.name, ...args], { env: this.env });
  }

  async up(...flags: readonly string[]): Promise<Ended> {
    const dir = this.#dataDir === undefined ? [] : ['--data-dir', this.#dataDir];
    const ended = await this.tandem('up', '--port-offset', String(this.offset), ...dir, ...flags);
    if (ended.code !== 0)
      throw new Error(`up ended with ${ended.code}: ${ended.err}${this.logs()}`);
    return ended;
  }

  /** A command that must succeed; gives what it printed. */
  async must(verb: string, ...args: readonly string[]): Promise<string> {
    const ended = await this.tandem(verb, ...args);
    if (ended.code !== 0)
      throw new Error(`${verb} ${args.join(' ')} ended with ${ended.code}: ${ended.err}`);
    return ended.out;
  }

  async status(): Promise<Status> {
    const { out } = await this.tandem('status', '-o', 'json');
    return JSON.parse(out) as Status;
  }

  kubectl(...args: readonly string[]): Promise<Ended> {
    return run('kubectl', args, { env: this.env });
  }

  pid(name: string): number {
    return Number(readFileSync(join(this.runDir, `${name}.pid`), 'utf8'));
  }

  credentials(): { readonly ca: string; readonly cert: string; readonly key: string } {
    const read = (name: string): string =>
      readFileSync(join(this.dataDir, 'server/pki', name), 'utf8');
    return { ca: read('ca.crt'), cert: read('admin.crt'), key: read('admin.key') };
  }

  /** Connections to the API that are kept: `forget` closes them. */
  get agent(): Agent {
    this.#agent ??= new Agent({ keepAlive: true, maxSockets: 32, ...this.credentials() });
    return this.#agent;
  }
  forget(): void {
    this.#agent?.destroy();
    this.#agent = undefined;
  }

  /** One request; rejects when the connection breaks before the whole answer is here. */
  api(method: string, path: string, body?: unknown): Promise<Answer> {
    return ask(this.agent, { method, url: `${this.url}${path}`, body });
  }

  /** A request that must be answered with 2xx; gives the object. */
  async call(method: string, path: string, body?: unknown): Promise<Json> {
    const answer = await this.api(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json();
  }

  /** Lines of a watch from a revision, until the signal aborts or the server goes. */
  async *watch(path: string, signal: AbortSignal): AsyncGenerator<Json> {
    const stream = await openStream(this.agent, `${this.url}${path}`, signal);
    let rest = '';
    try {
      for await (const chunk of stream) {
        const lines = (rest + (chunk as Buffer).toString()).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) yield JSON.parse(line) as Json;
      }
    } catch (error) {
      if (!isBroken(error)) throw error;
    }
  }

  async pod(name: string, namespace = 'default'): Promise<Json | undefined> {
    const answer = await this.api('GET', `/api/v1/namespaces/${namespace}/pods/${name}`);
    return answer.status === 404 ? undefined : answer.json();
  }

  /** The Pod once `check` likes it. */
  async podThat(name: string, check: (pod: Json) => boolean, seconds = 20): Promise<Json> {
    let last: Json | undefined;
    try {
      return await until(
        `pod ${name}`,
        async () => {
          last = await this.pod(name);
          return last !== undefined && check(last) ? last : undefined;
        },
        seconds,
      );
    } catch (cause) {
      const status = JSON.stringify(last?.['status']);
      throw new Error(`Pod ${name} is not as it must be: ${status}${this.logs()}`, { cause });
    }
  }
  running(name: string): Promise<Json> {
    return this.podThat(name, (pod) => isRunning(pod));
  }

  async load(image: Buffer): Promise<void> {
    const ended = await run(join(checkout, 'tandem'), ['image', 'load', '--name', this.name, '-'], {
      env: this.env,
      input: image,
    });
    if (ended.code !== 0) throw new Error(`image load: ${ended.err}`);
  }

  /** The end of every log, for messages of failed tests. */
  logs(): string {
    const folder = join(this.dataDir, 'logs');
    if (!existsSync(folder)) return '';
    return readdirSync(folder)
      .map((file) => `\n--- ${file}\n${readFileSync(join(folder, file), 'utf8').slice(-1500)}`)
      .join('');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.forget();
    const ended = await this.tandem('destroy', '--yes');
    rmSync(this.home, { recursive: true, force: true });
    if (ended.code !== 0) throw new Error(`destroy ended with ${ended.code}: ${ended.err}`);
  }
}

/** A cluster that is up. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = new Cluster(options);
  try {
    await cluster.up(...(options.up ?? []));
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
  return cluster;
}

export async function run(
  program: string,
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly input?: Buffer;
    readonly minutesMax?: number;
  } = {},
): Promise<Ended> {
  const startMs = performance.now();
  const child = spawn(program, args, {
    ...(options.env === undefined ? {} : { env: options.env }),
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    timeout: (options.minutesMax ?? 3) * 60_000,
  });
  child.stdin?.end(options.input);
  const texts = { out: '', err: '' };
  child.stdout?.on('data', (chunk: Buffer) => (texts.out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (texts.err += chunk.toString()));
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? -1));
  });
  return { code, ...texts, ms: performance.now() - startMs };
}

/** A program that must succeed; gives what it printed. */
export async function output(program: string, ...args: readonly string[]): Promise<string> {
  const ended = await run(program, args);
  if (ended.code !== 0)
    throw new Error(`${program} ${args.join(' ')} ended with ${ended.code}: ${ended.err}`);
  return ended.out;
}

interface Ask {
  readonly method: string;
  readonly url: string;
  readonly body?: unknown;
}

export function ask(agent: Agent, { method, url, body }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const type =
      method === 'PATCH' ? 'application/merge-patch+json' : 'application/json; charset=utf-8';
    const sent = request(
      url,
      {
        agent,
        method,
        timeout: 30_000,
        headers: text === undefined ? {} : { 'content-type': type },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('close', () => {
          if (!response.complete) return reject(new Error('aborted: the answer is cut off'));
          const whole = Buffer.concat(chunks).toString();
          resolve({
            status: response.statusCode ?? 0,
            text: whole,
            json: () => JSON.parse(whole) as Json,
          });
        });
      },
    );
    sent.on('timeout', () => sent.destroy(new Error('no answer in 30 s')));
    sent.on('error', reject);
    sent.end(text);
  });
}

function openStream(
  agent: Agent,
  url: string,
  signal: AbortSignal,
): Promise<AsyncIterable<unknown>> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, signal }, (response) => {
      if (response.statusCode === 200) resolve(response);
      else reject(new Error(`watch answered ${response.statusCode}`));
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** True for what a killed server or an aborted request does to a connection. */
export function isBroken(error: unknown): boolean {
  const text = error instanceof Error ? `${error.name} ${error.message}` : String(error);
  return /ECONNRESET|ECONNREFUSED|EPIPE|aborted|AbortError|socket hang up|disconnected/.test(text);
}

export function isRunning(pod: Json): boolean {
  return (
    String(pod['status']?.['phase']) === 'Running' &&
    [...(pod['status']?.['containerStatuses'] ?? [])].every((status) => status['ready'] as unknown)
  );
}

/** Waits for a state, looking again every few milliseconds, at most `seconds`. */
export async function until<T>(
  what: string,
  check: () => T | undefined | Promise<T | undefined>,
  seconds = 20,
): Promise<T> {
  const endMs = performance.now() + seconds * 1000;
  let last: unknown;
  for (;;) {
    try {
      const found = await check();
      if (found !== undefined && found !== false) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > endMs)
      throw new Error(`Not within ${seconds} s: ${what}`, { cause: last });
    await sleep(10);
  }
}

/** A Pod of one process without an image, on the host's own file system. */
export function processPod(name: string, script: string, spec: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: {
      runtimeClassName: 'process',
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', command: ['/bin/sh', '-c', script] }],
      ...spec,
    },
  };
}
/** Lets Pods that a controller makes in the namespace be plain processes. */
export async function allowProcesses(cluster: Cluster): Promise<void> {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  await cluster.call('POST', `${rbac}/clusterroles`, {
    metadata: { name: 'run-processes' },
    rules: [
      {
        apiGroups: ['node.k8s.io'],
        resources: ['runtimeclasses'],
        resourceNames: ['process'],
        verbs: ['use'],
      },
    ],
  });
  await cluster.call('POST', `${rbac}/clusterrolebindings`, {
    metadata: { name: 'run-processes' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'run-processes' },
    subjects: [
      { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:serviceaccounts' },
    ],
  });
}

/** For `python3 -c`: answers on 8080 with the Pod's name and the client's address. */
export const webServer = [
  'import http.server, os, signal',
  'signal.signal(signal.SIGTERM, lambda *_: os._exit(0))',
  'class Answer(http.server.BaseHTTPRequestHandler):',
  '  def do_GET(self):',
  '    body = (os.environ["HOSTNAME"] + " " + self.client_address[0] + "\\n").encode()',
  '    self.send_response(200)',
  '    self.send_header("Content-Length", str(len(body)))',
  '    self.end_headers()',
  '    self.wfile.write(body)',
  '  def log_message(self, *_): pass',
  'http.server.ThreadingHTTPServer(("", 8080), Answer).serve_forever()',
].join('\n');

/** Ends at once on SIGTERM, else never. */
export const waitForever = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

/** Numbers of all processes whose command line fits. */
export function processesWith(fits: (line: string) => boolean): readonly number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => pid !== process.pid && fits(commandLine(pid)));
}
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // it has ended
  }
}

/** Every process of a cluster: server, agents, supervisors, conmons, containers. */
export function allProcesses(cluster: Cluster): readonly number[] {
  const marks = [`${cluster.runDir}/`, `${cluster.runDir} `, `${cluster.dataDir}/`];
  const named = processesWith((line) => marks.some((mark) => line.includes(mark)));
  return [...new Set([...named, ...containerProcesses(cluster)])];
}

/** Processes in the control groups of the cluster, or of one of its nodes. */
export function containerProcesses(cluster: Cluster, node = ''): readonly number[] {
  const tree = existsSync('/sys/fs/cgroup/memory') ? 'memory' : '';
  const root = join('/sys/fs/cgroup', tree, `tandem-${cluster.name}`, node);
  // Groups go while they are looked at: then once more.
  for (;;) {
    if (!existsSync(root)) return [];
    try {
      return readdirSync(root, { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('cgroup.procs'))
        .flatMap((path) => readFileSync(join(root, path), 'utf8').split('\n'))
        .filter((line) => line !== '')
        .map(Number);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENODEV') throw error;
    }
  }
}

export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
export { openTls, sleep };

function openFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-cluster-'));
  chmodSync(folder, 0o777);
  return folder;
}

/** In the range of these suites, with both ports of a cluster free. */
function freeOffset(): number {
  const taken = new Set(
    ['tcp', 'tcp6'].flatMap((file) =>
      readFileSync(`/proc/net/${file}`, 'utf8')
        .split('\n')
        .map((line) => Number.parseInt(line.trim().split(' ')[1]?.split(':')[1] ?? '', 16)),
    ),
  );
  for (;;) {
    const offset = 3000 + (randomBytes(2).readUInt16BE() % 900);
    if (!taken.has(6443 + offset) && !taken.has(10_250 + offset)) return offset;
  }
}
