import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodes, pods as podKind } from '#kube/kinds';
import type { Pod } from '#kube/kinds';
import { podBody, startCluster, type TestCluster } from '../fixture.test.ts';
import { podViolations } from './pod-security-checks.ts';

const pods = '/api/v1/namespaces/default/pods';

async function ready(cluster: TestCluster): Promise<void> {
  await cluster.call('POST', '/api/v1/namespaces/default/serviceaccounts', {
    body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } },
  });
}
function sized(cpu: string): object {
  return { containers: [{ name: 'c', image: 'i:1', resources: { requests: { cpu } } }] };
}

test('LimitRanger fills in defaults, says so, and refuses what is out of bounds', async () => {
  await using cluster = await startCluster();
  await ready(cluster);
  await cluster.call('POST', '/api/v1/namespaces/default/limitranges', {
    body: {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'l' },
      spec: {
        limits: [
          {
            type: 'Container',
            max: { cpu: '1' },
            default: { cpu: '500m' },
            defaultRequest: { cpu: '100m' },
          },
        ],
      },
    },
  });
  const made = await cluster.call('POST', pods, { body: podBody('a') });
  assert.equal(made.status, 201, made.text);
  assert.equal(
    made.json['spec']?.['containers']?.[0]?.['resources']?.['requests']?.['cpu'],
    '100m',
  );
  assert.equal(
    made.json['metadata']?.['annotations']?.['kubernetes.io/limit-ranger'],
    'LimitRanger plugin set: cpu request for container c; cpu limit for container c',
  );
  const big = {
    containers: [
      { name: 'c', image: 'i:1', resources: { requests: { cpu: '2' }, limits: { cpu: '2' } } },
    ],
  };
  const refused = await cluster.call('POST', pods, { body: podBody('b', big) });
  assert.equal(
    refused.json['message'],
    'pods "b" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
  );
});

test('ResourceQuota holds although many ask at once, and makes Pods say what they need', async () => {
  await using cluster = await startCluster();
  await ready(cluster);
  await cluster.call('POST', '/api/v1/namespaces/default/resourcequotas', {
    body: {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'q' },
      spec: { hard: { 'requests.cpu': '2', pods: '10' } },
    },
  });
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, at) =>
      cluster.call('POST', pods, { body: podBody(`p${at}`, sized('1')) }),
    ),
  );
  assert.equal(answers.filter((one) => one.status === 201).length, 2);
  const refused = answers.find((one) => one.status === 403);
  assert.match(
    String(refused?.json['message']),
    /is forbidden: exceeded quota: q, requested: requests\.cpu=1, used: requests\.cpu=\d, limited: requests\.cpu=2$/,
  );
  const silent = await cluster.call('POST', pods, { body: podBody('x') });
  assert.equal(
    silent.json['message'],
    'pods "x" is forbidden: failed quota: q: must specify requests.cpu for: c',
  );
});

test('a class that does not exist, a priority that is not ours, an account that is missing are refused', async () => {
  await using cluster = await startCluster();
  await ready(cluster);
  const message = async (spec: object): Promise<unknown> =>
    (await cluster.call('POST', pods, { body: podBody('a', spec) })).json['message'];
  assert.equal(
    await message({ priorityClassName: 'x' }),
    'pods "a" is forbidden: no PriorityClass with name x was found',
  );
  assert.equal(
    await message({ runtimeClassName: 'x' }),
    'pods "a" is forbidden: pod rejected: RuntimeClass "x" not found',
  );
  assert.equal(
    await message({ serviceAccountName: 'x' }),
    'pods "a" is forbidden: error looking up service account default/x: serviceaccount "x" not found',
  );
});

test('a node writes about itself and its own Pods only', async () => {
  await using cluster = await startCluster();
  await ready(cluster);
  const api = cluster.kube.apiFor({
    name: 'system:node:n1',
    groups: ['system:nodes', 'system:authenticated'],
  });
  await api.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
  await assert.rejects(
    api.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n2' } }),
    /node "n1" is not allowed to modify node "n2"/,
  );
  await assert.rejects(
    api.patch(nodes, { name: 'n1' }, { type: 'merge', body: { spec: { taints: null } } }),
    /not allowed to modify taints/,
  );
  await assert.rejects(
    api.patch(
      nodes,
      { name: 'n1' },
      {
        type: 'merge',
        body: { metadata: { labels: { 'node-restriction.kubernetes.io/x': 'y' } } },
      },
    ),
    /is not allowed to modify labels: node-restriction\.kubernetes\.io\/x/,
  );
  await cluster.call('POST', pods, { body: podBody('mine', { nodeName: 'n1' }) });
  await cluster.call('POST', pods, { body: podBody('other') });
  const status = (name: string) =>
    api.patch<Pod>(
      podKind,
      { name, namespace: 'default', subresource: 'status' },
      { type: 'merge', body: { status: { phase: 'Running' } } },
    );
  assert.equal((await status('mine')).status.phase, 'Running');
  await assert.rejects(
    status('other'),
    /can only update pod status for pods with spec\.nodeName set to itself/,
  );
  const secret = { group: '', version: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true };
  await assert.rejects(
    api.get(secret, { name: 'bootstrap-token-abcdef', namespace: 'kube-system' }),
    /no relationship found between node 'n1' and this object/,
  );
});

