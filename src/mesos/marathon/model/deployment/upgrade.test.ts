import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { appFromJson } from '../app/definition.ts';
import { delayAfterFailure, delayAfterProgress, delayIsForgotten } from '../backoff.ts';
import type { Condition, Instance } from '../instance.ts';
import { emptyRoot, type RunSpec } from '../root.ts';
import { defaultSettings } from '../settings.ts';
import { selectToKill } from './kill-selection.ts';
import { instancesToStart, upgradeNumbers } from './upgrade.ts';

const context = { root: emptyRoot(''), settings: defaultSettings, forceRole: false };
const app = (json: object): RunSpec => ({
  kind: 'app',
  spec: appFromJson({ id: '/g/a', role: 'g', cmd: 'sleep 1', ...json }, context),
});
const strategy = (minimumHealthCapacity: number, maximumOverCapacity: number): object => ({
  upgradeStrategy: { minimumHealthCapacity, maximumOverCapacity },
});
const volume = {
  container: {
    type: 'MESOS',
    volumes: [{ containerPath: 'data', mode: 'RW', persistent: { size: 1 } }],
  },
};

const numbers: {
  name: string;
  json: object;
  current: number;
  healthy: number;
  want: [minHealthy: number, maxCapacity: number, killNow: number];
}[] = [
  { name: 'defaults', json: { instances: 4 }, current: 4, healthy: 4, want: [4, 8, 0] },
  {
    name: 'half of them',
    json: { instances: 5, ...strategy(0.5, 0.5) },
    current: 5,
    healthy: 5,
    want: [3, 7, 2],
  },
  {
    name: 'no room to move: one beyond',
    json: { instances: 3, ...strategy(1, 0) },
    current: 3,
    healthy: 3,
    want: [3, 4, 0],
  },
  {
    name: 'no room, but some are unhealthy',
    json: { instances: 3, ...strategy(1, 0) },
    current: 3,
    healthy: 2,
    want: [3, 3, 0],
  },
  {
    name: 'residents give one up',
    json: { instances: 3, ...volume, ...strategy(1, 0) },
    current: 3,
    healthy: 3,
    want: [3, 3, 1],
  },
  { name: 'fewer are wanted', json: { instances: 2 }, current: 5, healthy: 5, want: [2, 4, 3] },
  {
    name: 'a single instance',
    json: {
      instances: 1,
      labels: { MARATHON_SINGLE_INSTANCE_APP: 'true' },
      ...strategy(0, 0),
    },
    current: 1,
    healthy: 1,
    want: [0, 1, 1],
  },
];
for (const { name, json, current, healthy, want } of numbers) {
  test(`upgradeNumbers() of ${name}`, () => {
    const got = upgradeNumbers({ runSpec: app(json), current, consideredHealthy: healthy });
    assert.deepEqual([got.minHealthy, got.maxCapacity, got.killNow], want);
  });
}

test('instancesToStart() stays below the capacity and what is wanted', () => {
  const start = (wanted: number, maxCapacity: number, oldActive: number, started: number): number =>
    instancesToStart({ wanted, maxCapacity, oldActive, started });
  assert.equal(start(4, 8, 4, 0), 4);
  assert.equal(start(4, 5, 4, 0), 1);
  assert.equal(start(4, 5, 4, 1), 0);
  assert.equal(start(4, 5, 1, 3), 1);
  assert.equal(start(4, 4, 0, 4), 0);
});

test('upgrades end: started and killed by these numbers, all are new at last', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 0, max: 12 }),
      fc.constantFrom(0, 0.3, 0.5, 1),
      fc.constantFrom(0, 0.5, 1),
      (wanted, old, minimum, over) => {
        const runSpec = app({ instances: wanted, ...strategy(minimum, over) });
        const { maxCapacity, killNow } = upgradeNumbers({
          runSpec,
          current: old,
          consideredHealthy: old,
        });
        let left = old - Math.min(killNow, old);
        let started = 0;
        for (let round = 0; round < 100 && (left > 0 || started < wanted); round++) {
          const more = instancesToStart({ wanted, maxCapacity, oldActive: left, started });
          assert(more >= 0);
          started += more;
          assert(left + started <= Math.max(maxCapacity, old));
          // Each new one that is ready lets an old one go.
          if (left > 0 && (started > 0 || more === 0)) left -= Math.min(left, Math.max(1, more));
        }
        assert.deepEqual([left, started], [0, wanted]);
      },
    ),
  );
});

