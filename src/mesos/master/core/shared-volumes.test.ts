import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Offer, OfferOperation, Resource } from '#mesos/protocol';
import { taskInfo, World, type TestFramework } from './fixture.test.ts';

const capabilities = [
  'MULTI_ROLE',
  'RESERVATION_REFINEMENT',
  'PARTITION_AWARE',
  'SHARED_RESOURCES',
];
const eng = { reservations: [{ type: 'DYNAMIC', role: 'eng' }] } as const;
const scalar = (name: string, value: number, more: Partial<Resource> = {}): Resource => ({
  name,
  type: 'SCALAR',
  scalar: { value },
  ...more,
});
const volume = scalar('disk', 64, {
  ...eng,
  disk: { persistence: { id: 'v1' }, volume: { mode: 'RW', container_path: 'data' } },
  shared: {},
});

async function accept(
  framework: TestFramework,
  offers: readonly Offer[],
  ...operations: OfferOperation[]
): Promise<void> {
  const accepted = { offer_ids: offers.map(({ id }) => id), filters: { refuse_seconds: 0 } };
  await framework.call({ type: 'ACCEPT', accept: { ...accepted, operations } });
}

const launch = (offer: Offer, ...ids: string[]): OfferOperation => ({
  type: 'LAUNCH',
  launch: {
    task_infos: ids.map((id) =>
      taskInfo(id, offer, { resources: [scalar('cpus', 0.5), scalar('mem', 32), volume] }),
    ),
  },
});

const withVolume = (offers: readonly Offer[]): Offer | undefined =>
  offers.find(({ resources = [] }) => resources.some(({ shared }) => shared !== undefined));

test('A shared volume is used by tasks of one ACCEPT and of others, and offered all the while', async () => {
  await using at = new World();
  await at.start();
  await at.addNode('n1');
  await at.clock.advance(1);
  const one = await at.framework({ name: 'one', roles: ['eng'], capabilities });
  const [first] = [await one.offer()];
  await accept(
    one,
    [first],
    { type: 'RESERVE', reserve: { resources: [scalar('disk', 64, eng)] } },
    { type: 'CREATE', create: { volumes: [volume] } },
    launch(first, 't1', 't2'),
  );
  assert.deepEqual(one.updates(), []);
  assert(at.task('t1') && at.task('t2'));
  at.master.check();
  await at.clock.advance(1100);
  const offers = one.offers();
  const second = withVolume(offers);
  assert(second, 'the volume is offered while tasks use it');
  await accept(one, [second], launch(second, 't3'));
  assert.deepEqual(one.updates(), []);
  assert(at.task('t3'));
  at.master.check();
  for (const id of ['t1', 't2', 't3']) {
    await at.update(id, 'TASK_FINISHED');
    const [status] = one.updates();
    assert(status);
    await one.acknowledge(status);
    const { podName } = at.task(id).spec;
    await at.endPod(podName, at.task(id).metadata.namespace ?? '');
    at.master.check();
  }
  await at.clock.advance(1100);
  const third = withVolume(one.offers());
  assert(third);
  await accept(one, [third], { type: 'DESTROY', destroy: { volumes: [volume] } });
  at.master.check();
  await at.clock.advance(1100);
  const last = one.offers();
  assert.equal(withVolume(last), undefined);
  assert(last.length > 0);
});

test('Destroying a shared volume rescinds the offers that others have of it', async () => {
  await using at = new World();
  await at.start();
  await at.addNode('n1');
  await at.clock.advance(1);
  const one = await at.framework({ name: 'one', roles: ['eng'], capabilities });
  const two = await at.framework({ name: 'two', roles: ['eng'], capabilities });
  await accept(
    one,
    [await one.offer()],
    { type: 'RESERVE', reserve: { resources: [scalar('disk', 64, eng)] } },
    { type: 'CREATE', create: { volumes: [volume] } },
  );
  const held: { framework: TestFramework; offer: Offer }[] = [];
  for (
    let turn = 0;
    turn < 10 && new Set(held.map(({ framework }) => framework)).size < 2;
    turn++
  ) {
    await at.clock.advance(1000);
    for (const framework of [one, two]) {
      const offer = withVolume(framework.offers());
      if (offer !== undefined) held.push({ framework, offer });
    }
  }
  const [mine, ...others] = held;
  assert(mine);
  await accept(mine.framework, [mine.offer], {
    type: 'DESTROY',
    destroy: { volumes: [volume] },
  });
  for (const { framework, offer } of others) {
    const rescinded = framework.take('RESCIND').map(({ rescind }) => rescind?.offer_id.value);
    assert(rescinded.includes(offer.id.value), 'the other offer of it is rescinded');
  }
  const [agent] = at.master.state.agents.values();
  assert(!(agent?.totalResources() ?? []).some(({ shared }) => shared !== undefined));
  at.master.check();
});
