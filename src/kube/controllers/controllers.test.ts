import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  configMaps,
  deployments,
  endpoints,
  endpointSlices,
  leases,
  namespaces,
  nodes,
  pods,
  replicaSets,
  serviceAccounts,
  services,
  type Deployment,
  type Endpoints,
  type EndpointSlice,
  type Node,
  type Service,
  type Namespace,
  type Pod,
  type ReplicaSet,
  type ServiceAccount,
} from '#kube/kinds';
import { world } from './fixture.test.ts';

const web = (spec: object = {}, image = 'web:1') => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    progressDeadlineSeconds: 600,
    revisionHistoryLimit: 2,
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'c', image, resources: {} }] },
    },
    ...spec,
  },
  status: {},
});

suite('the deployment and replicaset controllers', () => {
  test('bring up what a Deployment asks for, and say so', async () => {
    const w = world();
    await w.api.create<Deployment>(deployments, web());
    await w.settle();
    assert.equal(w.active().length, 3);
    await w.kubelet();
    await w.settle();
    const [deployment] = w.api.all<Deployment>(deployments);
    assert.partialDeepStrictEqual(deployment?.status, {
      replicas: 3,
      updatedReplicas: 3,
      availableReplicas: 3,
      observedGeneration: 1,
    });
    const condition = (type: string) =>
      deployment?.status.conditions?.find((one) => one.type === type);
    assert.equal(condition('Available')?.reason, 'MinimumReplicasAvailable');
    assert.match(
      condition('Progressing')?.message ?? '',
      /^ReplicaSet "web-[a-z0-9]+" has success/,
    );
    assert.equal(deployment?.metadata.annotations?.['deployment.kubernetes.io/revision'], '1');
    const writes = w.api.writes;
    await w.clock.advance(60_000);
    assert.equal(w.api.writes, writes, 'what is done is left alone');
    await w.end();
  });

  test('roll a new template out without ever having too few or too many', async () => {
    const w = world();
    await w.api.create<Deployment>(deployments, web());
    await w.settle();
    await w.kubelet();
    await w.settle();
    for (const image of ['web:2', 'web:3', 'web:4', 'web:5']) {
      const body = { spec: { template: web({}, image).spec.template } };
      const target = { namespace: 'default', name: 'web' };
      await w.api.patch(deployments, target, { type: 'merge', body });
      for (let round = 0; round < 12; round++) {
        await w.settle(4);
        const ready = w.active().filter((pod) => pod.status?.conditions?.[0]?.status === 'True');
        assert(ready.length >= 3, `${ready.length} are ready`);
        assert(w.active().length <= 4, `${w.active().length} run`);
        await w.kubelet();
      }
      assert.deepEqual(
        new Set(w.active().map((pod) => pod.spec.containers?.[0]?.image)),
        new Set([image]),
      );
    }
    await w.settle();
    const sets = w.api.all<ReplicaSet>(replicaSets);
    assert.equal(sets.length, 3, 'two old ones are kept');
    const [deployment] = w.api.all<Deployment>(deployments);
    assert.equal(deployment?.metadata.annotations?.['deployment.kubernetes.io/revision'], '5');
    await w.end();
  });

  test('a rollout to what never gets ready leaves the old Pods, and is told after the deadline', async () => {
    const w = world();
    await w.api.create<Deployment>(deployments, web({ progressDeadlineSeconds: 60 }));
    await w.settle();
    await w.kubelet();
    await w.settle();
    const body = { spec: { template: web({}, 'bad').spec.template } };
    const target = { namespace: 'default', name: 'web' };
    await w.api.patch(deployments, target, { type: 'merge', body });
    await w.settle();
    await w.kubelet((pod) => pod.spec.containers?.[0]?.image !== 'bad');
    await w.clock.advance(120_000);
    assert.equal(w.active().filter((pod) => pod.spec.containers?.[0]?.image === 'web:1').length, 3);
    const [deployment] = w.api.all<Deployment>(deployments);
    const progressing = deployment?.status.conditions?.find(({ type }) => type === 'Progressing');
    assert.equal(progressing?.reason, 'ProgressDeadlineExceeded');
    await w.end();
  });

  test('scale, recreate, pause', async () => {
    const w = world();
    await w.api.create<Deployment>(deployments, web({ strategy: { type: 'Recreate' } }));
    await w.settle();
    await w.kubelet();
    await w.settle();
    const target = { namespace: 'default', name: 'web' };
    await w.api.patch(deployments, target, { type: 'merge', body: { spec: { replicas: 5 } } });
    await w.settle();
    assert.equal(w.active().length, 5);
    await w.api.patch(deployments, target, { type: 'merge', body: { spec: { replicas: 1 } } });
    await w.settle();
    assert.equal(w.active().length, 1);
    const template = web({}, 'web:2').spec.template;
    await w.api.patch(deployments, target, {
      type: 'merge',
      body: { spec: { paused: true, template } },
    });
    await w.settle();
    assert.deepEqual(
      w.active().map((pod) => pod.spec.containers?.[0]?.image),
      ['web:1'],
    );
    await w.api.patch(deployments, target, { type: 'merge', body: { spec: { paused: false } } });
    await w.settle();
    await w.kubelet();
    await w.settle();
    assert.deepEqual(
      w.active().map((pod) => pod.spec.containers?.[0]?.image),
      ['web:2'],
    );
    await w.end();
  });

  test('a ReplicaSet adopts orphans that match and lets go what matches no more', async () => {
    const w = world();
    const metadata = { name: 'orphan', namespace: 'default', labels: { app: 'web' } };
    const spec = { containers: [{ name: 'c', image: 'web:1', resources: {} }] };
    await w.api.create<Pod>(pods, { apiVersion: 'v1', kind: 'Pod', metadata, spec, status: {} });
    await w.api.create<ReplicaSet>(replicaSets, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 'rs', namespace: 'default' },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec },
      },
      status: {},
    });
    await w.settle();
    assert.equal(w.active().length, 2);
    const adopted = await w.api.get<Pod>(pods, metadata);
    assert.equal(adopted.metadata.ownerReferences?.[0]?.name, 'rs');
    const body = { metadata: { labels: { app: 'other' } } };
    await w.api.patch(pods, metadata, { type: 'merge', body });
    await w.settle();
    assert.equal(w.active().length, 3);
    assert.deepEqual((await w.api.get<Pod>(pods, metadata)).metadata.ownerReferences, []);
    await w.end();
  });
});

