import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attributes, Reader } from '#apiserver';
import { createNodeAuthorizer } from './node.ts';

/** Holds the tasks t1 of n1 and t2 of n2. */
const reader = {
  get: (_resource: unknown, name: string) =>
    ({ t1: { spec: { nodeName: 'n1' } }, t2: { spec: { nodeName: 'n2' } } })[name],
  list: () => [],
  onChange: () => ({ [Symbol.dispose]: () => undefined }),
} as unknown as Reader;

const asked: Attributes = {
  user: { name: 'system:node:n1', groups: ['system:nodes'] },
  verb: 'get',
  isResource: true,
  group: 'mesos.tandem.dev',
  version: 'v1',
  resource: 'tasks',
  subresource: '',
  namespace: 'mesos-f',
  name: '',
  path: '',
};
const on = (value: string) => ({
  fieldSelector: [{ field: 'spec.nodeName', operator: '=' as const, value }],
});
const cases: readonly (readonly [string, Partial<Attributes>, 'allow' | 'noOpinion'])[] = [
  ['gets its own task', { name: 't1' }, 'allow'],
  ['does not get the task of another', { name: 't2' }, 'noOpinion'],
  ['is told that a task is gone', { name: 't3' }, 'allow'],
  ['lists its own', { verb: 'list', ...on('n1') }, 'allow'],
  ['watches its own', { verb: 'watch', ...on('n1') }, 'allow'],
  ['does not list all', { verb: 'list' }, 'noOpinion'],
  ['does not watch those of another', { verb: 'watch', ...on('n2') }, 'noOpinion'],
  ['deletes none', { verb: 'delete', name: 't1' }, 'noOpinion'],
];
for (const [what, more, want] of cases)
  test(`Of Mesos' tasks a node ${what}`, () => {
    using authorizer = createNodeAuthorizer(reader, []);
    assert.equal(authorizer.authorize({ ...asked, ...more }).decision, want);
  });
