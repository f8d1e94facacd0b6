/**
 * A step of the set-up: fills the runtime's cache of compiled code (`NODE_COMPILE_CACHE`), so that
 * the first `tandem up` starts as fast as every later one. One file that is not in it costs 70 ms
 * and more: the runtime then loads what strips types.
 *
 * The programs run as `up` runs them, since the cache also depends on the runtime's flags: the
 * server on an empty data directory until it serves, the agent until its code is loaded.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runDirOf } from './cluster/config.ts';
import { planOf } from './cluster/plan.ts';
import { ensureJoinToken, processCommand, serverName } from './cluster/start.ts';

const serveMsMax = 20_000;

const dataDir = mkdtempSync(join(tmpdir(), 'tandem-warm-'));
try {
  const small = { format: 1, name: 'warm', dataDir, slot: 0, nodes: 0, root: false };
  const { ports } = planOf({ ...small, portOffset: 0 });
  const config = { ...small, portOffset: (await freePort()) - ports.api, ephemeral: false };
  mkdirSync(join(dataDir, 'server'));
  writeFileSync(join(dataDir, 'cluster.json'), JSON.stringify(config));
  ensureJoinToken(config);
  const ready = join(runDirOf(config), `${serverName}.ready`);
  await Promise.all([
    runUntil([...processCommand(config, -1)], () => existsSync(ready)),
    runUntil([...processCommand(config, 0), '--load-only'], () => false),
    // What `up` and the other verbs load only when they are asked for.
    import('./cluster/up.ts'),
    import('./cluster/stop.ts'),
    import('./cluster/status.ts'),
    import('./cluster/connect.ts'),
    import('./cluster/small.ts'),
    import('#cli'),
  ]);
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}
process.exit();

/** Runs a program until it ends or `done` says that it may be ended. */
async function runUntil(
  [program = '', ...args]: readonly string[],
  done: () => boolean,
): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'], cwd: '/' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const deadline = performance.now() + serveMsMax;
  while (!done() && runs(child) && performance.now() < deadline) await sleep(20);
  child.kill('SIGTERM');
  await ended;
}

function runs(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}
