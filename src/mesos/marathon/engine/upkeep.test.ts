import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { World } from '../fixture.test.ts';
import { createWorld } from '../fixture.test.ts';

const sleep = { id: '/sleep', cmd: 'sleep 1000', cpus: 0.1, mem: 16, instances: 1 };

function onlyTask({ master }: World): string {
  const [task, ...others] = master.live;
  assert.equal(others.length, 0);
  return task?.info.task_id.value ?? '';
}

function lose({ master, clock }: World, taskID: string): void {
  master.report(taskID, 'TASK_UNREACHABLE', {
    unreachable_time: { nanoseconds: clock.nowMs() * 1e6 },
  });
}

test('An unreachable instance is replaced after a while, and forgotten later', async () => {
  const world = await createWorld();
  const unreachableStrategy = { inactiveAfterSeconds: 60, expungeAfterSeconds: 120 };
  await world.ask('POST', '/v2/apps', { ...sleep, unreachableStrategy });
  const lost = onlyTask(world);
  lose(world, lost);
  await world.settle();
  await world.clock.advance(50_000);
  await world.settle();
  assert.equal(world.master.launches.length, 1);
  await world.clock.advance(45_000);
  await world.settle();
  assert.equal(world.master.launches.length, 2);
  const { tasks } = await world.ask('GET', '/v2/apps/sleep/tasks');
  assert.deepEqual((tasks as { state: string }[]).map(({ state }) => state).toSorted(), [
    'TASK_RUNNING',
    'TASK_UNREACHABLE',
  ]);
  await world.clock.advance(60_000);
  await world.settle();
  const later = await world.ask('GET', '/v2/apps/sleep/tasks');
  assert.equal((later['tasks'] as unknown[]).length, 1);
  // It comes back, and belongs to nobody any more.
  world.master.report(lost, 'TASK_RUNNING');
  await world.settle();
  assert.deepEqual(world.master.killed, [lost]);
  await world.stop();
});

test('An unreachable instance that comes back in time makes its replacement superfluous', async () => {
  const world = await createWorld();
  const unreachableStrategy = { inactiveAfterSeconds: 0, expungeAfterSeconds: 600 };
  await world.ask('POST', '/v2/apps', { ...sleep, unreachableStrategy });
  const lost = onlyTask(world);
  lose(world, lost);
  await world.settle();
  assert.equal(world.master.launches.length, 2);
  world.master.report(lost, 'TASK_RUNNING');
  await world.settle();
  assert.equal(world.master.live.length, 1);
  assert.equal(world.master.killed.length, 1);
  await world.stop();
});

test('By default an unreachable instance is replaced at once', async () => {
  const world = await createWorld({ listen: true });
  await world.ask('POST', '/v2/apps', sleep);
  lose(world, onlyTask(world));
  await world.settle();
  assert.equal(world.master.launches.length, 2);
  const { tasks } = await world.ask('GET', '/v2/apps/sleep/tasks');
  assert.equal((tasks as unknown[]).length, 1);
  await world.stop();
});

test('A launch that nobody hears of is killed, and made again', async () => {
  const world = await createWorld();
  world.master.fate = () => 'hang';
  await world.ask('POST', '/v2/apps', sleep);
  world.master.fate = () => 'run';
  await world.clock.advance(330_000);
  await world.settle();
  assert.equal(world.master.killed.length, 1);
  assert.equal(world.master.live.filter(({ state }) => state === 'TASK_RUNNING').length, 1);
  await world.stop();
});

test('Tasks of no instance are killed, and instances whose tasks are gone start again', async () => {
  const first = await createWorld();
  await first.ask('POST', '/v2/apps', { ...sleep, instances: 2 });
  const [one] = [...first.master.tasks.keys()];
  first.master.hangUp();
  await first.stop();
  first.master.tasks.delete(one ?? '');
  const world = await createWorld({ from: first, seed: 2 });
  await world.settle();
  await world.clock.advance(20_000);
  await world.settle();
  assert.equal(world.master.live.length, 2);
  assert.equal(world.master.launches.length, 3);
  const { app } = await world.ask('GET', '/v2/apps/sleep');
  assert.equal((app as { tasksRunning: number }).tasksRunning, 2);
  await world.stop();
});

test('With nothing to run no timer is left, and no framework is registered', async () => {
  const world = await createWorld();
  await world.call('GET', '/v2/apps');
  assert.equal(world.clock.pendingTimers, 0);
  assert.deepEqual(world.master.calls, []);
  await world.ask('POST', '/v2/apps', sleep);
  await world.ask('DELETE', '/v2/apps/sleep');
  await world.clock.advance(1_000_000);
  await world.settle();
  assert.equal(world.clock.pendingTimers, 0);
  assert.equal(world.master.calls.filter((type) => type === 'SUPPRESS').length > 0, true);
  await world.stop();
});

