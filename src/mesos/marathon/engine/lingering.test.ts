import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld } from '../fixture.test.ts';
import type { World } from '../fixture.test.ts';

const pod = {
  id: '/p',
  containers: [
    {
      name: 'c',
      exec: { command: { shell: 'sleep 1000' } },
      resources: { cpus: 0.1, mem: 32 },
      endpoints: [{ name: 'http', hostPort: 0 }],
    },
  ],
};

async function killOnly(world: World): Promise<void> {
  const { instances } = await world.ask('GET', '/v2/pods/p::status');
  const [instance] = instances as { id: string }[];
  await world.ask('DELETE', `/v2/pods/p::instances/${instance?.id ?? ''}`);
}

test("A pod's next launch on a machine waits for the end of its executor there", async () => {
  const world = await createWorld({ agents: 1 });
  await world.ask('POST', '/v2/pods', pod);
  world.master.executorEndMs = 400;
  await killOnly(world);
  assert.equal(world.master.launches.length, 1);
  const { queue } = await world.ask('GET', '/v2/queue');
  assert.equal((queue as { count: number }[])[0]?.count, 1);
  await world.clock.advance(500);
  await world.settle();
  assert.equal(world.master.launches.length, 2);
  assert.equal(world.master.live.length, 1);
  world.marathon.check();
  await world.stop();
});

test('An executor may end before the end of its last task is heard of', async () => {
  const world = await createWorld({ agents: 1 });
  await world.ask('POST', '/v2/pods', pod);
  world.master.executorEndsFirst = true;
  await killOnly(world);
  assert.equal(world.master.launches.length, 2);
  await world.stop();
});

test('Nobody waits for ever for the end of an executor', async () => {
  const world = await createWorld({ agents: 1 });
  await world.ask('POST', '/v2/pods', pod);
  world.master.executorEndMs = 60_000;
  await killOnly(world);
  await world.clock.advance(4_500);
  await world.settle();
  assert.equal(world.master.launches.length, 2);
  await world.stop();
});

test('A pod whose tasks never began is launched again at once', async () => {
  const world = await createWorld({ agents: 1 });
  let rescinds = 1;
  world.master.rescinds = () => rescinds-- > 0;
  world.master.executorEndMs = 60_000;
  await world.ask('POST', '/v2/pods', pod);
  assert.equal(world.master.live.length, 1);
  await world.stop();
});
