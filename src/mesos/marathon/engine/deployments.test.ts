import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { World } from '../fixture.test.ts';
import { createWorld } from '../fixture.test.ts';

const sleep = { id: '/sleep', cmd: 'sleep 1000', cpus: 0.1, mem: 16, instances: 2 };

interface Shown {
  readonly version: string;
  readonly instances: number;
  readonly tasksRunning: number;
  readonly tasksHealthy: number;
  readonly tasksUnhealthy: number;
  readonly deployments: readonly { readonly id: string }[];
  readonly tasks: readonly {
    readonly id: string;
    readonly version: string;
    readonly state: string;
  }[];
}

async function shown(world: World, id: string): Promise<Shown> {
  const { app } = await world.ask('GET', `/v2/apps${id}`);
  return app as Shown;
}

test('Events of a new app come in the order of the original', async () => {
  const world = await createWorld({ listen: true });
  assert.deepEqual(
    world.takeEvents().map(({ type }) => type),
    ['event_stream_attached'],
  );
  await world.ask('POST', '/v2/apps', { ...sleep, instances: 1 });
  const events = world.takeEvents();
  assert.deepEqual(
    events.map(({ type, data }) =>
      `${type} ${String(data['condition'] ?? data['taskStatus'] ?? '')}`.trim(),
    ),
    [
      'api_post_event',
      'group_change_success',
      'deployment_info',
      'deployment_step_success',
      'deployment_info',
      'instance_changed_event Scheduled',
      'scheduler_registered_event',
      'instance_changed_event Provisioned',
      'status_update_event TASK_STARTING',
      'instance_changed_event Starting',
      'status_update_event TASK_RUNNING',
      'instance_changed_event Running',
      'deployment_step_success',
      'deployment_success',
    ],
  );
  await world.stop();
});

test('An upgrade starts new instances, then ends the old ones', async () => {
  const world = await createWorld();
  await world.ask('POST', '/v2/apps', sleep);
  const before = await shown(world, '/sleep');
  assert.equal(before.tasksRunning, 2);
  await world.ask('PUT', '/v2/apps/sleep', { cmd: 'sleep 2000' });
  const after = await shown(world, '/sleep');
  assert.equal(after.tasksRunning, 2);
  assert.deepEqual(after.deployments, []);
  assert.ok(after.tasks.every(({ version }) => version === after.version));
  assert.equal(world.master.live.length, 2);
  assert.equal(world.master.killed.length, 2);
  world.marathon.check();
  await world.stop();
});

test('With no capacity to spare an upgrade replaces one after the other', async () => {
  const world = await createWorld();
  const upgradeStrategy = { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 };
  await world.ask('POST', '/v2/apps', { ...sleep, instances: 4, upgradeStrategy });
  let most = 0;
  let least = 4;
  const { report } = world.master;
  world.master.report = (taskID, state, more) => {
    report.call(world.master, taskID, state, more);
    const running = world.master.live.filter((task) => task.state === 'TASK_RUNNING').length;
    most = Math.max(most, world.master.live.length);
    least = Math.min(least, running);
  };
  await world.ask('PUT', '/v2/apps/sleep', { cmd: 'sleep 2000' });
  const after = await shown(world, '/sleep');
  assert.equal(after.tasksRunning, 4);
  assert.deepEqual(after.deployments, []);
  assert.equal(most, 4);
  assert.equal(least, 2);
  await world.stop();
});

test('Scaling down ends the youngest, scaling up starts what is missing', async () => {
  const world = await createWorld();
  await world.ask('POST', '/v2/apps', { ...sleep, instances: 1 });
  const [oldest] = (await shown(world, '/sleep')).tasks;
  await world.clock.advance(1000);
  await world.ask('PUT', '/v2/apps/sleep', { instances: 5 });
  assert.equal((await shown(world, '/sleep')).tasksRunning, 5);
  await world.ask('PATCH', '/v2/apps/sleep', { instances: 1 });
  const { tasks } = await shown(world, '/sleep');
  assert.deepEqual(
    tasks.map(({ id }) => id),
    [oldest?.id],
  );
  await world.ask('DELETE', '/v2/apps/sleep');
  assert.equal(world.master.live.length, 0);
  assert.equal((await world.call('GET', '/v2/apps/sleep')).status, 404);
  await world.stop();
});

test('A second change of an app under deployment is refused, and taken with force', async () => {
  const world = await createWorld({ listen: true });
  world.master.fate = () => 'hang';
  await world.ask('POST', '/v2/apps', sleep);
  const refused = await world.call('PUT', '/v2/apps/sleep', { instances: 3 });
  assert.equal(refused.status, 409);
  const body = refused.json as { message: string; deployments: { id: string }[] };
  assert.match(body.message, /^App is locked by one or more deployments/);
  const [first] = (await shown(world, '/sleep')).deployments;
  assert.deepEqual(body.deployments, [first]);
  world.takeEvents();
  world.master.fate = () => 'run';
  await world.ask('PUT', '/v2/apps/sleep?force=true', { instances: 3 });
  const failed = world.takeEvents().find(({ type }) => type === 'deployment_failed');
  assert.equal(failed?.data['id'], first?.id);
  assert.equal(failed?.data['reason'], 'The upgrade has been cancelled');
  await world.stop();
});

