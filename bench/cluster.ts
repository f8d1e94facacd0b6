/**
 * A server process of its own for a bench line: the program, flags and composition that `tandem up`
 * starts, with an empty data directory and no nodes, so that it needs no rights and leaves nothing.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../src/main/cluster/config.ts';
import { ensureJoinToken, processCommand } from '../src/main/cluster/start.ts';
import { pkiDir } from '../src/main/cluster/connect.ts';
import { planOf } from '../src/main/cluster/plan.ts';
import { PlainConnection, sendAll, type Endpoint } from './client.ts';

const root = join(import.meta.dirname, '..');
const readyMsMax = 20_000;

/** The environment that the launcher gives: with the runtime's cache of compiled code. */
export const launcherEnv: NodeJS.ProcessEnv = {
  NODE_COMPILE_CACHE: join(root, '.tools/compile-cache'),
  NODE_NO_WARNINGS: '1',
  ...process.env,
};

export class BenchServer implements AsyncDisposable {
  readonly endpoint: Endpoint;
  /** From the start of the process to the first 200 of `/readyz`. */
  readonly readyMs: number;
  readonly pkiDir: string;
  readonly #child: ChildProcess;
  readonly #dataDir: string;

  constructor(of: {
    readonly child: ChildProcess;
    readonly dataDir: string;
    readonly pkiDir: string;
    readonly endpoint: Endpoint;
    readonly readyMs: number;
  }) {
    this.#child = of.child;
    this.#dataDir = of.dataDir;
    this.pkiDir = of.pkiDir;
    this.endpoint = of.endpoint;
    this.readyMs = of.readyMs;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    const killing = setTimeout(() => this.#child.kill('SIGKILL'), 15_000);
    await ended;
    clearTimeout(killing);
    rmSync(this.#dataDir, { recursive: true, force: true });
  }
}

export async function startServer(): Promise<BenchServer> {
  // Not below /tmp, which may be memory: an fsync must be one.
  const dataDir = mkdtempSync(join(root, 'bench/results/.server-'));
  const port = await freePort();
  writeConfig(dataDir, port);
  const config = readConfig(dataDir);
  ensureJoinToken(config);
  const [program = '', ...args] = processCommand(config, -1);
  const log = openSync(join(dataDir, 'server.log'), 'a');
  const startMs = performance.now();
  const child = spawn(program, args, { env: launcherEnv, stdio: ['ignore', log, log], cwd: '/' });
  closeSync(log);
  const readyMs = await firstReady(child, { port, startMs, log: join(dataDir, 'server.log') });
  const dir = pkiDir(config);
  const cert = readFileSync(join(dir, 'admin.crt'), 'utf8');
  const key = readFileSync(join(dir, 'admin.key'), 'utf8');
  return new BenchServer({ child, dataDir, pkiDir: dir, endpoint: { port, cert, key }, readyMs });
}

/** Fields that a server without nodes reads. */
function writeConfig(dataDir: string, port: number): void {
  const ports = planOf({ name: 'bench', slot: 0, portOffset: 0, nodes: 0 }).ports;
  const config = {
    format: 1,
    name: 'bench',
    dataDir,
    slot: 0,
    portOffset: port - ports.api,
    nodes: 0,
    ephemeral: false,
    owner: process.getuid?.() ?? 0,
    authenticate: false,
    root: false,
    kubeconfigs: [],
  };
  mkdirSync(join(dataDir, 'server'), { recursive: true });
  writeFileSync(join(dataDir, 'cluster.json'), JSON.stringify(config));
}

async function firstReady(
  child: ChildProcess,
  of: { readonly port: number; readonly startMs: number; readonly log: string },
): Promise<number> {
  while (child.exitCode === null && performance.now() - of.startMs < readyMsMax) {
    if (await answersReady(of.port)) return performance.now() - of.startMs;
    await sleep(2);
  }
  child.kill('SIGKILL');
  throw new Error(`The server did not become ready:\n${readFileSync(of.log, 'utf8').slice(-2000)}`);
}

/** Whether `/readyz` says 200 to somebody without credentials. */
export async function answersReady(port: number): Promise<boolean> {
  try {
    const connection = await PlainConnection.open({ port, cert: '', key: '' });
    const answer = await connection.send({ method: 'GET', path: '/readyz' });
    connection.close();
    return answer.status === 200;
  } catch {
    return false; // nobody listens yet
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

/** Resident memory in MB, as the kernel counts it. */
export function residentMegabytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(match?.[1] ?? 0) / 1024);
}

/** Milliseconds of CPU that a process has used, threads and waited-for children included. */
export function cpuMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // utime, stime, cutime, cstime (proc(5)), in ticks of 10 ms.
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field) * 10, 0);
}

/** The controllers make it in every namespace; Pods are refused without it. */
export async function untilServiceAccount(endpoint: Endpoint): Promise<void> {
  const connection = await PlainConnection.open(endpoint);
  const path = '/api/v1/namespaces/default/serviceaccounts/default';
  while ((await connection.send({ method: 'GET', path })).status !== 200) await sleep(20);
  connection.close();
}

export function configMapBody(name: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    data: { value: 'x'.repeat(400) },
  });
}

export function podBody(name: string, extra: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'bench' } },
    spec: {
      containers: [
        {
          name: 'main',
          image: 'registry.example/app:1.0',
          command: ['/bin/app', '--listen', '8080'],
          env: [
            { name: 'A', value: '1' },
            { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          ],
          resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
          ports: [{ containerPort: 8080 }],
        },
      ],
      ...extra,
    },
  });
}

const namespaced = '/api/v1/namespaces/default';

export async function createConfigMaps(endpoint: Endpoint, count: number) {
  return await sendAll(endpoint, {
    count,
    request: (index) => ({
      method: 'POST',
      path: `${namespaced}/configmaps`,
      body: configMapBody(`c-${index}`),
    }),
  });
}

export async function deleteConfigMaps(endpoint: Endpoint, count: number) {
  return await sendAll(endpoint, {
    count,
    request: (index) => ({ method: 'DELETE', path: `${namespaced}/configmaps/c-${index}` }),
  });
}

export async function createPods(
  endpoint: Endpoint,
  options: { readonly count: number; readonly extra?: Readonly<Record<string, unknown>> },
) {
  return await sendAll(endpoint, {
    count: options.count,
    request: (index) => ({
      method: 'POST',
      path: `${namespaced}/pods`,
      body: podBody(`p-${index}`, options.extra),
    }),
  });
}
