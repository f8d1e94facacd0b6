import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { CommandError } from '#cli';
import type { Node } from '#kube/kinds';
import { nodes } from '../resources.ts';
import { runDirOf, writeAtomic } from './config.ts';
import type { ClusterConfig } from './config.ts';
import { answers, connectTo } from './connect.ts';
import { enterNode } from './node-paths.ts';
import { planOf } from './plan.ts';
import { processState, startSupervised } from './processes.ts';

const mainDir = join(import.meta.dirname, '..');
const readyMsMax = 60_000;

export const serverName = 'server';

/** Names of the processes a cluster should have: the server, then its nodes. */
export function processNames(config: ClusterConfig): readonly string[] {
  const plan = planOf(config);
  return [serverName, ...Array.from({ length: config.nodes }, (_, index) => plan.nodeName(index))];
}

export function logPath(config: ClusterConfig, name: string): string {
  return join(config.dataDir, 'logs', `${name === serverName ? name : `agent-${name}`}.log`);
}

/** Starts those processes of the cluster that do not run; gives their names. */
export async function startProcesses(config: ClusterConfig): Promise<readonly string[]> {
  const runDir = runDirOf(config);
  mkdirSync(runDir, { recursive: true, mode: 0o755 });
  mkdirSync(join(config.dataDir, 'logs'), { recursive: true, mode: 0o755 });
  ensureJoinToken(config);
  const missing = processNames(config).filter(
    (name) => processState(runDir, name).supervisorPid === undefined,
  );
  for (const name of missing) {
    const index = processNames(config).indexOf(name) - 1;
    startSupervised({
      runDir,
      name,
      logPath: logPath(config, name),
      enter: index < 0 ? [] : await enterNode(config, index),
      command: processCommand(config, index),
    });
  }
  return missing;
}

/**
 * The server's heap stays small where that costs nothing: on a quiet machine a nursery of 32 MB and
 * the usual growth bound as many Pods a second (1,339 against 1,336).
 * One malloc arena: objects' bytes come and go on one thread, and arenas only keep holes.
 */
export const serverRuntime = [
  '/usr/bin/env',
  'MALLOC_ARENA_MAX=1',
  process.execPath,
  '--max-semi-space-size=8',
  '--heap-growing-percent=60',
] as const;

/** What runs as the server (`index` below 0) or as the agent of a node. */
export function processCommand(
  config: Pick<ClusterConfig, 'name' | 'root' | 'dataDir'>,
  index: number,
): readonly string[] {
  return [
    ...(index < 0 ? serverRuntime : [process.execPath]),
    '--disable-warning=ExperimentalWarning',
    join(mainDir, index < 0 ? 'server.ts' : 'agent.ts'),
    `--run-dir=${runDirOf(config)}`,
    `--data-dir=${config.dataDir}`,
    ...(index < 0 ? [] : [`--node=${index}`]),
  ];
}

/** The secret with which the cluster's own agents ask for their first certificate. */
export function joinTokenPath(config: Pick<ClusterConfig, 'dataDir'>): string {
  return join(config.dataDir, 'server', 'join-token');
}

export function ensureJoinToken(config: Pick<ClusterConfig, 'dataDir'>): void {
  const path = joinTokenPath(config);
  if (existsSync(path)) return;
  // Bootstrap tokens: [a-z0-9]{6}.[a-z0-9]{16} (kubernetes.io/docs, bootstrap tokens).
  const hex = randomBytes(11).toString('hex');
  writeAtomic(path, `${hex.slice(0, 6)}.${hex.slice(6, 22)}`);
}

/** Waits until the API answers and every node is Ready; explains what went wrong when it does not. */
export async function waitReady(
  config: ClusterConfig,
  onProgress: (text: string) => void,
): Promise<readonly Node[]> {
  const deadline = performance.now() + readyMsMax;
  await waitForServer(config, deadline);
  const connection = connectTo(config);
  try {
    onProgress('API answers');
    for (;;) {
      const { items } = await connection.api.list(nodes);
      const ready = items.filter(isReady);
      if (ready.length >= config.nodes) return ready;
      const failed = processNames(config)
        .slice(1)
        .find((name) => failureOf(config, name) !== undefined);
      if (failed !== undefined) throw notStarted(config, failed);
      if (performance.now() > deadline) {
        throw new CommandError(
          `${ready.length} of ${config.nodes} nodes became Ready in ${readyMsMax / 1000} s: "tandem logs --component agent" and "tandem doctor" tell more`,
        );
      }
      await sleep(15);
    }
  } finally {
    connection.api.close();
  }
}

async function waitForServer(config: ClusterConfig, deadline: number): Promise<void> {
  const ready = join(runDirOf(config), 'server.ready');
  for (;;) {
    if (existsSync(ready) && processState(runDirOf(config), serverName).pid === readPid(ready)) {
      const connection = connectTo(config);
      const up = await answers(connection);
      connection.api.close();
      if (up) return;
    }
    if (failureOf(config, serverName) !== undefined) throw notStarted(config, serverName);
    if (performance.now() > deadline) throw notStarted(config, serverName);
    await sleep(8);
  }
}

/** `server.ready` holds the pid that wrote it, so that one of an earlier process says nothing. */
function readPid(path: string): number {
  return Number(readFileSync(path, 'utf8'));
}

/** Why a process gave up for good (exit 78), as it wrote it itself. */
function failureOf(config: ClusterConfig, name: string): string | undefined {
  const path = join(runDirOf(config), `${name}.failure`);
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
}

function notStarted(config: ClusterConfig, name: string): CommandError {
  const what = name === serverName ? 'server' : `agent of node ${name}`;
  const reason = failureOf(config, name) ?? `it gave no reason: see ${logPath(config, name)}`;
  return new CommandError(`the ${what} could not start: ${reason}`);
}

function isReady(node: Node): boolean {
  return (node.status.conditions ?? []).some(
    (condition) => condition.type === 'Ready' && condition.status === 'True',
  );
}
