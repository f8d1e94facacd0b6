import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BackendClient, BackendRequest, BackendTarget } from '#io';
import { createCsr, readCsr } from '#io';
import { startCluster, podBody, type TestCluster } from './fixture.test.ts';

async function ready(cluster: TestCluster): Promise<void> {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
  assert.equal(
    (await cluster.call('POST', '/api/v1/namespaces/default/serviceaccounts', { body: account }))
      .status,
    201,
  );
}

async function addNode(cluster: TestCluster, name: string, cpu = '2'): Promise<void> {
  const amounts = { cpu, memory: '4Gi', pods: '10', 'ephemeral-storage': '10Gi' };
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    status: {
      capacity: amounts,
      allocatable: amounts,
      addresses: [{ type: 'InternalIP', address: '192.0.2.10' }],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    },
  };
  const made = await cluster.call('POST', '/api/v1/nodes', { body: node });
  assert.equal(made.status, 201, made.text);
}

const pods = '/api/v1/namespaces/default/pods';

test('a fresh cluster has its namespaces, roles, services and classes, and a second start changes nothing', async () => {
  await using cluster = await startCluster();
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease'])
    assert.equal((await cluster.call('GET', `/api/v1/namespaces/${name}`)).status, 200);
  const api = await cluster.call('GET', '/api/v1/namespaces/default/services/kubernetes');
  assert.equal(api.json['spec']?.['clusterIP'], '10.96.0.1', api.text);
  const dns = await cluster.call('GET', '/api/v1/namespaces/kube-system/services/kube-dns');
  assert.equal(dns.json['spec']?.['clusterIP'], '10.96.0.10');
  const edit = await cluster.call('GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles/edit');
  const rules: unknown = edit.json['rules'];
  assert(Array.isArray(rules) && rules.length > 5, edit.text);
  const before = cluster.store.revision;
  await cluster.kube.stop();
  await using again = await startCluster({ store: cluster.store });
  assert.equal(cluster.store.revision, before);
  again.kube.check();
});

test("anonymous callers and wrong tokens are told apart, and forbidden texts are the reference's", async () => {
  await using cluster = await startCluster();
  const anonymous = await cluster.call('GET', pods, { token: '' });
  assert.equal(anonymous.status, 403);
  assert.equal(
    anonymous.json['message'],
    'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
  );
  assert.equal((await cluster.call('GET', pods, { token: 'wrong' })).status, 401);
  assert.equal((await cluster.call('GET', '/version', { token: '' })).status, 200);
});

test('a service account may do what a RoleBinding says, and no more', async () => {
  await using cluster = await startCluster();
  await ready(cluster);
  const issued = await cluster.call(
    'POST',
    '/api/v1/namespaces/default/serviceaccounts/default/token',
    {
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: {},
        spec: { audiences: null },
      },
    },
  );
  assert.equal(issued.status, 201, issued.text);
  const token = String(issued.json['status']?.['token']);
  assert.equal((await cluster.call('GET', pods, { token })).status, 403);
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'view' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'default' }],
  };
  const bindings = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings';
  assert.equal((await cluster.call('POST', bindings, { body: binding })).status, 201);
  assert.equal((await cluster.call('GET', pods, { token })).status, 200);
  assert.equal(
    (await cluster.call('GET', '/api/v1/namespaces/kube-system/pods', { token })).status,
    403,
  );
  const can = await cluster.call('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    token,
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { namespace: 'default', verb: 'get', resource: 'pods' } },
    },
  });
  assert.equal(can.status, 201, can.text);
  assert.equal(
    can.json['status']?.['reason'],
    'RBAC: allowed by RoleBinding "view/default" of ClusterRole "view" to ServiceAccount "default/default"',
  );
  const who = await cluster.call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    token,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
  });
  assert.equal(
    who.json['status']?.['userInfo']?.['username'],
    'system:serviceaccount:default:default',
  );
});

