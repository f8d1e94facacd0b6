import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespaces, nodes, pods } from '#kube/kinds';
import { frameworks as frameworkKind, tasks as taskKind } from '#mesos/kinds';
import { CallRejected } from '#mesos/protocol';
import { asNew, World } from './fixture.test.ts';

async function world(...names: string[]): Promise<World> {
  const made = new World();
  await made.start();
  for (const name of names.length === 0 ? ['n1'] : names) await made.addNode(name);
  await made.clock.advance(1);
  return made;
}

test('A declined offer stays away for its filter, 5 s by default', async () => {
  await using at = await world();
  const framework = await at.framework();
  const [offer] = framework.offers();
  assert(offer);
  await framework.call({ type: 'DECLINE', decline: { offer_ids: [offer.id] } });
  await at.clock.advance(4500);
  assert.deepEqual(framework.offers(), []);
  await at.clock.advance(2000);
  const [again] = framework.offers();
  assert(again);
  await framework.call({
    type: 'DECLINE',
    decline: { offer_ids: [again.id], filters: { refuse_seconds: 3600 } },
  });
  await at.clock.advance(60_000);
  assert.deepEqual(framework.offers(), []);
  await framework.call({ type: 'REVIVE', revive: {} });
  assert.equal(framework.offers().length, 1);
});

test('A suppressed role gets no offers until it is revived', async () => {
  await using at = await world();
  const framework = await at.framework({
    roles: ['eng'],
    capabilities: ['MULTI_ROLE'],
    suppressed: ['eng'],
  });
  await at.clock.advance(5000);
  assert.deepEqual(framework.offers(), []);
  await framework.call({ type: 'REVIVE', revive: { roles: ['ops'] } });
  assert.deepEqual(framework.offers(), []);
  await framework.call({ type: 'REVIVE', revive: { roles: ['eng'] } });
  const [offer] = framework.offers();
  assert.deepEqual(offer?.allocation_info, { role: 'eng' });
  assert.equal(offer?.resources?.[0]?.allocation_info?.role, 'eng');
  at.master.check();
});

test('A subscription that is wrong is told so on its stream', async () => {
  await using at = await world();
  const framework = await at.framework({ roles: ['a', 'a'], capabilities: ['MULTI_ROLE'] });
  assert.deepEqual(
    framework.take().map(({ error }) => error?.message),
    ["'FrameworkInfo.roles' contains duplicate items: { a }"],
  );
  assert(framework.closed);
  await assert.rejects(framework.call({ type: 'REVIVE', revive: {} }), CallRejected);
  assert.deepEqual(at.api.all(frameworkKind), []);
});

test('UPDATE_FRAMEWORK changes roles, and rescinds the offers of those that are left', async () => {
  await using at = await world();
  const framework = await at.framework({ roles: ['a'], capabilities: ['MULTI_ROLE'] });
  const [offer] = framework.offers();
  const info = {
    user: 'nobody',
    name: 'Test Framework',
    id: { value: framework.id },
    checkpoint: true,
    capabilities: [{ type: 'MULTI_ROLE' as const }],
  };
  await framework.call({
    type: 'UPDATE_FRAMEWORK',
    update_framework: { framework_info: { ...info, roles: ['b'] } },
  });
  const [rescind] = framework.take('RESCIND');
  assert.equal(rescind?.rescind?.offer_id.value, offer?.id.value);
  assert.deepEqual((await framework.offer()).allocation_info, { role: 'b' });
  assert.deepEqual(at.api.all(frameworkKind)[0]?.spec.info.roles, ['b']);
  await assert.rejects(
    framework.call({
      type: 'UPDATE_FRAMEWORK',
      update_framework: { framework_info: { ...info, user: 'root', roles: ['b'] } },
    }),
    { status: 400, message: /Updating 'FrameworkInfo.user' is unsupported/ },
  );
});

test('TEARDOWN kills what runs, closes the stream and is remembered', async () => {
  await using at = await world();
  const framework = await at.framework();
  await framework.launch(await framework.offer(), 't1');
  await framework.call({ type: 'TEARDOWN' });
  assert(framework.closed);
  assert(at.api.all(pods)[0]?.metadata.deletionTimestamp);
  assert.equal(at.task('t1').status.state, 'TASK_KILLED');
  assert.equal(at.api.all(frameworkKind)[0]?.status.phase, 'Completed');
  await assert.rejects(framework.call({ type: 'REVIVE' }), {
    status: 400,
    message: 'Framework cannot be found',
  });
  await at.restart();
  assert.equal(at.master.state.completedFrameworks[0]?.id, framework.id);
  at.master.check();
});

test('A Framework object that somebody deletes is a framework torn down', async () => {
  await using at = await world();
  const framework = await at.framework();
  await framework.launch(await framework.offer(), 't1');
  const [object] = at.api.all(frameworkKind);
  await at.api.delete(frameworkKind, { name: object?.metadata.name ?? '' });
  await at.clock.advance(1);
  assert(framework.closed);
  assert.equal(at.master.state.frameworks.size, 0);
  assert(at.api.all(pods)[0]?.metadata.deletionTimestamp);
});