test('Deleting a deployment brings back what was before it', async () => {
  const world = await createWorld();
  await world.ask('POST', '/v2/apps', sleep);
  world.master.fate = () => 'hang';
  await world.ask('PUT', '/v2/apps/sleep', { cmd: 'sleep 2000' });
  const [running] = (await world.call('GET', '/v2/deployments')).json as {
    id: string;
    currentStep: number;
    totalSteps: number;
  }[];
  assert.equal(running?.currentStep, 1);
  world.master.fate = () => 'run';
  await world.ask('DELETE', `/v2/deployments/${running?.id ?? ''}`);
  const after = await shown(world, '/sleep');
  assert.equal((after as unknown as { cmd: string }).cmd, 'sleep 1000');
  assert.equal(after.tasksRunning, 2);
  assert.deepEqual((await world.call('GET', '/v2/deployments')).json, []);
  await world.stop();
});

test('An app that fails is tried again, later and later', async () => {
  const world = await createWorld();
  world.master.fate = () => 'fail';
  await world.ask('POST', '/v2/apps', {
    ...sleep,
    instances: 1,
    backoffSeconds: 2,
    backoffFactor: 2,
  });
  assert.equal(world.master.launches.length, 1);
  const queue = await world.ask('GET', '/v2/queue');
  const [item] = queue['queue'] as {
    count: number;
    delay: { overdue: boolean; timeLeftSeconds: number };
  }[];
  assert.equal(item?.count, 1);
  assert.deepEqual(item?.delay, { timeLeftSeconds: 2, overdue: false });
  await world.clock.advance(2_100);
  await world.settle();
  assert.equal(world.master.launches.length, 2);
  await world.clock.advance(3_000);
  await world.settle();
  assert.equal(world.master.launches.length, 2);
  await world.clock.advance(1_100);
  await world.settle();
  assert.equal(world.master.launches.length, 3);
  assert.equal((await world.call('DELETE', '/v2/queue/sleep/delay')).status, 204);
  await world.settle();
  assert.equal(world.master.launches.length, 4);
  const { app } = await world.ask('GET', '/v2/apps/sleep');
  const { lastTaskFailure } = app as { lastTaskFailure: { state: string; message: string } };
  assert.equal(lastTaskFailure.state, 'TASK_FAILED');
  assert.equal(lastTaskFailure.message, 'exit 1');
  // The same instance, in its next lives.
  const incarnations = world.master.launches.map((id) => id.split('.').at(-1));
  assert.deepEqual(incarnations, ['1', '2', '3', '4']);
  await world.stop();
});

test('What does not fit is told with its reasons', async () => {
  const world = await createWorld({ agents: 2, cpus: 2 });
  await world.ask('POST', '/v2/apps', { ...sleep, cpus: 3, instances: 1 });
  const queue = await world.ask('GET', '/v2/queue?embed=lastUnusedOffers');
  const [item] = queue['queue'] as {
    processedOffersSummary: {
      processedOffersCount: number;
      rejectSummaryLastOffers: { reason: string; declined: number }[];
    };
    lastUnusedOffers: { reason: string[] }[];
  }[];
  assert.equal(item?.processedOffersSummary.processedOffersCount, 2);
  const declined = item?.processedOffersSummary.rejectSummaryLastOffers.filter(
    (one) => one.declined > 0,
  );
  assert.deepEqual(
    declined?.map(({ reason, declined: count }) => [reason, count]),
    [['InsufficientCpus', 2]],
  );
  assert.deepEqual(item?.lastUnusedOffers[0]?.reason, ['InsufficientCpus']);
  await world.stop();
});

test('A group deploys its apps in the order of their dependencies', async () => {
  const world = await createWorld({ listen: true });
  world.takeEvents();
  await world.ask('PUT', '/v2/groups/shop', {
    apps: [
      { ...sleep, id: 'web', dependencies: ['/shop/db'] },
      { ...sleep, id: 'db', instances: 1 },
    ],
  });
  const starts = world
    .takeEvents()
    .filter(
      ({ type, data }) => type === 'instance_changed_event' && data['condition'] === 'Running',
    )
    .map(({ data }) => data['runSpecId']);
  assert.deepEqual(starts, ['/shop/db', '/shop/web', '/shop/web']);
  const group = await world.ask('GET', '/v2/groups/shop');
  assert.deepEqual((group['apps'] as { id: string }[]).map(({ id }) => id).toSorted(), [
    '/shop/db',
    '/shop/web',
  ]);
  await world.ask('PUT', '/v2/groups/shop', { scaleBy: 2 });
  assert.equal(world.master.live.length, 6);
  const dry = await world.ask('PUT', '/v2/groups/shop?dryRun=true', { scaleBy: 2 });
  assert.equal((dry['steps'] as unknown[]).length, 2);
  await world.ask('DELETE', '/v2/groups/shop');
  assert.equal(world.master.live.length, 0);
  await world.stop();
});

