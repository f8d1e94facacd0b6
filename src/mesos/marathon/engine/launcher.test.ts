import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld } from '../fixture.test.ts';

test('Who begins to wait while an offer is being accepted gets the next one', async () => {
  const world = await createWorld({ agents: 1 });
  const app = { cmd: 'sleep 1000', cpus: 0.1, mem: 16, instances: 1 };
  const { writeMany } = world.store;
  const gate = Promise.withResolvers<void>();
  world.store.writeMany = async (groups) => {
    if (JSON.stringify(groups).includes('AppInstance')) await gate.promise;
    return writeMany.call(world.store, groups);
  };
  await world.ask('POST', '/v2/apps', { ...app, id: '/a' });
  await world.clock.advance(2_000);
  await world.ask('POST', '/v2/apps', { ...app, id: '/b' });
  assert.equal(world.master.launches.length, 0);
  // Only now the master hears that the offer was taken, and what is left of it is not wanted.
  gate.resolve();
  await world.settle();
  await world.clock.advance(2_000);
  await world.settle();
  assert.equal(world.master.live.length, 2);
  await world.stop();
});