test('A Task object that somebody deletes is a task killed', async () => {
  await using at = await world();
  const framework = await at.framework();
  await framework.launch(await framework.offer(), 't1');
  const { metadata } = at.task('t1');
  await at.api.delete(taskKind, { name: metadata.name, namespace: metadata.namespace });
  await at.clock.advance(1);
  const [status] = framework.updates();
  assert.equal(status?.state, 'TASK_KILLED');
  assert.equal(status?.uuid, undefined);
  assert(at.api.all(pods)[0]?.metadata.deletionTimestamp);
  at.master.check();
});

test('A framework without checkpoint loses its tasks with the connection to their agent', async () => {
  await using at = await world();
  const framework = await at.framework({ checkpoint: false, capabilities: ['PARTITION_AWARE'] });
  await framework.launch(await framework.offer(), 't1');
  await at.setReady('n1', 'Unknown');
  const [status] = framework.updates();
  assert.equal(status?.state, 'TASK_LOST');
  assert.equal(status?.reason, 'REASON_AGENT_DISCONNECTED');
  assert.equal(status?.message, 'Agent 10.0.0.1 disconnected');
  at.master.check();
});

test('An agent whose Node is deleted is removed, its tasks are lost', async () => {
  await using at = await world();
  const framework = await at.framework({ capabilities: ['PARTITION_AWARE'] });
  await framework.launch(await framework.offer(), 't1');
  await at.api.delete(nodes, { name: 'n1' });
  await at.clock.advance(1);
  const [status] = framework.updates();
  assert.equal(status?.state, 'TASK_LOST');
  assert.equal(status?.message, 'Agent 10.0.0.1 removed: the agent unregistered');
  assert.equal(framework.take('FAILURE').length, 1);
  assert.equal(at.master.state.agents.size, 0);
  at.master.check();
});

test('A cordoned node is offered no more, what runs there goes on', async () => {
  await using at = await world();
  const framework = await at.framework();
  const offer = await framework.offer();
  await framework.launch(offer, 't1');
  await framework.offer();
  const node = await at.api.get(nodes, { name: 'n1' });
  await at.api.update(nodes, asNew({ ...node, spec: { ...node.spec, unschedulable: true } }));
  await at.clock.advance(3000);
  assert.equal(framework.take('RESCIND').length, 1);
  assert.deepEqual(framework.offers(), []);
  assert.deepEqual(framework.updates(), []);
  at.master.check();
});

test('A task may reuse the id of one that is completed, not of one that is active', async () => {
  await using at = await world();
  const framework = await at.framework();
  await framework.launch(await framework.offer(), 't1');
  await framework.launch(await framework.offer(), 't1');
  const [twice] = framework.updates();
  assert.equal(twice?.state, 'TASK_ERROR');
  assert.equal(twice?.message, 'Task has duplicate ID: t1');
  await at.update('t1', 'TASK_FINISHED');
  for (const status of framework.updates()) await framework.acknowledge(status);
  await framework.launch(await framework.offer(), 't1');
  assert.deepEqual(framework.updates(), []);
  const both = at.api.all(taskKind).filter(({ spec }) => spec.taskID === 't1');
  assert.equal(both.length, 2);
  at.master.check();
});

test('The namespace of a framework carries its role, so that Pods beside its tasks pay like them', async () => {
  await using at = await world();
  const framework = await at.framework({ role: 'eng' });
  await framework.launch(await framework.offer(), 't1');
  const [namespace] = at.api.all(namespaces);
  assert.equal(namespace?.metadata.name, 'mesos-test-framework');
  assert.equal(namespace?.metadata.labels?.['tandem.dev/role'], 'eng');
});

test('Attributes are the labels of people and a fault domain that of the topology', async () => {
  await using at = new World();
  await at.start();
  await at.addNode('n1', {
    labels: {
      rack: 'r1',
      level: '10',
      'kubernetes.io/hostname': 'n1',
      'topology.kubernetes.io/region': 'eu',
      'topology.kubernetes.io/zone': 'eu-1',
    },
  });
  await at.clock.advance(1);
  const framework = await at.framework({ capabilities: ['REGION_AWARE'] });
  const offer = await framework.offer();
  assert.deepEqual(offer.attributes, [
    { name: 'level', type: 'SCALAR', scalar: { value: 10 } },
    { name: 'rack', type: 'TEXT', text: { value: 'r1' } },
  ]);
  assert.deepEqual(offer.domain, {
    fault_domain: { region: { name: 'eu' }, zone: { name: 'eu-1' } },
  });
});

test('Nothing runs and nothing is written while no framework is there', async () => {
  await using at = await world();
  await at.clock.advance(10_000);
  const { writes } = at.api;
  assert.equal(at.clock.pendingTimers, 0);
  await at.clock.advance(600_000);
  assert.equal(at.api.writes, writes);
});

test('Offers of several frameworks are exclusive', async () => {
  await using at = await world('n1', 'n2');
  const first = await at.framework({ name: 'a' });
  const second = await at.framework({ name: 'b' });
  const offers = [...first.offers(), ...second.offers()];
  const agents = offers.map(({ agent_id }) => agent_id.value);
  assert.equal(new Set(agents).size, agents.length);
  assert.equal(offers.length, 2);
  at.master.check();
});