test('an eviction that a budget does not allow is a 429 that says why', async () => {
  await using cluster = await startCluster();
  await ready(cluster);
  await cluster.call('POST', pods, {
    body: { ...podBody('a', { nodeName: 'n1' }), metadata: { name: 'a', labels: { app: 'a' } } },
  });
  const status = { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } };
  const merge = { 'content-type': 'application/merge-patch+json' };
  assert.equal(
    (await cluster.call('PATCH', `${pods}/a/status`, { body: status, headers: merge })).status,
    200,
  );
  const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
  await cluster.call('POST', budgets, {
    body: {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'b' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'a' } } },
    },
  });
  const evict = () =>
    cluster.call('POST', `${pods}/a/eviction`, {
      body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'a' } },
    });
  const waiting = await evict();
  assert.equal(waiting.status, 429, waiting.text);
  assert.equal(
    waiting.json['details']?.['causes']?.[0]?.['message'],
    'The disruption budget b is still being processed by the server.',
  );
  const budget = {
    status: {
      observedGeneration: 1,
      disruptionsAllowed: 1,
      currentHealthy: 2,
      desiredHealthy: 1,
      expectedPods: 2,
    },
  };
  assert.equal(
    (await cluster.call('PATCH', `${budgets}/b/status`, { body: budget, headers: merge })).status,
    200,
  );
  const allowed = await evict();
  assert.equal(allowed.status, 201, allowed.text);
});

const plain = { containers: [{ name: 'c' }] };
const cases: { name: string; spec: object; level: 'baseline' | 'restricted'; reasons: string[] }[] =
  [
    { name: 'nothing special', spec: plain, level: 'baseline', reasons: [] },
    {
      name: 'host namespaces',
      spec: { ...plain, hostNetwork: true, hostPID: true },
      level: 'baseline',
      reasons: ['host namespaces (hostNetwork=true, hostPID=true)'],
    },
    {
      name: 'hostPath',
      spec: { ...plain, volumes: [{ name: 'v', hostPath: { path: '/' } }] },
      level: 'baseline',
      reasons: ['hostPath volumes (volume "v")'],
    },
    {
      name: 'a restricted volume',
      spec: { ...plain, volumes: [{ name: 'v', nfs: {} }] },
      level: 'restricted',
      reasons: ['restricted volume types (volume "v" uses restricted volume type "nfs")'],
    },
    {
      name: 'capabilities',
      spec: {
        containers: [
          { name: 'a', securityContext: { capabilities: { add: ['NET_ADMIN'] } } },
          { name: 'b', securityContext: { capabilities: { add: ['SYS_TIME'] } } },
        ],
      },
      level: 'baseline',
      reasons: [
        'non-default capabilities (containers "a", "b" must not include "NET_ADMIN", "SYS_TIME" in securityContext.capabilities.add)',
      ],
    },
    {
      name: 'sysctls',
      spec: { ...plain, securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } },
      level: 'baseline',
      reasons: ['forbidden sysctls (kernel.msgmax)'],
    },
    {
      name: 'a host port',
      spec: { containers: [{ name: 'c', ports: [{ containerPort: 1, hostPort: 80 }] }] },
      level: 'baseline',
      reasons: ['hostPort (container "c" uses hostPort 80)'],
    },
  ];
for (const { name, spec, level, reasons } of cases) {
  test(`podViolations() of ${name} under ${level}`, () => {
    const found = podViolations(
      { spec: spec as Pod['spec'], annotations: {} },
      { level, minor: 36 },
    );
    const texts = found.map((one) => `${one.reason} (${one.detail})`);
    for (const reason of reasons) assert(texts.includes(reason), texts.join('; '));
    if (reasons.length === 0) assert.deepEqual(texts, []);
  });
}
