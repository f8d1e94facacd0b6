import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerStats } from '#node/runtime';
import { nodes } from './resources.ts';
import { createPod, read, world } from './world.test.ts';

const mib = 2 ** 20;
const stats = (change: Partial<ContainerStats>): ContainerStats => ({
  atMs: 0,
  cpuNanos: 0,
  cpuUserNanos: 0,
  cpuSystemNanos: 0,
  memoryWorkingSetBytes: mib,
  memoryUsageBytes: mib,
  memoryRssBytes: mib,
  pids: 1,
  rootfsUsedBytes: 0,
  logsUsedBytes: 0,
  ...change,
});
const limited = (name: string, limits: Readonly<Record<string, string>>) => ({
  name,
  image: 'app',
  resources: { limits, requests: limits },
});

test('Short of memory the node ends the Pod that is most over its request, and refuses others', async () => {
  const { api, clock, runtime, stop } = await world();
  await createPod(api, 'small', { containers: [limited('small', { memory: '64Mi' })] });
  await createPod(api, 'big', { containers: [limited('big', { memory: '64Mi' })] });
  await clock.advance(50);
  runtime.stats = (spec) =>
    stats({ memoryWorkingSetBytes: spec.name === 'big' ? 300 * mib : 10 * mib });
  runtime.memoryAvailableBytes = 50 * mib;
  await clock.advance(10_100);
  runtime.memoryAvailableBytes = 400 * mib;
  await clock.advance(2_000);
  const { status } = await read(api, 'big');
  assert.deepEqual(
    [status.phase, status.reason, status.message],
    [
      'Failed',
      'Evicted',
      'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. ' +
        'Container big was using 300Mi, request is 64Mi, has larger consumption of memory. ',
    ],
  );
  const disruption = status.conditions?.find(({ type }) => type === 'DisruptionTarget');
  assert.equal(disruption?.reason, 'TerminationByKubelet');
  assert.equal((await read(api, 'small')).status.phase, 'Running');
  const pressure = (await api.get(nodes, { name: 'n1' })).status.conditions;
  assert.equal(pressure?.find(({ type }) => type === 'MemoryPressure')?.status, 'True');
  await createPod(api, 'late');
  await clock.advance(100);
  assert.match((await read(api, 'late')).status.message ?? '', /\[MemoryPressure\]/);
  await clock.advance(330_000);
  const calm = (await api.get(nodes, { name: 'n1' })).status.conditions;
  assert.equal(calm?.find(({ type }) => type === 'MemoryPressure')?.status, 'False');
  await stop();
});

const shortages = [
  {
    name: 'inodes',
    facts: { filesystemInodesFree: 10_000 },
    condition: 'DiskPressure',
    message: 'The node was low on resource: inodes. Threshold quantity: 50000, available: 10000. ',
  },
  {
    name: 'disk',
    facts: { filesystemAvailableBytes: 2 ** 30 },
    condition: 'DiskPressure',
    message:
      'The node was low on resource: ephemeral-storage. Threshold quantity: 10737418240, available: 1Gi. ',
  },
  {
    name: 'process ids',
    facts: { pids: 32_000 },
    condition: 'PIDPressure',
    message: 'The node was low on resource: pids. Threshold quantity: 1638, available: 768. ',
  },
];
for (const { name, facts, condition, message } of shortages)
  test(`Short of ${name} a Pod is ended and the node says so`, async () => {
    const { api, clock, runtime, stop } = await world();
    await createPod(api, 'a');
    await clock.advance(50);
    runtime.facts = facts;
    await clock.advance(10_100);
    runtime.facts = {};
    await clock.advance(2_000);
    const { status } = await read(api, 'a');
    assert.deepEqual([status.reason, status.message], ['Evicted', message]);
    const told = (await api.get(nodes, { name: 'n1' })).status.conditions;
    assert.equal(told?.find(({ type }) => type === condition)?.status, 'True');
    await stop();
  });

test('A container that fills its own files beyond its limit is ended', async () => {
  const { api, clock, runtime, stop } = await world();
  await createPod(api, 'a', { containers: [limited('c', { 'ephemeral-storage': '10Mi' })] });
  await createPod(api, 'b', {
    containers: [limited('x', { 'ephemeral-storage': '10Mi' })],
    volumes: [{ name: 'v', emptyDir: {} }],
  });
  await clock.advance(50);
  runtime.stats = (spec) =>
    stats({ rootfsUsedBytes: spec.name === 'c' ? 8 * mib : 9 * mib, logsUsedBytes: mib / 2 });
  await clock.advance(10_100);
  assert.equal((await read(api, 'a')).status.phase, 'Running');
  runtime.stats = (spec) =>
    stats({ rootfsUsedBytes: spec.name === 'c' ? 10 * mib : mib, logsUsedBytes: mib });
  await clock.advance(12_100);
  const { status } = await read(api, 'a');
  assert.deepEqual(
    [status.reason, status.message],
    ['Evicted', 'Container c exceeded its local ephemeral storage limit "10Mi". '],
  );
  assert.equal((await read(api, 'b')).status.phase, 'Running');
  await stop();
});

test('An emptyDir beyond its sizeLimit, and all storage of a Pod together, end the Pod', async () => {
  const { api, clock, files, stop } = await world();
  await createPod(api, 'volume', { volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Mi' } }] });
  await createPod(api, 'whole', {
    containers: [limited('c', { 'ephemeral-storage': '4Mi' })],
    volumes: [{ name: 'w', emptyDir: {} }],
  });
  files.used = (path) => (path.endsWith('/v') ? 2 * mib : 0);
  await clock.advance(12_100);
  assert.equal(
    (await read(api, 'volume')).status.message,
    'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ',
  );
  assert.equal((await read(api, 'whole')).status.phase, 'Running');
  files.used = (path) => (path.endsWith('/w') ? 5 * mib : 0);
  await clock.advance(12_100);
  assert.equal(
    (await read(api, 'whole')).status.message,
    'Pod ephemeral local storage usage exceeds the total limit of containers 4Mi. ',
  );
  await stop();
});
