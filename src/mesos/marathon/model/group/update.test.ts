import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DefinitionContext, appFromJson } from '../app/definition.ts';
import { MarathonFailure } from '../problem.ts';
import { type Root, emptyRoot, putRunSpec, removeGroup, setEnforceRole } from '../root.ts';
import { defaultSettings } from '../settings.ts';
import { finishUpdate } from './finish.ts';
import { applyGroupUpdate, groupUpdateFromJson } from './update.ts';

const settings = defaultSettings;
const context = (root: Root): DefinitionContext => ({ root, settings, forceRole: false });
let clock = 0;

function nextVersion(): string {
  return new Date(++clock * 1000).toISOString();
}

function put(root: Root, id: string, json: unknown, old: readonly Root[] = []): Root {
  const version = nextVersion();
  const change = groupUpdateFromJson(json, { id, context: context(root) });
  const to = applyGroupUpdate(root, change, {
    version,
    settings,
    versionOf: (wanted) => old.find((one) => one.groups.get('/')?.version === wanted),
  });
  return finishUpdate(root, to, { version, settings });
}

function failureOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert(error instanceof MarathonFailure, String(error));
    const { details } = error.body;
    const lines = Array.isArray(details)
      ? details.flatMap(({ path, errors }) => errors.map((text: string) => `${path} ${text}`))
      : [error.body.message];
    return `${error.status} ${lines.join('; ')}`;
  }
  return 'accepted';
}

const start = emptyRoot(nextVersion());
const app = (id: string, more: object = {}): object => ({ id, cmd: 'sleep 1', ...more });

test('applyGroupUpdate() makes a tree with relative ids', () => {
  const root = put(start, '/', {
    groups: [
      {
        id: 'g',
        apps: [app('a', { dependencies: ['../h/b', 'c'] })],
        dependencies: ['/h'],
        groups: [{ id: '/g/in', apps: [app('/g/in/x')] }],
      },
      { id: '/h', apps: [app('b')] },
    ],
  });
  assert.deepEqual([...root.groups.keys()].toSorted(), ['/', '/g', '/g/in', '/h']);
  assert.deepEqual([...root.apps.keys()].toSorted(), ['/g/a', '/g/in/x', '/h/b']);
  assert.deepEqual(root.apps.get('/g/a')?.dependencies, ['/h/b', '/g/c']);
  assert.deepEqual(root.groups.get('/g')?.dependencies, ['/h']);
  assert.equal(root.groups.get('/g')?.enforceRole, false);
  assert.equal(root.groups.get('/g/in')?.enforceRole, undefined);
  assert.equal(root.groups.get('/')?.version, root.groups.get('/g')?.version);
});

test('applyGroupUpdate() replaces what is given, and only that', () => {
  const first = put(start, '/g', {
    apps: [app('a'), app('b')],
    groups: [{ id: 'in', apps: [app('x')] }, { id: 'out' }],
    dependencies: ['/h'],
  });
  const second = put(first, '/g', { apps: [app('b'), app('c')] });
  assert.deepEqual([...second.apps.keys()].toSorted(), ['/g/b', '/g/c', '/g/in/x']);
  assert.deepEqual(second.groups.get('/g')?.dependencies, ['/h']);
  assert.equal(second.apps.get('/g/b')?.version, first.apps.get('/g/b')?.version);
  const third = put(second, '/g', { groups: [{ id: 'in' }] });
  assert.deepEqual([...third.groups.keys()].toSorted(), ['/', '/g', '/g/in']);
  assert.equal(third.apps.has('/g/in/x'), true);
});

test('applyGroupUpdate() scales, rounding up', () => {
  const first = put(start, '/g', {
    apps: [app('a', { instances: 3 }), app('b', { instances: 0 })],
  });
  const scaled = put(first, '/g', { scaleBy: 1.5 });
  assert.equal(scaled.apps.get('/g/a')?.instances, 5);
  assert.equal(scaled.apps.get('/g/b')?.instances, 0);
  const { versionInfo, version } = scaled.apps.get('/g/a') ?? {};
  assert.equal(versionInfo?.lastScalingAt, version);
  assert.equal(versionInfo?.lastConfigChangeAt, first.apps.get('/g/a')?.version);
});

