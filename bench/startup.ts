/** Starting, idling and asking: what somebody at the prompt waits for, and what it costs to leave it on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { answersReady, cpuMs, residentMegabytes, startServer } from './cluster.ts';
import type { LineContext, Reading } from './line.ts';
import { round } from './harness.ts';
import { LauncherCluster } from './launched.ts';

type Readings = Promise<Readonly<Record<string, Reading>>>;

/** How long a cluster is left alone before its idle cost is taken. */
const settleMs = 20_000;
const idleSecondsMin = 30;

/** The server's own program, as the reference's figure is its programs': process start to `/readyz`. */
export async function coldStart(): Readings {
  await using server = await startServer();
  return { ready: { value: Math.round(server.readyMs) } };
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
