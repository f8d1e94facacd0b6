import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pods } from '#kube/kinds';
import { tasks as taskKind } from '#mesos/kinds';
import type { Offer, Resource, TaskInfo } from '#mesos/protocol';
import { taskInfo, World } from './fixture.test.ts';

async function world(): Promise<World> {
  const made = new World();
  await made.start();
  await made.addNode('n1');
  await made.clock.advance(1);
  return made;
}

const cpus = (value: number): Resource => ({ name: 'cpus', type: 'SCALAR', scalar: { value } });
const ports = (...range: (readonly [number, number])[]): Resource => ({
  name: 'ports',
  type: 'RANGES',
  ranges: { range: range.map(([begin, end]) => ({ begin, end })) },
});

const wrong: readonly {
  readonly what: string;
  readonly of: (offer: Offer) => TaskInfo;
  readonly message: RegExp;
}[] = [
  {
    what: 'an id with a slash',
    of: (offer) => taskInfo('a/b', offer),
    message: /^'a\/b' contains invalid characters$/,
  },
  {
    what: 'an id with a control character',
    of: (offer) => taskInfo('a\u0007', offer),
    message: /contains invalid characters$/,
  },
  {
    what: 'an id of 300 characters',
    of: (offer) => taskInfo('x'.repeat(300), offer),
    message: /^ID must not be greater than 255 characters$/,
  },
  {
    what: 'an empty id',
    of: (offer) => taskInfo('', offer),
    message: /^ID must not be empty$/,
  },
  {
    what: 'another agent',
    of: (offer) => taskInfo('t', offer, { agent_id: { value: 'elsewhere' } }),
    message: /^Task uses invalid agent elsewhere while agent .* is expected$/,
  },
  {
    what: 'no resources',
    of: (offer) => taskInfo('t', offer, { resources: [] }),
    message: /^Task uses no resources$/,
  },
  {
    what: 'a negative scalar',
    of: (offer) => taskInfo('t', offer, { resources: [cpus(-1)] }),
    message: /Invalid scalar resource: value <= 0/,
  },
  {
    what: 'a scalar that is no number',
    of: (offer) => taskInfo('t', offer, { resources: [cpus(Number.NaN)] }),
    message: /./,
  },
  {
    what: 'overlapping ranges',
    of: (offer) =>
      taskInfo('t', offer, { resources: [cpus(1), ports([31_000, 31_002], [31_001, 31_003])] }),
    message: /Invalid ranges resource: overlapping ranges/,
  },
  {
    what: 'more than there is',
    of: (offer) => taskInfo('t', offer, { resources: [cpus(100)] }),
    message:
      /^Total resources cpus\(allocated: \*\):100 required by task and its executor is more than available /,
  },
  {
    what: 'ports that are not offered',
    of: (offer) => taskInfo('t', offer, { resources: [cpus(1), ports([80, 80])] }),
    message: /is more than available/,
  },
];

for (const { what, of, message } of wrong)
  test(`A task with ${what} is an error, stores nothing and disturbs nobody`, async () => {
    await using at = await world();
    const framework = await at.framework();
    const offer = await framework.offer();
    await framework.call({
      type: 'ACCEPT',
      accept: {
        offer_ids: [offer.id],
        filters: { refuse_seconds: 0 },
        operations: [
          { type: 'LAUNCH', launch: { task_infos: [of(offer)] } },
          { type: 'LAUNCH', launch: { task_infos: [taskInfo('good', offer)] } },
        ],
      },
    });
    const [error, ...others] = framework.updates();
    assert.deepEqual(others, []);
    assert.equal(error?.state, 'TASK_ERROR');
    assert.equal(error?.reason, 'REASON_TASK_INVALID');
    assert.match(error?.message ?? '', message);
    assert.deepEqual(
      at.api.all(taskKind).map(({ spec }) => spec.taskID),
      ['good'],
    );
    assert.equal(at.api.all(pods).length, 1);
    at.master.check();
    const again = await framework.offer();
    assert.equal(again.resources?.[0]?.scalar?.value, 3.5);
  });

