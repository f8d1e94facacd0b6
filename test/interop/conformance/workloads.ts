/** Deployments, ReplicaSets, what the garbage collector does, ends of namespaces. */
import assert from 'node:assert/strict';
import {
  condition,
  forever,
  image,
  isReady,
  list,
  names,
  podOf,
  type Case,
  type Json,
  type Space,
  type World,
} from './kit.ts';

const apps = '[sig-apps] ';
const machinery = '[sig-api-machinery] ';

function template(app: string, script = forever, more: object = {}): object {
  return {
    metadata: { labels: { app } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'main',
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['/bin/sh', '-c', script],
        },
      ],
      ...more,
    },
  };
}
function workload(name: string, replicas: number, spec: object = {}): object {
  return {
    metadata: { name, labels: { app: name } },
    spec: { replicas, selector: { matchLabels: { app: name } }, template: template(name), ...spec },
  };
}
const sets = (space: Space): string => `${space.apps}/replicasets`;
const deployments = (space: Space): string => `${space.apps}/deployments`;
const count = (object: Json | undefined, field: string): number =>
  Number(object?.status?.[field] ?? 0);
const hasRolled = (it: Json | undefined): boolean =>
  Number(it?.status?.observedGeneration) >= Number(it?.metadata?.generation) &&
  count(it, 'updatedReplicas') === Number(it?.spec?.replicas) &&
  count(it, 'availableReplicas') === Number(it?.spec?.replicas) &&
  count(it, 'replicas') === Number(it?.spec?.replicas);
/** A template's change that needs new Pods. */
const marked = (mark: string): object => ({
  spec: { template: { metadata: { annotations: { mark } } } },
});
const owner = (object: Json | undefined): Json | undefined =>
  list(object?.metadata?.ownerReferences).find((it) => it.controller === (true as unknown));

