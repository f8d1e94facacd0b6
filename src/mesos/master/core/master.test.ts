import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pods } from '#kube/kinds';
import { frameworks as frameworkKind } from '#mesos/kinds';
import { taskInfo, World } from './fixture.test.ts';

async function world(...nodes: string[]): Promise<World> {
  const made = new World();
  await made.start();
  for (const name of nodes.length === 0 ? ['n1'] : nodes) await made.addNode(name);
  await made.clock.advance(1);
  return made;
}

test('A framework without an id is given one and is stored before it is told', async () => {
  await using at = await world();
  const framework = await at.framework();
  const [subscribed] = framework.take('SUBSCRIBED');
  assert.equal(subscribed?.subscribed?.framework_id.value, framework.id);
  assert.match(framework.id, /^[0-9a-f-]{36}-0000$/);
  assert.equal(subscribed?.subscribed?.heartbeat_interval_seconds, 15);
  assert.equal(at.api.all(frameworkKind)[0]?.spec.frameworkID, framework.id);
});

test('An offer has everything that is free of one agent', async () => {
  await using at = await world();
  const framework = await at.framework();
  const [offer, ...others] = framework.offers();
  assert.deepEqual(others, []);
  assert.match(offer?.id.value ?? '', /-O0$/);
  assert.equal(offer?.hostname, '10.0.0.1');
  assert.deepEqual(offer?.resources, [
    { name: 'cpus', type: 'SCALAR', scalar: { value: 4 }, role: '*' },
    { name: 'mem', type: 'SCALAR', scalar: { value: 8192 }, role: '*' },
    { name: 'disk', type: 'SCALAR', scalar: { value: 10_240 }, role: '*' },
    {
      name: 'ports',
      type: 'RANGES',
      ranges: { range: [{ begin: 31_000, end: 32_000 }] },
      role: '*',
    },
  ]);
  at.master.check();
});

test('LAUNCH makes a Pod and a Task, and updates come until they are acknowledged', async () => {
  await using at = await world();
  const framework = await at.framework();
  await framework.launch(await framework.offer(), 't1');
  const task = at.task('t1');
  const [pod] = at.api.all(pods);
  assert.equal(pod?.metadata.name, task.metadata.name);
  assert.equal(pod?.spec.nodeName, 'n1');
  assert.equal(pod?.spec.runtimeClassName, 'process');
  assert.equal(pod?.metadata.namespace, 'mesos-test-framework');
  assert.equal(
    at.master.state.frameworks.get(framework.id)?.tasks.get('t1')?.state,
    'TASK_STAGING',
  );
  await at.update('t1', 'TASK_RUNNING');
  const [running] = framework.updates();
  assert.equal(running?.state, 'TASK_RUNNING');
  await at.clock.advance(10_000);
  assert.deepEqual(framework.updates(), [running]);
  await at.clock.advance(19_000);
  assert.deepEqual(framework.updates(), []);
  await at.clock.advance(1000);
  assert.deepEqual(framework.updates(), [running]);
  assert(running);
  await framework.acknowledge(running);
  await at.clock.advance(600_000);
  assert.deepEqual(framework.updates(), []);
  assert.deepEqual(at.task('t1').status.updates, []);
  assert.equal(at.task('t1').status.updateState, 'TASK_RUNNING');
  at.master.check();
});