test('Offers of another framework, twice the same and unknown ones make an ACCEPT void', async () => {
  await using at = await world();
  const first = await at.framework({ name: 'first' });
  const offer = await first.offer();
  const second = await at.framework({ name: 'second' });
  const cases: readonly (readonly [ids: readonly string[], message: string])[] = [
    [[], 'No offers specified'],
    [['x', 'x'], 'Duplicate offer x in offer list'],
    [['x'], 'Offer x is no longer valid'],
    [
      [offer.id.value],
      `Offer ${offer.id.value} has invalid framework ${first.id} while framework ${second.id} is expected`,
    ],
  ];
  for (const [ids, message] of cases) {
    await second.call({
      type: 'ACCEPT',
      accept: {
        offer_ids: ids.map((value) => ({ value })),
        operations: [{ type: 'LAUNCH', launch: { task_infos: [taskInfo('t', offer)] } }],
      },
    });
    const [status] = second.updates();
    assert.equal(status?.state, 'TASK_LOST');
    assert.equal(status?.message, `Task launched with invalid offers: ${message}`);
  }
  assert.deepEqual(at.api.all(taskKind), []);
  at.master.check();
});

test('Acknowledgements of what was not said, or not yet, change nothing', async () => {
  await using at = await world();
  const framework = await at.framework();
  const other = await at.framework({ name: 'other' });
  await framework.launch(await framework.offer(), 't1');
  await at.update('t1', 'TASK_STARTING');
  const later = await at.update('t1', 'TASK_RUNNING');
  const [starting] = framework.updates();
  assert(starting);
  for (const uuid of [later, 'AAAAAAAAQACAAAAAAAAAAA=='])
    await framework.acknowledge({ ...starting, uuid });
  await other.acknowledge(starting);
  assert.equal(at.task('t1').status.updates?.length, 2);
  await framework.acknowledge(starting);
  await framework.acknowledge(starting);
  assert.equal(at.task('t1').status.updates?.length, 1);
  at.master.check();
});

test('A framework that is removed while its task is being stored leaves nothing running', async () => {
  await using at = await world();
  const framework = await at.framework();
  const offer = await framework.offer();
  const launching = framework.connection?.call({
    type: 'ACCEPT',
    framework_id: { value: framework.id },
    accept: {
      offer_ids: [offer.id],
      operations: [{ type: 'LAUNCH', launch: { task_infos: [taskInfo('t1', offer)] } }],
    },
  });
  const leaving = framework.connection?.call({
    type: 'TEARDOWN',
    framework_id: { value: framework.id },
  });
  await at.clock.settle();
  await Promise.all([launching, leaving]);
  await at.clock.advance(10);
  for (const pod of at.api.all(pods)) assert(pod.metadata.deletionTimestamp);
  for (const task of at.api.all(taskKind)) assert.equal(task.status.state, 'TASK_KILLED');
  at.master.check();
});

test('A store that fails for a while is written when it takes writes again', async () => {
  await using at = await world();
  const framework = await at.framework();
  await framework.launch(await framework.offer(), 't1');
  await at.update('t1', 'TASK_RUNNING');
  const [running] = framework.updates();
  assert(running);
  at.beforeWrite = () => {
    throw new Error('no space left on device');
  };
  await framework.acknowledge(running);
  await at.clock.advance(1000);
  assert.equal(at.task('t1').status.updates?.length, 1);
  at.beforeWrite = () => undefined;
  await at.clock.advance(10_000);
  assert.deepEqual(at.task('t1').status.updates, []);
  at.master.check();
});

test('Acknowledgements that are written late are written as what they were', async () => {
  await using at = await world();
  const framework = await at.framework({ failoverTimeout: 100 });
  await framework.launch(await framework.offer(), 't1');
  await at.update('t1', 'TASK_STARTING');
  const uuid = await at.update('t1', 'TASK_RUNNING');
  let broken = true;
  at.beforeWrite = () => {
    if (broken) throw new Error('The disk is full');
  };
  // The second comes once the first is acknowledged, which is not stored yet.
  for (const status of framework.updates()) await framework.acknowledge(status);
  for (const status of framework.updates()) await framework.acknowledge(status);
  broken = false;
  await at.clock.advance(20_000);
  const { updates, updateState, updateUUID, statuses } = at.task('t1').status;
  assert.deepEqual(updates, []);
  assert.deepEqual([updateState, updateUUID], ['TASK_RUNNING', uuid]);
  assert.deepEqual(
    statuses?.map(({ state }) => state),
    ['TASK_STARTING', 'TASK_RUNNING'],
  );
  await at.restart();
  const again = await at.framework({ id: framework.id });
  await again.call({ type: 'RECONCILE', reconcile: {} });
  assert.equal(again.updates()[0]?.state, 'TASK_RUNNING');
});
