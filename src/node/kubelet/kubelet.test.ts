import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPod, read, world } from './world.test.ts';
import { configMaps, nodes, pods } from './resources.ts';
test('A Pod becomes Running and Ready, and its status says what runs', async () => {
  const { api, clock, events, stop } = await world();
  await createPod(api, 'a');
  await clock.advance(50);
  const { status } = await read(api, 'a');
  assert.equal(status.phase, 'Running');
  assert.equal(status.podIP, '10.1.0.1');
  assert.equal(status.hostIP, '192.168.0.1');
  const container = status.containerStatuses?.[0];
  assert.equal(container?.ready, true);
  assert.equal(container?.started, true);
  assert.equal(container?.containerID, 'tandem://c2');
  assert.equal(container?.imageID, 'app@sha256:1');
  assert.deepEqual(
    status.conditions?.map(({ type, status: value }) => [type, value]),
    [
      ['PodReadyToStartContainers', 'True'],
      ['Initialized', 'True'],
      ['Ready', 'True'],
      ['ContainersReady', 'True'],
      ['PodScheduled', 'True'],
    ],
  );
  assert.deepEqual(
    events.filter((text) => !text.startsWith('Starting') && !text.startsWith('Node')),
    [
      'Pulled: Container image "app" already present on machine and can be accessed by the pod',
      'Created: Container created',
      'Started: Container started',
    ],
  );
  await stop();
});

