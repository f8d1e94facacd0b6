import assert from 'node:assert/strict';
import {
  mkdtemp,
  readFile,
  readdir,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemFiles } from '#io';
import type { Container, Pod, Service } from '#kube/kinds';
import { dnsOf, hostnameOf } from './dns.ts';
import { environmentOf, serviceVariables } from './env.ts';
import type { EnvSources } from './env.ts';
import { expand } from './expand.ts';
import { fieldValue, resourceValue } from './field-ref.ts';
import { compare } from './eviction.ts';
import { containerLimits, oomScoreOf, qosOf } from './limits.ts';
import { goDuration } from './quantity.ts';
import { checkNonRoot, securityOf } from './security.ts';
import { statusPatch } from './status-writer.ts';
import { payloadOf } from './volume-payload.ts';

function podOf(spec: Partial<Pod['spec']> = {}, metadata: Partial<Pod['metadata']> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'web',
      namespace: 'shop',
      uid: 'u1',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    spec: { containers: [{ name: 'c', image: 'app', resources: {} }], ...spec },
    status: {},
  };
}
const node = {
  nodeIp: '192.168.0.1',
  cpuMillis: 4000,
  memoryBytes: 8 * 2 ** 30,
  allocatable: { memoryBytes: 8 * 2 ** 30 - 100 * 2 ** 20, ephemeralBytes: 0 },
};

test('expand() replaces known names, keeps unknown ones and honours the escape', () => {
  const variables = new Map([['A', '1']]);
  const cases: [string, string][] = [
    ['$(A)', '1'],
    ['x$(A)y$(B)', 'x1y$(B)'],
    ['$$(A)', '$(A)'],
    ['$A $(', '$A $('],
  ];
  for (const [text, want] of cases) assert.equal(expand(text, variables), want);
});

test('Go durations read as in the reference', () => {
  const cases: [number, string][] = [
    [10_000, '10s'],
    [80_000, '1m20s'],
    [300_000, '5m0s'],
    [1500, '1.5s'],
  ];
  for (const [ms, want] of cases) assert.equal(goDuration(ms), want);
});

const service = (name: string, namespace: string, spec: Partial<Service['spec']>): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace, uid: '', resourceVersion: '', creationTimestamp: '' },
  spec: { ports: [{ port: 80, name: 'http', protocol: 'TCP', targetPort: 80 }], ...spec },
  status: { loadBalancer: {} },
});

test('Service variables name the services of the namespace and kubernetes', () => {
  const services = [
    service('my-db', 'shop', { clusterIP: '10.0.0.5' }),
    service('other', 'elsewhere', { clusterIP: '10.0.0.6' }),
    service('headless', 'shop', { clusterIP: 'None' }),
    service('kubernetes', 'default', { clusterIP: '10.0.0.1' }),
  ];
  const found = serviceVariables(podOf(), services);
  assert.equal(found.get('MY_DB_SERVICE_HOST'), '10.0.0.5');
  assert.equal(found.get('MY_DB_SERVICE_PORT_HTTP'), '80');
  assert.equal(found.get('MY_DB_PORT_80_TCP'), 'tcp://10.0.0.5:80');
  assert.equal(found.get('MY_DB_PORT_80_TCP_ADDR'), '10.0.0.5');
  assert.equal(found.get('KUBERNETES_SERVICE_HOST'), '10.0.0.1');
  assert.equal(
    [...found.keys()].some((name) => /OTHER|HEADLESS/.test(name)),
    false,
  );
  const unlinked = serviceVariables(podOf({ enableServiceLinks: false }), services);
  assert.deepEqual(
    [...new Set([...unlinked.keys()].map((name) => name.split('_')[0]))],
    ['KUBERNETES'],
  );
});

const sources: EnvSources = {
  configMap: async (name) =>
    name === 'settings' ? { data: new Map([['k', Buffer.from('v')]]) } : undefined,
  secret: async () => undefined,
  services: [],
  podIp: '10.1.0.9',
  node,
  invalid: () => undefined,
};

test('environmentOf() gathers every source in order', async () => {
  const container: Container = {
    name: 'c',
    resources: { limits: { cpu: '500m' } },
    envFrom: [
      { prefix: 'P_', configMapRef: { name: 'settings' } },
      { secretRef: { name: 'x', optional: true } },
    ],
    env: [
      { name: 'A', value: 'a' },
      { name: 'B', value: '$(A)-$(P_k)' },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
      { name: 'MAYBE', valueFrom: { secretKeyRef: { name: 'x', key: 'y', optional: true } } },
    ],
  };
  const found = await environmentOf(podOf(), container, sources);
  assert.deepEqual(Object.fromEntries(found.map(({ name, value }) => [name, value])), {
    P_k: 'v',
    A: 'a',
    B: 'a-v',
    IP: '10.1.0.9',
    CPU: '500',
  });
  const missing: Container = {
    name: 'c',
    resources: {},
    env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'nope' } } }],
  };
  await assert.rejects(environmentOf(podOf(), missing, sources), {
    message: "couldn't find key nope in ConfigMap shop/settings",
  });
});

