import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointSlice, Service } from '#kube/kinds';
import { chainId, rulesOf } from './rules.ts';
import type { ProxyState } from './rules.ts';
import { emptyRuleSet, renderChange } from './ruleset.ts';

function service(name: string, spec: Partial<Service['spec']>, status: object = {}): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.96.0.20',
      ports: [{ port: 80, protocol: 'TCP' }],
      ...spec,
    } as Service['spec'],
    status: { loadBalancer: {}, ...status },
  };
}
interface End {
  readonly ip: string;
  readonly node?: string;
  readonly ready?: boolean;
  readonly serving?: boolean;
  readonly terminating?: boolean;
}
function slice(ends: readonly End[], port = 8080): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 's',
      namespace: 'default',
      uid: 's',
      resourceVersion: '1',
      creationTimestamp: '',
    },
    addressType: 'IPv4',
    ports: [{ port, protocol: 'TCP' }],
    endpoints: ends.map(({ ip, node, ready = true, serving = true, terminating = false }) => ({
      addresses: [ip],
      conditions: { ready, serving, terminating },
      ...(node === undefined ? {} : { nodeName: node }),
    })),
  };
}
function state(services: readonly Service[], slices: readonly EndpointSlice[]): ProxyState {
  return {
    services,
    slicesOf: () => slices,
    localPods: [],
    place: { nodeName: 'n1', zone: undefined },
    podRange: '10.244.0.0/16',
    fixed: new Map(),
    loopbackPorts: new Set(['tcp/80']),
  };
}
const id = chainId('default/web', 'tcp-80');

test('A ClusterIP leads to its ready endpoints in equal parts', () => {
  const rules = rulesOf(
    state(
      [service('web', {})],
      [slice([{ ip: '10.244.0.3' }, { ip: '10.244.0.2' }, { ip: '10.244.0.9', ready: false }])],
    ),
  );
  assert.deepEqual(rules.chains.get(`svc-${id}`), [
    'meta l4proto tcp dnat ip addr . port to numgen random mod 2 map { 0 : 10.244.0.2 . 8080, 1 : 10.244.0.3 . 8080 }',
  ]);
  assert.equal(rules.elements.get('services')?.get('10.96.0.20 . tcp . 80'), `goto svc-${id}`);
});

test('Endpoints that still serve while they terminate are used only when none is ready', () => {
  const ending = { ip: '10.244.0.4', ready: false, terminating: true };
  const both = rulesOf(state([service('web', {})], [slice([ending, { ip: '10.244.0.5' }])]));
  assert.deepEqual(both.chains.get(`svc-${id}`), ['meta l4proto tcp dnat to 10.244.0.5:8080']);
  const alone = rulesOf(state([service('web', {})], [slice([ending])]));
  assert.deepEqual(alone.chains.get(`svc-${id}`), ['meta l4proto tcp dnat to 10.244.0.4:8080']);
});

test('A Service without endpoints refuses, one whose Local policy finds none here drops', () => {
  const none = rulesOf(state([service('web', {})], []));
  assert.deepEqual([...(none.elements.get('refused') ?? [])], [['10.96.0.20 . tcp . 80', '']]);
  const elsewhere = rulesOf(
    state(
      [service('web', { internalTrafficPolicy: 'Local' })],
      [slice([{ ip: '10.244.1.2', node: 'n2' }])],
    ),
  );
  assert.deepEqual(
    [...(elsewhere.elements.get('dropped') ?? [])],
    [['10.96.0.20 . tcp . 80', 'drop']],
  );
});

test('A LoadBalancer answers at its address, its NodePort and on localhost', () => {
  const balancer = service(
    'web',
    { type: 'LoadBalancer', ports: [{ port: 80, protocol: 'TCP', nodePort: 30_080 }] as never },
    { loadBalancer: { ingress: [{ ip: '172.30.0.129', ipMode: 'VIP' }] } },
  );
  const rules = rulesOf(state([balancer], [slice([{ ip: '10.244.0.2' }])]));
  assert.equal(rules.elements.get('services')?.get('172.30.0.129 . tcp . 80'), `goto ext-${id}`);
  assert.equal(rules.elements.get('node-ports')?.get('tcp . 30080'), `goto ext-${id}`);
  assert.equal(rules.elements.get('loopback-ports')?.get('tcp . 80'), `goto ext-${id}`);
  assert.deepEqual(rules.chains.get(`ext-${id}`), [
    'ip saddr != 10.244.0.0/16 meta mark set meta mark or 0x00400000',
    `goto exs-${id}`,
  ]);
});

test('Source ranges of a LoadBalancer drop everybody else', () => {
  const balancer = service(
    'web',
    { type: 'LoadBalancer', loadBalancerSourceRanges: ['192.168.0.0/16'] },
    { loadBalancer: { ingress: [{ ip: '172.30.0.129' }] } },
  );
  const rules = rulesOf(state([balancer], [slice([{ ip: '10.244.0.2' }])]));
  assert.equal(
    rules.chains.get(`ext-${id}`)?.[0],
    'ip saddr != { 192.168.0.0/16, 127.0.0.0/8 } drop',
  );
});

test('Session affinity keeps a client at the endpoint it has', () => {
  const sticky = service('web', {
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
  });
  const rules = rulesOf(state([sticky], [slice([{ ip: '10.244.0.2' }])]));
  const end = `svc-${id}-10.244.0.2-8080`;
  assert.deepEqual(rules.chains.get(`svc-${id}`), [
    `ip saddr @aff-${end} goto ep-${end}`,
    `numgen random mod 1 vmap { 0 : goto ep-${end} }`,
  ]);
  assert.equal(
    rules.dynamicSets.get(`aff-${end}`),
    'type ipv4_addr; flags dynamic,timeout; timeout 60s;',
  );
});

test('renderChange() touches only what differs and leaves nothing behind', () => {
  const before = rulesOf(state([service('web', {})], [slice([{ ip: '10.244.0.2' }])]));
  const after = rulesOf(state([service('web', {})], [slice([{ ip: '10.244.0.3' }])]));
  assert.equal(
    renderChange('t', before, after),
    [
      `flush chain ip t svc-${id}`,
      `add rule ip t svc-${id} meta l4proto tcp dnat to 10.244.0.3:8080`,
      'delete element ip t hairpin { 10.244.0.2 . 10.244.0.2 }',
      'add element ip t hairpin { 10.244.0.3 . 10.244.0.3 }',
      '',
    ].join('\n'),
  );
  assert.equal(renderChange('t', after, after), '');
  assert.match(renderChange('t', after, emptyRuleSet), new RegExp(`delete chain ip t svc-${id}`));
});

test('chainId() tells Services apart whose readable names are cut alike', () => {
  const long = 'a'.repeat(60);
  assert.notEqual(chainId(`x/${long}1`, 'tcp-80'), chainId(`x/${long}2`, 'tcp-80'));
  assert.ok(
    `ep-svc-${chainId(`${long}/${long}`, 'sctp-65535')}-255.255.255.255-65535`.length < 128,
  );
});
