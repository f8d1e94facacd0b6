/** Agents that are lost, given up, taken down or replaced: what becomes of their tasks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pods } from '#kube/kinds';
import { agents, maintenanceSchedules, tasks as taskKind } from '#mesos/kinds';
import type { Agent } from '#mesos/kinds';
import { World, type TestFramework } from './fixture.test.ts';

async function world(): Promise<World> {
  const made = new World();
  await made.start();
  await made.addNode('n1');
  await made.clock.advance(1);
  return made;
}

/** A task that runs, with its updates acknowledged. */
async function running(
  at: World,
  capabilities: readonly string[] = ['PARTITION_AWARE'],
): Promise<TestFramework> {
  const framework = await at.framework({ capabilities });
  await framework.launch(await framework.offer(), 't1');
  await at.update('t1', 'TASK_RUNNING', {
    healthy: true,
    container_status: { network_infos: [{ ip_addresses: [{ ip_address: '10.0.0.1' }] }] },
  });
  const [told] = framework.updates();
  assert(told);
  await framework.acknowledge(told);
  framework.take();
  return framework;
}

async function lose(at: World): Promise<void> {
  await at.setReady('n1', 'Unknown');
  await at.clock.advance(75_000);
}

function podNames(at: World): readonly string[] {
  return at.api
    .all(pods)
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name);
}

test('A lost task is counted once, by the names of the reference; answers are not counted', async () => {
  await using at = await world();
  const framework = await running(at, []);
  const { agentID } = at.task('t1').spec;
  await lose(at);
  const task = { task_id: { value: 't1' }, agent_id: { value: agentID } };
  await framework.call({ type: 'RECONCILE', reconcile: { tasks: [task] } });
  assert.deepEqual(
    framework.updates().map(({ state, reason }) => [state, reason]),
    [
      ['TASK_LOST', 'REASON_AGENT_REMOVED'],
      ['TASK_LOST', 'REASON_RECONCILIATION'],
    ],
  );
  const metrics = at.master.metrics();
  const lost = Object.entries(metrics).filter(([name]) => name.startsWith('master/task_lost'));
  assert.deepEqual(lost, [['master/task_lost/source_master/reason_slave_removed', 1]]);
  assert.equal(metrics['master/tasks_lost'], 1);
  assert.equal(metrics['master/slaves_unreachable'], 1);
});

test('A task that comes back is told as it is, and is new to who watches', async () => {
  await using at = await world();
  const framework = await running(at);
  const seen: string[] = [];
  using _watch = at.master.onChange((change) => seen.push(change.type));
  await lose(at);
  framework.take();
  await at.setReady('n1', 'True');
  const [back] = framework.updates();
  assert.equal(back?.reason, 'REASON_AGENT_REREGISTERED');
  assert.equal(back?.healthy, true);
  assert.equal(
    back?.container_status?.network_infos?.[0]?.ip_addresses?.[0]?.ip_address,
    '10.0.0.1',
  );
  assert.deepEqual(seen, ['TASK_UPDATED', 'TASK_ADDED', 'AGENT_ADDED']);
  const task = at.master.state.frameworks.get(framework.id)?.tasks.get('t1');
  assert.deepEqual(
    task?.statuses.map(({ state }) => state),
    ['TASK_RUNNING'],
  );
});

test('A task of an agent that is given up is counted once', async () => {
  await using at = await world();
  const framework = await running(at);
  const { agentID } = at.task('t1').spec;
  const gone = at.master.operator.markAgentGone(agentID);
  await at.clock.settle();
  await gone;
  assert.equal(framework.updates()[0]?.state, 'TASK_GONE_BY_OPERATOR');
  assert.equal(at.master.metrics()['master/tasks_gone_by_operator'], 1);
});

test('Executors of an unreachable agent that is given up are not left to run', async () => {
  await using at = await world();
  const framework = await at.framework({ capabilities: ['PARTITION_AWARE'] });
  const offer = await framework.offer();
  const executor = {
    type: 'CUSTOM' as const,
    executor_id: { value: 'e1' },
    command: { value: './executor' },
  };
  const resources = [
    { name: 'cpus', type: 'SCALAR' as const, scalar: { value: 0.5 } },
    { name: 'mem', type: 'SCALAR' as const, scalar: { value: 64 } },
  ];
  const task_infos = [
    { name: 't1', task_id: { value: 't1' }, agent_id: offer.agent_id, executor, resources },
  ];
  await framework.call({
    type: 'ACCEPT',
    accept: { offer_ids: [offer.id], operations: [{ type: 'LAUNCH', launch: { task_infos } }] },
  });
  await at.update('t1', 'TASK_RUNNING');
  assert.equal(podNames(at).length, 1);
  await lose(at);
  const gone = at.master.operator.markAgentGone(at.task('t1').spec.agentID);
  await at.clock.settle();
  await gone;
  await at.clock.advance(1000);
  assert.deepEqual(podNames(at), []);
});