test('Health checks that Marathon makes decide when a deployment goes on, and kill', async () => {
  const world = await createWorld({ listen: true });
  const healthChecks = [
    {
      protocol: 'HTTP',
      path: '/health',
      portIndex: 0,
      gracePeriodSeconds: 10,
      intervalSeconds: 5,
      maxConsecutiveFailures: 2,
    },
  ];
  await world.ask('POST', '/v2/apps', {
    ...sleep,
    instances: 1,
    healthChecks,
    portDefinitions: [{ port: 0 }],
  });
  assert.equal((await shown(world, '/sleep')).deployments.length, 1);
  const task = (await shown(world, '/sleep')).tasks[0] as unknown as {
    host: string;
    ports: number[];
  };
  const url = `http://${task.host}:${String(task.ports[0])}/health`;
  const begun = world.takeEvents();
  await world.clock.advance(5_000);
  await world.settle();
  // It may still come up: it counts as unhealthy, but nothing is said of a failure or a change.
  assert.equal((await shown(world, '/sleep')).tasksUnhealthy, 1);
  const early = world.takeEvents().filter(({ type }) => type.includes('health'));
  assert.deepEqual(
    early.map(({ type, data }) => [type, data['healthy']]),
    [['instance_health_changed_event', false]],
  );
  world.answers.set(url, { status: 200, statusText: 'OK', contentType: '', body: '' });
  await world.clock.advance(6_000);
  await world.settle();
  const healthy = await shown(world, '/sleep');
  assert.deepEqual(healthy.deployments, []);
  assert.equal(healthy.tasksHealthy, 1);
  world.answers.set(url, {
    status: 503,
    statusText: 'Service Unavailable',
    contentType: '',
    body: '',
  });
  await world.clock.advance(5_000);
  await world.settle();
  assert.equal((await shown(world, '/sleep')).tasksUnhealthy, 1);
  await world.clock.advance(11_000);
  await world.settle();
  assert.equal(world.master.killed.length, 1);
  const types = new Set([...begun, ...world.takeEvents()].map(({ type }) => type));
  for (const type of [
    'add_health_check_event',
    'health_status_changed_event',
    'failed_health_check_event',
    'unhealthy_instance_kill_event',
    'instance_health_changed_event',
  ])
    assert.ok(types.has(type), type);
  await world.stop();
});

test('A killed task starts again; killed and scaled it does not', async () => {
  const world = await createWorld();
  await world.ask('POST', '/v2/apps', sleep);
  const [first, second] = (await shown(world, '/sleep')).tasks;
  const one = await world.ask('DELETE', `/v2/apps/sleep/tasks/${first?.id ?? ''}`);
  assert.equal((one['task'] as { id: string }).id, first?.id);
  assert.equal((await shown(world, '/sleep')).tasksRunning, 2);
  await world.ask('POST', '/v2/tasks/delete?scale=true', { ids: [second?.id] });
  const after = await shown(world, '/sleep');
  assert.equal(after.instances, 1);
  assert.equal(after.tasksRunning, 1);
  assert.ok(!after.tasks.some(({ id }) => id === second?.id));
  await world.stop();
});

test('Checks of agents and of Marathon in any order leave a deployment in peace', async () => {
  const world = await createWorld({ listen: true });
  const command = { protocol: 'COMMAND', command: { value: 'true' } };
  const healthChecks = [command, { protocol: 'TCP', port: 80, gracePeriodSeconds: 1 }];
  await world.ask('POST', '/v2/apps', { ...sleep, healthChecks, instances: 0 });
  await world.ask('PUT', '/v2/apps/sleep', { cmd: 'sleep 2000' });
  world.takeEvents();
  await world.ask('DELETE', '/v2/apps/sleep');
  assert.deepEqual((await world.call('GET', '/v2/deployments')).json, []);
  const removed = world.takeEvents().filter(({ type }) => type === 'remove_health_check_event');
  assert.equal(removed.length, 2);
  await world.stop();
});

test('With checks of an agent and of Marathon an instance is healthy when both are', async () => {
  const world = await createWorld({ listen: true });
  const command = { protocol: 'COMMAND', command: { value: 'true' } };
  const tcp = { protocol: 'TCP', port: 80, intervalSeconds: 5 };
  await world.ask('POST', '/v2/apps', { ...sleep, instances: 1, healthChecks: [tcp, command] });
  const [task] = world.master.live;
  world.master.report(task?.info.task_id.value ?? '', 'TASK_RUNNING', { healthy: true });
  await world.settle();
  assert.equal((await shown(world, '/sleep')).deployments.length, 1);
  world.answers.set(`host-${task?.agentID ?? ''}:80`, {
    status: 200,
    statusText: '',
    contentType: '',
    body: '',
  });
  await world.clock.advance(6_000);
  await world.settle();
  assert.deepEqual((await shown(world, '/sleep')).deployments, []);
  const told = world.takeEvents().filter(({ type }) => type === 'instance_health_changed_event');
  assert.deepEqual(
    told.map(({ data }) => data['healthy']),
    [true],
  );
  await world.stop();
});
