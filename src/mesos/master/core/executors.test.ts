import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pods, type Pod } from '#kube/kinds';
import type { ExecutorInfo, Offer, TaskInfo } from '#mesos/protocol';
import { annotations } from '../doors.ts';
import { taskInfo, World, type TestFramework } from './fixture.test.ts';

async function started(): Promise<{ at: World; framework: TestFramework }> {
  const at = new World();
  await at.start();
  await at.addNode('n1');
  await at.clock.advance(1);
  return { at, framework: await at.framework({ capabilities: ['PARTITION_AWARE'] }) };
}

const small = [
  { name: 'cpus', type: 'SCALAR' as const, scalar: { value: 0.1 } },
  { name: 'mem', type: 'SCALAR' as const, scalar: { value: 32 } },
  { name: 'disk', type: 'SCALAR' as const, scalar: { value: 10 } },
];

function defaultExecutor(framework: TestFramework): ExecutorInfo {
  return {
    type: 'DEFAULT',
    executor_id: { value: 'e1' },
    framework_id: { value: framework.id },
    resources: small,
  };
}

function customExecutor(): ExecutorInfo {
  return {
    type: 'CUSTOM',
    executor_id: { value: 'e1' },
    command: { value: './executor' },
    resources: small,
  };
}

async function launchGroup(
  framework: TestFramework,
  offer: Offer,
  ...ids: string[]
): Promise<void> {
  await framework.call({
    type: 'ACCEPT',
    accept: {
      offer_ids: [offer.id],
      operations: [
        {
          type: 'LAUNCH_GROUP',
          launch_group: {
            executor: defaultExecutor(framework),
            task_group: { tasks: ids.map((id) => taskInfo(id, offer)) },
          },
        },
      ],
    },
  });
}

async function launchTasks(
  framework: TestFramework,
  offer: Offer,
  ...tasks: TaskInfo[]
): Promise<void> {
  await framework.call({
    type: 'ACCEPT',
    accept: {
      offer_ids: [offer.id],
      operations: [{ type: 'LAUNCH', launch: { task_infos: tasks } }],
    },
  });
}

function onlyPod(at: World): Pod {
  const [pod, ...others] = at.api.all(pods);
  assert.deepEqual(others, []);
  assert(pod);
  return pod;
}

test('A task group is a Pod with a container per task; further groups join it', async () => {
  const { at, framework } = await started();
  await using _ = at;
  await launchGroup(framework, await framework.offer(), 'a', 'b');
  assert.deepEqual(framework.updates(), []);
  assert.equal(onlyPod(at).spec.containers.length, 2);
  assert.equal(at.task('a').spec.group, 0);
  assert.equal(at.task('a').spec.execution, 'Group');
  const offer = await framework.offer();
  assert.deepEqual(offer.executor_ids, [{ value: 'e1' }]);
  await launchGroup(framework, offer, 'c');
  assert.equal(onlyPod(at).spec.containers.length, 3);
  assert.equal(at.task('c').spec.group, 1);
  assert.equal(at.task('c').spec.podName, at.task('a').spec.podName);
  at.master.check();
  const used = [...at.master.state.agents.values()][0]?.usedResources() ?? [];
  assert.equal(used.find(({ name }) => name === 'cpus')?.scalar?.value, 1.6);
});

test('A finished and acknowledged task of a group gives its room back, and stays for its log', async () => {
  const { at, framework } = await started();
  await using _ = at;
  await launchGroup(framework, await framework.offer(), 'a', 'b');
  await at.update('a', 'TASK_FINISHED');
  for (const status of framework.updates()) await framework.acknowledge(status);
  await at.clock.advance(1);
  const { spec } = onlyPod(at);
  const cpus = spec.containers.map(({ resources }) => resources.requests?.['cpu']);
  assert.deepEqual(cpus, ['0', '500m']);
  // What the executor itself holds is not its first task's.
  assert.deepEqual(spec.overhead, { cpu: '100m', memory: '32Mi', 'ephemeral-storage': '10Mi' });
  at.master.check();
});

test('A Pod of groups shows the newest of its ended containers, over restarts of the master', async () => {
  const { at, framework } = await started();
  await using _ = at;
  await launchGroup(framework, await framework.offer(), 'stays');
  let told = framework;
  for (let number = 0; number < 20; number++) {
    if (number === 10) {
      await at.restart();
      told = await at.framework({ id: framework.id, capabilities: ['PARTITION_AWARE'] });
    }
    const id = `t${number}`;
    await launchGroup(told, await told.offer(), id);
    await at.update(id, 'TASK_FINISHED');
    for (const status of told.updates())
      if (status.uuid !== undefined) await told.acknowledge(status);
    await at.clock.advance(1);
  }
  const names = onlyPod(at).spec.containers.map(({ name }) => name.replace(/-\w+$/, ''));
  const newest = Array.from({ length: 16 }, (_one, number) => `t${number + 4}`);
  assert.deepEqual(names, ['stays', ...newest]);
  at.master.check();
});

test('An invalid group launches nothing', async () => {
  const { at, framework } = await started();
  await using _ = at;
  const offer = await framework.offer();
  await framework.call({
    type: 'ACCEPT',
    accept: {
      offer_ids: [offer.id],
      operations: [
        {
          type: 'LAUNCH_GROUP',
          launch_group: {
            executor: { ...defaultExecutor(framework), resources: small.slice(0, 1) },
            task_group: { tasks: [taskInfo('a', offer), taskInfo('b', offer)] },
          },
        },
      ],
    },
  });
  const updates = framework.updates();
  assert.deepEqual(
    updates.map(({ state, reason }) => [state, reason]),
    [
      ['TASK_ERROR', 'REASON_TASK_GROUP_INVALID'],
      ['TASK_ERROR', 'REASON_TASK_GROUP_INVALID'],
    ],
  );
  assert.equal(
    updates[0]?.message,
    "Executor 'e1' uses less memory (None) than the minimum required (32MB)",
  );
  assert.equal(at.api.all(pods).length, 0);
  at.master.check();
});

