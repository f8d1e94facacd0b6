/** Where Pods go, who gives way to whom. */
import assert from 'node:assert/strict';
import {
  condition,
  forever,
  isReady,
  list,
  names,
  podOf,
  type Case,
  type Space,
  type World,
} from './kit.ts';

const predicates = '[sig-scheduling] SchedulerPredicates [Serial] ';
const preemption = '[sig-scheduling] SchedulerPreemption [Serial] ';
const fake = 'example.com/conformance';

async function firstNode(world: World): Promise<string> {
  const [node = ''] = names(await world.items('/api/v1/nodes'));
  return node;
}
/** Gives a node ten of a resource that only these cases know. */
async function offer(world: World, node: string): Promise<void> {
  const amounts = { [fake]: '10' };
  await world.patch(`/api/v1/nodes/${node}/status`, {
    status: { capacity: amounts, allocatable: amounts },
  });
}
async function withdraw(world: World, node: string): Promise<void> {
  await world.patch(`/api/v1/nodes/${node}/status`, {
    status: { capacity: { [fake]: null }, allocatable: { [fake]: null } },
  });
}
const asks = (count: number): object => ({
  resources: { requests: { [fake]: String(count) }, limits: { [fake]: String(count) } },
});
const cannot = (space: Space, name: string): ReturnType<World['when']> =>
  space.world.when(space.pod(name), (it) => {
    const found = condition(it, 'PodScheduled');
    return String(found?.status) === 'False' && String(found?.reason) === 'Unschedulable';
  });

export const schedulingCases: readonly Case[] = [
  {
    name: 'A node selector is kept, and one that nobody matches leaves its Pod pending with an event',
    covers: [
      `${predicates}validates that NodeSelector is respected if matching`,
      `${predicates}validates that NodeSelector is respected if not matching`,
    ],
    run: async (world) => {
      const space = await world.namespace('selector');
      const node = await firstNode(world);
      const label = `conformance-${space.name}`;
      await space.create(podOf('none', forever, { spec: { nodeSelector: { label: 'nonempty' } } }));
      await cannot(space, 'none');
      await world.whenAll(`${space.core}/events`, (items) =>
        items.some((it) => String(it.reason) === 'FailedScheduling'),
      );
      await world.patch(`/api/v1/nodes/${node}`, { metadata: { labels: { [label]: '42' } } });
      const placed = await space.stays('some', forever, {
        spec: { nodeSelector: { [label]: '42' } },
      });
      assert.equal(placed.spec?.nodeName, node);
      await world.patch(`/api/v1/nodes/${node}`, { metadata: { labels: { [label]: null } } });
    },
  },
  {
    name: 'A host port on every address clashes with the same port on one',
    covers: [
      `${predicates}validates that there exists conflict between pods with same hostPort and protocol but one using 0.0.0.0 hostIP`,
    ],
    run: async (world) => {
      const space = await world.namespace('port');
      const node = await firstNode(world);
      const pod = (name: string, hostIP?: string): object =>
        podOf(name, forever, {
          spec: { nodeSelector: { 'kubernetes.io/hostname': node } },
          container: {
            ports: [
              { containerPort: 80, hostPort: 54_322, ...(hostIP === undefined ? {} : { hostIP }) },
            ],
          },
        });
      await space.create(pod('all', '0.0.0.0'));
      await space.ready('all');
      await space.create(pod('one', '127.0.0.1'));
      await cannot(space, 'one');
    },
  },
  {
    name: 'A full node takes no more Pods, and a Pod of more worth takes the place of one of less',
    covers: [
      `${predicates}validates resource limits of pods that are allowed to run`,
      `${preemption}validates basic preemption works`,
      `${preemption}validates lower priority pod preemption by critical pod`,
      `${preemption}validates pod disruption condition is added to the preempted pod`,
    ],
    alone: true,
    run: async (world) => {
      const space = await world.namespace('full');
      const node = await firstNode(world);
      await offer(world, node);
      const classes = { low: 1, high: 1000 };
      const path = '/apis/scheduling.k8s.io/v1/priorityclasses';
      for (const [name, value] of Object.entries(classes))
        await world.post(path, { metadata: { name: `${space.name}-${name}` }, value });
      try {
        const pod = (name: string, priorityClassName: string, more: object = {}): object =>
          podOf(name, forever, { container: asks(5), spec: { priorityClassName }, ...more });
        await space.create(
          pod('low', `${space.name}-low`, { metadata: { finalizers: ['example.com/hold'] } }),
        );
        await space.create(pod('high', `${space.name}-high`));
        await space.ready('low');
        await space.ready('high');
        await space.create(pod('more', `${space.name}-low`));
        await cannot(space, 'more');
        await world.delete(space.pod('more'));
        await space.create(pod('critical', `${space.name}-high`));
        const preempted = await world.when(
          space.pod('low'),
          (it) => condition(it, 'DisruptionTarget') !== undefined,
        );
        assert.equal(condition(preempted, 'DisruptionTarget')?.reason, 'PreemptionByScheduler');
        await world.patch(space.pod('low'), { metadata: { finalizers: null } });
        await space.ready('critical');
        assert.ok(isReady(await world.get(space.pod('high'))));
      } finally {
        await withdraw(world, node);
        for (const name of Object.keys(classes))
          await world.delete(`${path}/${space.name}-${name}`);
      }
    },
  },
  {
    name: 'A taint that evicts takes Pods after their tolerations, and its removal calls that off',
    covers: [
      '[sig-node] NoExecuteTaintManager Multiple Pods [Serial] evicts pods with minTolerationSeconds [Disruptive]',
      '[sig-node] NoExecuteTaintManager Single Pod [Serial] removing taint cancels eviction [Disruptive]',
    ],
    alone: true,
    run: async (world) => {
      const space = await world.namespace('taint');
      const node = await firstNode(world);
      const taint = { key: 'conformance-evict', value: 'v', effect: 'NoExecute' };
      const tolerates = (tolerationSeconds: number): object => ({
        spec: {
          nodeSelector: { 'kubernetes.io/hostname': node },
          tolerations: [{ ...taint, operator: 'Equal', tolerationSeconds }],
        },
      });
      await Promise.all([
        space.stays('soon', forever, tolerates(1)),
        space.stays('later', forever, tolerates(60)),
      ]);
      const path = `/api/v1/nodes/${node}`;
      const before = list((await world.get(path)).spec?.taints);
      await world.patch(path, { spec: { taints: [...before, taint] } });
      try {
        await world.gone(space.pod('soon'));
        assert.ok(isReady(await world.get(space.pod('later'))));
      } finally {
        await world.patch(path, { spec: { taints: before } });
      }
      assert.equal((await world.get(space.pod('later'))).metadata?.deletionTimestamp, undefined);
    },
  },
];
