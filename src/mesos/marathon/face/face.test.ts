import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld } from '../fixture.test.ts';

const sleep = { id: '/sleep', cmd: 'sleep 1000', cpus: 0.1, mem: 16, instances: 1 };

test('Every answer names the leader and forbids caching', async () => {
  const world = await createWorld();
  const { status, text, headers } = await world.call('GET', '/ping');
  assert.deepEqual([status, text], [200, 'pong']);
  assert.equal(headers['Content-Type'], 'text/plain');
  assert.equal(headers['X-Marathon-Leader'], 'http://localhost:8080');
  assert.equal(headers['Cache-Control'], 'no-cache, no-store, must-revalidate');
  assert.equal(headers['X-Frame-Options'], 'DENY');
  const quoted = await world.call('GET', '/ping', undefined, { accept: 'application/json' });
  assert.equal(quoted.text, '"pong"');
  const other = await world.call('GET', '/ping', undefined, { accept: 'image/png' });
  assert.equal(other.status, 204);
  const ui = await world.call('GET', '/');
  assert.deepEqual([ui.status, ui.headers['Location']], [302, '/ui/']);
  await world.ask('POST', '/v2/apps', sleep);
  const page = await world.call('GET', '/ui/', undefined, { accept: 'text/html' });
  assert.match(page.text, /<a href="\/v2\/apps\/sleep">\/sleep<\/a><\/td><td>1 of 1</);
  await world.stop();
});

