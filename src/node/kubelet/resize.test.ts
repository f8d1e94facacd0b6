import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FakeApi } from '#client';
import type { Pod } from '#kube/kinds';
import { pods } from './resources.ts';
import { createPod, read, world } from './world.test.ts';

const resources = (cpu: string, memory: string) => ({
  limits: { cpu, memory },
  requests: { cpu, memory },
});
const container = (cpu: string, memory: string, more: object = {}) => ({
  name: 'c',
  image: 'app',
  resources: resources(cpu, memory),
  ...more,
});

/** What the `resize` subresource does to the stored object. */
async function resize(api: FakeApi, name: string, wanted: ReturnType<typeof container>) {
  await api.patch(
    pods,
    { namespace: 'default', name },
    { type: 'merge', body: { spec: { containers: [wanted] } } },
  );
}
const conditionOf = (pod: Pod, type: string) =>
  pod.status.conditions?.find((condition) => condition.type === type);
const statusOf = (pod: Pod) => pod.status.containerStatuses?.[0];

test('A resize changes the limits of what runs, from the outside in, and is told', async () => {
  const { api, clock, runtime, events, stop } = await world();
  await createPod(api, 'a', { containers: [container('500m', '64Mi')] });
  await clock.advance(50);
  assert.deepEqual(statusOf(await read(api, 'a'))?.resources, resources('500m', '64Mi'));
  await resize(api, 'a', container('1', '128Mi'));
  await clock.advance(50);
  const pod = await read(api, 'a');
  assert.deepEqual(runtime.updates, ['pod', 'c', 'pod']);
  const [running] = runtime.containers();
  assert.deepEqual(
    [running?.spec.resources.cpuQuotaUs, running?.spec.resources.memoryBytes],
    [100_000, 128 * 2 ** 20],
  );
  assert.equal(runtime.sandboxes()[0]?.spec.resources.memoryBytes, 128 * 2 ** 20);
  assert.deepEqual(statusOf(pod)?.resources, resources('1', '128Mi'));
  assert.deepEqual(statusOf(pod)?.allocatedResources, { cpu: '1', memory: '128Mi' });
  assert.equal(statusOf(pod)?.restartCount, 0);
  assert.equal(conditionOf(pod, 'PodResizeInProgress'), undefined);
  assert(events.some((text) => text.startsWith('ResizeCompleted: Pod resize completed: ')));
  await stop();
});

test('Limits of the Pod as a whole change alone', async () => {
  const { api, clock, runtime, stop } = await world();
  const spec = { containers: [container('500m', '64Mi')] };
  await createPod(api, 'a', { ...spec, resources: resources('1', '128Mi') });
  await clock.advance(50);
  const body = { spec: { resources: resources('2', '256Mi') } };
  await api.patch(pods, { namespace: 'default', name: 'a' }, { type: 'merge', body });
  await clock.advance(50);
  assert.equal(runtime.sandboxes()[0]?.spec.resources.memoryBytes, 256 * 2 ** 20);
  assert.deepEqual(runtime.updates, ['pod', 'pod']);
  await stop();
});

test('A resize whose policy asks for it restarts the container', async () => {
  const { api, clock, runtime, events, stop } = await world();
  const policy = { resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }] };
  await createPod(api, 'a', { containers: [container('500m', '64Mi', policy)] });
  await clock.advance(50);
  await resize(api, 'a', container('500m', '128Mi', policy));
  await clock.advance(20_000);
  const pod = await read(api, 'a');
  assert.equal(statusOf(pod)?.restartCount, 1);
  assert.deepEqual(statusOf(pod)?.resources, resources('500m', '128Mi'));
  assert.deepEqual(runtime.starts, ['c/0', 'c/1']);
  assert(events.includes('Killing: Container c resize requires restart'));
  await stop();
});

test('More than the node has is infeasible, what is given stays', async () => {
  const { api, clock, runtime, events, stop } = await world();
  await createPod(api, 'a', { containers: [container('500m', '64Mi')] });
  await clock.advance(50);
  await resize(api, 'a', container('5', '64Mi'));
  await clock.advance(50);
  const pod = await read(api, 'a');
  const pending = conditionOf(pod, 'PodResizePending');
  assert.deepEqual(
    [pending?.status, pending?.reason, pending?.message],
    [
      'True',
      'Infeasible',
      "Node didn't have enough capacity: cpu, requested: 5000, capacity: 4000",
    ],
  );
  assert.deepEqual(statusOf(pod)?.resources, resources('500m', '64Mi'));
  assert.deepEqual(runtime.updates, []);
  assert(events.some((text) => text.startsWith('ResizeInfeasible: ')));
  await resize(api, 'a', container('1', '64Mi'));
  await clock.advance(50);
  const after = await read(api, 'a');
  assert.equal(conditionOf(after, 'PodResizePending'), undefined);
  assert.deepEqual(statusOf(after)?.resources, resources('1', '64Mi'));
  await stop();
});

