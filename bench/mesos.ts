/** Mesos and Marathon through the whole server, over hollow nodes. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlainConnection } from './client.ts';
import { launcherEnv, startServer, untilServiceAccount, type BenchServer } from './cluster.ts';
import { percentiles, round } from './harness.ts';
import type { Reading } from './line.ts';

const launchNodes = 1000;
const tasksPerOffer = 20;
const callers = 32;
const marathonNodes = 500;
const apps = 1000;
const instancesPerApp = 10;
const waitMsMax = 180_000;

/** Port of a face: the server's offset is that of its API port. */
function portOf(server: BenchServer, standard: number): number {
  return standard + server.endpoint.port - 6443;
}

async function hollowMesos(
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

interface Offer {
  readonly id: { readonly value: string };
  readonly agent_id: { readonly value: string };
}

/** From the first ACCEPT sent until every task of all of them is in the store. */
export async function launches(): Promise<Readonly<Record<string, Reading>>> {
  await using server = await startServer();
  await untilServiceAccount(server.endpoint);
  await using _nodes = await hollowMesos(server, { nodes: launchNodes, quiet: true });
  const framework = await BenchFramework.subscribe(`http://127.0.0.1:${portOf(server, 5050)}`);
  const offers = await framework.offersUntil(launchNodes);
  const wanted = offers.length * tasksPerOffer;
  const stored = await countTasks(server, wanted);
  const startMs = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let index = next++; index < offers.length; index = next++) {
        const offer = offers[index];
        if (offer !== undefined) await framework.launch(offer, index);
      }
    }),
  );
  const takenMs = performance.now() - startMs;
  await stored.all;
  const seconds = (performance.now() - startMs) / 1000;
  framework.close();
  stored.close();
  return {
    rate: {
      value: Math.round(wanted / seconds),
      details: { tasks: wanted, agents: offers.length, callsAnsweredMs: Math.round(takenMs) },
    },
  };
}

class BenchFramework {
  readonly #master: string;
  readonly #headers: Record<string, string> = { 'content-type': 'application/json' };
  readonly #offers: Offer[] = [];
  readonly #stop = new AbortController();
  #id = '';
  #wake: () => void = () => undefined;

  private constructor(master: string) {
    this.#master = master;
  }

  static async subscribe(master: string): Promise<BenchFramework> {
    const framework = new BenchFramework(master);
    const info = {
      user: 'nobody',
      name: 'bench',
      roles: ['*'],
      capabilities: [{ type: 'MULTI_ROLE' }],
    };
    const response = await fetch(`${master}/api/v1/scheduler`, {
      method: 'POST',
      headers: framework.#headers,
      body: JSON.stringify({ type: 'SUBSCRIBE', subscribe: { framework_info: info } }),
      signal: framework.#stop.signal,
    });
    if (response.status !== 200 || response.body === null) throw new Error(await response.text());
    framework.#headers['mesos-stream-id'] = response.headers.get('mesos-stream-id') ?? '';
    void framework.#read(response.body);
    return framework;
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let unread = Buffer.alloc(0);
    try {
      for await (const chunk of body) {
        unread = Buffer.concat([unread, chunk]);
        for (let end = unread.indexOf(10); end >= 0; end = unread.indexOf(10)) {
          const length = Number(unread.subarray(0, end).toString());
          if (unread.length < end + 1 + length) break;
          this.#handle(unread.subarray(end + 1, end + 1 + length).toString());
          unread = unread.subarray(end + 1 + length);
        }
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }

  #handle(record: string): void {
    const event = JSON.parse(record) as {
      readonly subscribed?: { readonly framework_id: { readonly value: string } };
      readonly offers?: { readonly offers: readonly Offer[] };
    };
    if (event.subscribed !== undefined) this.#id = event.subscribed.framework_id.value;
    this.#offers.push(...(event.offers?.offers ?? []));
    this.#wake();
  }

  async offersUntil(count: number): Promise<readonly Offer[]> {
    const late = performance.now() + waitMsMax;
    while (this.#offers.length < count) {
      if (performance.now() > late) throw new Error(`${this.#offers.length} of ${count} offers`);
      await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), sleep(1000)]);
    }
    return this.#offers.slice(0, count);
  }

  async launch(offer: Offer, index: number): Promise<void> {
    const scalar = (name: string, value: number) => ({ name, type: 'SCALAR', scalar: { value } });
    const task_infos = Array.from({ length: tasksPerOffer }, (_, at) => ({
      name: `task-${index}-${at}`,
      task_id: { value: `task-${index}-${at}` },
      agent_id: offer.agent_id,
      command: { value: 'sleep 1000' },
      resources: [scalar('cpus', 0.1), scalar('mem', 32)],
    }));
    const operations = [{ type: 'LAUNCH', launch: { task_infos } }];
    const response = await fetch(`${this.#master}/api/v1/scheduler`, {
      method: 'POST',
      headers: this.#headers,
      body: JSON.stringify({
        framework_id: { value: this.#id },
        type: 'ACCEPT',
        accept: { offer_ids: [offer.id], operations },
      }),
    });
    if (response.status !== 202) throw new Error(await response.text());
    await response.arrayBuffer();
  }

  close(): void {
    this.#stop.abort();
  }
}

/** Counts tasks by their names in the bytes of a watch: what it shows is durable. */
async function countTasks(server: BenchServer, count: number) {
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