test('applyGroupUpdate() goes back to a version', () => {
  const first = put(start, '/g', { apps: [app('a'), app('b')] });
  const second = put(first, '/g', { apps: [app('c')] });
  const version = first.groups.get('/')?.version ?? '';
  const back = put(second, '/g', { version }, [first]);
  assert.deepEqual([...back.apps.keys()].toSorted(), ['/g/a', '/g/b']);
  assert.equal(
    failureOf(() => put(second, '/g', { version: '2030-01-01T00:00:00.000Z' }, [first])),
    '422 Group /g not available in version 2030-01-01T00:00:00.000Z',
  );
});

const refused: { name: string; id: string; json: object; want: string }[] = [
  {
    name: 'scaleBy with apps',
    id: '/g',
    json: { scaleBy: 2, apps: [] },
    want: '422 /scaleBy not allowed in conjunction with other properties.',
  },
  {
    name: 'version with scaleBy',
    id: '/g',
    json: { scaleBy: 2, version: '2030-01-01T00:00:00.000Z' },
    want:
      '422 /version not allowed in conjunction with other properties.; ' +
      '/scaleBy not allowed in conjunction with other properties.',
  },
  {
    name: 'an app elsewhere',
    id: '/g',
    json: { apps: [app('/h/a')] },
    want: "422 /apps(0)/id Identifier is not child of '/g'",
  },
  {
    name: 'an app elsewhere in an inner group',
    id: '/g',
    json: { groups: [{ id: 'in', apps: [app('ok'), app('/g/a')] }] },
    want: "422 /groups(0)/apps(1)/id Identifier is not child of '/g/in'",
  },
  {
    name: 'an inner group that insists on its role',
    id: '/a',
    json: { groups: [{ id: 'b', enforceRole: true }] },
    want:
      '422 /groups(0)/enforceRole enforceRole can only be set for top-level groups, and /a/b is not ' +
      'top-level',
  },
  {
    name: 'a cycle of dependencies',
    id: '/g',
    json: { apps: [app('a', { dependencies: ['/g/b'] }), app('b', { dependencies: ['/g/a'] })] },
    want: '422 / Dependency graph has cyclic dependencies.',
  },
  {
    name: 'a group that depends on itself',
    id: '/g',
    json: { apps: [app('a')], dependencies: ['/g'] },
    want: '422 / Dependency graph has cyclic dependencies.',
  },
  {
    name: 'an app with the id of a group',
    id: '/g',
    json: { apps: [app('a')], groups: [{ id: 'a' }] },
    want: '422 / Groups and Applications may not have the same identifier.',
  },
  {
    name: 'a wrong id',
    id: '/g',
    json: { id: 'tasks' },
    want: '422 /id must not end with any of the following reserved keywords: restart, tasks, versions, ., ..',
  },
];
for (const { name, id, json, want } of refused) {
  test(`groupUpdateFromJson() and what follows refuse ${name}`, () => {
    assert.equal(
      failureOf(() => put(start, id, json)),
      want,
    );
  });
}

test('enforceRole may not change together with services', () => {
  const first = put(start, '/g', { apps: [app('a')] });
  assert.equal(
    failureOf(() => put(first, '/g', { enforceRole: true, apps: [app('a')] })),
    '422 /enforceRole enforceRole cannot be modified in a request that adds, removes or modifies ' +
      'services; please make these changes in separate requests.',
  );
  assert.equal(put(first, '/g', { enforceRole: true }).groups.get('/g')?.enforceRole, true);
});

