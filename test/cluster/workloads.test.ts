/** Controllers and scheduler on a real cluster, with plain processes as Pods: they start fastest. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowProcesses, processPod, startCluster, until, waitForever } from './cluster.ts';
import type { Cluster, Json } from './cluster.ts';

const path = '/apis/apps/v1/namespaces/default/deployments';

async function start(): Promise<Cluster> {
  const cluster = await startCluster();
  await allowProcesses(cluster);
  return cluster;
}

interface App {
  readonly name: string;
  readonly replicas: number;
  /** Part of the template: another one is another revision. */
  readonly version: string;
  readonly spec?: object;
  /** More of the container. */
  readonly container?: object;
}

const sick = { readinessProbe: { exec: { command: ['false'] }, periodSeconds: 1 } };

function deployment({ name, replicas, version, spec, container }: App): object {
  const main = { name: 'main', command: ['/bin/sh', '-c', waitForever], ...container };
  const pod = processPod(name, '', { containers: [main] }) as { readonly spec: object };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name }, annotations: { version } },
        spec: pod.spec,
      },
      ...spec,
    },
  };
}

async function kubectl(cluster: Cluster, line: string): Promise<string> {
  const ended = await cluster.kubectl(...line.split(' '));
  assert.equal(ended.code, 0, `kubectl ${line}: ${ended.err}`);
  return ended.out;
}
async function listOf(cluster: Cluster, url: string): Promise<readonly Json[]> {
  return [...(await cluster.call('GET', url))['items']!];
}
const podsOf = (cluster: Cluster, app: string): Promise<readonly Json[]> =>
  listOf(cluster, `/api/v1/namespaces/default/pods?labelSelector=app%3D${app}`);
const setsOf = (cluster: Cluster, app: string): Promise<readonly Json[]> =>
  listOf(cluster, `/apis/apps/v1/namespaces/default/replicasets?labelSelector=app%3D${app}`);
const versionOf = (object: Json): string => String(object['metadata']!['annotations']?.['version']);
const nameOf = (object: Json): string => String(object['metadata']!['name']);
const rolledOut = (cluster: Cluster, app: string): Promise<string> =>
  kubectl(cluster, `rollout status deployment/${app} --timeout=20s`);

function setVersion(cluster: Cluster, app: string, version: string): Promise<Json> {
  const template = { metadata: { annotations: { version } } };
  return cluster.call('PATCH', `${path}/${app}`, { spec: { template } });
}

