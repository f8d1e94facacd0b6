import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { appFromJson } from '../app/definition.ts';
import { stableText } from '../equality.ts';
import { finishUpdate } from '../group/finish.ts';
import { podFromJson } from '../pod/definition.ts';
import { type Root, emptyRoot, putRunSpec, removeRunSpec } from '../root.ts';
import { defaultSettings } from '../settings.ts';
import { textOf } from '../write.ts';
import { deploymentInfo, planSteps } from './json.ts';
import { type Plan, affectedIDs, makePlan } from './plan.ts';
import { revertPlan } from './revert.ts';

const settings = { ...defaultSettings, localPortMax: 60_000 };
const start = emptyRoot('2020-01-01T00:00:00.000Z');
let clock = 0;

function update(
  from: Root,
  change: (root: Root, version: string) => Root,
  restarted: readonly string[] = [],
): Root {
  const version = new Date(Date.parse('2020-02-01') + ++clock * 1000).toISOString();
  return finishUpdate(from, change(from, version), { version, settings, restarted });
}

function withApps(from: Root, ...apps: readonly object[]): Root {
  return update(from, (root, version) =>
    apps.reduce((result: Root, json) => {
      const spec = appFromJson({ cmd: 'sleep 1', ...json }, { root, settings, forceRole: false });
      return putRunSpec(result, { kind: 'app', spec }, { version, settings });
    }, root),
  );
}

function planOf(from: Root, to: Root): Plan {
  return makePlan(from, to, { id: 'p', version: '2020-03-01T00:00:00.000Z' });
}

function stepsOf(from: Root, to: Root): string[] {
  return planOf(from, to).steps.map(({ actions }) =>
    actions
      .map(
        (action) => `${action.kind} ${action.id}${'scaleTo' in action ? ` ${action.scaleTo}` : ''}`,
      )
      .join(', '),
  );
}

test('makePlan() starts new apps, then scales them in the order of dependencies', () => {
  const root = withApps(
    start,
    { id: '/web', dependencies: ['/db', '/cache'], instances: 2 },
    { id: '/cache', dependencies: ['/db'] },
    { id: '/db' },
    { id: '/other' },
  );
  assert.deepEqual(stepsOf(start, root), [
    'start /web, start /cache, start /db, start /other',
    'scale /db 1, scale /other 1',
    'scale /cache 1',
    'scale /web 2',
  ]);
});

test('makePlan() tells scaling from upgrades, and stops what is gone first', () => {
  const before = withApps(start, { id: '/a' }, { id: '/b' }, { id: '/c' }, { id: '/d' });
  const changed = withApps(
    before,
    { id: '/a', instances: 3 },
    { id: '/b', mem: 1, instances: 3 },
    {
      id: '/c',
      mem: 1,
      instances: 0,
    },
  );
  const after = update(changed, (root, version) =>
    removeRunSpec(root, '/d', { version, settings }),
  );
  assert.deepEqual(stepsOf(before, after), ['stop /d', 'scale /a 3, restart /b, scale /c 0']);
});

test('makePlan() restarts what is marked though nothing of it changes', () => {
  const before = withApps(start, { id: '/a' }, { id: '/b' });
  const after = update(before, (root) => root, ['/a']);
  assert.deepEqual(stepsOf(before, after), ['restart /a']);
  const [old, young] = [before.apps.get('/a'), after.apps.get('/a')];
  assert.equal(young?.versionInfo?.lastConfigChangeAt, young?.version);
  assert.equal(young?.versionInfo?.lastScalingAt, old?.versionInfo?.lastScalingAt);
  assert.equal(after.groups.get('/')?.version, young?.version);
});

test('makePlan() has no steps when nothing changes', () => {
  const root = withApps(start, { id: '/a' });
  const again = withApps(root, { id: '/a' });
  assert.deepEqual(stepsOf(root, again), []);
  assert.equal(again.apps.get('/a')?.version, root.apps.get('/a')?.version);
});

test('makePlan() names the instances to kill', () => {
  const before = withApps(start, { id: '/a', instances: 3 });
  const after = withApps(before, { id: '/a', instances: 2 });
  const toKill = new Map([['/a', ['a.instance-1']]]);
  const plan = makePlan(before, after, { id: 'p', version: 'v', toKill });
  assert.deepEqual(plan.steps, [
    { actions: [{ kind: 'scale', id: '/a', scaleTo: 2, toKill: ['a.instance-1'] }] },
  ]);
});

test('dependencies of a group hold for the apps in it', () => {
  const apps = withApps(start, { id: '/front/web' }, { id: '/back/db' });
  const front = apps.groups.get('/front');
  assert(front !== undefined);
  const root: Root = {
    ...apps,
    groups: new Map(apps.groups).set('/front', { ...front, dependencies: ['/back'] }),
  };
  assert.deepEqual(stepsOf(start, root).slice(1), ['scale /back/db 1', 'scale /front/web 1']);
});