test('apps get the role of a group that insists on it, also of a new one', () => {
  const root = put(start, '/g', { enforceRole: true, apps: [app('a')] });
  assert.equal(root.apps.get('/g/a')?.role, 'g');
  const patched = setEnforceRole(put(start, '/h', { apps: [app('a')] }), '/h', {
    enforceRole: true,
    version: nextVersion(),
    settings,
  });
  assert.equal(patched.apps.get('/h/a')?.role, '*');
  const added = appFromJson(app('/h/b'), context(patched));
  assert.equal(added.role, 'h');
  assert.equal(appFromJson(app('/h/a'), context(patched)).role, 'h');
});

test('service ports are given out, kept and not given twice', () => {
  const range = { ...settings, localPortMax: 10_002 };
  const finish = (from: Root, to: Root): Root =>
    finishUpdate(from, to, { version: nextVersion(), settings: range });
  const add = (root: Root, json: object): Root => {
    const spec = appFromJson(json, context(root));
    return finish(
      root,
      putRunSpec(root, { kind: 'app', spec }, { version: nextVersion(), settings }),
    );
  };
  const first = add(start, app('/a', { ports: [0, 10_001] }));
  assert.deepEqual(
    first.apps.get('/a')?.portDefinitions?.map(({ port }) => port),
    [10_000, 10_001],
  );
  const again = add(first, app('/a', { ports: [0, 10_001], mem: 64 }));
  assert.deepEqual(
    again.apps.get('/a')?.portDefinitions?.map(({ port }) => port),
    [10_000, 10_001],
  );
  const same = add(again, app('/a', { ports: [0, 10_001], mem: 64 }));
  assert.equal(same.apps.get('/a')?.version, again.apps.get('/a')?.version);
  const mapped = add(again, app('/b', { networks: [{ mode: 'container/bridge' }] }));
  assert.equal(mapped.apps.get('/b')?.container?.portMappings?.[0]?.servicePort, 10_002);
  assert.equal(
    failureOf(() => add(mapped, app('/c'))),
    '500 All ports in the range [10000-10002] are already in use',
  );
});

test('residents may not change their volumes, resources and ports', () => {
  const resident = (more: object, size = 5): object => ({
    ...app('/g/a'),
    role: 'g',
    container: {
      type: 'MESOS',
      volumes: [{ containerPath: 'data', mode: 'RW', persistent: { size } }],
    },
    ...more,
  });
  const add = (root: Root, json: object): Root => {
    const version = nextVersion();
    const spec = appFromJson(json, context(root));
    const to = putRunSpec(root, { kind: 'app', spec }, { version, settings });
    return finishUpdate(root, to, { version, settings });
  };
  const root = add(start, resident({}));
  assert.equal(
    failureOf(() => add(root, resident({ cpus: 2 }, 6))),
    '422 /app(0) Persistent volumes can not be changed!; /app(0)/cpus Services with persistent volumes ' +
      'configured may not change resource requirements. If you need to make this change, please ' +
      'create a new service.',
  );
  assert.equal(
    failureOf(() => add(root, resident({ portDefinitions: [{ port: 5 }] }))),
    '422 /app(0) Services with persistent volumes configured may not change host ports. If you need ' +
      'to make this change, please create a new service.',
  );
  assert.equal(add(root, resident({ cmd: 'other' })).apps.get('/g/a')?.cmd, 'other');
});

test('removeGroup() takes all that is below', () => {
  const root = put(start, '/', {
    groups: [
      { id: 'g', apps: [app('a')] },
      { id: 'gg', apps: [app('b')] },
    ],
  });
  const rest = removeGroup(root, '/g', { version: nextVersion(), settings });
  assert.deepEqual([...rest.groups.keys()].toSorted(), ['/', '/gg']);
  assert.deepEqual([...rest.apps.keys()], ['/gg/b']);
  const nothing = removeGroup(root, '/', { version: nextVersion(), settings });
  assert.deepEqual([...nothing.groups.keys()], ['/']);
  assert.equal(nothing.apps.size, 0);
});