test('Downward API fields and resources read as in the reference', () => {
  const pod = podOf({}, { labels: { b: '2', a: 'x"y' }, annotations: { 'k/v': 'z' } });
  const context = { podIp: '', nodeIp: '' };
  assert.equal(fieldValue(pod, 'metadata.labels', context), 'a="x\\"y"\nb="2"');
  assert.equal(fieldValue(pod, "metadata.annotations['k/v']", context), 'z');
  const container = { name: 'c', resources: { requests: { memory: '1Mi' } } };
  const of = (resource: string, divisor?: string): string =>
    resourceValue(pod, container, { selector: { resource, divisor }, node });
  assert.equal(of('requests.memory', '1Ki'), '1024');
  assert.equal(of('limits.cpu'), '4');
  assert.equal(of('limits.memory', '1Gi'), '8');
});

test('DNS settings follow the policy', () => {
  const host = { servers: ['1.1.1.1'], searches: ['corp'], options: ['timeout:1'] };
  const cluster = { server: '10.96.0.10', domain: 'cluster.local' };
  const first = dnsOf(podOf(), host, cluster);
  assert.deepEqual(first.servers, ['10.96.0.10']);
  assert.deepEqual(first.searches, [
    'shop.svc.cluster.local',
    'svc.cluster.local',
    'cluster.local',
    'corp',
  ]);
  assert.deepEqual(first.options, ['ndots:5']);
  assert.deepEqual(dnsOf(podOf({ hostNetwork: true }), host, cluster).servers, ['1.1.1.1']);
  const none = podOf({
    dnsPolicy: 'None',
    dnsConfig: { nameservers: ['9.9.9.9'], options: [{ name: 'ndots', value: '2' }] },
  });
  assert.deepEqual(dnsOf(none, host, cluster), {
    servers: ['9.9.9.9'],
    searches: [],
    options: ['ndots:2'],
    problems: [],
  });
  assert.equal(
    dnsOf(podOf(), host, { ...cluster, server: '' }).problems[0]?.reason,
    'MissingClusterDNS',
  );
});

test('A subdomain gives a full name, hostNetwork the name of the node', () => {
  const options = { clusterDomain: 'cluster.local', nodeName: 'n1' };
  assert.deepEqual(hostnameOf(podOf({ subdomain: 'db', hostname: 'a' }), options), {
    hostname: 'a',
    fqdn: 'a.db.shop.svc.cluster.local',
  });
  assert.equal(hostnameOf(podOf({ hostNetwork: true }), options).hostname, 'n1');
});

test('Limits become cgroup numbers by QoS class', () => {
  const container: Container = {
    name: 'c',
    resources: { requests: { cpu: '250m', memory: '1Gi' }, limits: { cpu: '500m', memory: '2Gi' } },
  };
  const pod = podOf({ containers: [container] });
  assert.equal(qosOf(pod), 'Burstable');
  assert.deepEqual(containerLimits(pod, container, 8 * 2 ** 30), {
    cpuShares: 256,
    cpuQuotaUs: 50_000,
    memoryBytes: 2 * 2 ** 30,
    oomScoreAdj: 875,
  });
  assert.equal(qosOf(podOf()), 'BestEffort');
  assert.equal(oomScoreOf(podOf(), { name: 'c', resources: {} }, 1), 1000);
});

test('runAsNonRoot is judged by the user of Pod and image', () => {
  const container: Container = {
    name: 'c',
    resources: {},
    securityContext: { runAsNonRoot: true },
  };
  const security = securityOf(podOf(), container, {
    apparmorProfiles: undefined,
    selinux: false,
    seccompDir: '/seccomp',
  });
  const image = {
    user: '',
    env: [],
    entrypoint: [],
    cmd: [],
    workingDir: '',
    stopSignal: undefined,
    volumes: [],
  };
  assert.throws(() => checkNonRoot(podOf(), container, { security, image }), {
    message:
      'container has runAsNonRoot and image will run as root (pod: "web_shop(u1)", container: c)',
  });
  assert.throws(
    () => checkNonRoot(podOf(), container, { security, image: { ...image, user: 'app' } }),
    /image has non-numeric user \(app\)/,
  );
  checkNonRoot(podOf(), container, { security, image: { ...image, user: '1000:1000' } });
});

