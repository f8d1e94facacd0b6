import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agents as agentKind } from '#mesos/kinds';
import type { Offer, OfferOperation, Resource } from '#mesos/protocol';
import { taskInfo, World, type TestFramework } from './fixture.test.ts';

const capabilities = ['PARTITION_AWARE', 'MULTI_ROLE', 'RESERVATION_REFINEMENT'];

async function started(): Promise<{ at: World; framework: TestFramework }> {
  const at = new World();
  await at.start();
  await at.addNode('n1');
  await at.clock.advance(1);
  return { at, framework: await at.framework({ roles: ['eng'], capabilities }) };
}

async function apply(
  framework: TestFramework,
  offer: Offer,
  ...operations: OfferOperation[]
): Promise<void> {
  await framework.call({ type: 'ACCEPT', accept: { offer_ids: [offer.id], operations } });
}

function reserved(name: string, value: number): Resource {
  return {
    name,
    type: 'SCALAR',
    scalar: { value },
    reservations: [{ type: 'DYNAMIC', role: 'eng' }],
  };
}

function volume(id: string, value: number): Resource {
  return {
    ...reserved('disk', value),
    disk: { persistence: { id }, volume: { mode: 'RW', container_path: 'data' } },
  };
}

function partOf(offer: Offer, test: (resource: Resource) => boolean): Resource | undefined {
  return offer.resources?.find(test);
}

test('RESERVE is durable, offered to its role again, and kept from Pods', async () => {
  const { at, framework } = await started();
  await using _ = at;
  await apply(framework, await framework.offer(), {
    type: 'RESERVE',
    reserve: { resources: [reserved('cpus', 1)] },
  });
  const [agent] = at.api.all(agentKind);
  assert.deepEqual(agent?.spec.resources, [reserved('cpus', 1)]);
  assert.equal(at.pool.roomFor('n1', '*')['cpu'], 3000);
  assert.equal(at.pool.roomFor('n1', 'eng')['cpu'], 4000);
  at.master.check();
  await at.clock.advance(6000);
  const offer = await framework.offer();
  assert.equal(partOf(offer, ({ reservations = [] }) => reservations.length > 0)?.scalar?.value, 1);
  assert.equal(offer.resources?.[0]?.scalar?.value, 3);
  at.master.check();
});

test('A volume is created, used by a task, offered again, destroyed', async () => {
  const { at, framework } = await started();
  await using _ = at;
  const offer = await framework.offer();
  const held = volume('v1', 100);
  await apply(
    framework,
    offer,
    { type: 'RESERVE', reserve: { resources: [reserved('disk', 100)] } },
    { type: 'CREATE', create: { volumes: [held] } },
    {
      type: 'LAUNCH',
      launch: {
        task_infos: [
          taskInfo('t1', offer, { resources: [...(taskInfo('t1', offer).resources ?? []), held] }),
        ],
      },
    },
  );
  assert.deepEqual(framework.updates(), []);
  assert.equal(at.api.all(agentKind)[0]?.spec.resources?.[0]?.disk?.persistence?.id, 'v1');
  at.master.check();
  await at.update('t1', 'TASK_FINISHED');
  for (const status of framework.updates()) await framework.acknowledge(status);
  await at.clock.advance(6000);
  const again = await framework.offer();
  assert(partOf(again, ({ disk }) => disk?.persistence?.id === 'v1'));
  await apply(framework, again, { type: 'DESTROY', destroy: { volumes: [held] } });
  assert.deepEqual(at.api.all(agentKind)[0]?.spec.resources, [reserved('disk', 100)]);
  at.master.check();
});

test('Feedback on an operation is repeated until it is acknowledged, also after a restart', async () => {
  const { at, framework } = await started();
  await using _ = at;
  await apply(framework, await framework.offer(), {
    type: 'RESERVE',
    id: { value: 'op1' },
    reserve: { resources: [reserved('cpus', 1)] },
  });
  const [first] = framework.take('UPDATE_OPERATION_STATUS');
  const status = first?.update_operation_status?.status;
  // What it made of which resources is not said (slave.cpp, applyOperation).
  assert.deepEqual(Object.keys(status ?? {}).toSorted(), [
    'agent_id',
    'operation_id',
    'state',
    'uuid',
  ]);
  assert.equal(status?.state, 'OPERATION_FINISHED');
  await at.restart();
  const again = await at.framework({ id: framework.id, roles: ['eng'], capabilities });
  const [second] = again.take('UPDATE_OPERATION_STATUS');
  assert.equal(second?.update_operation_status?.status.uuid?.value, status?.uuid?.value);
  await again.call({
    type: 'ACKNOWLEDGE_OPERATION_STATUS',
    acknowledge_operation_status: {
      operation_id: { value: 'op1' },
      agent_id: status?.agent_id,
      uuid: status?.uuid?.value ?? '',
    },
  });
  await at.clock.advance(30_000);
  assert.deepEqual(again.take('UPDATE_OPERATION_STATUS'), []);
  assert.equal(at.api.all(agentKind)[0]?.status.operations, undefined);
});

test('An operation that cannot be done is told, and the next one still runs', async () => {
  const { at, framework } = await started();
  await using _ = at;
  const offer = await framework.offer();
  await apply(
    framework,
    offer,
    { type: 'RESERVE', id: { value: 'op1' }, reserve: { resources: [reserved('cpus', 100)] } },
    { type: 'LAUNCH', launch: { task_infos: [taskInfo('t1', offer)] } },
  );
  const [told] = framework.take('UPDATE_OPERATION_STATUS');
  assert.equal(told?.update_operation_status?.status.state, 'OPERATION_ERROR');
  assert.match(
    told?.update_operation_status?.status.message ?? '',
    /does not contain .*; on agent .*-S0 at slave\(1\)@10\.0\.0\.1:5051 \(10\.0\.0\.1\)$/,
  );
  assert.equal(at.task('t1').status.state, 'TASK_STAGING');
  at.master.check();
});
