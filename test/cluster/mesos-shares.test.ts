/** Frameworks and Pods on the same machines: shared by weight, bound by quota, never oversold. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { sleep, startCluster, until } from './cluster.ts';
import type { Cluster, Json } from './cluster.ts';
import { TestFramework, amountOf, scalar } from './mesos-framework.ts';

const perTask = 0.1;

/** Runs as many tasks of some seconds as it is offered room for, up to a limit at a time. */
function hungry(
  cluster: Cluster,
  options: { readonly role: string; readonly atOnce: number; readonly seconds: number },
): TestFramework & { running(): number } {
  const { role, atOnce, seconds } = options;
  const open = new Set<string>();
  let launched = 0;
  const framework = new TestFramework({
    master: `http://127.0.0.1:${5050 + cluster.offset}`,
    name: `hungry-${role === '*' ? 'all' : role}`,
    roles: [role],
    refuseSeconds: 0.2,
    onOffer(offer) {
      const task_infos: unknown[] = [];
      let cpus = amountOf(offer, 'cpus') + 1e-6;
      while (cpus >= perTask && open.size < atOnce) {
        const id = `${role}-${launched++}`;
        open.add(id);
        cpus -= perTask;
        task_infos.push({
          name: id,
          task_id: { value: id },
          agent_id: offer.agent_id,
          command: { value: `sleep ${seconds}` },
          resources: [scalar('cpus', perTask), scalar('mem', 8)],
        });
      }
      return task_infos.length === 0 ? [] : [{ type: 'LAUNCH', launch: { task_infos } }];
    },
    onStatus({ task_id, state }) {
      if (/FINISHED|FAILED|KILLED|ERROR|LOST|DROPPED|GONE/.test(state)) open.delete(task_id.value);
    },
  });
  return Object.assign(framework, { running: () => open.size });
}

