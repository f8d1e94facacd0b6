import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { silentLogger } from '#base';
import type { FaceReply, FaceRequest } from '#base';
import { createAuthority, issueCertificate, systemClock, systemRandom } from '#io';
import { createKubeServer, systemUser } from '#kube/server';
import type { KubeServer } from '#kube/server';
import { tasks } from '#mesos/kinds';
import { createPool } from '#pool';
import { openMemoryStore } from '#store';
import { versionInfo } from '../version.ts';
import { clusterScheme } from './scheme.ts';

const life = { notBeforeMs: Date.now() - 1000, notAfterMs: Date.now() + 1e10 };

async function withServer(work: (kube: KubeServer) => Promise<void>): Promise<void> {
  await using store = openMemoryStore({ clock: systemClock });
  const authority = createAuthority('tandem-test', life);
  const kube = createKubeServer({
    store,
    pool: createPool(),
    scheme: clusterScheme(),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    version: versionInfo(),
    pki: {
      authority,
      kubeletClient: issueCertificate(authority, {
        ...life,
        subject: { commonName: 'apiserver', organizations: [] },
        usages: ['clientAuth'],
      }),
      serviceAccountKeyPem: generateKeyPairSync('ec', { namedCurve: 'P-256' })
        .privateKey.export({ type: 'pkcs8', format: 'pem' })
        .toString(),
    },
    issuer: 'https://kubernetes.default.svc.cluster.local',
    serviceRange: '10.96.0.0/16',
    advertise: { address: '192.0.2.1', port: 6443 },
    bootstrapToken: { id: 'abcdef', secret: '0123456789abcdef' },
    adminToken: 'admin',
  });
  await kube.start();
  try {
    await work(kube);
  } finally {
    await kube.stop();
  }
}

async function get(
  kube: KubeServer,
  target: string,
  accept: string,
): Promise<{ reply: FaceReply; text: string }> {
  const [path = '', search = ''] = target.split('?', 2);
  const request: FaceRequest = {
    method: 'GET',
    path,
    search,
    headers: { authorization: 'Bearer admin', accept },
    peer: { address: '', port: 0, localAddress: '', localPort: 0, secure: true, certificates: [] },
    signal: AbortSignal.timeout(10_000),
    body: async () => new Uint8Array(),
    async *bodyStream() {},
  };
  const reply = await kube.face(request);
  const { body } = reply;
  assert.ok(typeof body !== 'function');
  const parts = body === undefined ? [] : body instanceof Uint8Array ? [body] : body;
  return { reply, text: Buffer.concat(parts).toString() };
}

const task = {
  apiVersion: 'mesos.tandem.dev/v1',
  kind: 'Task',
  metadata: { name: 't-1', namespace: 'default' },
  spec: {
    frameworkID: 'f-1',
    taskID: '/t',
    agentID: 'm-S0',
    nodeName: 'n1',
    executorID: '/t',
    execution: 'Command' as const,
    podName: 'p',
    task: { name: 'x', task_id: { value: '/t' }, agent_id: { value: 'm-S0' } },
  },
  status: { state: 'TASK_RUNNING' as const },
};

test('A task is created, listed as a table, found by its node, and discovered', async () => {
  await withServer(async (kube) => {
    const created = await kube.apiFor(systemUser).create(tasks, task);
    assert.deepEqual([created.spec, created.status], [task.spec, task.status]);
    const base = '/apis/mesos.tandem.dev/v1';
    const table = await get(
      kube,
      `${base}/tasks?fieldSelector=spec.nodeName%3Dn1`,
      'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
    );
    const { rows, columnDefinitions } = JSON.parse(table.text) as {
      rows: { cells: unknown[] }[];
      columnDefinitions: { name: string }[];
    };
    assert.deepEqual(
      columnDefinitions.map(({ name }) => name),
      ['Name', 'Task', 'Framework', 'State', 'Node', 'Executor', 'Pod', 'Age'],
    );
    assert.deepEqual(rows[0]?.cells.slice(0, 5), ['t-1', '/t', 'f-1', 'Running', 'n1']);
    const other = await get(kube, `${base}/tasks?fieldSelector=spec.nodeName%3Dn2`, '');
    assert.deepEqual((JSON.parse(other.text) as { items: unknown[] }).items, []);
    const found = await get(kube, base, '');
    assert.match(found.text, /"name":"tasks\/status"/);
    const spec = await get(kube, '/openapi/v3/apis/marathon.tandem.dev/v1', '');
    assert.match(spec.text, /dev\.tandem\.marathon\.v1\.AppInstance/);
  });
});

test('Who prefers protobuf gets JSON of a kind that has none, and metadata in protobuf', async () => {
  await withServer(async (kube) => {
    await kube.apiFor(systemUser).create(tasks, task);
    const path = '/apis/mesos.tandem.dev/v1/namespaces/default/tasks/t-1';
    const binary = 'application/vnd.kubernetes.protobuf';
    const either = await get(kube, path, `${binary},application/json`);
    assert.equal(either.reply.headers['content-type'], 'application/json');
    assert.match(either.text, /^\{"kind":"Task"/);
    assert.equal((await get(kube, path, binary)).reply.status, 406);
    const metadata = await get(kube, path, `${binary};as=PartialObjectMetadata;g=meta.k8s.io;v=v1`);
    assert.equal(metadata.reply.headers['content-type'], binary);
  });
});
