/**
 * From the end of a task's process to the event its framework gets: a real server, agent and
 * runtime. The end is the time of a file that a task's shell makes last, by the kernel's coarse
 * clock, so what is told is up to 4 ms too long and never too short.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, constants, mkdtempSync, openSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMs } from './cluster.ts';
import { percentiles, round } from './harness.ts';
import { LauncherCluster } from './launched.ts';
import type { Reading } from './line.ts';
import { BenchFramework, waitMsMax, type BenchTask, type Update } from './mesos-framework.ts';

/** Offers come about once a second: so many tasks share one, and end this long after each other. */
const perOffer = 4;
const everyMs = 250;
const singles = Number(process.env['TANDEM_BENCH_SINGLES'] ?? 100);
const bursts = Number(process.env['TANDEM_BENCH_BURSTS'] ?? 5);
const perBurst = 20;
const withImage = 40;
const root = join(import.meta.dirname, '..');

interface Sample {
  readonly latencyMs: number;
  /** Until the agent made the update: the runtime's part and the agent's. */
  readonly madeMs: number;
}

/** A framework whose tasks leave a file when they end. */
class Ends implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'tandem-bench-ends-'));
  readonly #gate = join(this.folder, 'gate');
  readonly #seen = new Map<string, { readonly update: Update; readonly atMs: number }[]>();
  #wake: () => void = () => undefined;
  framework: BenchFramework | undefined;

  constructor() {
    chmodSync(this.folder, 0o777);
    execFileSync('mkfifo', ['-m', '666', this.#gate]);
  }

  readonly told = (update: Update): void => {
    const atMs = performance.timeOrigin + performance.now();
    const id = update.task_id.value;
    const known = this.#seen.get(id) ?? [];
    this.#seen.set(id, known);
    if (!known.some((one) => one.update.uuid === update.uuid)) known.push({ update, atMs });
    this.#wake();
  };

  /** A task that ends after `first`; its file is made by the shell itself, without another process. */
  task(id: string, first: string, image?: string): BenchTask {
    const out = image === undefined ? this.folder : '/out';
    return {
      id,
      command: `${first}${first === '' ? '' : '; '}: > ${out}/${id}`,
      cpus: 0.01,
      container: image === undefined ? undefined : containerOf(image, this.folder),
    };
  }

  readonly gated = (id: string): BenchTask => this.task(id, `read _ < ${this.#gate}`);

  /** All that wait at the gate end now. */
  open(): void {
    closeSync(openSync(this.#gate, constants.O_WRONLY | constants.O_NONBLOCK));
  }

  async until(ids: readonly string[], states: readonly string[]): Promise<void> {
    const late = performance.now() + waitMsMax;
    for (;;) {
      const left = ids.filter((id) => !this.#of(id, states));
      const failed = ids.flatMap((id) => this.#of(id, ['TASK_ERROR', 'TASK_DROPPED']) ?? []);
      if (failed[0] !== undefined) throw new Error(failed[0].update.message);
      if (left.length === 0) return;
      if (performance.now() > late) throw new Error(`${left.join(', ')}: not ${states.join()}`);
      await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), sleep(1000)]);
    }
  }

  #of(id: string, states: readonly string[]) {
    return this.#seen.get(id)?.find(({ update }) => states.includes(update.state));
  }

  async samples(ids: readonly string[]): Promise<readonly Sample[]> {
    await this.until(ids, ['TASK_FINISHED', 'TASK_FAILED', 'TASK_ERROR', 'TASK_DROPPED']);
    return ids.map((id) => {
      const end = this.#of(id, ['TASK_FINISHED']);
      if (end === undefined)
        throw new Error(`${id}: ${this.#seen.get(id)?.at(-1)?.update.message ?? ''}`);
      const endedMs = statSync(join(this.folder, id)).mtimeMs;
      return {
        latencyMs: end.atMs - endedMs,
        madeMs: end.update.timestamp * 1000 - endedMs,
      };
    });
  }

  [Symbol.dispose](): void {
    this.framework?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function containerOf(image: string, folder: string) {
  return {
    type: 'MESOS',
    mesos: { image: { type: 'DOCKER', docker: { name: image } } },
    volumes: [{ host_path: folder, container_path: '/out', mode: 'RW' }],
  };
}

/** `at`: which of the tasks on one offer. */
type Make = (id: string, at: number) => BenchTask;
const names = (prefix: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

/** Four tasks a second, or one at a time. */
async function steady(
  ends: Ends,
  ids: readonly string[],
  { make, together }: { readonly make: Make; readonly together: number },
) {
  for (let at = 0; at < ids.length; at += together) {
    const next = sleep(everyMs * together);
    await ends.framework?.launch(ids.slice(at, at + together).map(make));
    await next;
  }
  return ends.samples(ids);
}

/** Bursts that end at one moment, long after it was acknowledged that they run. */
async function atOneMoment(ends: Ends, count: number) {
  const all: Sample[] = [];
  for (let turn = 0; turn < count; turn++) {
    const ids = names(`gated-${turn}`, perBurst);
    await ends.framework?.launch(ids.map(ends.gated));
    await ends.until(ids, ['TASK_RUNNING']);
    await sleep(1000);
    ends.open();
    all.push(...(await ends.samples(ids)));
    await sleep(1000);
  }
  return all;
}

/** Bursts of tasks that end as soon as they start. */
async function atOnce(ends: Ends, count: number) {
  const all: Sample[] = [];
  for (let turn = 0; turn < count; turn++) {
    const ids = names(`once-${turn}`, perBurst);
    await ends.framework?.launch(ids.map((id) => ends.task(id, '')));
    all.push(...(await ends.samples(ids)));
    await sleep(1000);
  }
  return all;
}

function reading(samples: readonly Sample[], usedMs: number): Reading {
  const latency = percentiles(samples.map(({ latencyMs }) => latencyMs));
  const made = percentiles(samples.map(({ madeMs }) => madeMs));
  return {
    value: round(latency.p99),
    details: {
      samples: samples.length,
      latencyMs: latency,
      ofThatUntilMadeMs: made,
      cpuMsPerTask: round(usedMs / samples.length),
    },
  };
}

export async function statusUpdates(): Promise<Readonly<Record<string, Reading>>> {
  if (process.getuid?.() !== 0) throw new Error('Containers need root');
  await using cluster = await LauncherCluster.create();
  using ends = new Ends();
  await cluster.up();
  const image = join(ends.folder, 'hello.tar');
  execFileSync('sh', [join(root, 'examples/hello-world/build.sh'), image], { stdio: 'ignore' });
  await cluster.run('image', 'load', image);
  const master = `http://127.0.0.1:${cluster.portOf(5050)}`;
  ends.framework = await BenchFramework.subscribe(master, { user: 'root', told: ends.told });
  const { server, agents } = await cluster.pids();
  const used = (): number => [server, ...agents].reduce((sum, pid) => sum + cpuMs(pid), 0);
  const measured = async (run: () => Promise<readonly Sample[]>): Promise<Reading> => {
    await sleep(2000);
    const before = used();
    return reading(await run(), used() - before);
  };
  const waitsAt = (at: number): string => `sleep ${2 + (at * everyMs) / 1000}`;
  const waits: Make = (id, at) => ends.task(id, waitsAt(at));
  const inImage: Make = (id, at) => ends.task(id, waitsAt(at), 'hello-world:latest');
  const endsAtOnce: Make = (id) => ends.task(id, '');
  await steady(ends, names('warm', 8), { make: waits, together: perOffer });
  return {
    steady: await measured(() =>
      steady(ends, names('steady', singles), { make: waits, together: perOffer }),
    ),
    burst: await measured(() => atOneMoment(ends, bursts)),
    image: await measured(() =>
      steady(ends, names('image', withImage), { make: inImage, together: perOffer }),
    ),
    'ends-at-once': await measured(() =>
      steady(ends, names('single', withImage), { make: endsAtOnce, together: 1 }),
    ),
    'burst-ends-at-once': await measured(() => atOnce(ends, bursts)),
  };
}