test('Updates are delivered in order, none past an unacknowledged one', async () => {
  await using at = await world();
  const framework = await at.framework();
  await framework.launch(await framework.offer(), 't1');
  for (const state of ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED'] as const)
    await at.update('t1', state, { data: 'AA==' });
  const seen: string[] = [];
  for (let turn = 0; turn < 3; turn++) {
    const [status, ...more] = framework.updates();
    assert.deepEqual(more, []);
    assert(status);
    assert.equal(status.data, 'AA==');
    seen.push(status.state);
    await framework.acknowledge(status);
  }
  assert.deepEqual(seen, ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
  const record = at.master.state.frameworks.get(framework.id);
  assert.equal(record?.tasks.size, 0);
  assert.equal(record?.completedTasks[0]?.state, 'TASK_FINISHED');
  assert(at.task('t1').status.completedTime);
  at.master.check();
});

test('RECONCILE answers with the state that was forwarded, and by the table for others', async () => {
  await using at = await world();
  const framework = await at.framework({ capabilities: ['PARTITION_AWARE'] });
  const offer = await framework.offer();
  await framework.launch(offer, 't1');
  await at.update('t1', 'TASK_STARTING');
  await at.update('t1', 'TASK_RUNNING');
  framework.updates();
  await framework.call({ type: 'RECONCILE', reconcile: {} });
  const [known] = framework.updates();
  assert.equal(known?.state, 'TASK_STARTING');
  assert.equal(known?.uuid, undefined);
  await framework.call({
    type: 'RECONCILE',
    reconcile: {
      tasks: [
        { task_id: { value: 'x' }, agent_id: offer.agent_id },
        { task_id: { value: 'x' } },
        { task_id: { value: 'x' }, agent_id: { value: 'who' } },
      ],
    },
  });
  assert.deepEqual(
    framework.updates().map(({ state, message }) => [state, message]),
    [
      ['TASK_GONE', 'Reconciliation: Task is unknown to the agent'],
      ['TASK_UNKNOWN', 'Reconciliation: Task is unknown'],
      ['TASK_UNKNOWN', 'Reconciliation: Task is unknown'],
    ],
  );
});

test('KILL is written to the Task; of an unknown task it is a question', async () => {
  await using at = await world();
  const framework = await at.framework();
  await framework.launch(await framework.offer(), 't1');
  await framework.call({
    type: 'KILL',
    kill: {
      task_id: { value: 't1' },
      kill_policy: { grace_period: { nanoseconds: 5e9 } },
    },
  });
  assert.equal(at.task('t1').spec.kill?.gracePeriodNanoseconds, 5e9);
  await framework.call({ type: 'KILL', kill: { task_id: { value: 'nobody' } } });
  assert.deepEqual(
    framework.updates().map(({ state, reason }) => [state, reason]),
    [['TASK_LOST', 'REASON_RECONCILIATION']],
  );
});

test('What Pods take of an offered machine is rescinded, no more', async () => {
  await using at = await world('n1', 'n2');
  const framework = await at.framework();
  const offers = framework.offers();
  assert.equal(offers.length, 2);
  const n1 = [...at.master.state.agents.values()].find(({ nodeName }) => nodeName === 'n1');
  at.pool.commit([
    {
      owner: 'pod/default/web',
      node: 'n1',
      epoch: 0,
      amounts: { cpu: 1000, pods: 1 },
      ports: [],
      role: '*',
    },
  ]);
  await at.clock.advance(1);
  const rescinded = framework.take('RESCIND').map(({ rescind }) => rescind?.offer_id.value);
  assert.deepEqual(
    rescinded,
    offers.filter(({ agent_id }) => agent_id.value === n1?.id).map(({ id }) => id.value),
  );
  const again = await framework.offer();
  assert.equal(again.resources?.[0]?.scalar?.value, 3);
  assert.equal(n1?.podResources()[0]?.scalar?.value, 1);
  at.master.check();
});

test('A launch that loses the race for room is TASK_LOST or TASK_DROPPED', async () => {
  await using at = await world();
  const framework = await at.framework({ capabilities: ['PARTITION_AWARE'] });
  const offer = await framework.offer();
  at.pool.commit([
    {
      owner: 'pod/default/web',
      node: 'n1',
      epoch: 0,
      amounts: { cpu: 3800, pods: 1 },
      ports: [],
      role: '*',
    },
  ]);
  await framework.launch(offer, 't1');
  const [status] = framework.updates();
  assert.equal(status?.state, 'TASK_DROPPED');
  assert.equal(status?.reason, 'REASON_INVALID_OFFERS');
  assert.match(
    status?.message ?? '',
    /^Task launched with invalid offers: node "n1" has 200m cpu free/,
  );
  assert.equal(at.master.state.frameworks.get(framework.id)?.tasks.size, 0);
  at.master.check();
});

test('An ACCEPT with an invalid offer launches nothing and gives back the rest', async () => {
  await using at = await world();
  const framework = await at.framework();
  const offer = await framework.offer();
  await framework.call({
    type: 'ACCEPT',
    accept: {
      offer_ids: [offer.id, { value: 'none' }],
      operations: [{ type: 'LAUNCH', launch: { task_infos: [taskInfo('t1', offer)] } }],
    },
  });
  const [status] = framework.updates();
  assert.equal(status?.state, 'TASK_LOST');
  assert.equal(status?.message, 'Task launched with invalid offers: Offer none is no longer valid');
  assert.equal(at.master.state.offers.size, 0);
  at.master.check();
});

test('A failed over framework has its old stream told and closed', async () => {
  await using at = await world();
  const first = await at.framework();
  const second = await at.framework({ id: first.id });
  assert.deepEqual(
    first.take('ERROR').map(({ error }) => error?.message),
    ['Framework failed over'],
  );
  assert(first.closed);
  assert.equal(second.id, first.id);
  assert.equal((await second.offer()).framework_id.value, first.id);
  at.master.check();
});

test('A framework that does not come back in time is removed, its tasks killed in the books', async () => {
  await using at = await world();
  const framework = await at.framework({ failoverTimeout: 60 });
  await framework.launch(await framework.offer(), 't1');
  framework.connection?.close();
  await at.clock.advance(59_000);
  assert(at.master.state.frameworks.has(framework.id));
  await at.clock.advance(2000);
  assert(!at.master.state.frameworks.has(framework.id));
  const [completed] = at.master.state.completedFrameworks;
  assert.equal(completed?.completedTasks[0]?.state, 'TASK_KILLED');
  assert(at.api.all(pods).every(({ metadata }) => metadata.deletionTimestamp !== undefined));
  const again = await at.framework({ id: framework.id });
  assert.deepEqual(
    again.take('ERROR').map(({ error }) => error?.message),
    ['Framework has been removed'],
  );
});

test('A restarted master knows frameworks, agents and tasks, and sends what was not acknowledged', async () => {
  await using at = await world();
  const framework = await at.framework({ failoverTimeout: 600 });
  await framework.launch(await framework.offer(), 't1');
  const agentID = at.task('t1').spec.agentID;
  await at.update('t1', 'TASK_RUNNING');
  await at.restart();
  assert.deepEqual([...at.master.state.agents.keys()], [agentID]);
  const again = await at.framework({ id: framework.id });
  assert.equal(again.id, framework.id);
  const [running] = again.updates();
  assert.equal(running?.state, 'TASK_RUNNING');
  assert.equal(
    at.master.state.frameworks.get(framework.id)?.tasks.get('t1')?.state,
    'TASK_RUNNING',
  );
  const offer = await again.offer();
  assert.equal(offer.resources?.[0]?.scalar?.value, 3.5);
  at.master.check();
});

test('Tasks of a lost agent are unreachable, and come back with it', async () => {
  await using at = await world();
  const framework = await at.framework({ capabilities: ['PARTITION_AWARE'] });
  await framework.launch(await framework.offer(), 't1');
  await at.update('t1', 'TASK_RUNNING');
  const [running] = framework.updates();
  assert(running);
  await framework.acknowledge(running);
  const { agentID } = at.task('t1').spec;
  await at.setReady('n1', 'Unknown');
  assert.equal(at.master.state.agents.get(agentID)?.connected, false);
  await at.clock.advance(75_000);
  const [lost] = framework.updates();
  assert.equal(lost?.state, 'TASK_UNREACHABLE');
  assert.equal(lost?.reason, 'REASON_AGENT_REMOVED');
  assert.equal(at.master.state.unreachableAgents.has(agentID), true);
  at.master.check();
  await at.setReady('n1', 'True');
  const [back] = framework.updates();
  assert.equal(back?.state, 'TASK_RUNNING');
  assert.equal(back?.reason, 'REASON_AGENT_REREGISTERED');
  at.master.check();
});

test('Observers are told of a task when it is stored, and of each change of its state', async () => {
  await using at = await world();
  const seen: string[] = [];
  using _watch = at.master.onChange((change) => {
    if (change.type === 'TASK_ADDED') seen.push(`added ${change.task.state}`);
    if (change.type === 'TASK_UPDATED') seen.push(`updated ${change.task.state}`);
  });
  const framework = await at.framework();
  await framework.launch(await framework.offer(), 't1');
  await at.update('t1', 'TASK_RUNNING');
  await at.update('t1', 'TASK_RUNNING');
  await at.update('t1', 'TASK_FINISHED');
  assert.deepEqual(seen, ['added TASK_STAGING', 'updated TASK_RUNNING', 'updated TASK_FINISHED']);
});

test('Metrics count calls, events, offers and ends of tasks by the names of the reference', async () => {
  await using at = await world();
  const framework = await at.framework();
  await framework.launch(await framework.offer(), 't1');
  await at.update('t1', 'TASK_FAILED', {
    reason: 'REASON_CONTAINER_LAUNCH_FAILED',
    source: 'SOURCE_AGENT',
  });
  const metrics = at.master.metrics();
  const prefix = `master/frameworks/Test%20Framework/${framework.id}/`;
  const want: Readonly<Record<string, number>> = {
    'master/elected': 1,
    'master/slaves_active': 1,
    'master/frameworks_connected': 1,
    'master/tasks_failed': 1,
    'master/task_failed/source_slave/reason_container_launch_failed': 1,
    'master/cpus_total': 4,
    [`${prefix}subscribed`]: 1,
    [`${prefix}calls/accept`]: 1,
    [`${prefix}offers/accepted`]: 1,
    [`${prefix}events/update`]: 1,
  };
  for (const [name, value] of Object.entries(want)) assert.equal(metrics[name], value, name);
  for (const name of [
    'allocation_run_ms/p99',
    'allocation_run_latency_ms/count',
    'resources/cpus/offered_or_allocated',
  ])
    assert.equal(typeof metrics[`allocator/mesos/${name}`], 'number', name);
});