test('deploymentInfo() is what the original answers', () => {
  const json = { id: '/p', containers: [{ name: 'c', resources: {} }] };
  const pod = podFromJson(json, { root: start, settings, forceRole: false });
  const root = update(withApps(start, { id: '/foo' }), (from, version) =>
    putRunSpec(from, { kind: 'pod', spec: pod }, { version, settings }),
  );
  const plan = planOf(start, root);
  const info = deploymentInfo(plan, { currentStep: 2, readiness: new Map() });
  assert.equal(
    textOf('DeploymentStepInfo', info),
    '{"id":"p","steps":[{"actions":[{"action":"StartApplication","app":"/foo"},' +
      '{"action":"StartPod","pod":"/p"}]},{"actions":[{"action":"ScaleApplication","app":"/foo"},' +
      '{"action":"ScalePod","pod":"/p"}]}],"version":"2020-03-01T00:00:00.000Z",' +
      '"affectedApps":["/foo"],"affectedPods":["/p"],"currentActions":[' +
      '{"action":"ScaleApplication","app":"/foo","readinessCheckResults":[]},' +
      '{"action":"ScalePod","pod":"/p","readinessCheckResults":[]}],"currentStep":2,"totalSteps":2}',
  );
  assert.deepEqual(affectedIDs(plan), ['/foo', '/p']);
  assert.equal(planSteps(plan).length, 2);
  assert.deepEqual(JSON.parse(JSON.stringify(plan)), plan);
});

test('pods are versioned like apps', () => {
  const context = { root: start, settings, forceRole: false };
  const put = (from: Root, json: object): Root =>
    update(from, (root, version) => {
      const spec = podFromJson(
        { id: '/p', containers: [{ name: 'c', resources: {} }], ...json },
        context,
      );
      return putRunSpec(root, { kind: 'pod', spec }, { version, settings });
    });
  const first = put(start, {});
  const scaled = put(first, { scaling: { kind: 'fixed', instances: 4 } });
  assert.deepEqual(stepsOf(first, scaled), ['scale /p 4']);
  const changed = put(scaled, { user: 'other', scaling: { kind: 'fixed', instances: 4 } });
  assert.deepEqual(stepsOf(scaled, changed), ['restart /p']);
  const pod = scaled.pods.get('/p');
  assert.equal(pod?.versionInfo?.lastConfigChangeAt, first.pods.get('/p')?.version);
  assert(pod !== undefined);
  assert.doesNotMatch(textOf('Pod', pod), /versionInfo/);
});

const names = ['/a', '/b', '/g/a', '/g/b', '/g/in/c'];
const changes = fc.array(
  fc.record({
    id: fc.constantFrom(...names),
    remove: fc.boolean(),
    instances: fc.integer({ min: 0, max: 3 }),
    mem: fc.constantFrom(32, 64),
  }),
  { maxLength: 6 },
);
type Change = { id: string; remove: boolean; instances: number; mem: number };

function applied(root: Root, list: readonly Change[]): Root {
  return list.reduce(
    (from, { id, remove, instances, mem }) =>
      remove
        ? update(from, (one, version) => removeRunSpec(one, id, { version, settings }))
        : withApps(from, { id, instances, mem }),
    root,
  );
}

function specsText(root: Root): string {
  const plain = [...root.apps.values()].map(({ version: _v, versionInfo: _i, ...app }) => app);
  return stableText(plain.toSorted((a, b) => (a.id < b.id ? -1 : 1)));
}

test('revertPlan() undoes a plan, whatever it did', () => {
  fc.assert(
    fc.property(changes, changes, (first, second) => {
      const before = applied(start, first);
      const after = applied(before, second);
      const plan = planOf(before, after);
      const version = '2030-01-01T00:00:00.000Z';
      const reverted = revertPlan(plan, after, { version, settings });
      assert.equal(specsText(reverted), specsText(before));
      for (const id of before.groups.keys()) assert(reverted.groups.has(id), id);
      for (const id of reverted.groups.keys())
        assert(after.groups.has(id) || before.groups.has(id));
    }),
    { numRuns: 100 },
  );
});

test('revertPlan() leaves alone what others did meanwhile', () => {
  const before = withApps(start, { id: '/a' });
  const after = withApps(before, { id: '/a', mem: 1 }, { id: '/g/new' });
  const plan = planOf(before, after);
  const later = withApps(after, { id: '/other' }, { id: '/g/theirs' });
  const reverted = revertPlan(plan, later, { version: 'v', settings });
  assert.deepEqual([...reverted.apps.keys()].toSorted(), ['/a', '/g/theirs', '/other']);
  assert.equal(reverted.apps.get('/a')?.mem, 128);
  assert.equal(reverted.groups.has('/g'), true);
  const alone = revertPlan(plan, after, { version: 'v', settings });
  assert.equal(alone.groups.has('/g'), false);
});

test('every affected run spec is in exactly one ordered step, after what it needs', () => {
  const order = fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 });
  fc.assert(
    fc.property(order, fc.infiniteStream(fc.boolean()), (ids, chance) => {
      const apps = ids.map((id, index) => ({
        id,
        dependencies: ids.slice(0, index).filter(() => chance.next().value === true),
      }));
      const root = withApps(start, ...apps);
      const steps = planOf(start, root).steps.slice(1);
      const at = (id: string): number[] =>
        steps.flatMap(({ actions }, index) =>
          actions.some((one) => one.id === id) ? [index] : [],
        );
      for (const { id, dependencies } of apps) {
        assert.equal(at(id).length, 1);
        for (const needed of dependencies) assert((at(needed)[0] ?? 0) < (at(id)[0] ?? 0));
      }
    }),
    { numRuns: 50 },
  );
});
