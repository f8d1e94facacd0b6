import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MarathonFailure, type Problem } from './problem.ts';
import { parseJson, read, readList } from './read.ts';
import type { RamlTypes } from './types.ts';

function problemsOf(type: keyof RamlTypes, json: unknown): Problem[] {
  try {
    read(type, json);
  } catch (error) {
    assert(error instanceof MarathonFailure);
    assert.equal(error.status, 422);
    assert.equal(error.body.message, 'Invalid JSON');
    assert(Array.isArray(error.body.details));
    return error.body.details.flatMap(({ path, errors }) =>
      errors.map((text: string) => ({ path, text })),
    );
  }
  return [];
}

const bad: { type: keyof RamlTypes; json: unknown; path: string; text: string }[] = [
  { type: 'App', json: { cmd: 'x' }, path: '/id', text: 'error.path.missing' },
  { type: 'App', json: { id: 5 }, path: '/id', text: 'error.expected.jsstring' },
  { type: 'App', json: { id: null }, path: '/id', text: 'error.expected.jsstring' },
  { type: 'App', json: { id: '/A' }, path: '/id', text: 'error.pattern' },
  { type: 'App', json: { id: '/a_b' }, path: '/id', text: 'error.pattern' },
  { type: 'App', json: { id: '' }, path: '/id', text: 'error.minLength' },
  { type: 'App', json: { id: '/a', cpus: '1' }, path: '/cpus', text: 'error.expected.jsnumber' },
  { type: 'App', json: { id: '/a', cpus: -1 }, path: '/cpus', text: 'error.min' },
  {
    type: 'App',
    json: { id: '/a', instances: 1.5 },
    path: '/instances',
    text: 'error.expected.int',
  },
  {
    type: 'App',
    json: { id: '/a', killSelection: 'YOUNGEST' },
    path: '/killSelection',
    text: 'error.unknown.enum.literal',
  },
  {
    type: 'App',
    json: { id: '/a', container: { portMappings: [{ hostPort: 70000 }] } },
    path: '/container/portMappings(0)/hostPort',
    text: 'error.max',
  },
  {
    type: 'App',
    json: { id: '/a', requirePorts: 'yes' },
    path: '/requirePorts',
    text: 'error.expected.jsboolean',
  },
  {
    type: 'App',
    json: { id: '/a', labels: { a: 1 } },
    path: '/labels/a',
    text: 'error.expected.jsstring',
  },
  {
    type: 'App',
    json: { id: '/a', env: { A: 1 } },
    path: '/env/A',
    text: 'error.expected.jsobject',
  },
  {
    type: 'App',
    json: { id: '/a', env: { A: {} } },
    path: '/env/A/secret',
    text: 'error.path.missing',
  },
  { type: 'App', json: { id: '/a', fetch: {} }, path: '/fetch', text: 'error.expected.jsarray' },
  {
    type: 'App',
    json: { id: '/a', container: { volumes: [{ containerPath: 'x', mode: 'RW' }] } },
    path: '/container/volumes(0)/hostPath',
    text: 'error.path.missing',
  },
  { type: 'App', json: [], path: '/', text: 'error.expected.jsobject' },
  { type: 'Pod', json: { id: '/p', containers: [] }, path: '/containers', text: 'error.minLength' },
  {
    type: 'Pod',
    json: { id: '/p', containers: [{ name: 'c', resources: {} }], environment: { '1A': 'x' } },
    path: '/environment/1A',
    text: 'error.pattern',
  },
  {
    type: 'Pod',
    json: { id: '/p', containers: [{ name: 'c', resources: {} }], scaling: { kind: 'x' } },
    path: '/scaling',
    text: 'error.expected.jsstring',
  },
];
for (const { type, json, path, text } of bad) {
  test(`read() refuses ${JSON.stringify(json)} with ${text}`, () => {
    assert.deepEqual(problemsOf(type, json), [{ path, text }]);
  });
}

test('read() fills in defaults and drops what it does not know', () => {
  const app = read('App', { id: 'a', cmd: 'sleep 1', storeUrls: null, unknown: 1 });
  assert.deepEqual(app, {
    id: 'a',
    cmd: 'sleep 1',
    backoffFactor: 1.15,
    backoffSeconds: 1,
    cpus: 1,
    disk: 0,
    executor: '',
    instances: 1,
    labels: {},
    maxLaunchDelaySeconds: 300,
    mem: 128,
    gpus: 0,
    networks: [],
    requirePorts: false,
    killSelection: 'YOUNGEST_FIRST',
  });
});

test('read() takes enumerations in any case and sets without repetition', () => {
  const app = read('App', {
    id: 'a',
    killSelection: 'oldest_first',
    networks: [{ mode: 'CONTAINER/BRIDGE' }],
    acceptedResourceRoles: ['*', '*'],
  });
  assert.equal(app.killSelection, 'OLDEST_FIRST');
  assert.deepEqual(app.networks, [{ mode: 'container/bridge' }]);
  assert.deepEqual(app.acceptedResourceRoles, ['*']);
});

test('read() tells empty from absent in updates', () => {
  assert.deepEqual(read('AppUpdate', { args: [], env: {}, cpus: null }), { args: [], env: {} });
});

test('read() tries the variants of a union in order', () => {
  const app = read('App', {
    id: 'a',
    env: { A: 'x', B: { secret: 's' } },
    unreachableStrategy: 'disabled',
    resourceLimits: { cpus: 'unlimited', mem: 5 },
  });
  assert.deepEqual(app.env, { A: 'x', B: { secret: 's' } });
  assert.equal(app.unreachableStrategy, 'disabled');
  assert.deepEqual(app.resourceLimits, { cpus: 'unlimited', mem: 5 });
});

test('read() takes hostile keys as data', () => {
  const json: unknown = JSON.parse('{"id":"a","labels":{"__proto__":"x","constructor":"y"}}');
  const app = read('App', json);
  assert.deepEqual(Object.entries(app.labels), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
  assert.equal(Object.getPrototypeOf(app.labels), Object.prototype);
});

test('read() refuses an id of many slashes at once', () => {
  assert.deepEqual(problemsOf('App', { id: `${'/'.repeat(10_000)}!` }), [
    { path: '/id', text: 'error.pattern' },
  ]);
});

test('read() refuses groups nested without end', () => {
  let group: unknown = { id: 'g' };
  for (let depth = 0; depth < 3000; depth++) group = { id: 'g', groups: [group] };
  assert.equal(problemsOf('GroupUpdate', group)[0]?.text, 'error.maxLength');
});

test('readList() names the element', () => {
  assert.throws(
    () => readList('AppUpdate', [{}, { cpus: -1 }]),
    (error: unknown) =>
      error instanceof MarathonFailure &&
      JSON.stringify(error.body.details) === '[{"path":"(1)/cpus","errors":["error.min"]}]',
  );
});

test('parseJson() asks for data when there is none', () => {
  assert.throws(
    () => parseJson(new Uint8Array()),
    (error: unknown) =>
      error instanceof MarathonFailure &&
      error.status === 400 &&
      error.message === 'Please specify data in JSON format',
  );
});

test('parseJson() answers 400 with a text to what is no JSON', () => {
  assert.throws(
    () => parseJson('{'),
    (error: unknown) =>
      error instanceof MarathonFailure &&
      error.status === 400 &&
      typeof error.body.details === 'string',
  );
});