test('The node registers with labels, conditions and a lease', async () => {
  const { api, stop } = await world();
  const node = await api.get(nodes, { name: 'n1' });
  assert.equal(node.metadata.labels?.['kubernetes.io/hostname'], 'n1');
  assert.equal(node.status.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
  assert.equal(node.status.capacity?.['memory'], `${8 * 2 ** 20}Ki`);
  assert.equal(node.status.nodeInfo.kubeletVersion, 'v1.36.2+tandem');
  await stop();
});

test('A resource that the node was told to have is for Pods until it is taken away', async () => {
  const { api, clock, stop } = await world();
  const gpu = 'nvidia.com/gpu';
  const tell = async (value: string | null): Promise<Readonly<Record<string, string>>> => {
    const where = { name: 'n1', subresource: 'status' };
    const body = { status: { capacity: { [gpu]: value } } };
    await api.patch(nodes, where, { type: 'merge', body });
    await clock.advance(20_000);
    return (await api.get(nodes, { name: 'n1' })).status.allocatable ?? {};
  };
  assert.equal((await tell('2'))[gpu], '2');
  assert.equal((await tell('3'))[gpu], '3');
  assert.equal(gpu in (await tell(null)), false);
  await stop();
});

test('A container that is killed is back at once, then waits 10 s, 20 s, 40 s', async () => {
  const { api, clock, runtime, events, stop } = await world({
    program: () => ({ exitAfterMs: 100, exitCode: 3 }),
  });
  await createPod(api, 'a');
  await clock.advance(1000);
  assert.deepEqual(runtime.starts, ['c/0', 'c/1']);
  const { status } = await read(api, 'a');
  assert.equal(
    status.containerStatuses?.[0]?.state.waiting?.message?.replace(/\(.*/, ''),
    'back-off 10s restarting failed container=c pod=a_default',
  );
  assert.equal(status.containerStatuses?.[0]?.state.waiting?.reason, 'CrashLoopBackOff');
  assert.equal(status.containerStatuses?.[0]?.lastState.terminated?.exitCode, 3);
  assert.equal(status.phase, 'Running');
  await clock.advance(10_000);
  assert.equal(runtime.starts.length, 3);
  await clock.advance(15_000);
  assert.equal(runtime.starts.length, 3);
  await clock.advance(6000);
  assert.equal(runtime.starts.length, 4);
  assert(
    events.some((text) =>
      text.startsWith('BackOff: Back-off restarting failed container c in pod a_default('),
    ),
  );
  await stop();
});

test('A deleted Pod gets SIGTERM, its final status, and is gone with everything it had', async () => {
  const { api, clock, runtime, files, stop } = await world({ program: () => ({ termMs: 500 }) });
  await createPod(api, 'a');
  await clock.advance(100);
  await api.delete(pods, { namespace: 'default', name: 'a' });
  await clock.advance(300);
  assert.equal(runtime.containers()[0]?.state, 'running');
  await clock.advance(400);
  assert.deepEqual(api.all(pods), []);
  assert.deepEqual(runtime.containers(), []);
  assert.deepEqual(runtime.sandboxes(), []);
  assert.deepEqual(await files.list('/pods'), []);
  await stop();
});

test('A deaf container is killed when the grace is over', async () => {
  const { api, clock, runtime, stop } = await world({ program: () => ({ termMs: 1e9 }) });
  await createPod(api, 'a', { terminationGracePeriodSeconds: 5 });
  await clock.advance(100);
  await api.delete(pods, { namespace: 'default', name: 'a' });
  await clock.advance(4800);
  assert.equal(runtime.containers().length, 1);
  await clock.advance(400);
  assert.deepEqual(runtime.containers(), []);
  assert.deepEqual(api.all(pods), []);
  await stop();
});

test('Init containers run one after the other, sidecars keep running, the Pod ends Succeeded', async () => {
  const { api, clock, runtime, stop } = await world({
    program: ({ name }) => (name === 'side' ? {} : { exitAfterMs: 100, exitCode: 0 }),
  });
  const container = { image: 'app', resources: {} };
  await createPod(api, 'a', {
    restartPolicy: 'Never',
    initContainers: [
      { name: 'one', ...container },
      { name: 'side', restartPolicy: 'Always', ...container },
      { name: 'two', ...container },
    ],
    containers: [{ name: 'main', ...container }],
  });
  await clock.advance(150);
  assert.equal((await read(api, 'a')).status.phase, 'Pending');
  await clock.advance(1000);
  assert.deepEqual(runtime.starts, ['one/0', 'side/0', 'two/0', 'main/0']);
  const { status } = await read(api, 'a');
  assert.equal(status.phase, 'Succeeded');
  assert.equal(status.conditions?.find(({ type }) => type === 'Ready')?.reason, 'PodCompleted');
  assert.equal(runtime.containers().filter(({ state }) => state === 'running').length, 0);
  await stop();
});

test('A failing init container with restartPolicy Never fails the Pod', async () => {
  const { api, clock, runtime, stop } = await world({
    program: () => ({ exitAfterMs: 10, exitCode: 1 }),
  });
  await createPod(api, 'a', {
    restartPolicy: 'Never',
    initContainers: [{ name: 'one', image: 'app', resources: {} }],
  });
  await clock.advance(500);
  assert.equal((await read(api, 'a')).status.phase, 'Failed');
  assert.deepEqual(runtime.starts, ['one/0']);
  await stop();
});

test('A bad image shows ErrImagePull, then stays in ImagePullBackOff', async () => {
  const { api, clock, events, stop } = await world();
  await createPod(api, 'a', { containers: [{ name: 'c', image: 'nope', resources: {} }] });
  await clock.advance(500);
  const first = (await read(api, 'a')).status.containerStatuses?.[0]?.state.waiting;
  assert.equal(first?.reason, 'ErrImagePull');
  await clock.advance(1500);
  const then = (await read(api, 'a')).status.containerStatuses?.[0]?.state.waiting;
  assert.equal(then?.reason, 'ImagePullBackOff');
  assert.match(
    then?.message ?? '',
    /^Back-off pulling image "nope": ErrImagePull: failed to resolve/,
  );
  assert(events.includes('Pulling: Pulling image "nope"'));
  assert(events.includes('Failed: Error: ImagePullBackOff'));
  await clock.advance(60_000);
  assert.equal(events.filter((text) => text === 'Pulling: Pulling image "nope"').length, 3);
  // Each further attempt says what went wrong, then what is waited for.
  const reasons = new Set<string | undefined>();
  const pulls = (): number => events.filter((text) => text.startsWith('Pulling: ')).length;
  for (const before = pulls(); pulls() === before; ) await clock.advance(1000);
  for (let turn = 0; turn < 20; turn++) {
    reasons.add((await read(api, 'a')).status.containerStatuses?.[0]?.state.waiting?.reason);
    await clock.advance(100);
  }
  assert.deepEqual([...reasons].slice(-2), ['ErrImagePull', 'ImagePullBackOff']);
  await stop();
});

test('A missing ConfigMap is named, and the container starts when it appears', async () => {
  const { api, clock, runtime, stop } = await world();
  await createPod(api, 'a', {
    containers: [
      {
        name: 'c',
        image: 'app',
        resources: {},
        env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'settings', key: 'x' } } }],
      },
    ],
  });
  await clock.advance(200);
  const waiting = (await read(api, 'a')).status.containerStatuses?.[0]?.state.waiting;
  assert.deepEqual(waiting, {
    reason: 'CreateContainerConfigError',
    message: 'configmap "settings" not found',
  });
  await api.create(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'default' },
    data: { x: '1' },
  });
  await clock.advance(200);
  assert.deepEqual(runtime.starts, ['c/0']);
  assert.deepEqual(runtime.containers()[0]?.spec.env, [{ name: 'X', value: '1' }]);
  await stop();
});