test('Deployments roll, wait and give up as they are told', async (t) => {
  await using cluster = await start();

  await t.test('Recreate ends every old Pod before the first new one is there', async () => {
    const app = { name: 're', replicas: 3, version: '1', spec: { strategy: { type: 'Recreate' } } };
    await cluster.call('POST', path, deployment(app));
    await rolledOut(cluster, 're');
    const seen: string[][] = [];
    await setVersion(cluster, 're', '2');
    await until('only new Pods', async () => {
      // An old Pod that has ended may still be there: nothing of it runs.
      const living = (await podsOf(cluster, 're')).filter(
        (pod) => !['Failed', 'Succeeded'].includes(String(pod['status']!['phase'])),
      );
      const versions = living.map(versionOf);
      seen.push(versions);
      return versions.length === 3 && versions.every((version) => version === '2');
    });
    assert.ok(
      seen.every((versions) => new Set(versions).size <= 1),
      JSON.stringify(seen),
    );
    await rolledOut(cluster, 're');
    const described = await kubectl(cluster, 'describe deployment re');
    assert.match(described, /StrategyType: +Recreate/);
    assert.match(described, /ScalingReplicaSet .*Scaled down replica set re-\w+ from 3 to 0/);
    assert.match(described, /ScalingReplicaSet .*Scaled up replica set re-\w+ from 0 to 3/);
    assert.match(described, /Progressing +True +NewReplicaSetAvailable/);
    assert.match(described, /Available +True +MinimumReplicasAvailable/);
  });

  await t.test('RollingUpdate keeps within surge and what may be missing', async () => {
    const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 };
    const strategy = { type: 'RollingUpdate', rollingUpdate };
    const app = { name: 'roll', replicas: 3, version: '1', spec: { strategy } };
    await cluster.call('POST', path, deployment(app));
    await rolledOut(cluster, 'roll');
    await setVersion(cluster, 'roll', '2');
    await until('the roll-out to end', async () => {
      const { status } = (await cluster.call('GET', `${path}/roll`)) as unknown as {
        status: { replicas: number; availableReplicas?: number; updatedReplicas?: number };
      };
      assert.ok(
        status.replicas <= 4 && (status.availableReplicas ?? 0) >= 3,
        JSON.stringify(status),
      );
      return status.updatedReplicas === 3 && status.replicas === 3;
    });
  });

  await t.test('a paused one waits, scales in proportion, and goes on when resumed', async () => {
    const strategy = { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } };
    // What is new never gets ready: the roll-out stands still with Pods of both versions.
    await cluster.call(
      'POST',
      path,
      deployment({ name: 'part', replicas: 10, version: '1', spec: { strategy } }),
    );
    await rolledOut(cluster, 'part');
    const [container] = (deployment({ name: 'part', replicas: 10, version: '1' }) as Template).spec
      .template.spec.containers;
    await cluster.call('PATCH', `${path}/part`, {
      spec: { template: { spec: { containers: [{ ...container, ...sick }] } } },
    });
    const sizes = async (): Promise<string> =>
      (await setsOf(cluster, 'part'))
        .map((set) => Number(set['spec']!['replicas']))
        .toSorted((a, b) => a - b)
        .join();
    await until('5 new beside 8 old', async () => (await sizes()) === '5,8');
    await kubectl(cluster, 'scale deployment/part --replicas=15');
    // As the reference's documentation of proportional scaling has it: 13 become 18, split 11 and 7.
    await until('a split in proportion', async () => (await sizes()) === '7,11');
    await kubectl(cluster, 'rollout pause deployment/part');
    await cluster.call('PATCH', `${path}/part`, {
      spec: { template: { spec: { containers: [container] } } },
    });
    const refused = await cluster.kubectl('rollout', 'undo', 'deployment/part');
    assert.match(refused.err, /cannot rollback a paused deployment/);
    assert.equal(await sizes(), '7,11');
    assert.match(await kubectl(cluster, 'describe deployment part'), /DeploymentPaused/);
    await kubectl(cluster, 'rollout resume deployment/part');
    await rolledOut(cluster, 'part');
    await kubectl(cluster, 'delete deployment part');
  });

  await t.test('one that does not get on within its deadline says so', async () => {
    const spec = { progressDeadlineSeconds: 2 };
    await cluster.call(
      'POST',
      path,
      deployment({ name: 'late', replicas: 1, version: '1', container: sick, spec }),
    );
    const status = await cluster.kubectl('rollout', 'status', 'deployment/late', '--timeout=30s');
    assert.equal(status.code, 1);
    assert.match(status.err, /deployment "late" exceeded its progress deadline/);
    assert.match(
      await kubectl(cluster, 'describe deployment late'),
      /Progressing +False +ProgressDeadlineExceeded/,
    );
    await kubectl(cluster, 'delete deployment late');
  });
});

interface Template {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly object[] } };
  };
}