test('statusPatch() names only what differs and takes back reasons that are over', () => {
  const from = {
    phase: 'Pending',
    podIPs: [{ ip: '1.1.1.1' }],
    conditions: [
      { type: 'Ready', status: 'False', reason: 'ContainersNotReady', lastTransitionTime: 'x' },
      { type: 'Mine', status: 'True' },
    ],
  };
  const to = {
    phase: 'Running',
    podIPs: [{ ip: '2.2.2.2' }],
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: 'y' }],
  };
  assert.deepEqual(statusPatch(from, to), {
    phase: 'Running',
    podIPs: [{ ip: '2.2.2.2' }, { ip: '1.1.1.1', $patch: 'delete' }],
    conditions: [
      { type: 'Ready', status: 'True', lastTransitionTime: 'y', reason: null, message: null },
    ],
  });
  assert.equal(statusPatch(to, to), undefined);
});

test('Eviction takes who is over its request first, then the least important, then the largest', () => {
  const usage = (used: number, request: number, priority: number) => ({
    containers: [],
    used,
    request,
    priority,
  });
  const order = [usage(5, 10, 0), usage(20, 10, 5), usage(30, 10, 0), usage(40, 10, 0)].toSorted(
    compare,
  );
  assert.deepEqual(
    order.map(({ used }) => used),
    [40, 30, 20, 5],
  );
});

test('Projected volumes join their sources, and tokens are kept until they are due', async () => {
  let asked = 0;
  const payloadSources = {
    configMap: async () => ({ data: new Map([['ca.crt', Buffer.from('CA')]]), type: '' }),
    secret: async () => undefined,
    requestToken: async () => ({ token: `t${++asked}`, expiresAtMs: 1_000_000 }),
    podIp: '',
    node,
    nowMs: 0,
  };
  const tokens = new Map();
  const volume = {
    name: 'v',
    projected: {
      defaultMode: 0o640,
      sources: [
        { serviceAccountToken: { path: 'token', expirationSeconds: 1000 } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
    },
  };
  const files = await payloadOf(podOf(), volume, { sources: payloadSources, tokens });
  assert.deepEqual(
    [...files].map(([name, { data, mode }]) => [name, Buffer.from(data).toString(), mode]),
    [
      ['token', 't1', 0o640],
      ['ca.crt', 'CA', 0o640],
      ['namespace', 'shop', 0o640],
    ],
  );
  await payloadOf(podOf(), volume, { sources: { ...payloadSources, nowMs: 799_000 }, tokens });
  assert.equal(asked, 1);
  await payloadOf(podOf(), volume, { sources: { ...payloadSources, nowMs: 800_000 }, tokens });
  assert.equal(asked, 2);
  await assert.rejects(
    payloadOf(
      podOf(),
      { name: 's', secret: { secretName: 'gone' } },
      { sources: payloadSources, tokens },
    ),
    { message: 'secret "gone" not found' },
  );
});

test('writePayload() swaps all files at once and leaves equal ones alone', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kubelet-volume-'));
  const files = (entries: Record<string, string>) =>
    new Map(
      Object.entries(entries).map(([name, text]) => [
        name,
        { data: Buffer.from(text), mode: 0o600 },
      ]),
    );
  try {
    assert.equal(await systemFiles.writePayload(dir, files({ a: '1', 'd/b': '2' }), {}), true);
    const before = await readlink(join(dir, '..data'));
    assert.equal(await readFile(join(dir, 'd/b'), 'utf8'), '2');
    assert.equal((await stat(join(dir, 'a'))).mode & 0o777, 0o600);
    assert.equal(await systemFiles.writePayload(dir, files({ a: '1', 'd/b': '2' }), {}), false);
    assert.equal(await systemFiles.writePayload(dir, files({ a: '3' }), {}), true);
    assert.notEqual(await readlink(join(dir, '..data')), before);
    assert.equal(await readFile(join(dir, 'a'), 'utf8'), '3');
    assert.deepEqual(
      (await readdir(dir)).filter((name) => !name.startsWith('..')),
      ['a'],
    );
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('bindInside() never leaves the volume', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kubelet-sub-'));
  const target = join(dir, 'target');
  try {
    await systemFiles.makeDir(join(dir, 'volume'), 0o755);
    await symlink('/etc', join(dir, 'volume/link'));
    await writeFile(join(dir, 'secret'), '');
    await symlink('../secret', join(dir, 'volume/up'));
    for (const sub of ['../secret', 'link', 'link/passwd', 'up', '/etc'])
      await assert.rejects(
        systemFiles.bindInside(join(dir, 'volume'), sub, { target, create: true }),
        /not within volume path|must stay inside/,
      );
  } finally {
    await rm(dir, { recursive: true });
  }
});
