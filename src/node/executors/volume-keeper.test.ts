import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NewObject } from '#machinery';
import { agents, type Agent } from '#mesos/kinds';
import type { Resource } from '#mesos/protocol';
import { World } from './test-world.test.ts';

const volume = (id: string): Resource => ({
  name: 'disk',
  type: 'SCALAR',
  scalar: { value: 64 },
  reservations: [{ type: 'DYNAMIC', role: 'eng/dev' }],
  disk: { persistence: { id }, volume: { mode: 'RW', container_path: 'data' } },
});
const place = (id: string): string => `/agent/volumes/roles/eng dev/${id}/file`;

/** Writes the node's Agent object with these volumes. */
async function keep(world: World, ...ids: string[]): Promise<void> {
  const [old] = world.api.all(agents);
  const spec = { agentID: 'A1', nodeName: 'n1', resources: ids.map(volume) };
  if (old === undefined)
    await world.api.create(agents, {
      apiVersion: 'mesos.tandem.dev/v1',
      kind: 'Agent',
      metadata: { name: 'n1' },
      spec,
      status: { registeredTime: '' },
    });
  else await world.api.update(agents, { ...old, spec } as unknown as NewObject<Agent>);
  await world.clock.settle();
}

async function fill(world: World, ...ids: string[]): Promise<void> {
  for (const id of ids) {
    await world.files.makeDir(place(id).replace('/file', ''));
    world.files.put(place(id), 'data');
  }
}

const left = (world: World): string[] =>
  ['v1', 'v2', 'v3'].filter((id) => world.files.nodes.has(place(id)));

test('The data of a destroyed volume is removed, that of others stays', async () => {
  const world = new World();
  await world.start();
  await keep(world, 'v1', 'v2');
  await fill(world, 'v1', 'v2', 'v3');
  await keep(world, 'v2');
  assert.deepEqual(left(world), ['v2', 'v3']);
  assert.ok(![...world.files.nodes.keys()].some((path) => path.includes('/removed/')));
  await keep(world, 'v2', 'v1');
  assert.deepEqual(left(world), ['v2', 'v3']);
  world.crash();
});

test('What was destroyed while the agent was down is removed when it is back', async () => {
  const world = new World();
  await world.start();
  await keep(world, 'v1', 'v2');
  await fill(world, 'v1', 'v2');
  world.crash();
  await keep(world, 'v1');
  await world.start();
  assert.deepEqual(left(world), ['v1']);
  world.crash();
});

test('A node that joins anew removes nothing: nobody destroyed its volumes', async () => {
  const world = new World();
  await world.start();
  await keep(world, 'v1');
  await fill(world, 'v1');
  await world.api.delete(agents, { name: 'n1' });
  await world.clock.settle();
  await keep(world);
  assert.deepEqual(left(world), ['v1']);
  world.crash();
});