test('What is deleted takes with it what it should, and no more', async (t) => {
  await using cluster = await start();
  const app = async (name: string): Promise<void> => {
    await cluster.call('POST', path, deployment({ name, replicas: 2, version: '1' }));
    await rolledOut(cluster, name);
  };

  await t.test('in the background: the object at once, then its Pods', async () => {
    await app('back');
    await kubectl(cluster, 'delete deployment back --cascade=background --wait=false');
    assert.equal((await cluster.api('GET', `${path}/back`)).status, 404);
    await until('no Pods', async () => (await podsOf(cluster, 'back')).length === 0);
    assert.equal((await setsOf(cluster, 'back')).length, 0);
  });

  await t.test('in the foreground: the object last', async () => {
    await app('front');
    await kubectl(cluster, 'delete deployment front --cascade=foreground --wait=false');
    await until('the end', async () => {
      const gone = (await cluster.api('GET', `${path}/front`)).status === 404;
      if (gone) assert.equal((await podsOf(cluster, 'front')).length, 0, 'Pods outlived it');
      return gone;
    });
  });

  await t.test('orphans stay and are adopted again', async () => {
    await app('lone');
    const before = (await podsOf(cluster, 'lone')).map(nameOf).toSorted();
    await kubectl(cluster, 'delete deployment lone --cascade=orphan');
    const [set] = await setsOf(cluster, 'lone');
    assert.equal(set?.['metadata']!['ownerReferences'], undefined);
    await cluster.call('POST', path, deployment({ name: 'lone', replicas: 2, version: '1' }));
    await rolledOut(cluster, 'lone');
    assert.deepEqual((await podsOf(cluster, 'lone')).map(nameOf).toSorted(), before);
  });

  await t.test('a namespace goes with everything in it', async () => {
    await kubectl(cluster, 'create namespace doomed');
    const body = deployment({ name: 'app', replicas: 2, version: '1' });
    await cluster.call('POST', path.replace('default', 'doomed'), body);
    await kubectl(cluster, 'create configmap c -n doomed --from-literal=a=b');
    await kubectl(cluster, 'rollout status deployment/app -n doomed --timeout=20s');
    await kubectl(cluster, 'delete namespace doomed --timeout=60s');
    assert.equal((await cluster.api('GET', '/api/v1/namespaces/doomed')).status, 404);
    const refused = await cluster.kubectl('create', 'configmap', 'c', '-n', 'doomed');
    assert.match(refused.err, /namespaces "doomed" not found/);
  });
});

test('The scheduler says why, and taints drive Pods away', async (t) => {
  await using cluster = await start();
  const node = `/api/v1/nodes/${cluster.name}-1`;
  const pods = '/api/v1/namespaces/default/pods';
  const events = (pod: string): Promise<string> => kubectl(cluster, `describe pod ${pod}`);

  await t.test('a Pod that is too big stays Pending with the reason, and its event', async () => {
    const resources = { requests: { cpu: '1000' } };
    const container = { name: 'main', command: ['sleep', '1'], resources };
    await cluster.call('POST', pods, processPod('big', '', { containers: [container] }));
    const message =
      '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.';
    await cluster.podThat('big', (pod) =>
      [...(pod['status']!['conditions'] ?? [])].some((one) => String(one['message']) === message),
    );
    assert.ok((await events('big')).includes(message));
  });

  await t.test(
    'a cordoned node takes no new Pods, a Pod that tolerates it goes there',
    async () => {
      await kubectl(cluster, `cordon ${cluster.name}-1`);
      await cluster.call('POST', pods, processPod('waits', waitForever));
      await until('the reason', async () =>
        (await events('waits')).includes('0/1 nodes are available: 1 node(s) were unschedulable.'),
      );
      await kubectl(cluster, `uncordon ${cluster.name}-1`);
      await cluster.running('waits');
      assert.match(
        await events('waits'),
        new RegExp(`Successfully assigned default/waits to ${cluster.name}-1`),
      );
    },
  );

  await t.test('a claim that is not there is named', async () => {
    const volumes = [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }];
    await cluster.call('POST', pods, processPod('claims', waitForever, { volumes }));
    await until('the reason', async () =>
      (await events('claims')).includes('persistentvolumeclaim "data" not found'),
    );
  });

  await t.test('NoExecute ends Pods after their tolerations', async () => {
    const tolerations = [{ key: 'away', operator: 'Exists', effect: 'NoExecute' }];
    await cluster.call('POST', pods, processPod('stays', waitForever, { tolerations }));
    await cluster.running('stays');
    await cluster.call('PATCH', node, { spec: { taints: [{ key: 'away', effect: 'NoExecute' }] } });
    await until('the other to end', async () => (await cluster.pod('waits')) === undefined);
    assert.notEqual(await cluster.pod('stays'), undefined);
    const { out } = await cluster.kubectl('get', 'events');
    assert.match(out, /TaintManagerEviction/);
    await cluster.call('PATCH', node, { spec: { taints: null } });
  });
});