test('the endpointslice controller follows Pods', async () => {
  const w = world();
  await w.api.create(services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      selector: { app: 'web' },
      ports: [{ port: 80, targetPort: 8080 }],
      clusterIP: '10.1.1.1',
    },
  });
  await w.settle();
  const slice = () => w.api.all<EndpointSlice>(endpointSlices);
  assert.equal(slice().length, 1);
  assert.deepEqual(slice()[0]?.endpoints, []);
  await w.api.create<Deployment>(deployments, web());
  await w.settle();
  await w.kubelet();
  await w.settle();
  assert.equal(slice().length, 1);
  assert.equal(slice()[0]?.endpoints?.length, 3);
  assert.equal(slice()[0]?.ports?.[0]?.port, 8080);
  const [first] = w.active();
  await w.kubelet((pod) => pod.metadata.name !== first?.metadata.name);
  await w.settle();
  const ready = slice()[0]?.endpoints?.map((one) => one.conditions.ready);
  assert.deepEqual(
    ready?.toSorted((a, b) => Number(a) - Number(b)),
    [false, true, true],
  );
  await w.end();
});

test('a namespace gets its account and CA, and is emptied and let go when it is deleted', async () => {
  const w = world();
  await w.api.create<Namespace>(namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'ns' },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  });
  await w.settle();
  assert.equal(w.api.all<ServiceAccount>(serviceAccounts)[0]?.metadata.name, 'default');
  assert.equal(w.api.all(configMaps)[0]?.metadata.name, 'kube-root-ca.crt');
  await w.api.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'ns' },
    spec: { nodeName: 'n1', containers: [] },
    status: { phase: 'Running' },
  });
  await w.api.delete(namespaces, { name: 'ns' });
  await w.settle();
  const [dying] = w.api.all<Namespace>(namespaces);
  const remaining = dying?.status.conditions?.find(
    ({ type }) => type === 'NamespaceContentRemaining',
  );
  assert.equal(remaining?.message, 'Some resources are remaining: pods. has 1 resource instances');
  await w.kubelet();
  await w.clock.advance(30_000);
  assert.deepEqual(w.api.all(namespaces), []);
  assert.deepEqual(w.api.all(configMaps), []);
  await w.end();
});

