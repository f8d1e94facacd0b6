import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agents as agentKind, resourceRoles } from '#mesos/kinds';
import {
  CallRejected,
  containsResources,
  resourcesText,
  scalarOf,
  type Offer,
  type OfferOperation,
  type Resource,
} from '#mesos/protocol';
import { taskInfo, World, type TestFramework } from './fixture.test.ts';

const refining = ['MULTI_ROLE', 'RESERVATION_REFINEMENT', 'PARTITION_AWARE', 'SHARED_RESOURCES'];

async function world(...nodes: string[]): Promise<World> {
  const made = new World();
  await made.start();
  for (const name of nodes.length === 0 ? ['n1'] : nodes) await made.addNode(name);
  await made.clock.advance(1);
  return made;
}

/** An operator's action, as far as it gets while the clock stands. */
async function act(at: World, action: Promise<void>): Promise<string> {
  let said = 'pending';
  const done = action.then(
    () => (said = 'done'),
    (error: unknown) =>
      (said = error instanceof CallRejected ? `${error.status} ${error.message}` : String(error)),
  );
  await at.clock.settle();
  await at.clock.advance(1);
  await done;
  return said;
}

function agentOf(at: World, nodeName = 'n1') {
  const found = [...at.master.state.agents.values()].find((one) => one.nodeName === nodeName);
  assert(found, `An agent on ${nodeName}`);
  return found;
}

const reserved = (name: string, value: number, role = 'eng'): Resource => ({
  name,
  type: 'SCALAR',
  scalar: { value },
  reservations: [{ type: 'DYNAMIC', role }],
});
const volume = (value: number, more: Partial<Resource> = {}): Resource => ({
  ...reserved('disk', value),
  disk: { persistence: { id: 'v1' }, volume: { mode: 'RW', container_path: 'data' } },
  ...more,
});
const reserve = (...resources: Resource[]): OfferOperation => ({
  type: 'RESERVE',
  reserve: { resources },
});

function held(offers: readonly Offer[], wanted: Resource): boolean {
  return offers.some(({ resources = [] }) =>
    containsResources(
      resources.map(({ allocation_info: _allocation, ...rest }) => rest),
      [wanted],
    ),
  );
}

async function accept(
  framework: TestFramework,
  offers: readonly Offer[],
  ...operations: OfferOperation[]
): Promise<void> {
  await framework.call({
    type: 'ACCEPT',
    accept: {
      offer_ids: offers.map(({ id }) => id),
      operations,
      filters: { refuse_seconds: 0 },
    },
  });
}

async function offersOf(at: World, framework: TestFramework): Promise<readonly Offer[]> {
  await at.clock.advance(1100);
  return framework.offers();
}

test('What an operator reserves is rescinded, offered to the role alone, and outlives a restart', async () => {
  await using at = await world();
  const eng = await at.framework({ name: 'eng', roles: ['eng'], capabilities: refining });
  const ops = await at.framework({ name: 'ops', roles: ['ops'], capabilities: refining });
  await offersOf(at, ops);
  const { id } = agentOf(at);
  assert.equal(
    await act(at, at.master.operator.operation(id, reserve(reserved('cpus', 2)), undefined)),
    'done',
  );
  assert.equal(eng.take('RESCIND').length + ops.take('RESCIND').length, 1);
  at.master.check();
  const toEng = [...eng.offers(), ...(await offersOf(at, eng))];
  await at.clock.advance(6000);
  const toOps = ops.offers();
  assert(held([...toEng, ...eng.offers()], reserved('cpus', 2)), 'offered to eng');
  assert(!held(toOps, reserved('cpus', 2)), 'not offered to ops');
  assert.equal(at.pool.roomFor('n1', '*')['cpu'], 2000);
  await at.restart();
  assert(containsResources(agentOf(at).totalResources(), [reserved('cpus', 2)]));
  assert.equal(at.pool.roomFor('n1', '*')['cpu'], 2000);
  assert.equal(scalarOf(agentOf(at).totalResources(), 'cpus'), 4);
  at.master.check();
});

