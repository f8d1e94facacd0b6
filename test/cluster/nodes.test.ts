import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  allowProcesses,
  containerProcesses,
  kill,
  processPod,
  startCluster,
  until,
  waitForever,
  webServer,
} from './cluster.ts';
import type { Cluster, Json } from './cluster.ts';

const apps = '/apis/apps/v1/namespaces/default';
const core = '/api/v1/namespaces/default';
let cluster: Cluster;

before(async () => {
  cluster = await startCluster({
    up: ['--nodes', '3', '--node-cpus', '0.5', '--node-memory', '256Mi'],
  });
  await allowProcesses(cluster);
  await cluster.call('POST', `${apps}/deployments`, {
    metadata: { name: 'web' },
    spec: {
      replicas: 6,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          runtimeClassName: 'process',
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'main',
              command: ['python3', '-c', webServer],
              ports: [{ containerPort: 8080 }],
              readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  });
  for (const type of ['ClusterIP', 'NodePort', 'LoadBalancer'])
    await cluster.call('POST', `${core}/services`, {
      metadata: { name: type.toLowerCase() },
      spec: {
        type,
        selector: { app: 'web' },
        ports: [{ port: servicePort(), targetPort: 8080 }],
      },
    });
  for (const node of [1, 2, 3])
    await cluster.call(
      'POST',
      `${core}/pods`,
      processPod(`client-${node}`, waitForever, { nodeName: `${cluster.name}-${node}` }),
    );
  await until(
    'six Pods are ready',
    async () => (await webPods()).filter(isReady).length === 6 || undefined,
    60,
  );
  for (const node of [1, 2, 3]) await cluster.running(`client-${node}`);
});
after(async () => cluster[Symbol.asyncDispose]());

/** Only one cluster of a machine can have a port of its localhost. */
function servicePort(): number {
  return 18_000 + cluster.offset - 3000;
}

async function webPods(): Promise<readonly Json[]> {
  const list = await cluster.call('GET', `${core}/pods?labelSelector=app%3Dweb`);
  return [...(list['items'] ?? [])];
}
function isReady(object: Json): boolean {
  return [...(object['status']?.['conditions'] ?? [])].some(
    (condition) => String(condition['type']) === 'Ready' && String(condition['status']) === 'True',
  );
}

/** Names of the Pods that answer 60 requests, each on a connection of its own. */
async function answering(url: string): Promise<readonly string[]> {
  const names = new Set<string>();
  for (let turn = 0; turn < 60; turn++) names.add((await fetchText(url)).split(' ')[0] ?? '');
  return [...names].toSorted();
}
function fetchText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = get(url, { agent: false, timeout: 5000 }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(text));
    });
    sent.on('timeout', () => sent.destroy(new Error(`${url} does not answer`)));
    sent.on('error', reject);
  });
}
/** What each address answers to a Pod. */
async function fromPod(client: string, urls: readonly string[]): Promise<readonly string[]> {
  const script = [
    'import sys, urllib.request as u',
    'for url in sys.argv[1:]: print(u.urlopen(url, timeout=5).read().decode().strip())',
  ].join('\n');
  const out = await cluster.must('exec', client, '--', 'python3', '-c', script, ...urls);
  return out.trim().split('\n');
}

test('A Deployment spreads over three nodes', async () => {
  const perNode = new Map<string, number>();
  for (const pod of await webPods()) {
    const node = String(pod['spec']?.['nodeName']);
    perNode.set(node, (perNode.get(node) ?? 0) + 1);
  }
  assert.deepEqual([...perNode.values()], [2, 2, 2]);
});

test('Pods reach Pods of every node by address, with their own', async () => {
  const pods = await webPods();
  const urls = pods.map((pod) => `http://${String(pod['status']?.['podIP'])}:8080/`);
  for (const client of ['client-1', 'client-2', 'client-3']) {
    const own = String((await cluster.pod(client))?.['status']?.['podIP']);
    assert.deepEqual(
      await fromPod(client, urls),
      pods.map((pod) => `${String(pod['metadata']?.['name'])} ${own}`),
    );
  }
});

test('ClusterIP, names and kubernetes itself answer on every node', async () => {
  const service = await cluster.call('GET', `${core}/services/clusterip`);
  const hosts = [
    String(service['spec']?.['clusterIP']),
    'clusterip',
    'clusterip.default',
    'clusterip.default.svc.cluster.local',
  ];
  const urls = hosts.map((host) => `http://${host}:${servicePort()}/`);
  const kubernetes = 'import socket; socket.create_connection(("kubernetes", 443), 5); print("ok")';
  for (const client of ['client-1', 'client-2', 'client-3']) {
    for (const answer of await fromPod(client, urls)) assert.match(answer, /^web-/);
    assert.match(await cluster.must('exec', client, '--', 'python3', '-c', kubernetes), /^ok/);
  }
});

