/** Starting, idling and asking: what somebody at the prompt waits for, and what it costs to leave it on. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { answersReady, cpuMs, freePort, residentMegabytes, startServer } from './cluster.ts';
import type { LineContext, Reading } from './line.ts';
import { round } from './harness.ts';

type Readings = Promise<Readonly<Record<string, Reading>>>;

const launcher = join(import.meta.dirname, '../tandem');
const apiPort = 6443;
/** How long a cluster is left alone before its idle cost is taken. */
const settleMs = 20_000;
const idleSecondsMin = 30;

/** The server's own program, as the reference's figure is its programs': process start to `/readyz`. */
export async function coldStart(): Readings {
  await using server = await startServer();
  return { ready: { value: Math.round(server.readyMs) } };
}

/** A cluster under the launcher, with a home of its own; gone afterwards. */
class LauncherCluster implements AsyncDisposable {
  readonly #name = `bench${process.pid}`;
  readonly #home = mkdtempSync(join(tmpdir(), 'tandem-bench-home-'));
  readonly port: number;

  constructor(port: number) {
    this.port = port;
  }

  static async create(): Promise<LauncherCluster> {
    return new LauncherCluster(await freePort());
  }

  /** Wall time of a verb in ms, from the shell's view: launcher and all. */
  async run(...words: readonly string[]): Promise<number> {
    const startMs = performance.now();
    await this.#spawn(words);
    return performance.now() - startMs;
  }

  up(): Promise<number> {
    return this.run('up', '--port-offset', String(this.port - apiPort));
  }

  async pids(): Promise<{ readonly server: number; readonly agents: readonly number[] }> {
    const text = await this.#spawn(['status', '-o', 'json']);
    const status = JSON.parse(text) as {
      readonly server: { readonly pid: number };
      readonly agents: readonly { readonly pid: number }[];
    };
    return { server: status.server.pid, agents: status.agents.map(({ pid }) => pid) };
  }

  async #spawn([verb = '', ...rest]: readonly string[]): Promise<string> {
    const child = spawn(launcher, [verb, '--name', this.#name, ...rest], {
      env: { ...process.env, HOME: this.#home, KUBECONFIG: join(this.#home, 'config') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errors = '';
    child.stderr.on('data', (chunk) => (errors += String(chunk)));
    let text = '';
    for await (const chunk of child.stdout) text += String(chunk);
    const code = child.exitCode ?? (await new Promise((resolve) => child.once('exit', resolve)));
    if (code !== 0) throw new Error(`tandem ${verb} ended with ${String(code)}: ${errors}`);
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run('destroy', '--yes');
    rmSync(this.#home, { recursive: true, force: true });
  }
}

/** First `up` to a ready API and to its end, `down`, and the second `up`. */
export async function ups(): Readings {
  await using cluster = await LauncherCluster.create();
  const startMs = performance.now();
  const first = cluster.up();
  let readyMs = 0;
  let ended = false;
  void first.then(
    () => (ended = true),
    () => (ended = true),
  );
  while (readyMs === 0 && !ended) {
    if (await answersReady(cluster.port)) readyMs = performance.now() - startMs;
    else await sleep(2);
  }
  const firstMs = await first;
  await cluster.run('down');
  const secondMs = await cluster.up();
  const getMs = await cluster.run('get', 'pods');
  return {
    'first-up-api': { value: Math.round(readyMs) },
    'first-up': { value: Math.round(firstMs) },
    'second-up': { value: Math.round(secondMs) },
    'get-pods': { value: Math.round(getMs) },
  };
}

/** CPU of server and agents of a cluster that is left alone. */
export async function idle(context: LineContext): Readings {
  await using cluster = await LauncherCluster.create();
  await cluster.up();
  const { server, agents } = await cluster.pids();
  await sleep(settleMs);
  const seconds = Math.max(idleSecondsMin, context.seconds);
  const used = (): number[] => [server, ...agents].map(cpuMs);
  const before = used();
  await sleep(seconds * 1000);
  const each = used().map((ms, index) => round((ms - (before[index] ?? 0)) / seconds / 10));
  const [agent] = agents;
  return {
    cpu: {
      value: round(each.reduce((sum, part) => sum + part, 0)),
      details: { server: each[0], agents: each.slice(1), seconds },
    },
    'server-memory': { value: residentMegabytes(server) },
    ...(agent === undefined ? {} : { 'agent-memory': { value: residentMegabytes(agent) } }),
  };
}
