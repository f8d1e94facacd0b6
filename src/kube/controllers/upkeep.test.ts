import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  endpoints,
  endpointSlices,
  events,
  nodes,
  pods,
  services,
  type EndpointSlice,
  type Node,
  type Pod,
} from '#kube/kinds';
import { createSimClock } from '#sim';
import { EvictionPace } from './eviction-pace.ts';
import { world } from './fixture.test.ts';
import { isReady } from './node-lifecycle.ts';

const metadata = (name: string, more: object = {}) => ({ name, namespace: 'default', ...more });
const node = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  spec: {},
  status: { conditions: [] },
});

test('Endpoints of a Service without a selector are mirrored, and follow it', async () => {
  const { api, end, settle, make } = world();
  await make(services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata('db'),
    spec: { ports: [{ port: 5432 }], clusterIP: '10.96.0.9' },
    status: { loadBalancer: {} },
  });
  const body = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: metadata('db', { labels: { team: 'a' } }),
    subsets: [
      {
        addresses: [{ ip: '192.0.2.1' }, { ip: '2001:db8::1' }],
        notReadyAddresses: [{ ip: '192.0.2.2' }],
        ports: [{ port: 5432 }],
      },
    ],
  };
  await make(endpoints, body);
  await settle();
  const mirrored = () =>
    api
      .all<EndpointSlice>(endpointSlices)
      .map(({ addressType, endpoints: list, ports }) => [
        addressType,
        (list ?? []).map(({ addresses, conditions }) => [addresses[0], conditions.ready]),
        ports?.[0]?.port,
      ])
      .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  assert.deepEqual(mirrored(), [
    [
      'IPv4',
      [
        ['192.0.2.1', true],
        ['192.0.2.2', false],
      ],
      5432,
    ],
    ['IPv6', [['2001:db8::1', true]], 5432],
  ]);
  const [slice] = api.all<EndpointSlice>(endpointSlices);
  assert.deepEqual(slice?.metadata.labels, {
    team: 'a',
    'kubernetes.io/service-name': 'db',
    'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
  });
  assert.deepEqual(
    slice?.metadata.ownerReferences?.map(({ kind, name }) => [kind, name]),
    [['Endpoints', 'db']],
  );
  const there = await api.get(endpoints, { name: 'db', namespace: 'default' });
  const subsets = [{ addresses: [{ ip: '192.0.2.7' }], ports: [{ port: 5432 }] }];
  await api.update(endpoints, { ...there, subsets });
  await settle();
  assert.deepEqual(mirrored(), [['IPv4', [['192.0.2.7', true]], 5432]]);
  await api.delete(endpoints, { name: 'db', namespace: 'default' });
  await settle();
  assert.deepEqual(mirrored(), []);
  await end();
});

test('Endpoints that ask not to be mirrored, or have a selector behind them, are left alone', async () => {
  const { api, end, settle, make } = world();
  for (const [name, labels] of [
    ['skipped', { 'endpointslice.kubernetes.io/skip-mirror': 'true' }],
    ['nobody', {}],
  ] as const) {
    if (name === 'skipped')
      await make(services, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: metadata(name),
        spec: { ports: [{ port: 80 }], clusterIP: '10.96.0.9' },
        status: { loadBalancer: {} },
      });
    await make(endpoints, {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: metadata(name, { labels }),
      subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 80 }] }],
    });
  }
  await settle();
  assert.deepEqual(api.all(endpointSlices), []);
  await end();
});

test('Pods of a node that is gone fail and are removed after 40 s, others stay', async () => {
  const { api, clock, end, settle, make } = world();
  await make(nodes, node('here'));
  for (const [name, nodeName] of [
    ['stays', 'here'],
    ['lost', 'gone'],
  ])
    await make(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: metadata(name ?? ''),
      spec: { nodeName, containers: [{ name: 'c', image: 'i', resources: {} }] },
      status: { phase: 'Running' },
    });
  await clock.advance(39_000);
  await settle();
  assert.equal(api.all<Pod>(pods).length, 2, 'the node may only be late');
  await clock.advance(2000);
  await settle();
  assert.deepEqual(
    api.all<Pod>(pods).map((pod) => pod.metadata.name),
    ['stays'],
  );
  await end();
});

test('Nodes get ranges until none is left, then an event says so; a freed range is given again', async () => {
  const { api, clock, end, settle, make } = world({
    podRange: { cidr: '10.1.0.0/23', nodeBits: 24 },
  });
  for (const name of ['n1', 'n2', 'n3']) await make(nodes, node(name));
  await settle();
  const ranges = () =>
    api.all<Node>(nodes).map(({ metadata: { name }, spec }) => [name, spec.podCIDR]);
  assert.deepEqual(ranges(), [
    ['n1', '10.1.0.0/24'],
    ['n2', '10.1.1.0/24'],
    ['n3', undefined],
  ]);
  const reasons = api.all(events).map((event) => ('reason' in event ? event.reason : ''));
  assert.ok(reasons.includes('CIDRNotAvailable'), reasons.join());
  await api.delete(nodes, { name: 'n1' });
  await clock.advance(60_000);
  await settle();
  assert.deepEqual(ranges(), [
    ['n2', '10.1.1.0/24'],
    ['n3', '10.1.0.0/24'],
  ]);
  await end();
});

test('Silent nodes are emptied one in ten seconds, and not at all when most of a zone is silent', () => {
  const clock = createSimClock();
  const zone = (names: readonly string[], silent: readonly string[]) =>
    names.map((name) => ({
      ...node(name),
      status: {
        conditions: [
          {
            type: 'Ready',
            status: silent.includes(name) ? 'Unknown' : 'True',
            lastTransitionTime: '2026-01-01T00:00:00Z',
            lastHeartbeatTime: '2026-01-01T00:00:00Z',
          },
        ],
      },
    })) as unknown as readonly Node[];
  const wait = (pace: EvictionPace, all: readonly Node[], name: string) => {
    const one = all.find(({ metadata }) => metadata.name === name);
    assert.ok(one !== undefined);
    return pace.waitMs(one, all, isReady);
  };
  const names = ['n1', 'n2', 'n3', 'n4', 'n5'];
  const pace = new EvictionPace(clock);
  const two = zone(names, ['n1', 'n2']);
  assert.deepEqual(
    [wait(pace, two, 'n1'), wait(pace, two, 'n1'), wait(pace, two, 'n2')],
    [0, 0, 10_000],
  );
  const most = zone(names, ['n1', 'n2', 'n3']);
  assert.equal(wait(new EvictionPace(clock), most, 'n1'), 10_000, 'a small zone is left alone');
  const all = zone(names, names);
  assert.equal(wait(new EvictionPace(clock), all, 'n1'), 10_000, 'nobody answers: it is us');
});
