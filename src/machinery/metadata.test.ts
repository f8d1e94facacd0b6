import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metadataProblems } from './metadata.ts';
import { pathSegmentName } from './names.ts';

const plain = { uid: '', resourceVersion: '', creationTimestamp: '' };
const paths = (name: string, rules: Partial<Parameters<typeof metadataProblems>[1]> = {}) =>
  metadataProblems({ ...plain, name }, { namespaced: false, ...rules }).map(({ path }) => path);

test('a name is a DNS subdomain unless its kind says otherwise', () => {
  assert.deepEqual(paths('good.name-1'), []);
  assert.deepEqual(paths('Bad_'), ['metadata.name']);
  assert.deepEqual(paths('system:node', { nameProblems: pathSegmentName }), []);
  assert.deepEqual(paths('a/b', { nameProblems: pathSegmentName }), ['metadata.name']);
});

test('a prefix may end with a dash, a name may not', () => {
  const meta = { ...plain, name: 'a-x', generateName: 'a-' };
  assert.deepEqual(metadataProblems(meta, { namespaced: false }), []);
  assert.deepEqual(paths('a-'), ['metadata.name']);
});
