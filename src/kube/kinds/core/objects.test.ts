import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cells, created, testChanges, testRules } from '../fixture.test.ts';
import type { Json } from '../fixture.test.ts';
import {
  badIpText,
  configKeyText,
  labelText,
  namePartText,
  notNegativeText,
} from '../texts.test.ts';
import { portText, subdomainText } from '../texts.test.ts';
import { configMaps } from './config-map.ts';
import { endpoints } from './endpoints.ts';
import { events } from './event.ts';
import { namespaces } from './namespace.ts';
import { nodes } from './node.ts';
import { secrets } from './secret.ts';
import { serviceAccounts } from './service-account.ts';
import { groupEvents } from '../events/event.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const mebibyte = 'x'.repeat(1024 * 1024);

testRules(configMaps, [
  [{ data: { a: 'x' } }],
  [{ data: { '..': 'x' } }, 'data[..]: Invalid value: "..": must not be \'..\''],
  [{ data: { 'a b': 'x' } }, `data[a b]: Invalid value: "a b": ${configKeyText}`],
  [
    { data: { a: 'x' }, binaryData: { a: 'eA==' } },
    'data[a]: Invalid value: "a": duplicate of key present in binaryData',
  ],
  [
    { binaryData: { '..a': 'eA==' } },
    'binaryData[..a]: Invalid value: "..a": must not start with \'..\'',
  ],
  [{ data: { a: mebibyte, b: 'x' } }, '[]: Too long: may not be more than 1048576 bytes'],
]);
const fixed = 'field is immutable when `immutable` is set';
testChanges(configMaps, [
  [{ from: { data: { a: 'x' } }, to: { data: { a: 'y' } } }],
  [
    {
      from: { immutable: true, data: { a: 'x' } },
      to: { data: { a: 'y' }, binaryData: { b: 'eA==' } },
    },
    `immutable: Forbidden: ${fixed}`,
    `data: Forbidden: ${fixed}`,
    `binaryData: Forbidden: ${fixed}`,
  ],
]);

