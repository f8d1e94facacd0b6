import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource } from '#mesos/protocol';
import { World } from './fixture.test.ts';

const capabilities = ['PARTITION_AWARE', 'MULTI_ROLE', 'RESERVATION_REFINEMENT'];

async function world(): Promise<World> {
  const at = new World();
  await at.start();
  await at.addNode('n1');
  await at.clock.advance(1);
  return at;
}

function agrees(metrics: Readonly<Record<string, number>>, want: Readonly<Record<string, number>>) {
  for (const [name, value] of Object.entries(want)) assert.equal(metrics[name], value, name);
}

const reserved = (name: string, value: number): Resource => ({
  name,
  type: 'SCALAR',
  scalar: { value },
  reservations: [{ type: 'DYNAMIC', role: 'eng' }],
});

test('Metrics of a framework are all there from its first moment', async () => {
  await using at = await world();
  const { id } = await at.framework({ roles: ['eng'], capabilities });
  const prefix = `master/frameworks/Test%20Framework/${id}/`;
  agrees(at.master.metrics(), {
    [`${prefix}subscribed`]: 1,
    [`${prefix}calls`]: 1,
    [`${prefix}calls/subscribe`]: 1,
    [`${prefix}calls/update_framework`]: 0,
    [`${prefix}events/subscribed`]: 1,
    [`${prefix}events/rescind_inverse_offer`]: 0,
    [`${prefix}offers/rescinded`]: 0,
    [`${prefix}operations`]: 0,
    [`${prefix}operations/grow_volume`]: 0,
    [`${prefix}tasks/active/task_unknown`]: 0,
    [`${prefix}tasks/terminal/task_gone_by_operator`]: 0,
    [`${prefix}roles/eng/suppressed`]: 0,
  });
});

test('Ends of tasks are counted for ever, what runs is counted now', async () => {
  await using at = await world();
  const framework = await at.framework({ roles: ['eng'], capabilities });
  await framework.launch(await framework.offer(), 't1', 't2');
  await at.update('t1', 'TASK_RUNNING');
  await at.update('t2', 'TASK_FINISHED');
  const prefix = `master/frameworks/Test%20Framework/${framework.id}/`;
  agrees(at.master.metrics(), {
    'master/messages_launch_tasks': 1,
    [`${prefix}operations`]: 2,
    [`${prefix}operations/launch`]: 2,
    [`${prefix}tasks/active/task_running`]: 1,
    [`${prefix}tasks/terminal/task_finished`]: 1,
  });
  await framework.call({ type: 'TEARDOWN' });
  agrees(at.master.metrics(), {
    [`${prefix}subscribed`]: 0,
    [`${prefix}calls/teardown`]: 1,
    [`${prefix}tasks/active/task_running`]: 0,
    [`${prefix}tasks/terminal/task_killed`]: 1,
  });
});

test('Operations are counted by type and outcome, those of operators too', async () => {
  await using at = await world();
  const framework = await at.framework({ roles: ['eng'], capabilities });
  const offer = await framework.offer();
  await framework.call({
    type: 'ACCEPT',
    accept: {
      offer_ids: [offer.id],
      operations: [
        { type: 'RESERVE', reserve: { resources: [reserved('cpus', 1)] } },
        { type: 'RESERVE', reserve: { resources: [reserved('cpus', 1000)] } },
        { type: 'UNRESERVE', unreserve: { resources: [reserved('cpus', 1)] } },
      ],
    },
  });
  const operation = { type: 'RESERVE', reserve: { resources: [reserved('mem', 10)] } } as const;
  await at.master.operator.operation(offer.agent_id.value, operation, undefined);
  const prefix = `master/frameworks/Test%20Framework/${framework.id}/operations`;
  agrees(at.master.metrics(), {
    'master/operations/total': 4,
    'master/operations/finished': 3,
    'master/operations/error': 1,
    'master/operations/reserve/finished': 2,
    'master/operations/reserve/error': 1,
    'master/operations/unreserve/finished': 1,
    'master/operations/destroy_disk/pending': 0,
    [prefix]: 2,
    [`${prefix}/reserve`]: 1,
  });
});

test('The allocator tells of filters, shares and quotas by role', async () => {
  await using at = await world();
  await at.master.operator.updateQuota(
    [{ role: 'eng', guarantees: { cpus: { value: 1 } }, limits: { cpus: { value: 2 } } }],
    false,
  );
  const framework = await at.framework({ roles: ['eng'], capabilities });
  const offer = await framework.offer();
  const held = at.master.metrics();
  agrees(held, {
    'allocator/mesos/offer_filters/roles/eng/active': 0,
    'allocator/mesos/quota/roles/eng/resources/cpus/guarantee': 1,
    'allocator/mesos/quota/roles/eng/resources/cpus/limit': 2,
    'allocator/mesos/quota/roles/eng/resources/cpus/offered_or_allocated': 2,
  });
  assert.ok((held['allocator/mesos/roles/eng/shares/dominant'] ?? 0) >= 0.5);
  await framework.call({
    type: 'DECLINE',
    decline: { offer_ids: [offer.id], filters: { refuse_seconds: 60 } },
  });
  agrees(at.master.metrics(), {
    'allocator/mesos/offer_filters/roles/eng/active': 1,
    'allocator/mesos/quota/roles/eng/resources/cpus/offered_or_allocated': 0,
  });
});

test('A role has consumed what it uses and what is reserved in its subtree, not what it is offered', async () => {
  await using at = await world();
  const framework = await at.framework({ roles: ['eng/dev'], capabilities });
  const offer = await framework.offer();
  const reservations = [{ type: 'DYNAMIC', role: 'eng/dev' }] as const;
  await framework.call({
    type: 'ACCEPT',
    accept: {
      offer_ids: [offer.id],
      operations: [
        { type: 'RESERVE', reserve: { resources: [{ ...reserved('cpus', 1), reservations }] } },
      ],
    },
  });
  await at.clock.advance(6000);
  await framework.offer();
  const role = at.master.state.roles.get('eng');
  assert.deepEqual([...(role?.consumed() ?? [])], [['cpus', 1000]]);
  assert.equal(role?.reservedResources().length, 1);
});

test('What is reserved of an agent shows in its total, not in what the machine has', async () => {
  await using at = await world();
  const [agent] = at.master.state.agents.values();
  assert.ok(agent !== undefined);
  const operation = { type: 'RESERVE', reserve: { resources: [reserved('cpus', 1)] } } as const;
  await at.master.operator.operation(agent.id, operation, undefined);
  const own = agent.info.resources?.filter(({ name }) => name === 'cpus');
  assert.deepEqual(
    own?.map(({ scalar }) => scalar?.value),
    [4],
  );
  assert.equal(agent.totalResources().filter(({ name }) => name === 'cpus').length, 2);
});

test('The wait of an allocation begins with somebody to wait', async () => {
  await using at = await world();
  const first = await at.framework({ roles: ['eng'], capabilities });
  await first.call({ type: 'SUPPRESS' });
  await at.addNode('n2');
  await at.clock.advance(60_000);
  await first.call({ type: 'REVIVE' });
  await at.clock.advance(1000);
  const metrics = at.master.metrics();
  assert.ok((metrics['allocator/mesos/allocation_run_latency_ms/max'] ?? Infinity) < 5000);
});
