import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { World } from '../fixture.test.ts';
import { createWorld } from '../fixture.test.ts';

const database = {
  id: 'db',
  cmd: 'run',
  cpus: 0.5,
  mem: 64,
  role: 'dev',
  container: {
    type: 'MESOS',
    volumes: [{ containerPath: 'data', mode: 'RW', persistent: { size: 100 } }],
  },
};

function volumes({ master }: World): string[] {
  return [...master.reserved.values()]
    .flat()
    .flatMap(({ disk }) => disk?.persistence?.id ?? [])
    .toSorted();
}

async function deployed(instances = 1): Promise<World> {
  const world = await createWorld();
  await world.ask('PUT', '/v2/groups/dev', { apps: [{ ...database, instances }] });
  assert.equal(world.master.live.length, instances);
  return world;
}

test('A resident task is reserved for first, then launched on what was reserved', async () => {
  const world = await deployed();
  const [volume] = volumes(world);
  assert.match(volume ?? '', /^dev_db#data#/);
  const [task] = world.master.live;
  assert.equal(
    task?.info.resources?.find(({ disk }) => disk !== undefined)?.disk?.persistence?.id,
    volume,
  );
  const { tasks } = await world.ask('GET', '/v2/apps/dev/db/tasks');
  const [shown] = tasks as { localVolumes: { persistenceId: string }[] }[];
  assert.equal(shown?.localVolumes[0]?.persistenceId, volume);
  await world.stop();
});

test('A resident task that ends starts again where its volume is', async () => {
  const world = await deployed(2);
  const before = volumes(world);
  const [task] = world.master.live;
  const taskID = task?.info.task_id.value ?? '';
  world.master.report(taskID, 'TASK_FAILED');
  await world.clock.advance(5_000);
  await world.settle();
  assert.equal(world.master.live.length, 2);
  assert.deepEqual(volumes(world), before);
  const again = world.master.live.find(
    ({ info }) => info.task_id.value === taskID.replace(/1$/, '2'),
  );
  assert.equal(again?.agentID, task?.agentID);
  await world.stop();
});

test('Scaled down a resident app keeps its volumes, scaled up it takes them again', async () => {
  const world = await deployed(2);
  const before = volumes(world);
  await world.ask('PUT', '/v2/apps/dev/db', { instances: 1 });
  assert.equal(world.master.live.length, 1);
  assert.deepEqual(volumes(world), before);
  await world.ask('PUT', '/v2/apps/dev/db', { instances: 2 });
  assert.equal(world.master.live.length, 2);
  assert.deepEqual(volumes(world), before);
  await world.stop();
});

test('An upgrade of a resident app keeps every instance on its volume', async () => {
  const world = await deployed(2);
  const before = volumes(world);
  await world.ask('PUT', '/v2/apps/dev/db', { cmd: 'run --more' });
  assert.deepEqual((await world.call('GET', '/v2/deployments')).json, []);
  assert.equal(world.master.live.length, 2);
  assert.ok(world.master.live.every(({ info }) => info.command?.value === 'run --more'));
  assert.deepEqual(volumes(world), before);
  await world.stop();
});

test('A resident app that is deleted gives back what it held', async () => {
  const world = await deployed(2);
  await world.ask('DELETE', '/v2/apps/dev/db');
  await world.settle();
  assert.equal(world.master.live.length, 0);
  assert.deepEqual([...world.master.reserved.values()].flat(), []);
  await world.clock.advance(1_000_000);
  assert.equal(world.clock.pendingTimers, 0);
  await world.stop();
});

test('A wiped task gives up its volume, and another instance takes its place', async () => {
  const world = await deployed();
  const [before] = volumes(world);
  const taskID = world.master.live[0]?.info.task_id.value ?? '';
  await world.ask('DELETE', `/v2/apps/dev/db/tasks/${taskID}?wipe=true`);
  await world.clock.advance(5_000);
  await world.settle();
  assert.equal(world.master.live.length, 1);
  const [after, ...others] = volumes(world);
  assert.deepEqual(others, []);
  assert.notEqual(after, before);
  await world.stop();
});