test('Tasks of an agent that was given up while the master died are ended when it is back', async () => {
  await using at = await world();
  const framework = await running(at);
  await at.stop();
  const object = await at.api.get(agents, { name: 'n1' });
  await at.api.update(agents, { ...object, spec: { ...object.spec, gone: true } } as Agent);
  await at.restart();
  await framework.subscribe({ id: framework.id, capabilities: ['PARTITION_AWARE'] });
  await at.clock.advance(1000);
  assert.equal(at.task('t1').status.state, 'TASK_GONE_BY_OPERATOR');
  assert.deepEqual(podNames(at), []);
  at.master.check();
});

test('Tasks of a machine that went down while the master died are ended when it is back', async () => {
  await using at = await world();
  await running(at);
  await at.stop();
  const machine = { hostname: '10.0.0.1', ip: '10.0.0.1' };
  await at.api.create(maintenanceSchedules, {
    apiVersion: 'mesos.tandem.dev/v1',
    kind: 'MaintenanceSchedule',
    metadata: { name: 'cluster' },
    spec: {
      windows: [{ machine_ids: [machine], unavailability: { start: { nanoseconds: 1 } } }],
    },
    status: { downMachines: [machine] },
  });
  await at.restart();
  await at.clock.advance(1000);
  assert.equal(at.task('t1').status.state, 'TASK_LOST');
  assert.deepEqual(podNames(at), []);
  at.master.check();
});

test('A lost machine that is taken down does not go on with its tasks when it is back', async () => {
  await using at = await world();
  await running(at);
  await lose(at);
  const machine = { hostname: '10.0.0.1', ip: '10.0.0.1' };
  const windows = [{ machine_ids: [machine], unavailability: { start: { nanoseconds: 1 } } }];
  const done = at.master.operator
    .updateSchedule({ windows })
    .then(() => at.master.operator.startMaintenance([machine]));
  await at.clock.settle();
  await done;
  await at.setReady('n1', 'True');
  await at.clock.advance(1000);
  assert.equal(at.master.state.agents.size, 0);
  assert.deepEqual(podNames(at), []);
});

test('An Agent object that is deleted makes way for another agent', async () => {
  await using at = await world();
  const framework = await running(at);
  const { agentID } = at.task('t1').spec;
  await at.api.delete(agents, { name: 'n1' });
  await at.clock.settle();
  await at.clock.advance(1000);
  const [lost] = framework.updates();
  assert.equal(lost?.state, 'TASK_LOST');
  assert.equal(lost?.message, 'Agent 10.0.0.1 removed: a new agent registered at the same address');
  const [now] = at.master.state.agents.values();
  assert(now !== undefined && now.id !== agentID);
  assert.equal((await at.api.get(agents, { name: 'n1' })).spec.agentID, now.id);
  assert.equal(at.master.metrics()['master/slave_removals/reason_registered'], 1);
  assert.deepEqual(podNames(at), []);
  at.master.check();
});

test('Tasks of an agent whose object is gone when the master comes back are ended', async () => {
  await using at = await world();
  await running(at);
  await at.stop();
  await at.api.delete(agents, { name: 'n1' });
  await at.restart();
  await at.clock.advance(1000);
  assert.equal(at.api.all(taskKind)[0]?.status.state, 'TASK_LOST');
  at.master.check();
});

test('A framework that wants no offers is asked for a scheduled machine all the same', async () => {
  await using at = await world();
  const framework = await running(at);
  await framework.call({ type: 'SUPPRESS' });
  framework.take();
  const machine = { hostname: '10.0.0.1', ip: '10.0.0.1' };
  const windows = [{ machine_ids: [machine], unavailability: { start: { nanoseconds: 1 } } }];
  const done = at.master.operator.updateSchedule({ windows });
  await at.clock.settle();
  await done;
  await at.clock.advance(2000);
  const asked = framework.take('INVERSE_OFFERS');
  assert.equal(asked.length, 1);
  const [inverse] = asked[0]?.inverse_offers?.inverse_offers ?? [];
  assert(inverse);
  await framework.call({
    type: 'DECLINE_INVERSE_OFFERS',
    decline_inverse_offers: { inverse_offer_ids: [inverse.id], filters: { refuse_seconds: 5 } },
  });
  await at.clock.advance(3000);
  assert.equal(framework.take('INVERSE_OFFERS').length, 0);
  await at.clock.advance(4000);
  assert.equal(framework.take('INVERSE_OFFERS').length, 1);
});
