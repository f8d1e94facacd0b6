import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom, seedsFromEnvironment } from '#sim';
import type { World } from '../fixture.test.ts';
import { createWorld } from '../fixture.test.ts';

const definition = { cmd: 'sleep 1000', cpus: 0.1, mem: 16 };

/** Posts, upgrades, scales; some requests are lost with the process. */
const changes: readonly ((world: World) => Promise<unknown>)[] = [
  (world) => world.call('POST', '/v2/apps', { ...definition, id: '/a', instances: 3 }),
  (world) =>
    world.call('PUT', '/v2/groups/g', { apps: [{ ...definition, id: 'b', instances: 2 }] }),
  (world) => world.call('PUT', '/v2/apps/a?force=true', { cmd: 'sleep 2000' }),
  (world) => world.call('PUT', '/v2/apps/a?force=true', { instances: 5 }),
  (world) => world.call('DELETE', '/v2/groups/g?force=true'),
  (world) => world.call('PUT', '/v2/apps/a?force=true', { instances: 2 }),
];

/** The process dies at any commit, before or after it; what follows makes the stored definitions true. */
async function simulate(seed: number): Promise<void> {
  const random = seededRandom(seed);
  let world = await createWorld({ seed });
  const skipped = random.below(2 * changes.length);
  world.store.crashAt = { commit: random.between(1, 12), after: random.chance(50) };
  for (const [at, change] of changes.entries()) {
    if (at === skipped) continue;
    world.master.fate = () => (random.chance(15) ? 'fail' : random.chance(5) ? 'hang' : 'run');
    world.master.rescinds = () => random.chance(20);
    if (random.chance(10)) world.master.hangUp();
    void change(world);
    await world.settle();
    if (random.chance(30)) await world.clock.advance(random.between(1, 3000));
    if (!world.store.crashed) continue;
    world = await restarted(world, seed);
    if (random.chance(50)) {
      const commit = world.store.commits + random.between(1, 12);
      world.store.crashAt = { commit, after: random.chance(50) };
    }
  }
  world.master.fate = () => 'run';
  world.master.rescinds = () => false;
  for (let life = 0; world.store.crashed && life < 3; life++) world = await restarted(world, seed);
  await world.clock.advance(120_000);
  await world.settle();
  if (world.store.crashed) world = await restarted(world, seed);
  world.store.crashAt = undefined;
  await world.clock.advance(900_000);
  await world.settle();
  // As in the original a forced scaling leaves what the cancelled upgrade had not replaced yet.
  await world.call('POST', '/v2/apps/a/restart');
  await world.settle();
  await assertTrue(world);
  await world.stop();
}

async function restarted(world: World, seed: number): Promise<World> {
  world.master.hangUp();
  await world.stop();
  world.store.crashed = false;
  world.store.crashAt = undefined;
  const next = await createWorld({ from: world, seed: seed + world.store.commits * 1000 });
  await next.settle();
  return next;
}

/** Every app has as many running tasks of its own definition as it wants, and nothing else runs. */
async function assertTrue(world: World): Promise<void> {
  world.marathon.check();
  const { apps } = await world.ask('GET', '/v2/apps');
  const wanted = (apps as { id: string; instances: number; cmd: string }[]).flatMap((app) =>
    Array.from({ length: app.instances }, () => `${app.id} ${app.cmd}`),
  );
  const running = world.master.live.map(({ info }) => {
    const id = info.command?.environment?.variables?.find(({ name }) => name === 'MARATHON_APP_ID');
    return `${id?.value ?? ''} ${info.command?.value ?? ''}`;
  });
  assert.deepEqual(running.toSorted(), wanted.toSorted());
  assert.deepEqual((await world.call('GET', '/v2/deployments')).json, []);
  const unacknowledged = [...world.master.tasks.values()].filter(
    ({ updates }) => updates.length > 0,
  );
  assert.deepEqual(unacknowledged, []);
}

test('A process that dies at any commit leaves nothing undone and nothing done twice', async () => {
  for (const seed of seedsFromEnvironment(25)) {
    try {
      await simulate(seed);
    } catch (cause) {
      throw new Error(`Replay with SEED=${seed}`, { cause });
    }
  }
});
