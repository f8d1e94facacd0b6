import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases } from '../coordination/lease.ts';
import { endpointSlices } from '../discovery/endpoint-slice.ts';
import { cells, testChanges, testRules } from '../fixture.test.ts';
import type { Json } from '../fixture.test.ts';
import { badIpText, labelText, namePartText, subdomainText } from '../texts.test.ts';
import { clusterRoleBindings } from './cluster-role-binding.ts';
import { clusterRoles } from './cluster-role.ts';
import { roleBindings } from './role-binding.ts';
import { roles } from './role.ts';

const rule = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
for (const kind of [roles, clusterRoles])
  testRules(kind, [
    [{ rules: [rule] }],
    [
      { rules: [{ ...rule, verbs: [] }] },
      'rules[0].verbs: Required value: verbs must contain at least one value',
    ],
    [
      { rules: [{ ...rule, apiGroups: [] }] },
      'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
    ],
    [
      { rules: [{ ...rule, resources: [] }] },
      'rules[0].resources: Required value: resource rules must supply at least one resource',
    ],
  ]);
testRules(roles, [
  [
    { rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] },
    'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
  ],
  [{ metadata: { name: 'a:B', namespace: 'd' } }],
  [
    { metadata: { name: 'a/b', namespace: 'd' } },
    'metadata.name: Invalid value: "a/b": may not contain \'/\'',
  ],
]);
testRules(clusterRoles, [
  [{ rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] }],
  [
    { rules: [{ ...rule, nonResourceURLs: ['/x'] }] },
    'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
  ],
  [
    { aggregationRule: {} },
    'aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil',
  ],
]);

const roleRef = { kind: 'ClusterRole', name: 'r' };
const user = { kind: 'User', name: 'u' };
const group = '"rbac.authorization.k8s.io"';
for (const kind of [roleBindings, clusterRoleBindings]) {
  testRules(kind, [
    [{ roleRef, subjects: [user] }],
    [
      { roleRef: { ...roleRef, apiGroup: 'x' } },
      `roleRef.apiGroup: Unsupported value: "x": supported values: ${group}`,
    ],
    [{ roleRef: { ...roleRef, name: '' } }, 'roleRef.name: Required value'],
    [{ roleRef, subjects: [{ ...user, name: '' }] }, 'subjects[0].name: Required value'],
    [
      { roleRef, subjects: [{ ...user, apiGroup: 'x' }] },
      `subjects[0].apiGroup: Unsupported value: "x": supported values: ${group}`,
    ],
    [
      { roleRef, subjects: [{ ...user, kind: 'x' }] },
      'subjects[0].kind: Unsupported value: "x": supported values: "ServiceAccount", "User", "Group"',
    ],
    [
      { roleRef, subjects: [{ kind: 'ServiceAccount', namespace: 'd', name: 'A' }] },
      `subjects[0].name: Invalid value: "A": ${subdomainText}`,
    ],
    [
      { roleRef, subjects: [{ kind: 'ServiceAccount', namespace: 'd', name: 'a', apiGroup: 'x' }] },
      'subjects[0].apiGroup: Unsupported value: "x": supported values: ""',
    ],
  ]);
  testChanges(kind, [
    [{ from: { roleRef }, to: { roleRef, subjects: [user] } }],
    [
      { from: { roleRef }, to: { roleRef: { ...roleRef, name: 'q' } } },
      'roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"ClusterRole","Name":"q"}: cannot change roleRef',
    ],
  ]);
}
testRules(clusterRoleBindings, [
  [
    { roleRef: { kind: 'Role', name: 'r' } },
    'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
  ],
  [
    { roleRef, subjects: [{ kind: 'ServiceAccount', name: 'a' }] },
    'subjects[0].namespace: Required value',
  ],
]);

testRules(leases, [
  [{ spec: { leaseDurationSeconds: 10 } }],
  [
    { spec: { leaseDurationSeconds: 0 } },
    'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
  ],
  [
    { spec: { leaseTransitions: -1 } },
    'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
  ],
  // Coordinated leader election is off: its fields are dropped.
  [{ spec: { preferredHolder: 'x' } }],
]);

const slice = (one: Json): Json => ({ addressType: 'IPv4', endpoints: [], ...one });
const at = (one: Json): Json => slice({ endpoints: [{ addresses: ['10.0.0.1'], ...one }] });
testRules(endpointSlices, [
  [at({})],
  [slice({ addressType: '' }), 'addressType: Required value'],
  [
    slice({ addressType: 'x' }),
    'addressType: Unsupported value: "x": supported values: "FQDN", "IPv4", "IPv6"',
  ],
  [slice({ ports: [{ name: 'A' }] }), `ports[0].name: Invalid value: "A": ${labelText}`],
  [slice({ ports: [{ name: 'a' }, { name: 'a' }] }), 'ports[1].name: Duplicate value: "a"'],
  [
    slice({ ports: [{ protocol: 'x' }] }),
    'ports[0].protocol: Unsupported value: "x": supported values: "SCTP", "TCP", "UDP"',
  ],
  [
    slice({ ports: [{ appProtocol: '-' }] }),
    `ports[0].appProtocol: Invalid value: "-": ${namePartText}`,
  ],
  [
    at({ addresses: [] }),
    'endpoints[0].addresses: Required value: must contain at least 1 address',
  ],
  [
    at({ addresses: ['x'] }),
    `endpoints[0].addresses[0]: Invalid value: "x": ${badIpText}`,
    'endpoints[0].addresses: Invalid value: "x": must be an IPv4 address',
  ],
  [
    at({ addresses: ['127.0.0.1'] }),
    'endpoints[0].addresses[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
  ],
  [
    { ...at({ addresses: ['2001:DB8::1'] }), addressType: 'IPv6' },
    'endpoints[0].addresses[0]: Invalid value: "2001:DB8::1": must be in canonical form ("2001:db8::1")',
  ],
  [at({ nodeName: 'A' }), `endpoints[0].nodeName: Invalid value: "A": ${subdomainText}`],
  [at({ hostname: 'A' }), `endpoints[0].hostname: Invalid value: "A": ${labelText}`],
  [
    at({ hints: { forZones: [{ name: 'a' }, { name: 'a' }] } }),
    'endpoints[0].hints.forZones[1].name: Duplicate value: "a"',
  ],
]);
testChanges(endpointSlices, [
  [
    { from: slice({}), to: slice({ addressType: 'IPv6' }) },
    'addressType: Invalid value: "IPv6": field is immutable',
  ],
]);

test('Columns of bindings, leases and slices', () => {
  const subjects = [
    user,
    { kind: 'Group', name: 'g' },
    { kind: 'ServiceAccount', namespace: 'd', name: 's' },
  ];
  assert.deepEqual(cells(roleBindings, { roleRef, subjects }), {
    Name: 'a',
    Role: 'ClusterRole/r',
    Age: '<unknown>',
    Users: 'u',
    Groups: 'g',
    ServiceAccounts: 'd/s',
  });
  assert.deepEqual(cells(leases, { spec: { holderIdentity: 'h' } }), {
    Name: 'a',
    Holder: 'h',
    Age: '<unknown>',
  });
  assert.deepEqual(
    cells(
      endpointSlices,
      slice({ endpoints: [{ addresses: ['10.0.0.1'] }], ports: [{ port: 80 }] }),
    ),
    {
      Name: 'a',
      AddressType: 'IPv4',
      Ports: '80',
      Endpoints: '10.0.0.1',
      Age: '<unknown>',
    },
  );
});