test('A failing liveness probe restarts the container after its threshold', async () => {
  let healthy = true;
  const { api, clock, runtime, events, stop } = await world({
    program: () => ({
      exec: () => ({ exitCode: healthy ? 0 : 1, output: Buffer.from('sick'), timedOut: false }),
    }),
  });
  await createPod(api, 'a', {
    containers: [
      {
        name: 'c',
        image: 'app',
        resources: {},
        livenessProbe: { exec: { command: ['check'] }, periodSeconds: 1, failureThreshold: 2 },
      },
    ],
  });
  await clock.advance(3000);
  assert.deepEqual(runtime.starts, ['c/0']);
  healthy = false;
  await clock.advance(2500);
  assert.deepEqual(runtime.starts, ['c/0', 'c/1']);
  assert(events.includes('Unhealthy: Liveness probe failed: sick'));
  assert(events.includes('Killing: Container c failed liveness probe, will be restarted'));
  await stop();
});

test('A Pod past its active deadline fails with DeadlineExceeded', async () => {
  const { api, clock, stop } = await world();
  await createPod(api, 'a', { activeDeadlineSeconds: 5 });
  await clock.advance(6500);
  const { status } = await read(api, 'a');
  assert.deepEqual([status.phase, status.reason], ['Failed', 'DeadlineExceeded']);
  await stop();
});

test('Nothing is written while nothing happens but the lease', async () => {
  const { api, clock, stop } = await world();
  await createPod(api, 'a');
  await clock.advance(5000);
  const before = api.writes;
  await clock.advance(60_000);
  assert.equal(api.writes - before, 6);
  await stop();
});

test('A pull shared by two Pods goes on when the Pod that began it is deleted', async () => {
  const { api, clock, events, stop } = await world({ registry: ['big'], pullMs: 1000 });
  const containers = [{ name: 'c', image: 'big', resources: {} }];
  await createPod(api, 'a', { containers });
  await clock.advance(100);
  await createPod(api, 'b', { containers });
  await clock.advance(100);
  await api.delete(pods, { namespace: 'default', name: 'a' });
  await clock.advance(3000);
  assert.equal((await read(api, 'b')).status.phase, 'Running');
  assert.equal(
    events.some((text) => text.startsWith('Failed')),
    false,
  );
  await stop();
});
