/** What Mesos and Marathon cost while nobody uses them: never used, looked at, and used once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMs } from './cluster.ts';
import { round } from './harness.ts';
import { LauncherCluster } from './launched.ts';
import type { LineContext, Reading } from './line.ts';
import { BenchFramework, type Update } from './mesos-framework.ts';

const settleMs = 20_000;
const secondsMin = 60;
const taskMsMax = 60_000;

export async function mesosIdle(context: LineContext): Promise<Readonly<Record<string, Reading>>> {
  await using cluster = await LauncherCluster.create();
  await cluster.up();
  const seconds = Math.max(secondsMin, context.seconds);
  const { server, agents } = await cluster.pids();
  const used = (): number[] => [server, ...agents].map(cpuMs);
  const share = async (): Promise<Reading> => {
    await sleep(settleMs);
    const before = used();
    await sleep(seconds * 1000);
    const each = used().map((ms, index) => round((ms - (before[index] ?? 0)) / seconds / 10));
    const value = round(each.reduce((sum, part) => sum + part, 0));
    return { value, details: { server: each[0], agents: each.slice(1), seconds } };
  };
  const unused = await share();
  const master = `http://127.0.0.1:${cluster.portOf(5050)}`;
  const marathon = `http://127.0.0.1:${cluster.portOf(8080)}`;
  for (const url of [`${master}/state`, `${marathon}/v2/apps`]) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
    await answer.arrayBuffer();
  }
  const loaded = await share();
  if (agents.length > 0) await oneTask(master);
  const over = (reading: Reading): Reading => ({
    ...reading,
    value: Math.max(0, round(reading.value - unused.value)),
  });
  return { unused, loaded: over(loaded), 'after-framework': over(await share()) };
}

async function oneTask(master: string): Promise<void> {
  const ended = Promise.withResolvers<void>();
  const late = setTimeout(() => ended.reject(new Error('The task did not end')), taskMsMax);
  const told = ({ state }: Update): void => {
    if (state === 'TASK_FINISHED') ended.resolve();
  };
  const framework = await BenchFramework.subscribe(master, { user: 'root', told });
  await framework.launch([{ id: 'one', command: 'true', cpus: 0.1 }]);
  await ended.promise;
  clearTimeout(late);
  await framework.teardown();
}