test('A framework reserves, makes a volume, uses it, and destroys it when nothing uses it', async () => {
  await using at = await world();
  const eng = await at.framework({ roles: ['eng'], capabilities: refining });
  const first = [await eng.offer()];
  await accept(
    eng,
    first,
    reserve(reserved('cpus', 1), reserved('mem', 64), reserved('disk', 128)),
    { type: 'CREATE', create: { volumes: [volume(64)] } },
  );
  assert.equal(
    resourcesText(at.api.all(agentKind)[0]?.spec.resources ?? []).includes('v1:data'),
    true,
  );
  at.master.check();
  const second = await offersOf(at, eng);
  assert(held(second, volume(64)), 'the volume is offered');
  const [offer] = second;
  assert(offer);
  const info = taskInfo('t1', offer, {
    resources: [reserved('cpus', 1), reserved('mem', 64), volume(64)],
  });
  await accept(eng, second, { type: 'LAUNCH', launch: { task_infos: [info] } });
  assert.deepEqual(eng.updates(), []);
  assert(at.task('t1'));
  at.master.check();
  const destroy: OfferOperation = { type: 'DESTROY', destroy: { volumes: [volume(64)] } };
  const { id } = agentOf(at);
  assert.equal(
    await act(at, at.master.operator.operation(id, destroy, undefined)),
    '400 Invalid DESTROY operation: Persistent volumes in use',
  );
  await at.update('t1', 'TASK_FINISHED');
  const [finished] = eng.updates();
  assert(finished);
  await eng.acknowledge(finished);
  await at.endPod(at.task('t1').spec.podName, at.task('t1').metadata.namespace ?? '');
  assert.equal(await act(at, at.master.operator.operation(id, destroy, undefined)), 'done');
  at.master.check();
  const third = await offersOf(at, eng);
  await accept(eng, third, {
    type: 'UNRESERVE',
    unreserve: {
      resources: [reserved('cpus', 1), reserved('mem', 64), reserved('disk', 128)],
    },
  });
  assert.deepEqual(at.api.all(agentKind)[0]?.spec.resources ?? [], []);
  assert.equal(at.pool.roomFor('n1', '*')['cpu'], 4000);
  at.master.check();
});

test('What tasks and Pods hold is not reserved from under them', async () => {
  await using at = await world();
  const { id } = agentOf(at);
  at.pool.commit([
    {
      owner: 'pod/default/web',
      node: 'n1',
      epoch: 0,
      amounts: { cpu: 3000, pods: 1 },
      ports: [],
      role: '*',
    },
  ]);
  assert.match(
    await act(at, at.master.operator.operation(id, reserve(reserved('cpus', 2)), undefined)),
    /^409 cpus:1; .* does not contain cpus:2$/,
  );
  assert.equal(
    await act(at, at.master.operator.operation(id, reserve(reserved('cpus', 1)), undefined)),
    'done',
  );
  at.master.check();
});

test('Feedback on an operation comes until it is acknowledged', async () => {
  await using at = await world();
  const eng = await at.framework({ roles: ['eng'], capabilities: refining });
  const offer = await eng.offer();
  await accept(eng, [offer], { ...reserve(reserved('cpus', 1)), id: { value: 'op1' } });
  const told = eng.take('UPDATE_OPERATION_STATUS').map((event) => event.update_operation_status);
  assert.equal(told[0]?.status.state, 'OPERATION_FINISHED');
  assert.equal(told[0]?.status.operation_id?.value, 'op1');
  await at.clock.advance(10_000);
  assert.equal(eng.take('UPDATE_OPERATION_STATUS').length, 1);
  await eng.call({
    type: 'ACKNOWLEDGE_OPERATION_STATUS',
    acknowledge_operation_status: {
      agent_id: offer.agent_id,
      operation_id: { value: 'op1' },
      uuid: told[0]?.status.uuid?.value ?? '',
    },
  });
  await at.clock.advance(600_000);
  assert.equal(eng.take('UPDATE_OPERATION_STATUS').length, 0);
  await accept(eng, await offersOf(at, eng), {
    ...reserve(reserved('cpus', 99)),
    id: { value: 'op2' },
  });
  const [failed] = eng.take('UPDATE_OPERATION_STATUS');
  assert.equal(failed?.update_operation_status?.status.state, 'OPERATION_ERROR');
  assert.match(
    failed?.update_operation_status?.status.message ?? '',
    /does not contain cpus\(allocated: eng\):99; on agent .*-S0 at slave\(1\)@10\.0\.0\.1:5051 \(10\.0\.0\.1\)$/,
  );
});

test('A quota holds what a role gets, in offers and in the pool', async () => {
  await using at = await world();
  const eng = await at.framework({ roles: ['eng'], capabilities: refining });
  await eng.offer();
  const limits = { cpus: { value: 1 }, mem: { value: 1024 } };
  assert.equal(
    await act(at, at.master.operator.updateQuota([{ role: 'eng', limits }], false)),
    'done',
  );
  assert.equal(eng.take('RESCIND').length, 1);
  assert.equal(at.api.all(resourceRoles)[0]?.spec.limits?.['cpus'], 1);
  assert.equal(at.master.state.roles.get('eng')?.quota?.limits?.['cpus']?.value, 1);
  const [offer] = await offersOf(at, eng);
  assert.equal(offer?.resources?.find(({ name }) => name === 'cpus')?.scalar?.value, 1);
  assert.equal(offer?.resources?.find(({ name }) => name === 'mem')?.scalar?.value, 1024);
  const [verdict] = at.pool.commit([
    {
      owner: 'pod/eng/web',
      node: 'n1',
      epoch: 0,
      amounts: { cpu: 1500, pods: 1 },
      ports: [],
      role: 'eng',
    },
  ]);
  assert.equal(verdict?.ok === false && verdict.reason, 'QuotaExceeded');
  assert.equal(await act(at, at.master.operator.removeQuota('eng')), 'done');
  assert.deepEqual(at.api.all(resourceRoles), []);
});