test('Tasks of a custom executor share its Pod, which grows and shrinks with them', async () => {
  const { at, framework } = await started();
  await using _ = at;
  const offer = await framework.offer();
  const of = (id: string): TaskInfo => {
    const { command: _command, ...task } = taskInfo(id, offer);
    return { ...task, executor: customExecutor() };
  };
  await launchTasks(framework, offer, of('a'), of('b'));
  assert.deepEqual(framework.updates(), []);
  const pod = onlyPod(at);
  assert.deepEqual(
    pod.spec.containers.map(({ name }) => name),
    ['executor'],
  );
  assert.equal(pod.spec.containers[0]?.resources.requests?.['cpu'], '1100m');
  assert(pod.metadata.annotations?.[annotations.executor]);
  await launchTasks(framework, await framework.offer(), { ...of('c') });
  assert.equal(onlyPod(at).spec.containers[0]?.resources.requests?.['cpu'], '1600m');
  assert.equal(at.task('c').spec.container, undefined);
  await at.update('a', 'TASK_FINISHED');
  await at.clock.advance(1);
  assert.equal(onlyPod(at).spec.containers[0]?.resources.requests?.['cpu'], '1100m');
  at.master.check();
});

test('An executor that ends is a FAILURE with its wait status, and gives its room back', async () => {
  const { at, framework } = await started();
  await using _ = at;
  const offer = await framework.offer();
  const { command: _command, ...task } = taskInfo('a', offer);
  await launchTasks(framework, offer, { ...task, executor: customExecutor() });
  const pod = onlyPod(at);
  await at.update('a', 'TASK_FAILED', { reason: 'REASON_EXECUTOR_TERMINATED' });
  await at.endPod(pod.metadata.name, pod.metadata.namespace ?? '');
  const [failure] = framework.take('FAILURE');
  assert.deepEqual(failure?.failure?.executor_id, { value: 'e1' });
  assert.equal(failure?.failure?.status, -1);
  at.master.check();
  const [agent] = at.master.state.agents.values();
  assert.deepEqual(agent?.usedResources(), []);
});

/** The Pod's containers end with this, as the kubelet writes it. */
async function endWith(at: World, exitCode: number): Promise<void> {
  const pod = onlyPod(at);
  const terminated = { exitCode, reason: 'Error' };
  const containerStatuses = pod.spec.containers.map(({ name }) => ({
    name,
    image: '',
    imageID: '',
    ready: false,
    restartCount: 0,
    state: { terminated },
    lastState: {},
  }));
  await at.api.update(
    pods,
    { ...pod, status: { ...pod.status, containerStatuses } },
    { subresource: 'status' },
  );
  await at.endPod(pod.metadata.name, pod.metadata.namespace ?? '');
}

for (const [exitCode, status] of [
  [0, 0],
  [3, 3 << 8],
  [137, 9],
  [143, 15],
] as const)
  test(`A custom executor that ends with ${exitCode} has the wait status ${status}`, async () => {
    const { at, framework } = await started();
    await using _ = at;
    const offer = await framework.offer();
    const { command: _command, ...task } = taskInfo('a', offer);
    await launchTasks(framework, offer, { ...task, executor: customExecutor() });
    await endWith(at, exitCode);
    assert.equal(framework.take('FAILURE')[0]?.failure?.status, status);
  });

test('A default executor has ended by itself, whatever became of its tasks', async () => {
  const { at, framework } = await started();
  await using _ = at;
  await launchGroup(framework, await framework.offer(), 'a', 'b');
  await endWith(at, 143);
  assert.equal(framework.take('FAILURE')[0]?.failure?.status, 0);
});

test('SHUTDOWN deletes the Pod of the executor', async () => {
  const { at, framework } = await started();
  await using _ = at;
  const offer = await framework.offer();
  const { command: _command, ...task } = taskInfo('a', offer);
  await launchTasks(framework, offer, { ...task, executor: customExecutor() });
  await framework.call({
    type: 'SHUTDOWN',
    shutdown: { executor_id: { value: 'e1' }, agent_id: offer.agent_id },
  });
  assert(onlyPod(at).metadata.deletionTimestamp);
});

test('A restarted master knows executors and lets groups join them', async () => {
  const { at, framework } = await started();
  await using _ = at;
  await launchGroup(framework, await framework.offer(), 'a');
  await at.restart();
  const again = await at.framework({ id: framework.id, capabilities: ['PARTITION_AWARE'] });
  const offer = await again.offer();
  assert.deepEqual(offer.executor_ids, [{ value: 'e1' }]);
  await launchGroup(again, offer, 'b');
  assert.deepEqual(again.updates(), []);
  assert.equal(at.task('b').spec.group, 1);
  assert.equal(onlyPod(at).spec.containers.length, 2);
  at.master.check();
});

test('What a task asks for and no Pod can give is TASK_ERROR with the reason', async () => {
  const { at, framework } = await started();
  await using _ = at;
  const offer = await framework.offer();
  await launchTasks(
    framework,
    offer,
    taskInfo('a', offer, {
      container: {
        type: 'DOCKER',
        docker: { image: 'x', parameters: [{ key: 'log-driver', value: 'syslog' }] },
      },
    }),
  );
  const [status] = framework.updates();
  assert.equal(status?.state, 'TASK_ERROR');
  assert.equal(
    status?.message,
    "Docker parameter 'log-driver=syslog' is not supported: it has no counterpart on Tandem",
  );
});
