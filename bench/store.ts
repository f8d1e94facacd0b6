/** The store alone and the pool alone: `node bench/store.ts [--seconds N]`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { silentLogger } from '#base';
import { systemClock } from '#io';
import { createPool, type Claim } from '#pool';
import { openSqliteStore, type Store } from '#store';
import { type BenchLine, closedLoop, percentiles, report, round } from './harness.ts';

const flag = process.argv.indexOf('--seconds');
const seconds = flag < 0 ? 5 : Number(process.argv[flag + 1]);
const value = new Uint8Array(512).fill(120);
const lines: BenchLine[] = [];

async function withStore(work: (store: Store, path: string) => Promise<void>): Promise<void> {
  // Not below /tmp, which may be memory: an fsync must be one.
  const directory = mkdtempSync(join(import.meta.dirname, 'results', '.store-'));
  const path = join(directory, 'store.db');
  try {
    await using store = await openSqliteStore({ path, clock: systemClock, logger: silentLogger });
    await work(store, path);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function creates(clients: number): Promise<void> {
  await withStore(async (store) => {
    using _watch = await store.subscribe('/', 0, () => undefined);
    const cpuBefore = process.threadCpuUsage();
    const load = await closedLoop({ clients, seconds }, async (client, turn) => {
      const key = `/registry/configmaps/default/c${client}-${turn}`;
      const result = await store.commit([{ key, value, expected: 0 }]);
      if (!result.ok) throw new Error('a create was refused');
    });
    const cpu = process.threadCpuUsage(cpuBefore);
    const details = { ...load };
    lines.push({
      what: `store: durable creates of 0.5 KB, ${clients} clients`,
      value: load.perSecond,
      unit: '/s',
      budget: clients === 32 ? { atLeast: 10_000 } : undefined,
      details,
    });
    const p99 = load.latencyMs.p99;
    lines.push({
      what: '  p99',
      value: p99,
      unit: 'ms',
      budget: clients === 32 ? { atMost: 5 } : undefined,
    });
    lines.push({
      what: '  main thread per commit',
      value: round((cpu.user + cpu.system) / load.count),
      unit: 'us',
    });
  });
}

async function opening(): Promise<void> {
  const fresh: number[] = [];
  for (let round = 0; round < 5; round++) {
    const startMs = performance.now();
    await withStore(async (store) => {
      await store.commit([{ key: '/a', value, expected: 0 }]);
      fresh.push(performance.now() - startMs);
    });
  }
  lines.push({
    what: 'store: open an empty directory to first durable write',
    value: percentiles(fresh).p50,
    unit: 'ms',
  });
  await withStore(async (store) => {
    for (let batch = 0; batch < 33; batch++)
      await store.commit(
        Array.from({ length: 1000 }, (_, index) => ({ key: `/r/${batch}/${index}`, value })),
      );
    const startMs = performance.now();
    await store.range('/r/');
    const listMs = performance.now() - startMs;
    lines.push({ what: 'store: read 33,000 keys', value: round(listMs), unit: 'ms' });
  });
  const directory = mkdtempSync(join(import.meta.dirname, 'results', '.store-'));
  const path = join(directory, 'store.db');
  {
    await using store = await openSqliteStore({ path, clock: systemClock });
    for (let batch = 0; batch < 33; batch++)
      await store.commit(
        Array.from({ length: 1000 }, (_, index) => ({ key: `/r/${batch}/${index}`, value })),
      );
  }
  const startMs = performance.now();
  const again = await openSqliteStore({ path, clock: systemClock });
  lines.push({
    what: 'store: open 33,000 keys, all checked',
    value: round(performance.now() - startMs),
    unit: 'ms',
  });
  await again[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
}

function pool(): void {
  const machines = createPool();
  for (let index = 0; index < 5000; index++)
    machines.setNode({ name: `n${index}`, amounts: { cpu: 64_000, memory: 2 ** 38, pods: 110 } });
  using _listening = machines.onChange(() => undefined);
  const count = 200_000;
  const claims: Claim[] = Array.from({ length: count }, (_, index) => ({
    owner: `pod/default/p${index}`,
    node: `n${index % 5000}`,
    epoch: 0,
    amounts: { cpu: 100, memory: 2 ** 28, pods: 1 },
    ports: [],
    role: '*',
  }));
  const startMs = performance.now();
  for (let at = 0; at < count; at += 64) machines.commit(claims.slice(at, at + 64));
  const each = ((performance.now() - startMs) * 1000) / count;
  lines.push({
    what: 'pool: commit of a claim, 5,000 nodes',
    value: round(each),
    unit: 'us',
    budget: { atMost: 10 },
  });
}

await creates(32);
await creates(256);
await opening();
pool();
report('store', lines);
