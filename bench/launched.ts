/** A whole cluster for a bench line, made and asked as a person does it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './cluster.ts';

const launcher = join(import.meta.dirname, '../tandem');
const apiPort = 6443;

/** A cluster under the launcher, with a home of its own; gone afterwards. */
export class LauncherCluster implements AsyncDisposable {
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

  /** Port of a face, by the one it has without an offset. */
  portOf(standard: number): number {
    return standard + this.port - apiPort;
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