test('A scheduled machine is offered with its unavailability, asked back, taken down and brought up', async () => {
  await using at = await world();
  const framework = await at.framework({ capabilities: ['PARTITION_AWARE'] });
  await framework.launch(await framework.offer(), 't1');
  await framework.offer();
  const machine = { hostname: '10.0.0.1', ip: '10.0.0.1' };
  const unavailability = { start: { nanoseconds: 5e9 } };
  const schedule = { windows: [{ machine_ids: [machine], unavailability }] };
  assert.equal(await act(at, at.master.operator.updateSchedule(schedule)), 'done');
  assert.deepEqual(at.master.state.schedule, schedule);
  await at.clock.advance(1100);
  assert.equal(framework.take('RESCIND').length, 1);
  const offers = framework.offers();
  assert.deepEqual(offers.at(-1)?.unavailability, unavailability);
  const [inverse] = framework.take('INVERSE_OFFERS');
  const asked = inverse?.inverse_offers?.inverse_offers?.[0];
  assert(asked, 'an inverse offer');
  await framework.call({
    type: 'ACCEPT_INVERSE_OFFERS',
    accept_inverse_offers: { inverse_offer_ids: [asked.id] },
  });
  const status = at.master.operator.maintenanceStatus();
  assert.equal(status.draining_machines?.[0]?.statuses?.[0]?.status, 'ACCEPT');
  assert.equal(await act(at, at.master.operator.startMaintenance([machine])), 'done');
  assert.equal(at.master.state.agents.size, 0);
  const [lost] = framework.updates();
  assert.equal(lost?.state, 'TASK_LOST');
  assert.equal(lost?.message, "Agent 10.0.0.1 removed: Operator initiated 'Machine DOWN'");
  await at.clock.advance(5000);
  assert.equal(at.master.state.agents.size, 0);
  at.master.check();
  await at.restart();
  assert.equal(at.master.state.agents.size, 0, 'down after a restart too');
  assert.equal(await act(at, at.master.operator.stopMaintenance([machine])), 'done');
  await at.clock.advance(10);
  assert.equal(at.master.state.agents.size, 1);
  assert.deepEqual(at.master.state.schedule, {});
  at.master.check();
});

test('A drained agent kills its tasks, is not offered, and comes back when it is let', async () => {
  await using at = await world();
  const framework = await at.framework({ capabilities: ['PARTITION_AWARE'] });
  await framework.launch(await framework.offer(), 't1');
  const { id } = agentOf(at);
  assert.equal(
    await act(
      at,
      at.master.operator.drainAgent(id, {
        maxGracePeriod: { nanoseconds: 1e9 },
        markGone: false,
      }),
    ),
    'done',
  );
  assert.equal(at.task('t1').spec.kill?.gracePeriodNanoseconds, 1e9);
  assert.equal(at.task('t1').spec.kill?.reason, 'REASON_AGENT_DRAINING');
  framework.offers();
  assert.deepEqual(await offersOf(at, framework), []);
  await at.update('t1', 'TASK_KILLED');
  const [killed] = framework.updates();
  assert.equal(killed?.reason, 'REASON_AGENT_DRAINING');
  assert.equal(agentOf(at).drain?.state, 'DRAINING');
  assert(killed);
  await framework.acknowledge(killed);
  await at.clock.advance(10);
  assert.equal(agentOf(at).drain?.state, 'DRAINED');
  assert.equal(await act(at, at.master.operator.reactivateAgent(id)), 'done');
  await at.endPod(at.task('t1').spec.podName, at.task('t1').metadata.namespace ?? '');
  assert.equal((await offersOf(at, framework)).length, 1);
  at.master.check();
});

test('An agent that is given up takes its tasks with it, for good', async () => {
  await using at = await world();
  const framework = await at.framework({ capabilities: ['PARTITION_AWARE'] });
  await framework.launch(await framework.offer(), 't1');
  const { id } = agentOf(at);
  assert.equal(await act(at, at.master.operator.markAgentGone(id)), 'done');
  const [gone] = framework.updates();
  assert.equal(gone?.state, 'TASK_GONE_BY_OPERATOR');
  assert.equal(gone?.message, 'Agent has been marked gone');
  assert(at.master.state.goneAgents.has(id));
  assert(!at.master.state.agents.has(id));
  await at.restart();
  assert(at.master.state.goneAgents.has(id));
  assert.equal(at.master.state.agents.size, 0);
  at.master.check();
});