export const workloadCases: readonly Case[] = [
  {
    name: 'A Deployment rolls to a new template and leaves only new Pods',
    covers: [
      `${apps}Deployment RollingUpdateDeployment should delete old pods and create new ones`,
      `${apps}Deployment deployment should delete old replica sets`,
    ],
    run: async (world) => {
      const space = await world.namespace('rolling');
      const path = `${deployments(space)}/d`;
      await world.post(deployments(space), workload('d', 2, { revisionHistoryLimit: 0 }));
      await world.when(path, hasRolled);
      const before = names(await world.items(`${space.core}/pods`));
      await world.patch(path, marked('new'));
      await world.when(path, hasRolled);
      const left = await world.whenAll(sets(space), (items) => items.length === 1);
      assert.match(
        String(left[0]?.metadata?.annotations?.['deployment.kubernetes.io/revision']),
        /^2$/,
      );
      const pods = await world.whenAll(`${space.core}/pods`, (items) => items.length === 2);
      assert.ok(pods.every((it) => !before.includes(String(it.metadata?.name))));
    },
  },
  {
    name: 'Recreate ends all old Pods before the first new one',
    covers: [`${apps}Deployment RecreateDeployment should delete old pods and create new ones`],
    run: async (world) => {
      const space = await world.namespace('recreate');
      const path = `${deployments(space)}/d`;
      await world.post(deployments(space), workload('d', 2, { strategy: { type: 'Recreate' } }));
      await world.when(path, hasRolled);
      const listed = await world.get(`${space.core}/pods`);
      const old = new Set(names(list(listed.items)));
      await world.patch(path, marked('new'));
      const from = `${space.core}/pods?resourceVersion=${listed.metadata?.resourceVersion}`;
      let ready = 0;
      for await (const { type, object } of world.watch(from)) {
        const name = String(object.metadata?.name);
        const ended = ['Succeeded', 'Failed'].includes(String(object.status?.phase));
        if (type === 'DELETED' || (old.has(name) && ended)) old.delete(name);
        else if (!old.has(name) && type === 'ADDED')
          assert.equal(old.size, 0, 'no old Pod runs when a new one comes');
        else if (!old.has(name) && isReady(object) && ++ready === 2) break;
      }
    },
  },
  {
    name: 'A rollout that is overtaken by another ends with the last template only',
    covers: [`${apps}Deployment deployment should support rollover`],
    run: async (world) => {
      const space = await world.namespace('rollover');
      const path = `${deployments(space)}/d`;
      await world.post(
        deployments(space),
        workload('d', 1, { template: template('d', forever, {}), minReadySeconds: 1 }),
      );
      await world.patch(path, {
        spec: {
          template: template('d', forever, {
            containers: [{ name: 'main', image: 'nowhere.invalid/none:1' }],
          }),
        },
      });
      await world.whenAll(sets(space), (items) => items.length === 2);
      await world.patch(path, { spec: { template: template('d', `echo last; ${forever}`) } });
      await world.when(path, hasRolled);
      const items = await world.items(sets(space));
      assert.equal(items.filter((it) => Number(it.spec?.replicas) > 0).length, 1);
    },
  },
  {
    name: 'A Deployment that grows amid a rollout shares the growth among its ReplicaSets',
    covers: [`${apps}Deployment deployment should support proportional scaling`],
    run: proportional,
  },
  {
    name: 'A Deployment lives through create, patch, scale and status, and goes with its Pods',
    covers: [
      `${apps}Deployment should run the lifecycle of a Deployment`,
      `${apps}Deployment Deployment should have a working scale subresource`,
      `${apps}Deployment should validate Deployment Status endpoints`,
    ],
    run: (world) => lives(world, 'deployments'),
  },
  {
    name: 'A ReplicaSet lives through create, patch, scale and status, and goes with its Pods',
    covers: [
      `${apps}ReplicaSet Replace and Patch tests`,
      `${apps}ReplicaSet Replicaset should have a working scale subresource`,
      `${apps}ReplicaSet should validate Replicaset Status endpoints`,
      `${apps}ReplicaSet should list and delete a collection of ReplicaSets`,
    ],
    run: (world) => lives(world, 'replicasets'),
  },
  {
    name: 'A ReplicaSet adopts a Pod that fits and lets go of one that no longer does',
    covers: [
      `${apps}ReplicaSet should adopt matching pods on creation and release no longer matching pods`,
    ],
    run: async (world) => {
      const space = await world.namespace('adopt');
      await space.stays('orphan', forever, {
        metadata: { labels: { app: 'r' } },
        spec: { restartPolicy: 'Always' },
      });
      await world.post(sets(space), workload('r', 1));
      await world.when(space.pod('orphan'), (it) => String(owner(it)?.name) === 'r');
      await world.patch(space.pod('orphan'), { metadata: { labels: { app: 'other' } } });
      await world.when(space.pod('orphan'), (it) => owner(it) === undefined);
      const pods = await world.whenAll(
        `${space.core}/pods?labelSelector=app=r`,
        (items) => items.length === 1,
      );
      assert.notEqual(pods[0]?.metadata?.name, 'orphan');
    },
  },
  {
    name: 'Every replica of a ReplicaSet serves under its own name',
    covers: [`${apps}ReplicaSet should serve a basic image on each replica with a public image`],
    run: async (world) => {
      const space = await world.namespace('serve');
      await world.post(
        sets(space),
        workload('r', 2, { template: template('r', 'exec httpd -f -p 9376 -h /www') }),
      );
      const pods = await world.whenAll(
        `${space.core}/pods`,
        (items) => items.length === 2 && items.every(isReady),
      );
      for (const pod of pods) {
        const name = String(pod.metadata?.name);
        const answer = await world.send(
          'GET',
          `${space.core}/pods/${name}:9376/proxy/cgi-bin/hostname`,
        );
        assert.equal(answer.text, `${name}\n`);
      }
    },
  },
  {
    name: 'Deleting an owner takes its dependents along, or leaves them as orphans',
    covers: [
      `${machinery}Garbage collector should delete RS created by deployment when not orphaning`,
      `${machinery}Garbage collector should orphan RS created by deployment when deleteOptions.PropagationPolicy is Orphan`,
    ],
    run: async (world) => {
      const space = await world.namespace('gc');
      for (const name of ['away', 'stay']) {
        await world.post(deployments(space), workload(name, 1));
        await world.whenAll(
          `${sets(space)}?labelSelector=app=${name}`,
          (items) => items.length === 1,
        );
      }
      await world.delete(`${deployments(space)}/away`, { propagationPolicy: 'Background' });
      await world.delete(`${deployments(space)}/stay`, { propagationPolicy: 'Orphan' });
      await world.whenAll(`${sets(space)}?labelSelector=app=away`, (items) => items.length === 0);
      await world.whenAll(
        `${space.core}/pods?labelSelector=app=away`,
        (items) => items.length === 0,
      );
      await world.gone(`${deployments(space)}/stay`);
      const [kept] = await world.items(`${sets(space)}?labelSelector=app=stay`);
      assert.ok(kept);
      assert.deepEqual(list(kept.metadata?.ownerReferences), []);
    },
  },
  {
    name: 'Foreground deletion waits for dependents, and spares those with another owner',
    covers: [
      `${machinery}Garbage collector should not delete dependents that have both valid owner and owner that's waiting for dependents to be deleted [Serial]`,
    ],
    run: foreground,
  },
  {
    name: 'A circle of owners holds nobody up',
    covers: [`${machinery}Garbage collector should not be blocked by dependency circle`],
    run: async (world) => {
      const space = await world.namespace('circle');
      const made = [];
      for (const name of ['p1', 'p2', 'p3']) made.push(await space.create(podOf(name, forever)));
      for (const [at, pod] of made.entries()) {
        const before = made[(at + 2) % 3];
        const reference = {
          apiVersion: 'v1',
          kind: 'Pod',
          name: before?.metadata?.name,
          uid: before?.metadata?.uid,
          controller: true,
          blockOwnerDeletion: true,
        };
        await world.patch(space.pod(String(pod.metadata?.name)), {
          metadata: { ownerReferences: [reference] },
        });
      }
      await world.delete(space.pod('p1'), { propagationPolicy: 'Foreground' });
      await world.whenAll(`${space.core}/pods`, (items) => items.length === 0, 40);
    },
  },
  {
    name: 'A namespace goes with its Pods, these first, and says what it waits for',
    covers: [
      `${machinery}Namespaces [Serial] should ensure that all pods are removed when a namespace is deleted`,
      `${machinery}OrderedNamespaceDeletion namespace deletion should delete pod first`,
    ],
    run: async (world) => {
      const space = await world.namespace('order');
      const path = `/api/v1/namespaces/${space.name}`;
      await space.stays('p', forever, { metadata: { finalizers: ['example.com/hold'] } });
      await world.post(`${space.core}/configmaps`, { metadata: { name: 'later' }, data: {} });
      await world.delete(path);
      const waits = await world.when(
        path,
        (it) =>
          /pods/.test(String(condition(it, 'NamespaceDeletionContentFailure')?.message ?? '')) ||
          /pods/.test(String(condition(it, 'NamespaceContentRemaining')?.message ?? '')) ||
          String(condition(it, 'NamespaceDeletionContentFailure')?.status) === 'True',
      );
      assert.equal(waits.status?.phase, 'Terminating');
      assert.equal((await world.send('GET', `${space.core}/configmaps/later`)).status, 200);
      await world.patch(space.pod('p'), { metadata: { finalizers: null } });
      await world.gone(path, 40);
    },
  },
];