test('nobody grants rights they do not hold', async () => {
  await using cluster = await startCluster();
  const roles = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles';
  const role = (name: string, resources: string[], verbs: string[]) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name },
    rules: [{ apiGroups: ['', 'rbac.authorization.k8s.io'], resources, verbs }],
  });
  await cluster.call('POST', roles, { body: role('maker', ['roles'], ['create']) });
  const refused = await cluster.kube
    .apiFor({ name: 'eve', groups: [] })
    .create(
      {
        group: 'rbac.authorization.k8s.io',
        version: 'v1',
        kind: 'Role',
        plural: 'roles',
        namespaced: true,
      },
      { ...role('more', ['pods'], ['get']), metadata: { name: 'more', namespace: 'default' } },
    )
    .then(
      () => undefined,
      (error: Error) => error,
    );
  assert.match(String(refused?.message), /forbidden/);
});

test('a Pod gets its account, token volume, tolerations and priority', async () => {
  await using cluster = await startCluster();
  await ready(cluster);
  const made = await cluster.call('POST', pods, { body: podBody('a') });
  assert.equal(made.status, 201, made.text);
  const spec = made.json['spec'];
  assert.equal(spec?.['serviceAccountName'], 'default');
  assert.match(String(spec?.['volumes']?.[0]?.['name']), /^kube-api-access-[a-z0-9]{5}$/);
  assert.equal(
    spec?.['containers']?.[0]?.['volumeMounts']?.[0]?.['mountPath'],
    '/var/run/secrets/kubernetes.io/serviceaccount',
  );
  const tolerations: unknown = spec?.['tolerations'];
  assert(Array.isArray(tolerations) && tolerations.length === 2);
  assert.equal(spec?.['priority'], 0);
  const missing = await cluster.call('POST', '/api/v1/namespaces/nope/pods', {
    body: podBody('a'),
  });
  assert.equal(missing.json['message'], 'namespaces "nope" not found');
  const kept = await cluster.call('DELETE', '/api/v1/namespaces/default');
  assert.equal(
    kept.json['message'],
    'namespaces "default" is forbidden: this namespace may not be deleted',
  );
});

test('Pod Security restricted refuses with every reason, and refuses plain processes', async () => {
  await using cluster = await startCluster();
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await cluster.call('POST', '/api/v1/namespaces', {
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'tight', labels } },
  });
  await cluster.call('POST', '/api/v1/namespaces/tight/serviceaccounts', {
    body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } },
  });
  const refused = await cluster.call('POST', '/api/v1/namespaces/tight/pods', {
    body: podBody('a'),
  });
  assert.equal(
    refused.json['message'],
    'pods "a" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  );
  const process = await cluster.call('POST', '/api/v1/namespaces/tight/pods', {
    body: podBody('p', { runtimeClassName: 'process' }),
  });
  assert.match(
    String(process.json['message']),
    /host process \(pod must not set runtimeClassName "process"\)/,
  );
});

test('a plain process is nobody unless its Pod says more, and root needs the second class', async () => {
  await using cluster = await startCluster();
  await ready(cluster);
  const made = await cluster.call('POST', pods, {
    body: podBody('p', { runtimeClassName: 'process' }),
  });
  assert.equal(made.status, 201, made.text);
  assert.equal(made.json['spec']?.['securityContext']?.['runAsUser'], 65534);
  const root = { securityContext: { runAsUser: 0 } };
  const refused = await cluster.call('POST', pods, {
    body: podBody('r', { runtimeClassName: 'process', ...root }),
  });
  assert.match(
    String(refused.json['message']),
    /runAsUser 0 of container "c".* needs RuntimeClass "process-root"/,
  );
  const allowed = await cluster.call('POST', pods, {
    body: podBody('r', { runtimeClassName: 'process-root', ...root }),
  });
  assert.equal(allowed.status, 201, allowed.text);
});