async function put(cluster: Cluster, path: string, body: unknown): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${5050 + cluster.offset}${path}`, {
    method: path === '/weights' ? 'PUT' : 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.ok(response.status < 300, `${path}: ${response.status} ${await response.text()}`);
}

function deployment(name: string, replicas: number): unknown {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          runtimeClassName: 'process',
          terminationGracePeriodSeconds: 0,
          containers: [
            {
              name: 'main',
              command: ['sleep', '1000'],
              resources: { requests: { cpu: '100m', memory: '8Mi' } },
            },
          ],
        },
      },
    },
  };
}

async function namespaceOfRole(cluster: Cluster, name: string, role: string): Promise<void> {
  await cluster.call('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: role === '*' ? {} : { 'tandem.dev/role': role } },
  });
  await cluster.call('POST', `/apis/rbac.authorization.k8s.io/v1/namespaces/${name}/rolebindings`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'processes' },
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      name: 'tandem:process-user',
    },
    subjects: [
      { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:serviceaccounts' },
    ],
  });
}

/** Millicores that active Pods of a namespace hold, by what they ask for. */
async function held(cluster: Cluster, namespace?: string): Promise<number> {
  const path = namespace === undefined ? '/api/v1/pods' : `/api/v1/namespaces/${namespace}/pods`;
  const list = await cluster.call('GET', path);
  let sum = 0;
  for (const pod of list['items']!) {
    if (/Succeeded|Failed/.test(String(pod['status']!['phase']))) continue;
    if (pod['spec']!['nodeName'] === undefined) continue;
    for (const container of pod['spec']!['containers']!) sum += millis(container);
  }
  return sum;
}

function millis(container: Json): number {
  const text = String(container['resources']?.['requests']?.['cpu'] ?? '0');
  return text.endsWith('m') ? Number(text.slice(0, -1)) : Number(text) * 1000;
}

suite('Shares', () => {
  test('By weight 1:2:1, two frameworks and a Deployment get their shares', async () => {
    await using cluster = await startCluster({ up: ['--node-cpus', '2'] });
    await put(cluster, '/weights', [
      { role: 'one', weight: 1 },
      { role: 'two', weight: 2 },
      { role: 'three', weight: 1 },
    ]);
    await namespaceOfRole(cluster, 'pods-three', 'three');
    const fill = { atOnce: 40, seconds: 10 };
    const one = hungry(cluster, { role: 'one', ...fill });
    const two = hungry(cluster, { role: 'two', ...fill });
    try {
      await until(
        'tasks of both',
        () => Promise.resolve(one.running() > 0 && two.running() > 0),
        40,
      );
      await cluster.call(
        'POST',
        '/apis/apps/v1/namespaces/pods-three/deployments',
        deployment('three', 20),
      );
      let shares: readonly number[] = [];
      await until(
        'shares of a quarter, a half and a quarter',
        async () => {
          const all = [
            await held(cluster, 'mesos-hungry-one'),
            await held(cluster, 'mesos-hungry-two'),
            await held(cluster, 'pods-three'),
          ];
          shares = all.map((one) => one / 2000);
          return [0.25, 0.5, 0.25].every((want, at) => Math.abs(want - (shares[at] ?? 0)) <= 0.05);
        },
        60,
      ).catch((error: unknown) => {
        throw new Error(`Shares are ${shares.join(', ')}`, { cause: error });
      });
    } finally {
      await Promise.all([one.teardown(), two.teardown()]);
    }
    // Alone, the Deployment gets everything it wants.
    await until(
      'the lone demander to have all',
      async () => (await held(cluster, 'pods-three')) >= 1900,
      30,
    );
  });

  test('A quota binds tasks and Pods of its role together', async () => {
    await using cluster = await startCluster({ up: ['--node-cpus', '2'] });
    await put(cluster, '/api/v1', {
      type: 'UPDATE_QUOTA',
      update_quota: { quota_configs: [{ role: 'bound', limits: { cpus: { value: 0.8 } } }] },
    });
    await namespaceOfRole(cluster, 'pods-bound', 'bound');
    const framework = hungry(cluster, { role: 'bound', atOnce: 5, seconds: 1000 });
    try {
      await until(
        'five tasks',
        async () => (await held(cluster, 'mesos-hungry-bound')) === 500,
        20,
      );
      await cluster.call(
        'POST',
        '/apis/apps/v1/namespaces/pods-bound/deployments',
        deployment('rest', 10),
      );
      await until('three Pods', async () => (await held(cluster, 'pods-bound')) === 300, 20);
      await sleep(3000);
      assert.equal(await held(cluster, 'pods-bound'), 300);
      assert.equal(await held(cluster, 'mesos-hungry-bound'), 500);
    } finally {
      await framework.teardown();
    }
  });

  test('A node that both sides fill at once is never oversold', async () => {
    await using cluster = await startCluster({ up: ['--node-cpus', '1'] });
    const deployments = '/apis/apps/v1/namespaces/plain/deployments';
    await namespaceOfRole(cluster, 'plain', '*');
    await cluster.call('POST', deployments, deployment('rush', 8));
    const framework = hungry(cluster, { role: '*', atOnce: 20, seconds: 0.3 });
    try {
      let most = 0;
      for (let turn = 0; turn < 60; turn++) {
        if (turn % 10 === 0)
          await cluster.call('PATCH', `${deployments}/rush`, {
            spec: { replicas: turn % 20 === 0 ? 8 : 1 },
          });
        most = Math.max(most, await held(cluster));
        await sleep(100);
      }
      assert.ok(most <= 1000, `${most} of 1000 millicores were given away`);
      assert.ok(most >= 900, `${most} of 1000 millicores were used`);
      const lost = [...framework.updates.values()]
        .flat()
        .filter(({ state }) => /LOST|DROPPED|ERROR/.test(state));
      for (const status of lost)
        assert.equal(status.reason, 'REASON_INVALID_OFFERS', status.message);
    } finally {
      await framework.teardown();
    }
  });
});
