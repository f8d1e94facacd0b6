import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '#sim';
import {
  ancestorIDs,
  canonicalID,
  childProblems,
  dottedName,
  idProblems,
  isWithin,
  parentID,
  safeID,
  topLevelID,
} from './ids.ts';
import { executorIDOf, newInstanceID, parseTaskID, taskIDOf } from './instance-ids.ts';

const canonical: { id: string; base: string; want: string }[] = [
  { id: 'a', base: '/', want: '/a' },
  { id: '/a//b/', base: '/g', want: '/a/b' },
  { id: 'b', base: '/g', want: '/g/b' },
  { id: '../b', base: '/g', want: '/b' },
  { id: '../../../b', base: '/g', want: '/b' },
  { id: './b/.', base: '/g', want: '/g/b' },
  { id: '', base: '/g', want: '/g' },
  { id: '/', base: '/g', want: '/' },
];
for (const { id, base, want } of canonical) {
  test(`canonicalID() of ${JSON.stringify(id)} in ${base} is ${want}`, () => {
    assert.equal(canonicalID(id, base), want);
  });
}

test('ids know their groups', () => {
  assert.equal(parentID('/a/b/c'), '/a/b');
  assert.equal(parentID('/a'), '/');
  assert.equal(parentID('/'), '/');
  assert.deepEqual(ancestorIDs('/a/b/c'), ['/a/b', '/a', '/']);
  assert.deepEqual(ancestorIDs('/'), []);
  assert.equal(topLevelID('/a/b/c'), '/a');
  assert.equal(isWithin('/a/b', '/a'), true);
  assert.equal(isWithin('/ab', '/a'), false);
  assert.equal(isWithin('/ab', '/'), true);
});

test('ids have a form for tasks and one for names', () => {
  assert.equal(safeID('/a/b.c/d'), 'a_b.c_d');
  assert.equal(dottedName('/a/b/c'), 'c.b.a');
});

const pattern =
  "must fully match regular expression '^(([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])\\.)*" +
  "([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])|(\\.|\\.\\.)$'";
const reserved =
  'must not end with any of the following reserved keywords: restart, tasks, versions, ., ..';

const problems: { id: string; texts: string[] }[] = [
  { id: '/a/b-c.d0', texts: [] },
  { id: '/A', texts: [pattern] },
  { id: '/-a', texts: [pattern] },
  { id: '/a_b', texts: [pattern] },
  { id: '/a/restart', texts: [reserved] },
  { id: '/restart/a', texts: [] },
  { id: '/a/..', texts: [reserved] },
];
for (const { id, texts } of problems) {
  test(`idProblems() of ${id}`, () => {
    assert.deepEqual(
      idProblems(id, '/id'),
      texts.map((text) => ({ path: '/id', text })),
    );
  });
}

test('childProblems() wants direct children', () => {
  const options = { group: '/g', path: '/id' };
  assert.deepEqual(childProblems('a', options), []);
  assert.deepEqual(childProblems('/g/a', options), []);
  assert.deepEqual(childProblems('/h/a', options), [
    { path: '/id', text: "Identifier is not child of '/g'" },
  ]);
  assert.equal(childProblems('a/b', options).length, 1);
});

test('ids of instances are timed, of tasks numbered, and both can be read again', () => {
  const random = seededRandom(7);
  const nowMs = Date.parse('2021-07-27T20:40:33.123Z');
  const instanceID = newInstanceID('/g/a.b', { nowMs, random });
  const uuid =
    /^g_a\.b\.instance-([0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})$/;
  assert.match(instanceID, uuid);
  const fields = (uuid.exec(instanceID)?.[1] ?? '').split('-');
  const ticks = BigInt(`0x${fields[2]?.slice(1)}${fields[1]}${fields[0]}`);
  assert.equal(Number(ticks / 10_000n) - 12_219_292_800_000, nowMs);
  assert.notEqual(instanceID, newInstanceID('/g/a.b', { nowMs, random }));
  assert.deepEqual(parseTaskID(taskIDOf(instanceID, 3)), {
    runSpecID: '/g/a.b',
    instanceID,
    incarnation: 3,
  });
  assert.deepEqual(parseTaskID(taskIDOf(instanceID, 1, 'web')), {
    runSpecID: '/g/a.b',
    instanceID,
    container: 'web',
    incarnation: 1,
  });
  assert.equal(executorIDOf('g_p.instance-u1'), 'instance-g_p.u1');
});

const parsed: { id: string; want: ReturnType<typeof parseTaskID> }[] = [
  { id: 'a.instance-u._app', want: { runSpecID: '/a', instanceID: 'a.instance-u' } },
  {
    id: 'a_b.marathon-u.$anon',
    want: { runSpecID: '/a/b', instanceID: 'a_b.marathon-u', container: '$anon' },
  },
  { id: 'a_b.u-1', want: { runSpecID: '/a/b', instanceID: 'a_b.marathon-u-1' } },
  { id: 'plain', want: undefined },
];
for (const { id, want } of parsed) {
  test(`parseTaskID() of ${id}`, () => {
    assert.deepEqual(parseTaskID(id), want);
  });
}