test('A readiness check holds a deployment until the task says that it is ready', async () => {
  const world = await createWorld();
  const readinessChecks = [
    {
      name: 'ready',
      portName: 'http',
      path: '/ready',
      intervalSeconds: 5,
      timeoutSeconds: 2,
      preserveLastResponse: true,
    },
  ];
  await world.ask('POST', '/v2/apps', {
    ...sleep,
    readinessChecks,
    portDefinitions: [{ port: 0, name: 'http' }],
  });
  const [running] = (await world.call('GET', '/v2/deployments')).json as {
    currentActions: {
      readinessCheckResults: { ready: boolean; lastResponse: { status: number } }[];
    }[];
  }[];
  const [result] = running?.currentActions[0]?.readinessCheckResults ?? [];
  assert.equal(result?.ready, false);
  assert.equal(result?.lastResponse.status, 504);
  const { tasks } = await world.ask('GET', '/v2/apps/sleep/tasks');
  const [task] = tasks as { host: string; ports: number[] }[];
  const url = `http://${task?.host ?? ''}:${task?.ports[0] ?? 0}/ready`;
  world.answers.set(url, { status: 200, statusText: 'OK', contentType: 'text/plain', body: 'yes' });
  await world.clock.advance(6_000);
  await world.settle();
  assert.deepEqual((await world.call('GET', '/v2/deployments')).json, []);
  await world.stop();
});

test('An app of a single instance never has two at once', async () => {
  const world = await createWorld();
  const labels = { MARATHON_SINGLE_INSTANCE_APP: 'true' };
  const upgradeStrategy = { minimumHealthCapacity: 0, maximumOverCapacity: 0 };
  await world.ask('POST', '/v2/apps', { ...sleep, labels, upgradeStrategy });
  let most = 0;
  const { report } = world.master;
  world.master.report = (taskID, state, more) => {
    report.call(world.master, taskID, state, more);
    most = Math.max(most, world.master.live.length);
  };
  await world.ask('PUT', '/v2/apps/sleep', { cmd: 'sleep 2000' });
  assert.equal(world.master.live.length, 1);
  assert.equal(most, 1);
  assert.equal(world.master.launches.length, 2);
  await world.stop();
});

test('A lost connection is made again, and nothing starts twice', async () => {
  const world = await createWorld({ listen: true });
  await world.ask('POST', '/v2/apps', { ...sleep, instances: 3 });
  world.takeEvents();
  world.master.hangUp();
  await world.settle();
  await world.clock.advance(2_000);
  await world.settle();
  const types = world.takeEvents().map(({ type }) => type);
  assert.ok(types.includes('scheduler_disconnected_event'));
  assert.ok(types.includes('scheduler_reregistered_event'));
  await world.clock.advance(20_000);
  await world.settle();
  assert.equal(world.master.launches.length, 3);
  await world.ask('PUT', '/v2/apps/sleep', { instances: 4 });
  assert.equal(world.master.live.length, 4);
  await world.stop();
});

test('UNIQUE keeps instances on different hosts, and the rest waits', async () => {
  const world = await createWorld({ agents: 2 });
  await world.ask('POST', '/v2/apps', {
    ...sleep,
    instances: 3,
    constraints: [['hostname', 'UNIQUE']],
  });
  assert.equal(world.master.live.length, 2);
  assert.equal(new Set(world.master.live.map(({ agentID }) => agentID)).size, 2);
  const queue = await world.ask('GET', '/v2/queue');
  assert.equal((queue['queue'] as { count: number }[])[0]?.count, 1);
  await world.stop();
});

test('GROUP_BY spreads over all offers of one turn', async () => {
  const world = await createWorld({ agents: 3 });
  const constraints = [['hostname', 'GROUP_BY', '3']];
  await world.ask('POST', '/v2/apps', { ...sleep, instances: 9, constraints });
  const counts = new Map<string, number>();
  for (const { agentID } of world.master.live) counts.set(agentID, (counts.get(agentID) ?? 0) + 1);
  assert.deepEqual([...counts.values()], [3, 3, 3]);
  await world.stop();
});

test('An app that asks for a billion instances gets what there is room for, and no more memory', async () => {
  const world = await createWorld({ agents: 1, cpus: 2 });
  await world.ask('POST', '/v2/apps', { ...sleep, instances: 1_000_000_000 });
  assert.equal(world.master.live.length, 20);
  const queue = await world.ask('GET', '/v2/queue');
  assert.equal((queue['queue'] as { count: number }[])[0]?.count, 10_000);
  await world.ask('PUT', '/v2/apps/sleep?force=true', { instances: 1 });
  assert.equal(world.master.live.length, 1);
  world.marathon.check();
  await world.stop();
});