async function proportional(world: World): Promise<void> {
  const space = await world.namespace('proportion');
  const path = `${deployments(space)}/d`;
  const strategy = { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } };
  // Pods that exist but never come up are enough: no machine is asked for twenty real ones.
  await world.post(
    deployments(space),
    workload('d', 10, { strategy, template: template('d', forever) }),
  );
  await world.when(path, (it) => count(it, 'availableReplicas') === 10, 60);
  const nowhere = { containers: [{ name: 'main', image: 'nowhere.invalid/none:1' }] };
  await world.patch(path, { spec: { template: template('d', forever, nowhere) } });
  const sizes = (items: readonly Json[]): string =>
    items
      .map((it) => Number(it.spec?.replicas))
      .toSorted((a, b) => b - a)
      .join(' ');
  await world.whenAll(sets(space), (items) => sizes(items) === '8 5', 60);
  await world.patch(path, { spec: { replicas: 30 } });
  await world.whenAll(sets(space), (items) => sizes(items) === '20 13', 60);
  await world.delete(path, { propagationPolicy: 'Foreground' });
  await world.gone(path, 60);
}

async function lives(world: World, plural: 'deployments' | 'replicasets'): Promise<void> {
  const space = await world.namespace(plural);
  const collection = `${space.apps}/${plural}`;
  const path = `${collection}/w`;
  await world.post(collection, workload('w', 1));
  await world.when(path, (it) => count(it, 'readyReplicas') === 1);
  const patched = await world.patch(
    path,
    { metadata: { labels: { test: 'patched' } }, spec: { replicas: 2 } },
    'strategic',
  );
  assert.equal(patched.spec?.replicas, 2);
  await world.when(path, (it) => count(it, 'readyReplicas') === 2);
  const scale = await world.get(`${path}/scale`);
  assert.equal(scale.kind, 'Scale');
  assert.equal(scale.spec?.replicas, 2);
  assert.match(String(scale.status?.selector), /app=w/);
  await world.put(`${path}/scale`, { ...scale, spec: { replicas: 3 } });
  const scaled = await world.patch(`${path}/scale`, { spec: { replicas: 1 } });
  assert.equal(scaled.spec?.replicas, 1);
  assert.equal((await world.get(path)).spec?.replicas, 1);
  await world.when(path, (it) => count(it, 'replicas') === 1 && count(it, 'readyReplicas') === 1);
  const conditions = [
    { type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'Set from a case' },
  ];
  const status = await world.patch(`${path}/status`, {
    metadata: { annotations: { patchedstatus: 'true' } },
    status: { conditions },
  });
  assert.equal(condition(status, 'StatusUpdate')?.reason, 'E2E');
  const read = await world.get(`${path}/status`);
  assert.equal(read.metadata?.annotations?.patchedstatus, 'true');
  const put = await world.send('PUT', `${path}/status`, {
    body: { ...read, status: { ...read.status, conditions } },
  });
  assert.ok(put.status === 200 || put.status === 409, put.text);
  assert.equal((await world.items(`/apis/apps/v1/${plural}?labelSelector=test=patched`)).length, 1);
  await world.delete(`${collection}?labelSelector=test=patched`);
  await world.gone(path);
  await world.whenAll(`${space.core}/pods`, (items) => items.length === 0);
}

async function foreground(world: World): Promise<void> {
  const space = await world.namespace('owners');
  const [one, two] = [
    await world.post(sets(space), workload('one', 4)),
    await world.post(sets(space), workload('two', 0)),
  ];
  const pods = await world.whenAll(
    `${space.core}/pods?labelSelector=app=one`,
    (items) => items.length === 4,
  );
  const second = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'two', uid: two.metadata?.uid };
  for (const pod of pods.slice(0, 2))
    await world.patch(space.pod(String(pod.metadata?.name)), {
      metadata: { ownerReferences: [...list(pod.metadata?.ownerReferences), second] },
    });
  const deleted = await world.delete(`${sets(space)}/one`, { propagationPolicy: 'Foreground' });
  assert.ok(list(deleted.metadata?.finalizers).map(String).includes('foregroundDeletion'));
  await world.gone(`${sets(space)}/one`, 60);
  const left = await world.items(`${space.core}/pods?labelSelector=app=one`);
  assert.deepEqual(names(left), names(pods.slice(0, 2)));
  for (const pod of left)
    assert.ok(list(pod.metadata?.ownerReferences).every((it) => it.uid !== one.metadata?.uid));
}
