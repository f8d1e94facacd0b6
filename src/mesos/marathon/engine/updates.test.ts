import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appVersions } from '#mesos/kinds';
import { createWorld } from '../fixture.test.ts';

const sleep = { id: '/sleep', cmd: 'sleep 1000', cpus: 0.1, mem: 16, instances: 1 };

test('No more deployments run at once than the flag says, but with force', async () => {
  const world = await createWorld({ settings: { max_running_deployments: 1 } });
  world.master.fate = () => 'hang';
  await world.ask('POST', '/v2/apps', sleep);
  const refused = await world.call('POST', '/v2/apps', { ...sleep, id: '/other' });
  assert.equal(refused.status, 403);
  assert.match(
    (refused.json as { message: string }).message,
    /^Max number \(1\) of running deployments is achieved\./,
  );
  assert.equal(
    (await world.call('POST', '/v2/apps?force=true', { ...sleep, id: '/other' })).status,
    201,
  );
  assert.equal(((await world.call('GET', '/v2/deployments')).json as unknown[]).length, 2);
  world.marathon.check();
  await world.stop();
});

test('Only so many versions are kept of an app', async () => {
  const world = await createWorld({ settings: { max_versions: 3 } });
  await world.ask('POST', '/v2/apps', { ...sleep, instances: 0 });
  for (let turn = 1; turn <= 5; turn++) {
    await world.clock.advance(1);
    await world.ask('PUT', '/v2/apps/sleep', { cmd: `sleep ${turn}` });
  }
  const { versions } = await world.ask('GET', '/v2/apps/sleep/versions');
  assert.equal((versions as string[]).length, 3);
  const stored = world.store.api.all(appVersions).filter(({ spec }) => spec.of === 'app');
  assert.equal(stored.length, 3);
  await world.ask('DELETE', '/v2/apps/sleep');
  for (let turn = 1; turn <= 5; turn++) {
    await world.clock.advance(1);
    await world.ask('PUT', '/v2/apps/other', { cmd: `sleep ${turn}`, instances: 0 });
  }
  // Nobody can ask for the deleted one any more: its versions are older than the oldest tree.
  const left = world.store.api.all(appVersions).filter(({ spec }) => spec.id === '/sleep');
  assert.deepEqual(left, []);
  await world.stop();
});

test('Updates that come together are done one after the other, each on the last', async () => {
  const world = await createWorld();
  const ids = Array.from({ length: 20 }, (_, at) => `/app-${at}`);
  const replies = await Promise.all(
    ids.map((id) => world.call('POST', '/v2/apps', { ...sleep, id })),
  );
  assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([201]));
  const versions = new Set(replies.map(({ json }) => (json as { version: string }).version));
  assert.equal(versions.size, 20);
  await world.settle();
  const { apps } = await world.ask('GET', '/v2/apps');
  const ports = (apps as { portDefinitions: { port: number }[] }[]).map(
    ({ portDefinitions }) => portDefinitions[0]?.port,
  );
  assert.equal(new Set(ports).size, 20);
  assert.equal(world.master.live.length, 20);
  world.marathon.check();
  await world.stop();
});

test('Undoing the deployment that made an app takes the app away', async () => {
  const world = await createWorld();
  world.master.fate = () => 'hang';
  await world.ask('POST', '/v2/apps', sleep);
  const [running] = (await world.call('GET', '/v2/deployments')).json as { id: string }[];
  await world.ask('DELETE', `/v2/deployments/${running?.id ?? ''}`);
  await world.settle();
  assert.equal((await world.call('GET', '/v2/apps/sleep')).status, 404);
  assert.equal(world.master.live.length, 0);
  world.marathon.check();
  await world.stop();
});

test('A deployment that is cancelled by force stays where it is', async () => {
  const world = await createWorld({ listen: true });
  world.master.fate = () => 'hang';
  await world.ask('POST', '/v2/apps', sleep);
  const [running] = (await world.call('GET', '/v2/deployments')).json as { id: string }[];
  const reply = await world.call('DELETE', `/v2/deployments/${running?.id ?? ''}?force=true`);
  assert.deepEqual([reply.status, reply.text], [202, '']);
  await world.settle();
  assert.ok(world.takeEvents().some(({ type }) => type === 'deployment_failed'));
  assert.equal((await world.call('GET', '/v2/apps/sleep')).status, 200);
  assert.deepEqual((await world.call('GET', '/v2/deployments')).json, []);
  await world.stop();
});

test('A change that changes nothing still has a deployment, which is over at once', async () => {
  const world = await createWorld({ listen: true });
  await world.ask('POST', '/v2/apps', sleep);
  world.takeEvents();
  const result = await world.ask('PUT', '/v2/apps/sleep', { cmd: sleep.cmd });
  assert.equal(typeof result['deploymentId'], 'string');
  const types = world.takeEvents().map(({ type }) => type);
  assert.deepEqual(types, ['api_post_event', 'group_change_success', 'deployment_success']);
  assert.equal(world.master.launches.length, 1);
  await world.stop();
});

test('A group that insists on its role gives it to its apps', async () => {
  const world = await createWorld();
  await world.ask('PUT', '/v2/groups/dev', { enforceRole: true, apps: [{ ...sleep, id: 'a' }] });
  const { app } = await world.ask('GET', '/v2/apps/dev/a');
  assert.equal((app as { role: string }).role, 'dev');
  assert.equal(world.master.live[0]?.role, 'dev');
  const patched = await world.call('PATCH', '/v2/groups/dev', { enforceRole: false });
  assert.deepEqual([patched.status, patched.text], [200, '']);
  assert.equal((await world.ask('GET', '/v2/groups/dev'))['enforceRole'], false);
  const nested = await world.call('PATCH', '/v2/groups/dev/x', { enforceRole: true });
  assert.equal(nested.status, 422);
  await world.stop();
});