const refusals: readonly {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly status: number;
  readonly message: string;
}[] = [
  {
    name: 'an unknown route',
    method: 'GET',
    path: '/v2/nothing',
    status: 500,
    message: 'URI not found',
  },
  {
    name: 'a method that a route has not',
    method: 'PUT',
    path: '/v2/info',
    status: 405,
    message: 'Method Not Allowed',
  },
  {
    name: 'another type of body',
    method: 'POST',
    path: '/v2/apps',
    body: sleep,
    headers: { 'content-type': 'text/xml' },
    status: 415,
    message: 'Unsupported Media Type',
  },
  {
    name: 'a client that takes no JSON',
    method: 'GET',
    path: '/v2/apps',
    headers: { accept: 'text/plain' },
    status: 406,
    message: 'Not Acceptable',
  },
  {
    name: 'text that is no JSON',
    method: 'POST',
    path: '/v2/apps',
    body: '{"id":',
    status: 400,
    message: 'Invalid JSON',
  },
  {
    name: 'an empty body',
    method: 'POST',
    path: '/v2/apps',
    status: 400,
    message: 'Please specify data in JSON format',
  },
  {
    name: 'JSON of a wrong shape',
    method: 'POST',
    path: '/v2/apps',
    body: { id: 7 },
    status: 422,
    message: 'Invalid JSON',
  },
  {
    name: 'an app that runs nothing',
    method: 'POST',
    path: '/v2/apps',
    body: { id: '/x' },
    status: 422,
    message: 'Object is not valid',
  },
  {
    name: 'an app that is there',
    method: 'POST',
    path: '/v2/apps',
    body: sleep,
    status: 409,
    message: 'An app with id [/sleep] already exists.',
  },
  {
    name: 'an unknown app',
    method: 'GET',
    path: '/v2/apps/nope',
    status: 404,
    message: "App '/nope' does not exist",
  },
  {
    name: 'a patch of an unknown app',
    method: 'PATCH',
    path: '/v2/apps/nope',
    body: { instances: 2 },
    status: 404,
    message: "App '/nope' does not exist",
  },
  {
    name: 'deleting an unknown app',
    method: 'DELETE',
    path: '/v2/apps/nope',
    status: 404,
    message: "App '/nope' does not exist",
  },
  {
    name: 'a pod where an app is',
    method: 'POST',
    path: '/v2/pods',
    body: {
      id: '/sleep',
      containers: [
        { name: 'a', exec: { command: { shell: 'x' } }, resources: { cpus: 0.1, mem: 32 } },
      ],
    },
    status: 422,
    message: 'Object is not valid',
  },
  {
    name: 'apps of an unknown group',
    method: 'GET',
    path: '/v2/apps/nope/*',
    status: 404,
    message: "Group '/nope' does not exist",
  },
  {
    name: 'an unknown version',
    method: 'GET',
    path: '/v2/apps/sleep/versions/2014-01-01T00:00:00.000Z',
    status: 404,
    message: "App '/sleep' does not exist in version 2014-01-01T00:00:00.000Z",
  },
  {
    name: 'a version that is no time',
    method: 'GET',
    path: '/v2/apps/sleep/versions/latest',
    status: 422,
    message: "Invalid timestamp provided 'latest'. Expecting ISO-8601 datetime string.",
  },
  {
    name: 'an unknown group',
    method: 'GET',
    path: '/v2/groups/nope',
    status: 404,
    message: "Group '/nope' does not exist",
  },
  {
    name: 'a group that is there',
    method: 'POST',
    path: '/v2/groups',
    body: { id: '/' },
    status: 409,
    message: 'Group / is already created. Use PUT to change this group.',
  },
  {
    name: 'a group where an app is',
    method: 'POST',
    path: '/v2/groups',
    body: { id: '/sleep' },
    status: 409,
    message: 'An app with the path /sleep already exists.',
  },
  {
    name: 'an unknown deployment',
    method: 'DELETE',
    path: '/v2/deployments/x',
    status: 404,
    message: 'DeploymentPlan x does not exist',
  },
  {
    name: 'a delay of what does not wait',
    method: 'DELETE',
    path: '/v2/queue/sleep/delay',
    status: 404,
    message: 'Application /sleep not found in tasks queue.',
  },
  {
    name: 'scaling and wiping at once',
    method: 'DELETE',
    path: '/v2/apps/sleep/tasks?scale=true&wipe=true',
    status: 400,
    message: 'You cannot use scale and wipe at the same time.',
  },
  {
    name: 'an unknown task',
    method: 'DELETE',
    path: '/v2/apps/sleep/tasks/sleep.instance-00000000-0000-1000-8000-000000000000._app.1',
    status: 404,
    message: "Task 'sleep.instance-00000000-0000-1000-8000-000000000000._app.1' does not exist",
  },
  {
    name: 'a label selector that is none',
    method: 'GET',
    path: '/v2/apps?label=a==',
    status: 422,
    message:
      'Can not parse label selector a==. Reason: a label or value expected but end of source found',
  },
  {
    name: 'an unknown pod',
    method: 'GET',
    path: '/v2/pods/nope',
    status: 404,
    message: '{"message": "pod with /nope does not exist"}',
  },
  {
    name: 'the status of an unknown pod',
    method: 'GET',
    path: '/v2/pods/nope::status',
    status: 404,
    message: "Pod '/nope' does not exist",
  },
  {
    name: 'an unknown plugin',
    method: 'GET',
    path: '/v2/plugins/x/y',
    status: 404,
    message: 'No plugin with this pluginId: x',
  },
  {
    name: 'a cyclic dependency',
    method: 'PUT',
    path: '/v2/groups/c',
    body: {
      apps: [
        { ...sleep, id: 'a', dependencies: ['b'] },
        { ...sleep, id: 'b', dependencies: ['a'] },
      ],
    },
    status: 422,
    message: 'Object is not valid',
  },
];

for (const { name, method, path, body, headers, status, message } of refusals)
  test(`The face refuses ${name}`, async () => {
    const world = await createWorld();
    await world.ask('POST', '/v2/apps', sleep);
    const reply = await world.call(method, path, body, headers);
    assert.equal(reply.status, status, reply.text);
    assert.equal((reply.json as { message: string }).message, message);
    assert.equal(world.master.live.length, 1);
    await world.stop();
  });