test('NodePort, load balancer address and localhost answer from the host, by every Pod', async () => {
  const all = (await webPods()).map((pod) => String(pod['metadata']?.['name'])).toSorted();
  const nodePort = await cluster.call('GET', `${core}/services/nodeport`);
  const port = Number(nodePort['spec']?.['ports']?.[0]?.['nodePort']);
  const { agents } = await cluster.status();
  for (const { address } of agents)
    assert.deepEqual(await answering(`http://${address}:${port}/`), all);
  assert.deepEqual(await answering(`http://127.0.0.1:${port}/`), all);
  const balancer = await until('an address', async () => {
    const service = await cluster.call('GET', `${core}/services/loadbalancer`);
    const ip = service['status']?.['loadBalancer']?.['ingress']?.[0]?.['ip'];
    return ip === undefined ? undefined : String(ip);
  });
  assert.deepEqual(await answering(`http://${balancer}:${servicePort()}/`), all);
  assert.deepEqual(await answering(`http://localhost:${servicePort()}/`), all);
  assert.match(
    String(await fromPod('client-2', [`http://${balancer}:${servicePort()}/`])),
    /^web-/,
  );
});

test('--node-cpus and --node-memory are what nodes report, and all they can use', async () => {
  const nodes = await cluster.call('GET', '/api/v1/nodes');
  for (const node of nodes['items'] ?? []) {
    const capacity = node['status']?.['capacity'];
    assert.equal(String(capacity?.['cpu']), '500m');
    assert.equal(String(capacity?.['memory']), '256Mi');
  }
  const root = '/sys/fs/cgroup';
  const group = `tandem-${cluster.name}/${cluster.name}-1`;
  const text = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8').trim();
  if (existsSync(join(root, 'memory'))) {
    assert.equal(text('memory', group, 'memory.limit_in_bytes'), String(256 * 2 ** 20));
    const [quota, period] = ['quota', 'period'].map((name) =>
      text('cpu', group, `cpu.cfs_${name}_us`),
    );
    assert.equal(Number(quota) / Number(period), 0.5);
  } else {
    assert.equal(text(group, 'memory.max'), String(256 * 2 ** 20));
    assert.equal(text(group, 'cpu.max'), '50000 100000');
  }
  const greedy = "exec python3 -c 'x = bytearray(400 * 1024 * 1024)'";
  const spec = { restartPolicy: 'Never', nodeName: `${cluster.name}-3` };
  await cluster.call('POST', `${core}/pods`, processPod('greedy', greedy, spec));
  const terminatedOf = (pod: Json): Json | undefined =>
    pod['status']?.['containerStatuses']?.[0]?.['state']?.['terminated'];
  const ended = await cluster.podThat('greedy', (pod) => terminatedOf(pod) !== undefined);
  assert.equal(Number(terminatedOf(ended)?.['exitCode']), 137);
});

test('With an agent and its containers killed, its Pods run elsewhere after their tolerations', async () => {
  const tolerations = ['not-ready', 'unreachable'].map((what) => ({
    key: `node.kubernetes.io/${what}`,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: 1,
  }));
  await cluster.call('PATCH', `${apps}/deployments/web`, {
    spec: { replicas: 3, template: { spec: { tolerations } } },
  });
  const isFresh = (pod: Json): boolean =>
    [...(pod['spec']?.['tolerations'] ?? [])].every(
      (one) => Number(one['tolerationSeconds']) === 1,
    );
  await until(
    'three new Pods are ready',
    async () => {
      const pods = await webPods();
      const all = pods.every((pod) => isFresh(pod) && isReady(pod));
      return (pods.length === 3 && all) || undefined;
    },
    60,
  );
  const lost = String((await webPods())[0]?.['spec']?.['nodeName']);
  const agent = (await cluster.status()).agents.find(({ node }) => node === lost);
  kill(Number(agent?.supervisorPid));
  kill(Number(agent?.pid));
  const own = containerProcesses(cluster, lost);
  assert.ok(own.length > 0);
  for (const pid of own) kill(pid);
  const startMs = performance.now();
  await until(
    'the node is NotReady',
    async () => !isReady(await cluster.call('GET', `/api/v1/nodes/${lost}`)) || undefined,
    60,
  );
  const silentMs = performance.now() - startMs;
  // Its last lease may be as old as the time between two.
  assert.ok(silentMs > 28_000 && silentMs < 50_000, `NotReady after ${silentMs} ms`);
  await until(
    'three Pods run on the two other nodes',
    async () => {
      const ready = (await webPods()).filter(
        (pod) => isReady(pod) && pod['metadata']?.['deletionTimestamp'] === undefined,
      );
      const away = ready.every((pod) => String(pod['spec']?.['nodeName']) !== lost);
      return (ready.length === 3 && away) || undefined;
    },
    40,
  );
  const taints = (await cluster.call('GET', `/api/v1/nodes/${lost}`))['spec']?.['taints'];
  assert.ok([...(taints ?? [])].some((taint) => String(taint['effect']) === 'NoExecute'));
  await cluster.up();
  await until('every node is Ready', async () => (await cluster.status()).healthy || undefined, 30);
  await cluster.call('POST', `${core}/pods`, processPod('back', waitForever, { nodeName: lost }));
  await cluster.running('back');
});
