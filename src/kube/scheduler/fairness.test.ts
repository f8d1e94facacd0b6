import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createFakeApi, createRecorder } from '#client';
import { groupEvents, namespaces, nodes, pods, type Pod } from '#kube/kinds';
import { createPool } from '#pool';
import { createSimClock, seededRandom } from '#sim';
import { createScheduler, type BindMany } from './scheduler.ts';

/** Nodes of 8 CPUs, namespaces of the same name as their role. */
async function world(nodeCount: number, roles: readonly string[]) {
  const clock = createSimClock();
  const random = seededRandom(1);
  const api = createFakeApi({ clock, random });
  const pool = createPool();
  const bindMany: BindMany = async (bindings) => {
    const verdicts = pool.commit(bindings.map(({ claim }) => claim));
    for (const [at, { pod, node }] of bindings.entries()) {
      const { name, namespace } = pod.metadata;
      const path = { name, namespace, subresource: 'binding' };
      if (verdicts[at]?.ok === true) await api.post(pods, path, { target: { name: node } });
    }
    pool.check();
    return verdicts;
  };
  const recorder = createRecorder({ api, clock, component: 'default-scheduler', style: 'events' });
  const scheduler = createScheduler({ api, pool, bindMany, clock, random, recorder });
  for (const name of roles)
    await api.create(namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: name === 'default' ? {} : { 'tandem.dev/role': name } },
      spec: {},
      status: {},
    });
  for (let at = 0; at < nodeCount; at++) {
    const amounts = { cpu: '8', memory: '8Gi', pods: '110' };
    await api.create(nodes, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: `n${at}`, labels: {} },
      spec: {},
      status: { allocatable: amounts, capacity: amounts },
    });
    pool.setNode({ name: `n${at}`, amounts: { cpu: 8000, memory: 8 * 2 ** 30, pods: 110 } });
  }
  const stop = new AbortController();
  const running = scheduler.run(stop.signal);
  const settle = async () => {
    for (let round = 0; round < 40; round++) await clock.settle();
  };
  await settle();
  return {
    pool,
    api,
    settle,
    recorder,
    pass: async (ms: number) => {
      await clock.advance(ms);
      await settle();
    },
    addPods: async (namespace: string, count: number, facts: { cpu: string; spec?: object }) => {
      for (let at = 0; at < count; at++)
        await api.create(pods, {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { generateName: 'p-', namespace, labels: {} },
          spec: {
            containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: facts.cpu } } }],
            ...facts.spec,
          },
          status: {},
        });
      await settle();
    },
    bound: (namespace: string) =>
      api
        .all<Pod>(pods)
        .filter(({ metadata, spec }) => metadata.namespace === namespace && spec.nodeName).length,
    messages: () =>
      new Set(
        api
          .all<Pod>(pods)
          .map(({ status }) => status.conditions?.find(({ type }) => type === 'PodScheduled'))
          .filter((one) => one?.status === 'False')
          .map((one) => one?.message),
      ),
    end: async () => {
      stop.abort();
      await running;
      pool.check();
    },
  };
}

