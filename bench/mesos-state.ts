/** The master's whole state as tools ask for it, and what others notice of that. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer, untilServiceAccount } from './cluster.ts';
import { percentiles, round } from './harness.ts';
import type { Reading } from './line.ts';
import { countTasks, hollowMesos, portOf } from './mesos.ts';
import { BenchFramework } from './mesos-framework.ts';

const agents = Number(process.env['TANDEM_BENCH_STATE_AGENTS'] ?? 10_000);
const tasksPerAgent = 5;
const turns = 5;

/** `/state` streamed while somebody else asks small questions all the time. */
export async function masterState(): Promise<Readonly<Record<string, Reading>>> {
  await using server = await startServer();
  await untilServiceAccount(server.endpoint);
  await using _nodes = await hollowMesos(server, { nodes: agents, quiet: true });
  const master = `http://127.0.0.1:${portOf(server, 5050)}`;
  const framework = await BenchFramework.subscribe(master);
  const offers = await framework.offersUntil(agents);
  const stored = await countTasks(server, agents * tasksPerAgent);
  await framework.launchAll(offers, tasksPerAgent);
  await stored.all;
  stored.close();
  await sleep(2000);
  const waits: number[] = [];
  const stop = new AbortController();
  const asking = (async () => {
    while (!stop.signal.aborted) {
      const askedMs = performance.now();
      await (await fetch(`${master}/redirect`, { redirect: 'manual' })).arrayBuffer();
      waits.push(performance.now() - askedMs);
      await sleep(2);
    }
  })();
  const taken: number[] = [];
  let bytes = 0;
  for (let turn = 0; turn < turns; turn++) {
    const askedMs = performance.now();
    bytes = await lengthOf(await fetch(`${master}/state`));
    taken.push(performance.now() - askedMs);
  }
  stop.abort();
  await asking;
  framework.close();
  const waited = percentiles(waits);
  return {
    state: {
      value: round(percentiles(taken).p50),
      details: { agents, tasks: agents * tasksPerAgent, megabytes: round(bytes / 1e6) },
    },
    'other-calls-max': { value: waited.max, details: { asked: waits.length, waitedMs: waited } },
  };
}

/** Read and thrown away: gathering it would keep the small questions of this process waiting. */
async function lengthOf({ body }: Response): Promise<number> {
  let bytes = 0;
  for await (const chunk of body ?? []) bytes += (chunk as Uint8Array).byteLength;
  return bytes;
}