test('What does not fit now waits, a restart keeps what was given, and room ends the wait', async () => {
  const { api, clock, runtime, stop } = await world();
  await createPod(api, 'other', { containers: [container('3', '64Mi')] });
  await createPod(api, 'a', { containers: [container('500m', '64Mi')] });
  await clock.advance(50);
  await resize(api, 'a', container('2', '64Mi'));
  await clock.advance(50);
  assert.equal(conditionOf(await read(api, 'a'), 'PodResizePending')?.reason, 'Deferred');
  const own = runtime.containers().find(({ spec }) => spec.resources.cpuQuotaUs === 50_000);
  runtime.end(own?.id ?? '', 1);
  await clock.advance(15_000);
  const again = runtime.containers().find(({ spec }) => spec.attempt === 1);
  assert.equal(again?.spec.resources.cpuQuotaUs, 50_000);
  await api.delete(pods, { namespace: 'default', name: 'other' }, { gracePeriodSeconds: 1 });
  await clock.advance(20_000);
  const pod = await read(api, 'a');
  assert.equal(conditionOf(pod, 'PodResizePending'), undefined);
  assert.deepEqual(statusOf(pod)?.resources, resources('2', '64Mi'));
  await stop();
});

test('A memory limit below what is used is not set; the condition says why', async () => {
  const { api, clock, runtime, stop } = await world();
  const stats = {
    atMs: 0,
    cpuNanos: 0,
    cpuUserNanos: 0,
    cpuSystemNanos: 0,
    memoryWorkingSetBytes: 50 * 2 ** 20,
    memoryUsageBytes: 50 * 2 ** 20,
    memoryRssBytes: 0,
    pids: 1,
    rootfsUsedBytes: 0,
    logsUsedBytes: 0,
  };
  runtime.stats = () => stats;
  await createPod(api, 'a', { containers: [container('500m', '64Mi')] });
  await clock.advance(50);
  await resize(api, 'a', container('500m', '32Mi'));
  await clock.advance(50);
  const pod = await read(api, 'a');
  const condition = conditionOf(pod, 'PodResizeInProgress');
  assert.equal(condition?.reason, 'Error');
  assert.match(
    condition?.message ?? '',
    /memory limit \(33554432\) below current usage \(52428800\)/,
  );
  assert.deepEqual(statusOf(pod)?.resources, resources('500m', '64Mi'));
  assert.deepEqual(statusOf(pod)?.allocatedResources, { cpu: '500m', memory: '32Mi' });
  runtime.stats = () => ({ ...stats, memoryUsageBytes: 2 ** 20 });
  await clock.advance(15_000);
  const after = await read(api, 'a');
  assert.equal(conditionOf(after, 'PodResizeInProgress'), undefined);
  assert.deepEqual(statusOf(after)?.resources, resources('500m', '32Mi'));
  await stop();
});

test('What ended and is not restarted holds what the Pod says; overhead bounds the Pod', async () => {
  const runs = (name: string) => ({ ...container('500m', '64Mi'), name });
  const { api, clock, runtime, stop } = await world({
    program: ({ name }) => (name === 'done' ? { exitAfterMs: 5 } : {}),
  });
  const spec = { restartPolicy: 'Never', overhead: { cpu: '100m', memory: '16Mi' } } as const;
  await createPod(api, 'a', { ...spec, containers: [runs('c'), runs('done')] });
  await clock.advance(50);
  assert.equal(runtime.sandboxes()[0]?.spec.resources.memoryBytes, 144 * 2 ** 20);
  const emptied = { ...runs('done'), resources: resources('0', '0') };
  const body = { spec: { containers: [runs('c'), emptied] } };
  await api.patch(pods, { namespace: 'default', name: 'a' }, { type: 'merge', body });
  await clock.advance(50);
  const { status } = await read(api, 'a');
  const held = status.containerStatuses?.map((one) => one.resources?.requests?.['memory']);
  assert.deepEqual(held, ['64Mi', '0']);
  assert.equal(runtime.sandboxes()[0]?.spec.resources.memoryBytes, 80 * 2 ** 20);
  await stop();
});