suite('Pods and other roles', () => {
  const tasks = [{ role: 'tasks', piece: { cpu: 1000 } }];

  test('take their fair share while another role waits, say so, and the rest afterwards', async () => {
    const w = await world(2, ['web']);
    w.pool.setDemand('mesos', tasks);
    await w.addPods('web', 12, { cpu: '1' });
    assert.equal(w.bound('web'), 8);
    await w.recorder.flush();
    const why =
      '0/2 nodes are available: role "web" has its fair share of 50 % while role "tasks" waits for room.';
    assert.deepEqual(w.messages(), new Set([why]));
    assert.deepEqual(
      w.api.all(groupEvents).filter((one) => 'note' in one && one.note === why).length > 0,
      true,
    );
    w.pool.setDemand('mesos', []);
    await w.pass(200);
    assert.equal(w.bound('web'), 12);
    await w.end();
  });

  test('do not wait for tasks that are too large for what is left', async () => {
    const w = await world(1, ['web']);
    w.pool.setDemand('mesos', tasks);
    await w.addPods('web', 8, { cpu: '1' });
    assert.equal(w.bound('web'), 4);
    const claim = { node: 'n0', epoch: 0, ports: [], role: 'tasks' };
    w.pool.commit([{ ...claim, owner: 'task', amounts: { cpu: 3000 } }]);
    await w.pass(400);
    assert.equal(w.bound('web'), 4);
    // What is left is too little for another task: nobody is kept waiting for it.
    w.pool.setDemand('mesos', [{ role: 'tasks', piece: { cpu: 2000 } }]);
    await w.pass(400);
    assert.equal(w.bound('web'), 5);
    await w.end();
  });

  test('are not held back by who is on the same role, nor by who cannot use the node', async () => {
    const w = await world(1, ['default', 'web']);
    w.pool.setDemand('mesos', [
      { role: '*', piece: { cpu: 1000 } },
      { role: 'tasks', piece: { cpu: 9000 } },
      { role: 'tasks', piece: {}, usable: (node) => node !== 'n0' },
    ]);
    await w.addPods('default', 8, { cpu: '1' });
    assert.equal(w.bound('default'), 8);
    await w.end();
  });

  test('are not held back when the cluster itself needs them', async () => {
    const w = await world(1, ['web']);
    w.pool.setDemand('mesos', tasks);
    await w.addPods('web', 8, { cpu: '1', spec: { priority: 2_000_000_000 } });
    assert.equal(w.bound('web'), 8);
    await w.end();
  });

  test('divide by weight what comes free, however it was before', async () => {
    const w = await world(2, ['one', 'three']);
    w.pool.setWeight('three', 3);
    await w.addPods('one', 20, { cpu: '1' });
    assert.equal(w.bound('one'), 16);
    await w.addPods('three', 20, { cpu: '1' });
    assert.equal(w.bound('three'), 0);
    for (const pod of w.api.all<Pod>(pods).filter(({ spec }) => spec.nodeName !== undefined)) {
      const { namespace, name } = pod.metadata;
      await w.api.delete(pods, { namespace, name }, { gracePeriodSeconds: 0 });
      w.pool.release(`pod/${namespace}/${name}`);
    }
    await w.addPods('one', 20, { cpu: '1' });
    await w.pass(20_000);
    assert.deepEqual([w.bound('one'), w.bound('three')], [4, 12]);
    await w.end();
  });

  test('divide what comes at once, whoever is first in the queue', async () => {
    const w = await world(2, ['one', 'three']);
    w.pool.setWeight('three', 3);
    const waves = [w.addPods('one', 20, { cpu: '1' }), w.addPods('three', 20, { cpu: '1' })];
    await Promise.all(waves);
    await w.pass(5000);
    assert.deepEqual([w.bound('one'), w.bound('three')], [4, 12]);
    await w.end();
  });

  test('keep to limits, and leave what is guaranteed to others', async () => {
    const w = await world(1, ['default', 'web']);
    w.pool.setQuota('web', { cpu: 2000 });
    w.pool.setQuota('tasks', undefined, { cpu: 3000 });
    await w.addPods('web', 4, { cpu: '1' });
    await w.addPods('default', 8, { cpu: '1' });
    assert.deepEqual([w.bound('web'), w.bound('default')], [2, 3]);
    w.pool.setQuota('tasks', undefined);
    await w.pass(30_000);
    assert.deepEqual([w.bound('web'), w.bound('default')], [2, 6]);
    await w.end();
  });

  test('are made known to the pool while they wait for room', async () => {
    const w = await world(1, ['web']);
    await w.addPods('web', 11, { cpu: '1' });
    const [demand, ...others] = w.pool.demands('kube');
    assert.deepEqual(others, []);
    assert.deepEqual(
      { role: demand?.role, cpu: demand?.piece['cpu'], count: demand?.count },
      { role: 'web', cpu: 1000, count: 3 },
    );
    assert.equal(demand?.usable?.('n0', {}), true);
    for (const pod of w.api.all<Pod>(pods).filter(({ spec }) => spec.nodeName === undefined))
      await w.api.delete(pods, { namespace: 'web', name: pod.metadata.name });
    await w.settle();
    assert.deepEqual(w.pool.demands('kube'), []);
    await w.addPods('web', 1, { cpu: '1' });
    assert.equal(w.pool.demands('kube').length, 1);
    await w.end();
    assert.deepEqual(w.pool.demands('kube'), []);
  });
});
