import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerInfo } from '#mesos/protocol';
import { worldWith } from './test-world.test.ts';

const mapping = { host_port: 31_000, container_port: 80 };
const docker = { image: 'i', network: 'USER' } as const;
const cases: readonly (readonly [ContainerInfo, string])[] = [
  [{ type: 'MESOS', network_infos: [{ name: 'weave' }] }, "Unknown CNI network 'weave'"],
  [
    { type: 'MESOS', network_infos: [{ name: 'dcos' }, { name: 'dcos' }] },
    "Attempted to join CNI network 'dcos' multiple times",
  ],
  [
    { type: 'DOCKER', docker, network_infos: [{ name: 'weave' }] },
    'docker: Error response from daemon: network weave not found.',
  ],
  [
    { type: 'DOCKER', docker: { image: 'i' }, hostname: 'h' },
    'Failed to run docker container: Unable to set hostname with host network mode',
  ],
  [
    { type: 'DOCKER', docker: { image: 'i', network: 'NONE', port_mappings: [mapping] } },
    'Failed to run docker container: ' +
      'Port mappings are only supported for bridge and user-defined networks',
  ],
];
for (const [container, text] of cases)
  test(`A network that cannot be had fails the launch: ${text}`, async () => {
    const world = await worldWith(() => ({}));
    await world.launch('t', { task: { container } });
    await world.run(500);
    assert.deepEqual(world.states('t'), ['TASK_FAILED']);
    const { reason, message } = world.last('t') ?? {};
    assert.equal(reason, 'REASON_CONTAINER_LAUNCH_FAILED');
    assert.equal(message, `Failed to launch container: ${text}`);
    world.crash();
  });

test('The cluster’s own network has names of those who had it before', async () => {
  const world = await worldWith(() => ({}));
  for (const name of ['default', 'bridge', 'mesos-bridge', 'dcos'])
    await world.launch(name, { task: { container: { type: 'MESOS', network_infos: [{ name }] } } });
  await world.run(500);
  for (const name of ['default', 'bridge', 'mesos-bridge', 'dcos'])
    assert.deepEqual(world.states(name), ['TASK_STARTING', 'TASK_RUNNING']);
  world.crash();
});
