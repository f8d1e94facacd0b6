import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import type { Kit } from './harness.ts';

/** api-resources, auth, cluster-info, proxy, nodes, certificates, version. */
export function verbsOfClusters(kit: () => Kit): void {
  tells(kit);
  rights(kit);
  nodes(kit);
  certificates(kit);
}

function tells(kit: () => Kit): void {
  test('api-resources and api-versions tell what is served', async () => {
    const k = kit();
    const table = await k.ok('api-resources');
    assert.match(table, /^NAME +SHORTNAMES +APIVERSION +NAMESPACED +KIND\n/);
    for (const line of [
      /^pods +po +v1 +true +Pod$/m,
      /^ingresses +ing +networking\.k8s\.io\/v1 +true/m,
      /^nodes +no +v1 +false/m,
    ])
      assert.match(table, line);
    assert.match(await k.ok('api-resources', '--namespaced=false', '-o', 'name'), /^namespaces$/m);
    assert.match(
      await k.ok('api-resources', '--api-group=apps', '-o', 'wide'),
      /create,delete,deletecollection,get,list,patch,update,watch +all/,
    );
    assert.match(await k.ok('api-versions'), /^apps\/v1$[^]*^v1$/m);
  });

  test('cluster-info, version and top say what there is', async () => {
    const k = kit();
    assert.match(
      await k.ok('cluster-info'),
      /Kubernetes control plane.* is running at .*https:\/\/127\.0\.0\.1:\d+/,
    );
    const dump = await k.ok('cluster-info', 'dump', '--namespaces', k.namespace);
    assert.match(dump, /"kind": "NodeList"/);
    assert.match(await k.ok('version', '-o', 'json'), /"serverVersion"[^]*"gitVersion": "v1\.36/);
    const top = await k.run(['top', 'nodes']);
    if (top.code !== 0) assert.match(top.err, /Metrics API not available/);
    assert.match(await k.ok('config', 'current-context'), /^tandem/);
  });

  test('proxy serves the API on a port of its own', async () => {
    const k = kit();
    await using proxy = k.start('proxy', '--port=0');
    const [, port] = await proxy.says(/127\.0\.0\.1:(\d+)/);
    const list = await fetch(
      `http://127.0.0.1:${port}/api/v1/namespaces/${k.namespace}/serviceaccounts`,
    );
    assert.match(await list.text(), /"ServiceAccountList"/);
  });
}

function rights(kit: () => Kit): void {
  test('auth tells who I am, what I may do, and reconciles roles', async () => {
    const k = kit();
    assert.equal(await k.ok('auth', 'can-i', '*', '*'), 'yes\n');
    const as = `--as=system:serviceaccount:${k.namespace}:default`;
    const no = await k.run(['auth', 'can-i', 'delete', 'nodes', as]);
    assert.match(no.out, /^no/);
    assert.equal(no.code, 1);
    assert.match(
      await k.ok('auth', 'can-i', '--list', as),
      /selfsubjectreviews\.authentication\.k8s\.io +\[\] +\[\] +\[create\]/,
    );
    // Before 1.28 it asked in beta versions, which are gone.
    if (k.minor >= 28)
      assert.match(await k.ok('auth', 'whoami'), /ATTRIBUTE +VALUE\nUsername +\S+/);
    assert.match(
      await k.fails('get', 'pods', as),
      new RegExp(
        `Error from server \\(Forbidden\\): pods is forbidden: User "system:serviceaccount:${k.namespace}:default" cannot list resource "pods" in API group "" in the namespace "${k.namespace}"`,
      ),
    );
    const role = `apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: rec, namespace: ${k.namespace}}\nrules: [{apiGroups: [""], resources: [pods], verbs: [get]}]\n`;
    assert.match(await k.ok('auth', 'reconcile', '-f', k.file(role)), /rec reconciled/);
  });

  test('a token of create token works as a credential', async () => {
    const k = kit();
    await k.ok(
      'create',
      'rolebinding',
      'viewer',
      '--clusterrole=view',
      `--serviceaccount=${k.namespace}:default`,
    );
    const token = (await k.ok('create', 'token', 'default')).trim();
    const server = await k.ok(
      'config',
      'view',
      '--minify',
      '-o',
      'jsonpath={.clusters[0].cluster.server}',
    );
    const plain = [
      '--kubeconfig=/dev/null',
      `--server=${server}`,
      '--insecure-skip-tls-verify',
      `--token=${token}`,
    ];
    assert.match(await k.ok(...plain, 'get', 'configmaps'), /kube-root-ca\.crt/);
    assert.match(await k.fails(...plain, 'get', 'secrets'), /secrets is forbidden/);
  });
}

function nodes(kit: () => Kit): void {
  test('a node is cordoned, drained, uncordoned and tainted', async (t) => {
    const k = kit();
    const node = (await k.ok('get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}')).trim();
    t.after(async () => {
      // Whatever failed: the node is for those who come next.
      await k.run(['uncordon', node]);
      await k.run(['taint', 'node', node, 'k-']);
    });
    assert.match(await k.ok('cordon', node), new RegExp(`node/${node} cordoned`));
    assert.match(await k.ok('get', 'nodes'), /Ready,SchedulingDisabled/);
    await k.ok('run', 'pend', '--image=kit:1', '--restart=Never');
    await k.ok('wait', '--for=condition=PodScheduled=false', 'pod/pend', '--timeout=10s');
    assert.match(
      await k.ok('describe', 'pod', 'pend'),
      /FailedScheduling .*0\/1 nodes are available: 1 node\(s\) were unschedulable/,
    );
    assert.match(await k.ok('uncordon', node), /uncordoned/);
    await k.ready('pod/pend');
    const refused = await k.run(['drain', node, '--timeout=20s', `--pod-selector=run=pend`]);
    assert.match(refused.err, /cannot delete.*Pods (that )?declare no controller/);
    const drained = await k.ok(
      'drain',
      node,
      '--force',
      '--timeout=60s',
      '--pod-selector=run=pend',
      '--grace-period=1',
    );
    assert.match(drained, /evicting pod|pod\/pend evicted[^]*drained/);
    await k.ok('uncordon', node);
    assert.match(await k.ok('taint', 'node', node, 'k=v:NoSchedule'), /tainted/);
    assert.match(await k.fails('taint', 'node', node, 'k=w:NoSchedule'), /already has k taint/);
    assert.match(await k.ok('describe', 'node', node), /^Taints: +k=v:NoSchedule/m);
    await k.ok('taint', 'node', node, 'k:NoSchedule-');
  });
}

function certificates(kit: () => Kit): void {
  test('a certificate is asked for, approved, issued and used; another is denied', async () => {
    const k = kit();
    const key = k.file('', 'key');
    const subject = ['-subj', '/O=makers/CN=ann'];
    const csr = execFileSync(
      'openssl',
      [
        'req',
        '-new',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        key,
        ...subject,
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const request = (name: string): string =>
      JSON.stringify({
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        metadata: { name },
        spec: {
          request: csr.toString('base64'),
          signerName: 'kubernetes.io/kube-apiserver-client',
          usages: ['client auth'],
          expirationSeconds: 3600,
        },
      });
    const [good, bad] = [k.own('good'), k.own('bad')];
    await k.given(request(good), 'create', '-f', '-');
    await k.given(request(bad), 'create', '-f', '-');
    assert.match(
      await k.ok('get', 'csr', good),
      /kubernetes\.io\/kube-apiserver-client .* Pending/,
    );
    assert.match(await k.ok('certificate', 'approve', good), /approved/);
    assert.match(await k.ok('certificate', 'deny', bad), /denied/);
    await k.ok('wait', '--for=condition=Approved', `csr/${good}`, '--timeout=10s');
    await k.ok('wait', '--for=jsonpath={.spec.username}', `csr/${good}`).catch(() => undefined);
    const issued = await untilIssued(k, good);
    const cert = k.file(Buffer.from(issued, 'base64').toString(), 'crt');
    const server = await k.ok(
      'config',
      'view',
      '--minify',
      '-o',
      'jsonpath={.clusters[0].cluster.server}',
    );
    const plain = [
      '--kubeconfig=/dev/null',
      `--server=${server}`,
      '--insecure-skip-tls-verify',
      '--client-key',
      key,
      '--client-certificate',
      cert,
    ];
    assert.match(await k.fails(...plain, 'get', 'pods'), /User "ann" cannot list resource "pods"/);
    assert.match(await k.ok('describe', 'csr', good), /Status: +Approved,Issued/);
    assert.match(await k.ok('get', 'csr', bad), /Denied/);
    await k.ok('delete', 'csr', good, bad);
  });
}

/** Before 1.30 wait needs the value it waits for, so this asks again until the certificate is there. */
async function untilIssued(k: Kit, name: string): Promise<string> {
  await using watch = k.start('get', 'csr', name, '-w', '-o', 'jsonpath={.status.certificate}:');
  const [, certificate = ''] = await watch.says(/([A-Za-z0-9+/=]{100,}):/);
  return certificate;
}
