import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roleBindings, roles } from '#kube/kinds';
import type { PolicyRule } from '#kube/kinds';
import { startCluster } from '../fixture.test.ts';
import { compileRules, ruleText, uncoveredRules } from './rules.ts';

const base = {
  user: { name: 'u', groups: [] },
  verb: 'get',
  isResource: true,
  group: '',
  version: 'v1',
  resource: 'pods',
  subresource: '',
  namespace: 'default',
  name: 'a',
  path: '',
};
const pods: PolicyRule = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
const cases: { name: string; rule: PolicyRule; asked: Partial<typeof base>; want: boolean }[] = [
  { name: 'the resource itself', rule: pods, asked: {}, want: true },
  { name: 'another verb', rule: pods, asked: { verb: 'list' }, want: false },
  { name: 'another group', rule: pods, asked: { group: 'apps' }, want: false },
  {
    name: 'a subresource it does not name',
    rule: pods,
    asked: { subresource: 'log' },
    want: false,
  },
  {
    name: 'a subresource it names',
    rule: { ...pods, resources: ['pods/log'] },
    asked: { subresource: 'log' },
    want: true,
  },
  {
    name: 'any resource with that subresource',
    rule: { ...pods, resources: ['*/scale'] },
    asked: { subresource: 'scale' },
    want: true,
  },
  {
    name: 'a subresource by *',
    rule: { ...pods, resources: ['*'] },
    asked: { subresource: 'exec' },
    want: true,
  },
  { name: 'a name it lists', rule: { ...pods, resourceNames: ['a'] }, asked: {}, want: true },
  {
    name: 'a name it does not list',
    rule: { ...pods, resourceNames: ['b'] },
    asked: {},
    want: false,
  },
  {
    name: 'no name where names are listed',
    rule: { ...pods, resourceNames: ['a'] },
    asked: { name: '' },
    want: false,
  },
  {
    name: 'a path by prefix',
    rule: { verbs: ['get'], nonResourceURLs: ['/healthz/*'] },
    asked: { isResource: false, path: '/healthz/x' },
    want: true,
  },
  {
    name: 'a path outside the prefix',
    rule: { verbs: ['get'], nonResourceURLs: ['/healthz/*'] },
    asked: { isResource: false, path: '/healthzz' },
    want: false,
  },
];
for (const { name, rule, asked, want } of cases) {
  test(`a rule ${want ? 'allows' : 'does not allow'} ${name}`, () => {
    assert.equal(compileRules([rule]).allows({ ...base, ...asked }), want);
  });
}

test('uncoveredRules() names what is not held, verbs together', () => {
  const wanted = [
    { verbs: ['get', 'list', 'delete'], apiGroups: ['', 'apps'], resources: ['pods', 'pods/log'] },
  ];
  const held = [
    { verbs: ['*'], apiGroups: ['apps'], resources: ['*'] },
    { verbs: ['get'], apiGroups: [''], resources: ['pods'] },
    { verbs: ['*'], apiGroups: [''], resources: ['*/log'] },
  ];
  assert.deepEqual(uncoveredRules(wanted, held).map(ruleText), [
    '{APIGroups:[""], Resources:["pods"], Verbs:["list" "delete"]}',
  ]);
  assert.deepEqual(uncoveredRules(wanted, wanted), []);
  const named = [{ ...pods, resourceNames: ['a'] }];
  assert.equal(uncoveredRules([pods], named).length, 1);
  assert.equal(uncoveredRules(named, [pods]).length, 0);
});

test('writers of roles need what they grant, and writers of bindings what they bind', async () => {
  await using cluster = await startCluster();
  const path = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
  const rbac = 'rbac.authorization.k8s.io';
  const make = (kind: string, name: string, more: object) => ({
    apiVersion: `${rbac}/v1`,
    kind,
    metadata: { name, namespace: 'default' },
    ...more,
  });
  const maker = make('Role', 'maker', {
    rules: [
      { apiGroups: [rbac], resources: ['roles', 'rolebindings'], verbs: ['create'] },
      { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
    ],
  });
  assert.equal((await cluster.call('POST', `${path}/roles`, { body: maker })).status, 201);
  const bound = make('RoleBinding', 'eve', {
    roleRef: { apiGroup: rbac, kind: 'Role', name: 'maker' },
    subjects: [{ kind: 'User', apiGroup: rbac, name: 'eve' }],
  });
  assert.equal((await cluster.call('POST', `${path}/rolebindings`, { body: bound })).status, 201);
  const eve = cluster.kube.apiFor({ name: 'eve', groups: ['dev'] });
  const role = (name: string, verbs: string[]) =>
    make('Role', name, { rules: [{ apiGroups: [''], resources: ['pods'], verbs }] });
  await eve.create(roles, role('held', ['get']));
  await assert.rejects(eve.create(roles, role('more', ['get', 'delete'])), (error: Error) => {
    assert.equal(
      error.message,
      'roles.rbac.authorization.k8s.io "more" is forbidden: user "eve" (groups=["dev"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}',
    );
    return true;
  });
  const bind = (name: string) =>
    make('RoleBinding', name, {
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
      subjects: [{ kind: 'User', apiGroup: rbac, name: 'eve' }],
    });
  await assert.rejects(eve.create(roleBindings, bind('admin')), /not currently held/);
  await assert.rejects(
    eve.create(roleBindings, bind('nope')),
    /clusterroles\.rbac\.authorization\.k8s\.io "nope" not found/,
  );
});

test('roles that a user makes for aggregation become part of view', async () => {
  await using cluster = await startCluster();
  const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
  const body = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: {
      name: 'widgets',
      labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' },
    },
    rules: [{ apiGroups: ['acme.com'], resources: ['widgets'], verbs: ['get'] }],
  };
  assert.equal((await cluster.call('POST', path, { body })).status, 201);
  for (let turn = 0; turn < 200; turn++) {
    const seen = await Promise.all(
      ['view', 'edit', 'admin'].map((name) => cluster.call('GET', `${path}/${name}`)),
    );
    if (seen.every((one) => one.text.includes('acme.com'))) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail('view does not have the rules');
});
