/** Hollow nodes under one server: what they cost it, and what others notice. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlainConnection, type Endpoint } from './client.ts';
import {
  configMapBody,
  cpuMs,
  launcherEnv,
  podBody,
  residentMegabytes,
  startServer,
  untilServiceAccount,
  type BenchServer,
} from './cluster.ts';
import { percentiles, round } from './harness.ts';
import type { LineContext, Reading } from './line.ts';

/** What fits into a bounded run; the budget's 15,000 are extrapolated from it. */
const nodeCount = Number(process.env['TANDEM_BENCH_HOLLOW_NODES'] ?? 2000);
const nodesWanted = 15_000;
const settleMs = 15_000;
const secondsMin = 20;
const pauseMs = 20;

interface Told {
  readonly failures: number;
  readonly started: number;
  readonly lastFailure: string;
}

export async function hollowNodes(
  context: LineContext,
): Promise<Readonly<Record<string, Reading>>> {
  await using server = await startServer();
  await untilServiceAccount(server.endpoint);
  const emptyMegabytes = residentMegabytes(server.pid);
  const startMs = performance.now();
  await using nodes = await HollowProcess.start(server);
  const registeredSeconds = round((performance.now() - startMs) / 1000);
  await sleep(settleMs);
  const seconds = Math.max(secondsMin, context.seconds);
  const cpuBefore = cpuMs(server.pid);
  const { mutations, reads, starts } = await probe(server.endpoint, seconds);
  const cpuCores = round((cpuMs(server.pid) - cpuBefore) / 1000 / seconds);
  const megabytes = residentMegabytes(server.pid);
  const perNode = (megabytes - emptyMegabytes) / nodeCount;
  const details = {
    nodes: nodeCount,
    registeredSeconds,
    emptyMegabytes,
    hollowProcessMegabytes: residentMegabytes(nodes.pid),
    cpuCores,
    ...nodes.told,
  };
  const scale = nodesWanted / nodeCount;
  const note =
    nodeCount >= nodesWanted
      ? undefined
      : `extrapolated in a straight line from ${nodeCount} nodes, not measured at ${nodesWanted}`;
  return {
    'memory-at-15000': { value: Math.round(emptyMegabytes + perNode * nodesWanted), note, details },
    'cpu-at-15000': { value: round(cpuCores * scale), note },
    memory: { value: megabytes, note: `${nodeCount} nodes` },
    'mutating-p99': { value: percentiles(mutations).p99, note: `${nodeCount} nodes` },
    'read-p99': { value: percentiles(reads).p99, note: `${nodeCount} nodes` },
    'pod-start-p99': { value: percentiles(starts).p99, note: `${nodeCount} nodes` },
  };
}

class HollowProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  told: Told = { failures: 0, started: 0, lastFailure: '' };

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(server: BenchServer): Promise<HollowProcess> {
    const child = spawn(
      process.execPath,
      [
        join(import.meta.dirname, 'hollow.ts'),
        `--port=${server.endpoint.port}`,
        `--pki=${server.pkiDir}`,
        `--nodes=${nodeCount}`,
      ],
      { env: launcherEnv, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const nodes = new HollowProcess(child);
    const ready = Promise.withResolvers<void>();
    child.once('exit', () =>
      ready.reject(new Error('The hollow nodes ended before they were ready')),
    );
    nodes.#follow(createInterface({ input: child.stdout }), () => ready.resolve());
    await ready.promise;
    return nodes;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  #follow(lines: Interface, onReady: () => void): void {
    lines.on('line', (line) => {
      if (line === 'ready') onReady();
      else this.told = JSON.parse(line) as Told;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}

/** Somebody else's calls meanwhile: writes, reads of one object, and Pods until they run. */
async function probe(endpoint: Endpoint, seconds: number) {
  const connection = await PlainConnection.open(endpoint);
  const mutations: number[] = [];
  const reads: number[] = [];
  const starts: number[] = [];
  const endMs = performance.now() + seconds * 1000;
  const timed = async (samples: number[], method: string, path: string, body?: string) => {
    const sentMs = performance.now();
    const answer = await connection.send({ method, path, body });
    samples.push(performance.now() - sentMs);
    if (answer.status >= 300) throw new Error(`Answer ${answer.status}: ${answer.body.toString()}`);
    return answer.body;
  };
  const namespaced = '/api/v1/namespaces/default';
  for (let turn = 0; performance.now() < endMs; turn++) {
    await timed(mutations, 'POST', `${namespaced}/configmaps`, configMapBody(`probe-${turn}`));
    await timed(reads, 'GET', `${namespaced}/configmaps/probe-${turn}`);
    const startMs = performance.now();
    await timed(mutations, 'POST', `${namespaced}/pods`, podBody(`probe-${turn}`));
    for (;;) {
      const body = await timed(reads, 'GET', `${namespaced}/pods/probe-${turn}`);
      if (body.includes('"phase":"Running"')) break;
      await sleep(5);
    }
    starts.push(performance.now() - startMs);
    await sleep(pauseMs);
  }
  connection.close();
  return { mutations, reads, starts };
}