const redacted = '"<secret contents redacted>"';
testRules(secrets, [
  [{ data: { a: 'eA==' } }],
  [{ stringData: { 'a b': 'x' } }, `data[a b]: Invalid value: "a b": ${configKeyText}`],
  [{ stringData: { a: mebibyte, b: 'x' } }, 'data: Too long: may not be more than 1048576 bytes'],
  [
    { type: 'kubernetes.io/service-account-token' },
    'metadata.annotations[kubernetes.io/service-account.name]: Required value',
  ],
  [{ type: 'kubernetes.io/dockercfg' }, 'data[.dockercfg]: Required value'],
  [
    { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': base64('x') } },
    `data[.dockerconfigjson]: Invalid value: ${redacted}: invalid character 'x' looking for beginning of value`,
  ],
  [
    { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': base64('[]') } },
    `data[.dockerconfigjson]: Invalid value: ${redacted}: json: cannot unmarshal array into Go value of type map[string]interface {}`,
  ],
  [
    { type: 'kubernetes.io/basic-auth' },
    'data[username]: Required value',
    'data[password]: Required value',
  ],
  [{ type: 'kubernetes.io/ssh-auth' }, 'data[ssh-privatekey]: Required value'],
  [{ type: 'kubernetes.io/tls' }, 'data[tls.crt]: Required value', 'data[tls.key]: Required value'],
]);
testChanges(secrets, [
  [{ from: {}, to: { type: 'x' } }, 'type: Invalid value: "x": field is immutable'],
  [
    { from: { immutable: true }, to: { data: { a: 'eA==' } } },
    `immutable: Forbidden: ${fixed}`,
    `data: Forbidden: ${fixed}`,
  ],
]);

testRules(namespaces, [
  [{}],
  [{ metadata: { name: 'a.b' } }, 'metadata.name: Invalid value: "a.b": must not contain dots'],
  [
    { spec: { finalizers: ['x'] } },
    'spec.finalizers: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified',
  ],
]);
testChanges(namespaces, [
  [
    { from: {}, to: { status: { phase: 'Terminating' } }, through: 'status' },
    'status.Phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty',
  ],
]);

const taint = { key: 'k', effect: 'NoSchedule' };
testRules(nodes, [
  [{ spec: { taints: [taint], podCIDRs: ['10.0.0.0/24', 'fd00::/64'] } }],
  [
    { spec: { taints: [{ ...taint, key: '-' }] } },
    `metadata.taints[0].key: Invalid value: "-": ${namePartText}`,
  ],
  [
    { spec: { taints: [{ ...taint, effect: 'x' }] } },
    'metadata.taints[0].effect: Unsupported value: "x": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
  ],
  [
    { spec: { taints: [taint, taint] } },
    'metadata.taints[1]: Duplicate value: {"Key":"k","Value":"","Effect":"NoSchedule","TimeAdded":null}: taints must be unique by key and effect pair',
  ],
  [
    { status: { capacity: { cpu: '-1' } } },
    `status.capacity.cpu: Invalid value: "-1": ${notNegativeText}`,
    // What a node does not say of itself is taken from its capacity.
    `status.allocatable.cpu: Invalid value: "-1": ${notNegativeText}`,
  ],
  [
    { status: { capacity: { pods: '1.5' } } },
    'status.capacity.pods: Invalid value: "1500m": must be an integer',
    'status.allocatable.pods: Invalid value: "1500m": must be an integer',
  ],
  [
    { spec: { podCIDRs: ['x'] } },
    'spec.podCIDRs[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
  ],
  [
    { spec: { podCIDRs: ['10.0.0.0/24', '10.0.1.0/24'] } },
    'spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one CIDR for each IP family',
  ],
]);
testChanges(nodes, [
  [{ from: {}, to: { spec: { podCIDRs: ['10.0.0.0/24'], providerID: 'x' } } }],
  [
    { from: { spec: { podCIDRs: ['10.0.0.0/24'] } }, to: { spec: { podCIDRs: ['10.0.1.0/24'] } } },
    'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
  ],
  [
    { from: { spec: { providerID: 'x' } }, to: { spec: { providerID: 'y' } } },
    'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
  ],
  [
    {
      from: {},
      to: {
        status: {
          addresses: [
            { type: 'InternalIP', address: 'a' },
            { type: 'InternalIP', address: 'a' },
          ],
        },
      },
      through: 'status',
    },
    'status.addresses[1]: Duplicate value: {"Type":"InternalIP","Address":"a"}',
  ],
]);

testRules(serviceAccounts, [
  [{}],
  [
    { metadata: { name: 'A', namespace: 'd' } },
    `metadata.name: Invalid value: "A": ${subdomainText}`,
  ],
]);

const subset = (one: Json): Json => ({ subsets: [one] });
testRules(endpoints, [
  [subset({ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] })],
  [subset({}), 'subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`'],
  [
    subset({ addresses: [{ ip: 'x' }] }),
    `subsets[0].addresses[0].ip: Invalid value: "x": ${badIpText}`,
    'subsets[0].addresses[0].ip: Invalid value: "x": must be a valid IP address',
  ],
  [
    subset({ addresses: [{ ip: '127.0.0.1' }] }),
    'subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
  ],
  [
    subset({ addresses: [{ ip: '0.0.0.0' }] }),
    'subsets[0].addresses[0].ip: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
  ],
  [
    subset({ addresses: [{ ip: '1.1.1.1', hostname: 'A' }] }),
    `subsets[0].addresses[0].hostname: Invalid value: "A": ${labelText}`,
  ],
  [
    subset({ addresses: [{ ip: '1.1.1.1', nodeName: 'A' }] }),
    `subsets[0].addresses[0].nodeName: Invalid value: "A": ${subdomainText}`,
  ],
  [
    subset({ addresses: [{ ip: '1.1.1.1' }], ports: [{ port: 1 }, { port: 2, name: 'b' }] }),
    'subsets[0].ports[0].name: Required value',
  ],
  [
    subset({ addresses: [{ ip: '1.1.1.1' }], ports: [{ port: 0 }] }),
    `subsets[0].ports[0].port: Invalid value: 0: ${portText}`,
  ],
  [
    subset({ addresses: [{ ip: '1.1.1.1' }], ports: [{ port: 1, protocol: 'x' }] }),
    'subsets[0].ports[0].protocol: Unsupported value: "x": supported values: "SCTP", "TCP", "UDP"',
  ],
]);

const event = (one: Json): Json => ({
  metadata: { name: 'e', namespace: 'd' },
  involvedObject: { namespace: 'd', name: 'x', kind: 'Pod' },
  ...one,
});
const mismatch = 'does not match event.namespace';
const modern = {
  eventTime: '2026-01-01T00:00:00.000000Z',
  reportingComponent: 'a',
  reportingInstance: 'i',
  action: 'a',
  reason: 'r',
};
testRules(events, [
  [event({})],
  [event(modern)],
  [
    event({ involvedObject: { namespace: 'x' } }),
    `involvedObject.namespace: Invalid value: "x": ${mismatch}`,
  ],
  [event({ involvedObject: {} }), `involvedObject.namespace: Invalid value: "": ${mismatch}`],
  [
    event({ ...modern, involvedObject: {} }),
    `involvedObject.namespace: Invalid value: "": ${mismatch}`,
  ],
  [event({ ...modern, reportingInstance: '' }), 'reportingInstance: Required value'],
  [
    event({ ...modern, reportingComponent: '' }),
    'reportingComponent: Required value',
    'reportingComponent: Invalid value: "": name part must be non-empty',
    `reportingComponent: Invalid value: "": ${namePartText}`,
  ],
  [
    event({ ...modern, action: 'x'.repeat(129) }),
    'action: Invalid value: "": can have at most 128 characters',
  ],
  [
    event({ ...modern, message: 'x'.repeat(1025) }),
    'message: Invalid value: "": can have at most 1024 characters',
  ],
]);

const groupEvent = (one: Json): Json => ({
  metadata: { name: 'e', namespace: 'd' },
  eventTime: '2026-01-01T00:00:00.000000Z',
  reportingController: 'a',
  reportingInstance: 'i',
  action: 'a',
  reason: 'r',
  type: 'Normal',
  regarding: { namespace: 'd', name: 'x', kind: 'Pod' },
  ...one,
});
testRules(groupEvents, [
  [groupEvent({})],
  [groupEvent({ type: 'x' }), 'type: Invalid value: "": has invalid value: x'],
  [
    groupEvent({ series: { count: 1, lastObservedTime: '2026-01-01T00:00:00.000000Z' } }),
    'series.count: Invalid value: "": should be at least 2',
  ],
  [groupEvent({ deprecatedCount: 1 }), 'count: Invalid value: "": needs to be unset'],
  [
    groupEvent({ reportingController: '' }),
    'reportingController: Required value',
    'reportingController: Invalid value: "": name part must be non-empty',
    `reportingController: Invalid value: "": ${namePartText}`,
  ],
]);
testChanges(groupEvents, [
  [
    {
      from: groupEvent({}),
      to: groupEvent({ series: { count: 2, lastObservedTime: '2026-01-01T00:00:01.000000Z' } }),
    },
  ],
  [
    { from: groupEvent({}), to: groupEvent({ reason: 'q' }) },
    'reason: Invalid value: "q": field is immutable',
    'reason: Invalid value: "q": field is immutable',
  ],
]);

test('Namespaces and Secrets that say nothing get the defaults of the reference', () => {
  const namespace = created(namespaces, { metadata: { name: 'a' } });
  assert.deepEqual(namespace.spec, { finalizers: ['kubernetes'] });
  assert.deepEqual(namespace.status, { phase: 'Active' });
  assert.deepEqual(namespace.metadata.labels, { 'kubernetes.io/metadata.name': 'a' });
  const secret = created(secrets, { stringData: { a: 'x' } });
  assert.equal(secret.type, 'Opaque');
  assert.deepEqual(secret.data, { a: 'eA==' });
  assert.equal(secret.stringData, undefined);
});

const time = '2026-01-01T00:00:00Z';
const metadata = { name: 'a', namespace: 'd', creationTimestamp: time };
test('Columns of everyday objects', () => {
  assert.deepEqual(cells(configMaps, { metadata, data: { a: 'x' }, binaryData: { b: 'eA==' } }), {
    Name: 'a',
    Data: 2,
    Age: '24h',
  });
  assert.deepEqual(cells(secrets, { metadata, data: { a: 'eA==' } }), {
    Name: 'a',
    Type: 'Opaque',
    Data: 1,
    Age: '24h',
  });
  assert.deepEqual(cells(namespaces, { metadata: { name: 'a' }, status: { phase: 'Active' } }), {
    Name: 'a',
    Status: 'Active',
    Age: '<unknown>',
  });
  assert.deepEqual(cells(serviceAccounts, { metadata, secrets: [{ name: 's' }] }), {
    Name: 'a',
    Age: '24h',
  });
  assert.deepEqual(
    cells(endpoints, {
      metadata,
      subsets: [{ addresses: [{ ip: '1.1.1.1' }, { ip: '1.1.1.2' }], ports: [{ port: 80 }] }],
    }),
    {
      Name: 'a',
      Endpoints: '1.1.1.1:80,1.1.1.2:80',
      Age: '24h',
    },
  );
  assert.deepEqual(
    cells(events, {
      metadata,
      involvedObject: { kind: 'Pod', name: 'p', fieldPath: 'spec.containers{c}' },
      reason: 'Pulled',
      message: ' done ',
      type: 'Normal',
      source: { component: 'kubelet', host: 'n1' },
      count: 3,
      firstTimestamp: time,
      lastTimestamp: '2026-01-01T23:00:00Z',
    }),
    {
      'Last Seen': '60m',
      Type: 'Normal',
      Reason: 'Pulled',
      Object: 'pod/p',
      Subobject: 'spec.containers{c}',
      Source: 'kubelet, n1',
      Message: 'done',
      'First Seen': '24h',
      Count: 3,
      Name: 'a',
    },
  );
  assert.deepEqual(
    cells(nodes, {
      metadata: {
        name: 'n',
        creationTimestamp: time,
        labels: { 'node-role.kubernetes.io/control-plane': '' },
      },
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
        nodeInfo: {
          kubeletVersion: 'v1',
          osImage: 'Debian',
          kernelVersion: '6',
          containerRuntimeVersion: 'crun://1',
          architecture: 'amd64',
        },
      },
    }),
    {
      Name: 'n',
      Status: 'Ready,SchedulingDisabled',
      Roles: 'control-plane',
      Age: '24h',
      Version: 'v1',
      'Internal-IP': '10.0.0.1',
      'External-IP': '<none>',
      'OS-Image': 'Debian',
      'Kernel-Version': '6 (amd64)',
      'Container-Runtime': 'crun://1',
    },
  );
});