function instance(name: string, more: Partial<Instance> = {}): Instance {
  return {
    instanceID: name,
    runSpecID: '/g/a',
    role: 'g',
    runSpecVersion: 'v',
    goal: 'Running',
    condition: 'Running',
    since: '2020-01-01T00:00:00.000Z',
    activeSince: '2020-01-01T00:00:00.000Z',
    tasks: [],
    ...more,
  };
}

const names = (list: readonly Instance[]): string[] => list.map(({ instanceID }) => instanceID);
const at = (second: number): string => `2020-01-01T00:00:0${second}.000Z`;

test('selectToKill() takes the youngest first, or the oldest', () => {
  const instances = [1, 3, 2].map((second) => instance(`i${second}`, { activeSince: at(second) }));
  const options = { instances, scaleTo: 1, sentenced: [] };
  assert.deepEqual(names(selectToKill({ runSpec: app({}), ...options })), ['i3', 'i2']);
  const oldest = app({ killSelection: 'OLDEST_FIRST' });
  assert.deepEqual(names(selectToKill({ runSpec: oldest, ...options })), ['i1', 'i2']);
});

test('selectToKill() takes those first that do least', () => {
  const conditions: Condition[] = ['Running', 'Starting', 'Unreachable', 'Staging'];
  const instances = conditions.map((condition) => instance(condition, { condition }));
  const got = selectToKill({ runSpec: app({}), instances, scaleTo: 0, sentenced: [] });
  assert.deepEqual(names(got), ['Unreachable', 'Staging', 'Starting', 'Running']);
});

test('selectToKill() takes those named, be they more than need to go', () => {
  const instances = ['a', 'b', 'c'].map((name) => instance(name));
  const options = { runSpec: app({}), instances };
  assert.deepEqual(names(selectToKill({ ...options, scaleTo: 2, sentenced: ['b'] })), ['b']);
  assert.deepEqual(names(selectToKill({ ...options, scaleTo: 3, sentenced: ['b', 'c'] })), [
    'b',
    'c',
  ]);
  assert.deepEqual(selectToKill({ ...options, scaleTo: 5, sentenced: [] }), []);
});

test('selectToKill() keeps groups even', () => {
  const runSpec = app({ constraints: [['hostname', 'GROUP_BY', '3']] });
  const hosts = ['h1', 'h1', 'h1', 'h2', 'h2', 'h3'];
  const instances = hosts.map((host, index) =>
    instance(`i${index}`, { agent: { host, attributes: [] }, activeSince: at(index) }),
  );
  const killed = new Set(selectToKill({ runSpec, instances, scaleTo: 3, sentenced: [] }));
  const left = instances.filter((one) => !killed.has(one)).map(({ agent }) => agent?.host ?? '');
  assert.deepEqual(left.toSorted(), ['h1', 'h2', 'h3']);
});

test('delays grow to their limit, and are forgotten', () => {
  const runSpec = app({ backoffSeconds: 10, backoffFactor: 2, maxLaunchDelaySeconds: 30 });
  const first = delayAfterFailure(runSpec, undefined, 1000);
  assert.deepEqual(first, { referenceMs: 1000, delayMs: 10_000 });
  const second = delayAfterFailure(runSpec, first, 2000);
  assert.deepEqual(second, { referenceMs: 2000, delayMs: 20_000 });
  const third = delayAfterFailure(runSpec, second, 3000);
  assert.deepEqual(third, { referenceMs: 3000, delayMs: 30_000 });
  assert.deepEqual(delayAfterProgress(third, 9000), { referenceMs: 9000, delayMs: 30_000 });
  assert.equal(delayIsForgotten(runSpec, third, 63_000), false);
  assert.equal(delayIsForgotten(runSpec, third, 63_001), true);
  const capped = app({ backoffSeconds: 60, maxLaunchDelaySeconds: 30 });
  assert.equal(delayAfterFailure(capped, undefined, 0).delayMs, 30_000);
});