test('bindMany() gives room once, and the account follows Pods', async () => {
  await using cluster = await startCluster();
  await ready(cluster);
  await addNode(cluster, 'n1', '2');
  const wants = {
    containers: [{ name: 'c', image: 'i:1', resources: { requests: { cpu: '1' } } }],
  };
  for (const name of ['a', 'b', 'c'])
    await cluster.call('POST', pods, { body: podBody(name, wants) });
  const results = await cluster.kube.bindMany(
    ['a', 'b', 'c', 'gone'].map((name) => ({ namespace: 'default', name, node: 'n1' })),
  );
  assert.deepEqual(
    results.map((one) => one.ok),
    [true, true, false, false],
  );
  assert(results[2]?.ok === false && 'verdict' in results[2]);
  // The first two moved the node on from what the third was decided on.
  assert.equal(results[2].verdict.reason, 'NodeChanged');
  cluster.kube.check();
  const bound = await cluster.call('GET', `${pods}/a`);
  assert.equal(bound.json['spec']?.['nodeName'], 'n1');
  const twice = await cluster.call('POST', `${pods}/a/binding`, {
    body: {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: 'a' },
      target: { kind: 'Node', name: 'n1' },
    },
  });
  assert.equal(
    twice.json['message'],
    'Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "n1"',
  );
  await cluster.call('DELETE', `${pods}/a?gracePeriodSeconds=0`);
  cluster.kube.check();
  const [late] = await cluster.kube.bindMany([{ namespace: 'default', name: 'c', node: 'n1' }]);
  assert(late?.ok === true);
  cluster.kube.check();
});

test('a Pod that comes with a node and finds no room fails as OutOfcpu', async () => {
  await using cluster = await startCluster();
  await ready(cluster);
  await addNode(cluster, 'n1', '1');
  const wants = {
    nodeName: 'n1',
    containers: [{ name: 'c', image: 'i:1', resources: { requests: { cpu: '2' } } }],
  };
  assert.equal((await cluster.call('POST', pods, { body: podBody('big', wants) })).status, 201);
  for (let turn = 0; turn < 200; turn++) {
    const seen = await cluster.call('GET', `${pods}/big`);
    if (seen.json['status']?.['phase'] === 'Failed') {
      assert.equal(seen.json['status']['reason'], 'OutOfcpu');
      cluster.kube.check();
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail('the Pod did not fail');
});

test("logs and exec go to the kubelet of the node with the reference's paths", async () => {
  const seen: { target: BackendTarget; request: BackendRequest }[] = [];
  const backend: BackendClient = {
    async send(target, request) {
      seen.push({ target, request });
      async function* body() {
        yield Buffer.from('hello\n');
      }
      return { status: 200, headers: {}, body: body(), socket: undefined };
    },
    async [Symbol.asyncDispose]() {},
  };
  await using cluster = await startCluster({ backend });
  await ready(cluster);
  await addNode(cluster, 'n1');
  await cluster.call('POST', pods, { body: podBody('a', { nodeName: 'n1' }) });
  const log = await cluster.call('GET', `${pods}/a/log?follow=true&tailLines=5`);
  assert.equal(log.text, 'hello\n');
  assert.deepEqual(seen[0]?.target, {
    scheme: 'https',
    host: '192.0.2.10',
    port: 10250,
    trusted: true,
  });
  assert.equal(seen[0]?.request.path, '/containerLogs/default/a/c?follow=true&tailLines=5');
  const plain = await cluster.call('POST', `${pods}/a/exec?command=ls&stdout=true`);
  assert.equal(plain.json['message'], 'Upgrade request required');
  await cluster.call('POST', `${pods}/a/exec?command=ls&command=-l&stdout=true`, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'SPDY/3.1',
      'x-stream-protocol-version': 'v4.channel.k8s.io, v3.channel.k8s.io',
    },
  });
  assert.equal(seen[1]?.request.path, '/exec/default/a/c?output=1&command=ls&command=-l');
  assert.equal(seen[1]?.request.headers['authorization'], undefined);
  assert.equal(seen[1]?.request.headers['upgrade'], 'SPDY/3.1');
  const other = await cluster.call('GET', `${pods}/a/log?container=x`);
  assert.equal(other.json['message'], 'container x is not valid for pod a');
});

