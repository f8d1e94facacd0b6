/** Mesos and Marathon through the whole server, over hollow nodes. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlainConnection } from './client.ts';
import { launcherEnv, startServer, untilServiceAccount, type BenchServer } from './cluster.ts';
import { percentiles, round } from './harness.ts';
import type { Reading } from './line.ts';
import { BenchFramework, waitMsMax } from './mesos-framework.ts';

const launchNodes = 1000;
const tasksPerOffer = 20;
const marathonNodes = 500;
const apps = 1000;
const instancesPerApp = 10;

/** Port of a face: the server's offset is that of its API port. */
export function portOf(server: BenchServer, standard: number): number {
  return standard + server.endpoint.port - 6443;
}

export async function hollowMesos(
  server: BenchServer,
  options: { readonly nodes: number; readonly quiet: boolean },
): Promise<AsyncDisposable> {
  const child = spawn(
    process.execPath,
    [
      join(import.meta.dirname, 'hollow-mesos.ts'),
      `--port=${server.endpoint.port}`,
      `--pki=${server.pkiDir}`,
      `--nodes=${options.nodes}`,
      ...(options.quiet ? ['--quiet'] : []),
    ],
    { env: launcherEnv, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const ready = Promise.withResolvers<void>();
  child.once('exit', () => ready.reject(new Error('The hollow nodes ended')));
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'ready') ready.resolve();
  });
  await ready.promise;
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/**
 * From the first ACCEPT sent until all are answered, which they are when their tasks are durable, and
 * the API has counted every one of them.
 */
export async function launches(): Promise<Readonly<Record<string, Reading>>> {
  await using server = await startServer();
  await untilServiceAccount(server.endpoint);
  await using _nodes = await hollowMesos(server, { nodes: launchNodes, quiet: true });
  const framework = await BenchFramework.subscribe(`http://127.0.0.1:${portOf(server, 5050)}`);
  const offers = await framework.offersUntil(launchNodes);
  const wanted = offers.length * tasksPerOffer;
  const startMs = performance.now();
  await framework.launchAll(offers, tasksPerOffer);
  const count = await storedTasks(server);
  const seconds = (performance.now() - startMs) / 1000;
  framework.close();
  if (count !== wanted) throw new Error(`${count} of ${wanted} tasks are stored`);
  return {
    rate: {
      value: Math.round(wanted / seconds),
      details: { tasks: wanted, agents: offers.length },
    },
  };
}

/** How many tasks the API shows: of a list of one, with the number of those that remain. */
async function storedTasks(server: BenchServer): Promise<number> {
  const connection = await PlainConnection.open(server.endpoint);
  const path = '/apis/mesos.tandem.dev/v1/tasks?limit=1';
  const { body } = await connection.send({ method: 'GET', path });
  connection.close();
  const { items, metadata } = JSON.parse(body.toString()) as {
    readonly items: readonly unknown[];
    readonly metadata: { readonly remainingItemCount?: number };
  };
  return items.length + (metadata.remainingItemCount ?? 0);
}

/** Counts tasks by their names in the bytes of a watch: what it shows is durable. */
export async function countTasks(server: BenchServer, count: number) {
  const connection = await PlainConnection.open(server.endpoint);
  const done = Promise.withResolvers<void>();
  let seen = 0;
  let rest = '';
  const mark = '"type":"ADDED"';
  connection.stream('/apis/mesos.tandem.dev/v1/tasks?watch=1', (chunk) => {
    const text = rest + chunk.toString('latin1');
    let from = 0;
    for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, from)) {
      seen++;
      from = at + mark.length;
    }
    rest = text.slice(Math.max(from, text.length - mark.length + 1));
    if (seen >= count) done.resolve();
  });
  const late = setTimeout(
    () => done.reject(new Error(`${seen} of ${count} tasks were stored in time`)),
    waitMsMax,
  );
  return {
    all: done.promise,
    close: () => {
      clearTimeout(late);
      connection.close();
    },
  };
}

/** 1,000 apps of 10 instances, posted as one group, until all of them run; then the list of them. */
export async function marathonApps(): Promise<Readonly<Record<string, Reading>>> {
  await using server = await startServer();
  await untilServiceAccount(server.endpoint);
  await using _nodes = await hollowMesos(server, { nodes: marathonNodes, quiet: false });
  const marathon = `http://127.0.0.1:${portOf(server, 8080)}`;
  await fetch(`${marathon}/ping`);
  const group = {
    id: '/bench',
    apps: Array.from({ length: apps }, (_, index) => ({
      id: `app-${index}`,
      cmd: 'sleep 1000',
      cpus: 0.1,
      mem: 32,
      instances: instancesPerApp,
      portDefinitions: [],
    })),
  };
  const startMs = performance.now();
  const posted = await fetch(`${marathon}/v2/groups`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(group),
  });
  if (posted.status !== 201) throw new Error(`${posted.status} ${await posted.text()}`);
  await posted.arrayBuffer();
  const late = startMs + waitMsMax;
  for (;;) {
    const deployments = (await (await fetch(`${marathon}/v2/deployments`)).json()) as unknown[];
    if (deployments.length === 0) break;
    if (performance.now() > late) throw new Error('The deployment did not end in time');
    await sleep(100);
  }
  const seconds = (performance.now() - startMs) / 1000;
  const listed: number[] = [];
  for (let turn = 0; turn < 10; turn++) {
    const askedMs = performance.now();
    const list = (await (await fetch(`${marathon}/v2/apps`)).json()) as {
      readonly apps: readonly { readonly tasksRunning: number }[];
    };
    listed.push(performance.now() - askedMs);
    const running = list.apps.reduce((sum, app) => sum + app.tasksRunning, 0);
    if (running !== apps * instancesPerApp) throw new Error(`${running} instances are running`);
  }
  return {
    deployed: { value: round(seconds), details: { apps, instances: apps * instancesPerApp } },
    list: { value: round(percentiles(listed).p50) },
  };
}