test('A posted app comes back whole, with its defaults', async () => {
  const world = await createWorld();
  const created = await world.call('POST', '/v2/apps', { id: '/foo', cmd: 'sleep 1000' });
  const { version, deployments, ...app } = created.json as Record<string, unknown>;
  assert.match(String(version), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal((deployments as unknown[]).length, 1);
  assert.equal(created.headers['Marathon-Deployment-Id'], (deployments as { id: string }[])[0]?.id);
  assert.deepEqual(app, {
    id: '/foo',
    backoffFactor: 1.15,
    backoffSeconds: 1,
    cmd: 'sleep 1000',
    cpus: 1,
    disk: 0,
    executor: '',
    instances: 1,
    labels: {},
    maxLaunchDelaySeconds: 300,
    mem: 128,
    gpus: 0,
    networks: [{ mode: 'host' }],
    portDefinitions: [{ port: 0, name: 'default', protocol: 'tcp' }],
    requirePorts: false,
    upgradeStrategy: { maximumOverCapacity: 1, minimumHealthCapacity: 1 },
    killSelection: 'YOUNGEST_FIRST',
    unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
    role: '*',
    tasksStaged: 0,
    tasksRunning: 0,
    tasksHealthy: 0,
    tasksUnhealthy: 0,
  });
  await world.settle();
  const { app: shown } = await world.ask('GET', '/v2/apps/foo');
  const { portDefinitions, versionInfo } = shown as Record<string, unknown>;
  assert.deepEqual(portDefinitions, [{ port: 10_000, name: 'default', protocol: 'tcp' }]);
  assert.deepEqual(versionInfo, { lastScalingAt: version, lastConfigChangeAt: version });
  await world.stop();
});

test('Versions of an app can be listed, read and gone back to', async () => {
  const world = await createWorld();
  await world.ask('POST', '/v2/apps', sleep);
  await world.clock.advance(5);
  await world.ask('PUT', '/v2/apps/sleep', { cmd: 'sleep 2000' });
  const { versions } = await world.ask('GET', '/v2/apps/sleep/versions');
  const [newest, oldest] = versions as string[];
  assert.ok((newest ?? '') > (oldest ?? ''));
  const old = await world.ask('GET', `/v2/apps/sleep/versions/${oldest ?? ''}`);
  assert.equal(old['cmd'], 'sleep 1000');
  await world.clock.advance(5);
  await world.ask('PUT', '/v2/apps/sleep', { version: oldest });
  const { app } = await world.ask('GET', '/v2/apps/sleep');
  assert.equal((app as { cmd: string }).cmd, 'sleep 1000');
  assert.equal(
    ((await world.ask('GET', '/v2/apps/sleep/versions'))['versions'] as string[]).length,
    3,
  );
  await world.stop();
});

test('A group can go back to one of its versions', async () => {
  const world = await createWorld();
  await world.ask('PUT', '/v2/groups/shop', {
    apps: [
      { ...sleep, id: 'web' },
      { ...sleep, id: 'db' },
    ],
  });
  await world.clock.advance(5);
  await world.ask('PUT', '/v2/groups/shop', { apps: [{ ...sleep, id: 'web', cmd: 'sleep 1' }] });
  assert.equal((await world.call('GET', '/v2/apps/shop/db')).status, 404);
  const reply = await world.call('GET', '/v2/groups/shop/versions');
  const [, first] = reply.json as string[];
  const past = await world.ask('GET', `/v2/groups/shop/versions/${first ?? ''}`);
  assert.equal((past['apps'] as unknown[]).length, 2);
  await world.ask('PUT', '/v2/groups/shop', { version: first });
  assert.equal((await world.call('GET', '/v2/apps/shop/db')).status, 200);
  const { app } = await world.ask('GET', '/v2/apps/shop/web');
  assert.equal((app as { cmd: string }).cmd, 'sleep 1000');
  await world.stop();
});

test('A group is taken under any type of content', async () => {
  const world = await createWorld();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const reply = await world.call('POST', '/v2/groups', { id: '/any' }, headers);
  assert.equal(reply.status, 201, reply.text);
  await world.stop();
});

test('Several apps are put and patched at once, in one deployment', async () => {
  const world = await createWorld();
  await world.ask('PUT', '/v2/apps', [
    { ...sleep, id: '/a' },
    { ...sleep, id: '/b' },
  ]);
  assert.equal(world.master.live.length, 2);
  const missing = await world.call('PATCH', '/v2/apps', [
    { id: '/a', instances: 3 },
    { id: '/c', instances: 3 },
  ]);
  assert.equal(missing.status, 404);
  await world.ask('PATCH', '/v2/apps', [
    { id: '/a', instances: 2 },
    { id: '/b', instances: 2 },
  ]);
  assert.equal(world.master.live.length, 4);
  const { apps } = await world.ask('GET', '/v2/apps?id=A');
  assert.deepEqual(
    (apps as { id: string }[]).map(({ id }) => id),
    ['/a'],
  );
  await world.stop();
});

test('A restart replaces all instances by the same definition', async () => {
  const world = await createWorld();
  await world.ask('POST', '/v2/apps', { ...sleep, instances: 2 });
  const before = world.master.live.map(({ info }) => info.task_id.value);
  await world.ask('POST', '/v2/apps/sleep/restart');
  const after = world.master.live.map(({ info }) => info.task_id.value);
  assert.equal(after.length, 2);
  assert.ok(after.every((id) => !before.includes(id)));
  await world.stop();
});

test('A pod is posted, runs as one group of tasks, tells its status and goes', async () => {
  const world = await createWorld();
  assert.equal((await world.call('HEAD', '/v2/pods')).status, 200);
  const pod = {
    id: '/p',
    containers: [
      { name: 'one', exec: { command: { shell: 'sleep 1' } }, resources: { cpus: 0.1, mem: 32 } },
      { name: 'two', exec: { command: { shell: 'sleep 2' } }, resources: { cpus: 0.1, mem: 32 } },
    ],
    scaling: { kind: 'fixed', instances: 2 },
    networks: [{ mode: 'host' }],
  };
  const created = await world.call('POST', '/v2/pods', pod);
  assert.equal(created.status, 201, created.text);
  await world.settle();
  assert.equal(world.master.live.length, 4);
  const status = await world.ask('GET', '/v2/pods/p::status');
  assert.equal(status['status'], 'STABLE');
  const instances = status['instances'] as {
    id: string;
    containers: { name: string; status: string }[];
  }[];
  assert.equal(instances.length, 2);
  assert.deepEqual(
    instances[0]?.containers.map(({ name, status: state }) => [name, state]),
    [
      ['one', 'TASK_RUNNING'],
      ['two', 'TASK_RUNNING'],
    ],
  );
  assert.equal(((await world.call('GET', '/v2/pods/::status')).json as unknown[]).length, 1);
  assert.equal(((await world.call('GET', '/v2/pods/p::versions')).json as unknown[]).length, 1);
  const killed = await world.call('DELETE', `/v2/pods/p::instances/${instances[0]?.id ?? ''}`);
  assert.equal(killed.status, 200, killed.text);
  await world.settle();
  assert.equal(world.master.live.length, 4);
  const gone = await world.call('DELETE', '/v2/pods/p');
  assert.equal(gone.status, 202);
  await world.settle();
  assert.equal(world.master.live.length, 0);
  await world.stop();
});

test('A stream of events gets only what it asked for', async () => {
  const world = await createWorld({ listen: true });
  const refused = await world.call('GET', '/v2/events');
  assert.equal(refused.status, 405);
  await world.ask('POST', '/v2/apps', sleep);
  const events = world.takeEvents();
  const status = events.find(
    ({ type, data }) => type === 'status_update_event' && data['taskStatus'] === 'TASK_RUNNING',
  );
  assert.equal(status?.data['appId'], '/sleep');
  assert.equal(status?.data['host'], 'host-master-S0');
  const deployment = events.find(({ type }) => type === 'deployment_info');
  const { plan, currentStep } = (deployment?.data ?? {}) as {
    plan: Record<string, unknown>;
    currentStep: unknown;
  };
  assert.deepEqual(Object.keys(plan), ['id', 'steps', 'version']);
  assert.deepEqual(currentStep, { actions: [{ action: 'StartApplication', app: '/sleep' }] });
  await world.stop();
});
