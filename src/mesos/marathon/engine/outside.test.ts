import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apps, objectName } from '#mesos/kinds';
import { createWorld } from '../fixture.test.ts';

const sleep = { id: '/sleep', cmd: 'sleep 1000', cpus: 0.1, mem: 16, instances: 1 };
const target = { name: objectName('/sleep'), namespace: 'mesos-marathon' };

test('An app that is edited as an object is deployed as edited', async () => {
  const world = await createWorld();
  await world.ask('POST', '/v2/apps', sleep);
  await world.store.api.patch(apps, target, { type: 'merge', body: { spec: { instances: 3 } } });
  await world.settle();
  assert.equal(world.master.live.length, 3);
  const { app } = await world.ask('GET', '/v2/apps/sleep');
  assert.equal((app as { instances: number }).instances, 3);
  assert.equal(
    ((await world.ask('GET', '/v2/apps/sleep/versions'))['versions'] as unknown[]).length,
    2,
  );
  await world.stop();
});

test('An edit that cannot be is set back', async () => {
  const world = await createWorld();
  await world.ask('POST', '/v2/apps', sleep);
  await world.store.api.patch(apps, target, { type: 'merge', body: { spec: { instances: -3 } } });
  await world.settle();
  const { spec } = await world.store.api.get(apps, target);
  assert.equal(spec.instances, 1);
  assert.equal(world.master.live.length, 1);
  await world.stop();
});

test('An app that is deleted as an object ends; deleted and posted again it is there', async () => {
  const world = await createWorld();
  await world.ask('POST', '/v2/apps', sleep);
  await world.store.api.delete(apps, target);
  await world.settle();
  assert.equal(world.master.live.length, 0);
  assert.equal((await world.call('GET', '/v2/apps/sleep')).status, 404);
  await world.ask('POST', '/v2/apps', sleep);
  await world.ask('DELETE', '/v2/apps/sleep');
  await world.ask('POST', '/v2/apps', sleep);
  assert.equal(world.master.live.length, 1);
  await world.stop();
});
