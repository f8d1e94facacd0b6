/**
 * Measures a node's runtime with real containers: what one start takes, and how many a second.
 *
 * Usage (as root): node bench/runtime.ts [--count 100] [--parallel 8] [--json]
 */
import { parseArgs } from 'node:util';
import {
  containerSpec,
  dockerArchive,
  once,
  openFixture,
  sandboxSpec,
} from '../test/os/runtime-kit.ts';
import { busyboxLayer, type Fixture } from '../test/os/runtime-kit.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100' },
    parallel: { type: 'string', default: '8' },
    json: { type: 'boolean', default: false },
  },
});

interface Parts {
  readonly sandboxMs: number;
  readonly createMs: number;
  readonly startMs: number;
}

async function startOne(fixture: Fixture, imageId: string): Promise<Parts> {
  const { runtime, folder } = fixture;
  const t0 = performance.now();
  const sandbox = await runtime.createSandbox(sandboxSpec(), new AbortController().signal);
  const t1 = performance.now();
  const spec = containerSpec(folder, { imageId, command: ['/bin/sleep', '1000'] });
  const container = await runtime.createContainer(sandbox.id, spec);
  const t2 = performance.now();
  await runtime.startContainer(container.id);
  return { sandboxMs: t1 - t0, createMs: t2 - t1, startMs: performance.now() - t2 };
}

function middle(numbers: readonly number[], part: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return Math.round((sorted[Math.floor((sorted.length - 1) * part)] ?? 0) * 10) / 10;
}

async function main(): Promise<void> {
  const count = Number(values.count);
  const parallel = Number(values.parallel);
  await using fixture = await openFixture();
  const archive = await dockerArchive({ name: 'box:1', layers: [await busyboxLayer()] });
  const [image] = await fixture.runtime.images.load(once(archive));
  if (image === undefined) throw new Error('Cannot measure: no image');
  await startOne(fixture, image.id);
  const single: Parts[] = [];
  for (let turn = 0; turn < 20; turn++) single.push(await startOne(fixture, image.id));
  const beganMs = performance.now();
  const busyBefore = process.cpuUsage();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next++ < count) await startOne(fixture, image.id);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  const tookMs = performance.now() - beganMs;
  const busy = process.cpuUsage(busyBefore);
  const whole = single.map((one) => one.sandboxMs + one.createMs + one.startMs);
  const result = {
    oneStartP50Ms: middle(whole, 0.5),
    oneStartP99Ms: middle(whole, 0.99),
    sandboxP50Ms: middle(
      single.map((one) => one.sandboxMs),
      0.5,
    ),
    createP50Ms: middle(
      single.map((one) => one.createMs),
      0.5,
    ),
    startP50Ms: middle(
      single.map((one) => one.startMs),
      0.5,
    ),
    startsPerSecond: Math.round((count / tookMs) * 10_000) / 10,
    agentCpuMsPerStart: Math.round((busy.user + busy.system) / count / 100) / 10,
  };
  if (values.json) console.log(JSON.stringify(result));
  else console.table(result);
}

await main();
