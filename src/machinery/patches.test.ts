import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { typeTables } from '#kube/kinds';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch, createMergePatch } from './merge-patch.ts';
import { schemaOf } from './schema.ts';
import { applyStrategicMergePatch } from './strategic-merge.ts';

test('JSON patch: every operation, and the texts of what fails', () => {
  const { value } = applyJsonPatch({ a: { b: [1, 2] }, 'x/y': 1 }, [
    { op: 'add', path: '/a/b/-', value: 3 },
    { op: 'add', path: '/a/b/0', value: 0 },
    { op: 'remove', path: '/x~1y' },
    { op: 'copy', from: '/a/b', path: '/c' },
    { op: 'move', from: '/a/b', path: '/d' },
    { op: 'replace', path: '/c/0', value: 9 },
    { op: 'test', path: '/d', value: [0, 1, 2, 3] },
  ]);
  assert.deepEqual(value, { a: {}, c: [9, 1, 2, 3], d: [0, 1, 2, 3] });
  const fails = (patch: unknown, message: string | RegExp) =>
    assert.throws(() => applyJsonPatch({ a: 1 }, patch), { message });
  fails([{ op: 'test', path: '/a', value: 2 }], 'testing value /a failed: test failed');
  fails([{ op: 'replace', path: '/x', value: 2 }], /doc is missing key: \/x/);
  fails([{ op: 'x', path: '/a' }], 'Unexpected kind: x');
  fails({}, /cannot unmarshal object/);
  fails(Array(10_001).fill({}), /maximum operations in a JSON patch is 10000, got 10001/);
  const { strictProblems } = applyJsonPatch({}, [{ op: 'add', path: '/a', value: 1, foo: 2 }]);
  assert.deepEqual(strictProblems, ['json patch unknown field "[0].foo"']);
  assert.equal(({} as { polluted?: number }).polluted, undefined);
});

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.integer(),
    fc.string(),
    fc.boolean(),
    fc.dictionary(fc.string(), tie('value')),
  ),
})).value;
const object = fc.dictionary(fc.string(), json);
test('A merge patch made of two objects turns the one into the other', () => {
  fc.assert(
    fc.property(object, object, (from, to) => {
      assert.deepEqual(
        JSON.parse(JSON.stringify(applyMergePatch(from, createMergePatch(from, to)))),
        JSON.parse(JSON.stringify(to)),
      );
    }),
  );
});

const pod = schemaOf(typeTables, 'k8s.io.api.core.v1.Pod');
const deployment = schemaOf(typeTables, 'k8s.io.api.apps.v1.Deployment');
const podOf = (containers: unknown[], more: Record<string, unknown> = {}) => ({
  spec: { containers, ...more },
});

test('Strategic merge patch: lists merge by key and follow the directives', () => {
  const before = podOf([
    { name: 'a', image: '1', env: [{ name: 'X', value: 'x' }] },
    { name: 'b' },
  ]);
  const run = (patch: unknown) => applyStrategicMergePatch(before, patch, pod);
  assert.deepEqual(
    run(podOf([{ name: 'a', image: '2' }])),
    podOf([{ name: 'a', image: '2', env: [{ name: 'X', value: 'x' }] }, { name: 'b' }]),
  );
  assert.deepEqual(
    run(podOf([{ name: 'b', $patch: 'delete' }])),
    podOf([{ name: 'a', image: '1', env: [{ name: 'X', value: 'x' }] }]),
  );
  assert.deepEqual(run(podOf([{ $patch: 'replace' }, { name: 'c' }])), podOf([{ name: 'c' }]));
  assert.deepEqual(
    run({
      spec: {
        '$setElementOrder/containers': [{ name: 'b' }, { name: 'c' }, { name: 'a' }],
        containers: [{ name: 'c' }],
      },
    }),
    podOf([
      { name: 'b' },
      { name: 'c' },
      { name: 'a', image: '1', env: [{ name: 'X', value: 'x' }] },
    ]),
  );
  assert.throws(() => run(podOf([{ image: 'x' }])), {
    message: 'map: map[image:x] does not contain declared merge key: name',
  });
  assert.deepEqual(
    applyStrategicMergePatch(
      { metadata: { finalizers: ['a/b', 'c/d'] } },
      { metadata: { '$deleteFromPrimitiveList/finalizers': ['a/b'], finalizers: ['e/f'] } },
      pod,
    ),
    { metadata: { finalizers: ['c/d', 'e/f'] } },
  );
});

test('Strategic merge patch: retainKeys drops what it does not name', () => {
  const before = { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } };
  const patch = { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } };
  assert.deepEqual(applyStrategicMergePatch(before, patch, deployment), {
    spec: { strategy: { type: 'Recreate' } },
  });
  const wrong = { spec: { strategy: { $retainKeys: ['x'], type: 'Recreate' } } };
  assert.throws(() => applyStrategicMergePatch(before, wrong, deployment), /retainKeys list/);
  assert.deepEqual(
    applyStrategicMergePatch(
      { metadata: { labels: { a: '1' } } },
      { metadata: { labels: { a: null, b: '2' } } },
      pod,
    ),
    { metadata: { labels: { b: '2' } } },
  );
});