test('the garbage collector deletes what lost its owner, at once or before the owner goes', async () => {
  const w = world();
  const target = { namespace: 'default', name: 'web' };
  await w.api.create<Deployment>(deployments, web());
  await w.settle();
  await w.api.delete(deployments, target);
  await w.settle(30);
  assert.deepEqual([w.api.all(replicaSets).length, w.api.all(pods).length], [0, 0]);
  await w.api.create<Deployment>(deployments, web());
  await w.settle();
  await w.api.delete(deployments, target, { propagationPolicy: 'Orphan' });
  await w.settle();
  assert.deepEqual([w.api.all(deployments).length, w.active().length], [0, 3]);
  const [set] = w.api.all<ReplicaSet>(replicaSets);
  assert.deepEqual(set?.metadata.ownerReferences, []);
  const name = set?.metadata.name ?? '';
  await w.api.delete(
    replicaSets,
    { namespace: 'default', name },
    { propagationPolicy: 'Foreground' },
  );
  await w.settle(30);
  assert.deepEqual([w.api.all(replicaSets).length, w.api.all(pods).length], [0, 0]);
  await w.end();
});

test('a silent node is tainted and its Pods go after their tolerations', async () => {
  const w = world();
  const lease = (name: string) => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace: 'kube-node-lease' },
    spec: { renewTime: String(w.clock.nowMs()) },
  });
  for (const name of ['n1', 'n2']) {
    const conditions = [{ type: 'Ready', status: 'True' }];
    await w.api.create<Node>(nodes, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name },
      spec: {},
      status: { conditions },
    });
    await w.api.create(leases, lease(name));
  }
  const toleration = {
    key: 'node.kubernetes.io/unreachable',
    operator: 'Exists',
    effect: 'NoExecute',
  };
  await w.api.create<Pod>(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default' },
    spec: { nodeName: 'n1', tolerations: [{ ...toleration, tolerationSeconds: 30 }] },
    status: { phase: 'Running' },
  });
  for (let at = 0; at < 5; at++) {
    await w.clock.advance(10_000);
    await w.api.update(leases, lease('n2'));
  }
  const node = await w.api.get<Node>(nodes, { name: 'n1' });
  assert.equal(node.status.conditions?.[0]?.status, 'Unknown');
  assert.deepEqual(
    node.spec.taints?.map(({ key, effect }) => `${key}:${effect}`),
    ['node.kubernetes.io/unreachable:NoSchedule', 'node.kubernetes.io/unreachable:NoExecute'],
  );
  assert.deepEqual((await w.api.get<Node>(nodes, { name: 'n2' })).spec.podCIDR, '10.244.1.0/24');
  assert.equal(w.active().length, 1);
  for (let at = 0; at < 4; at++) {
    await w.clock.advance(10_000);
    await w.api.update(leases, lease('n2'));
  }
  assert.equal(w.active().length, 0);
  await w.end();
});

test('a LoadBalancer gets an address, and Endpoints are kept beside the slices', async () => {
  const w = world();
  for (const name of ['a', 'b', 'c'])
    await w.api.create<Service>(services, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'default' },
      spec: { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port: 80 }] },
      status: { loadBalancer: {} },
    });
  await w.settle();
  const ips = () =>
    w.api.all<Service>(services).map((one) => one.status.loadBalancer.ingress?.[0]?.ip);
  assert.deepEqual(ips(), ['10.9.0.10', '10.9.0.11', undefined]);
  await w.api.delete(services, { namespace: 'default', name: 'a' });
  await w.settle();
  assert.deepEqual(ips(), ['10.9.0.11', '10.9.0.10']);
  await w.api.create<Deployment>(deployments, web());
  await w.settle();
  await w.kubelet();
  await w.settle();
  const [first] = w.api.all<Endpoints>(endpoints);
  assert.equal(first?.subsets?.[0]?.addresses?.length, 3);
  await w.end();
});