test('an agent joins with the bootstrap token and a certificate request', async () => {
  await using cluster = await startCluster();
  const { csrPem } = createCsr({ commonName: 'system:node:n9', organizations: ['system:nodes'] });
  assert.equal(readCsr(csrPem).subject.commonName, 'system:node:n9');
  const csrs = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
  const made = await cluster.call('POST', csrs, {
    token: 'abcdef.0123456789abcdef',
    body: {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name: 'n9' },
      spec: {
        request: Buffer.from(csrPem).toString('base64'),
        signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
        usages: ['digital signature', 'client auth'],
      },
    },
  });
  assert.equal(made.status, 201, made.text);
  for (let turn = 0; turn < 200; turn++) {
    const seen = await cluster.call('GET', `${csrs}/n9`, { token: 'abcdef.0123456789abcdef' });
    if (String(seen.json['status']?.['certificate'] ?? '') !== '') return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail(`no certificate: ${(await cluster.call('GET', `${csrs}/n9`)).text}`);
});

test('a Pod names its account twice, and its writer owns only what it sent', async () => {
  await using cluster = await startCluster();
  await ready(cluster);
  const made = await cluster.call('POST', pods, { body: podBody('p') });
  assert.equal(made.status, 201, made.text);
  assert.equal(made.json['spec']?.['serviceAccount'], 'default');
  assert.equal(made.json['spec']?.['serviceAccountName'], 'default');
  const owned = JSON.stringify(made.json['metadata']?.['managedFields']);
  assert.match(owned, /"f:image"/);
  assert.doesNotMatch(owned, /f:volumes|f:tolerations|f:serviceAccount/);
});

test('objects without what their kind requires are refused field by field', async () => {
  await using cluster = await startCluster();
  await ready(cluster);
  const body = { apiVersion: 'apps/v1', metadata: { name: 'bad' }, spec: {} };
  const apps = '/apis/apps/v1/namespaces/default';
  for (const [plural, kind] of [
    ['deployments', 'Deployment'],
    ['replicasets', 'ReplicaSet'],
  ]) {
    const answer = await cluster.call('POST', `${apps}/${plural}`, { body: { ...body, kind } });
    assert.equal(answer.status, 422, answer.text);
    assert.equal(
      answer.json['message'],
      `${kind}.apps "bad" is invalid: [spec.selector: Required value, ` +
        'spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`, ' +
        'spec.template.spec.containers: Required value]',
    );
  }
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bad' }, spec: {} };
  const answer = await cluster.call('POST', pods, { body: pod });
  assert.equal(answer.json['message'], 'Pod "bad" is invalid: spec.containers: Required value');
});

test('a scale is shown with columns of its own', async () => {
  await using cluster = await startCluster();
  await ready(cluster);
  const body = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 3,
      selector: { matchLabels: { a: 'b' } },
      template: {
        metadata: { labels: { a: 'b' } },
        spec: { containers: [{ name: 'c', image: 'i' }] },
      },
    },
  };
  const apps = '/apis/apps/v1/namespaces/default/deployments';
  assert.equal((await cluster.call('POST', apps, { body })).status, 201);
  const scale = await cluster.call('GET', `${apps}/web/scale`, {
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  });
  assert.match(scale.text, /"Desired".*"Available".*"cells":\["web",3,0,"/s);
  assert.equal((await cluster.call('GET', `${apps}/web/scale`)).json['kind'], 'Scale');
});

test('component statuses are computed, listed and found by name', async () => {
  await using cluster = await startCluster();
  const list = await cluster.call('GET', '/api/v1/componentstatuses');
  assert.equal(list.status, 200, list.text);
  assert.match(list.text, /"etcd-0".*"Healthy"/s);
  assert.equal((await cluster.call('GET', '/api/v1/componentstatuses/scheduler')).status, 200);
  assert.equal((await cluster.call('GET', '/api/v1/componentstatuses/nope')).status, 404);
});
