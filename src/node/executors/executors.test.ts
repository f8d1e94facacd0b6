import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FakeApi } from '#client';
import { StatusError } from '#machinery';
import type { KubeObject } from '#machinery';
import { seedsFromEnvironment } from '#sim';
import { pods } from './names.ts';
import { World, worldWith } from './test-world.test.ts';
import type { Launch } from './test-world.test.ts';

test('A command task starts, runs and finishes, each told once with its own uuid', async () => {
  const world = await worldWith(() => ({ exitAfterMs: 200 }));
  await world.launch('t1');
  await world.run(1000);
  assert.deepEqual(world.states('t1'), ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
  const last = world.last('t1');
  assert.equal(last?.message, 'Command exited with status 0');
  assert.equal(last?.source, 'SOURCE_EXECUTOR');
  assert.equal(last?.reason, undefined);
  assert.equal(Buffer.from(last?.uuid ?? '', 'base64').length, 16);
  const uid = world.pod('pod-t1')?.metadata.uid;
  assert.deepEqual(last?.container_status?.container_id, { value: uid });
  assert.deepEqual(last?.container_status?.network_infos, [
    { ip_addresses: [{ protocol: 'IPv4', ip_address: '192.168.0.1' }] },
  ]);
  world.crash();
});

test('An end is told in one write, whatever was acknowledged meanwhile', async () => {
  const world = await worldWith(() => ({}));
  await world.launch('t1');
  world.kubelet();
  await world.clock.advance(50);
  assert.equal(world.task('t1').status.updates?.length, 2);
  const calls: string[] = [];
  const { update, patch, get } = world.api;
  const note = <A extends unknown[], R>(name: string, call: (...args: A) => R) => {
    return (...args: A): R => {
      calls.push(name);
      return call.apply(world.api, args);
    };
  };
  // The agent's patch is on its way when the acknowledgement comes in.
  const late = async (...args: Parameters<FakeApi['patch']>): Promise<KubeObject> => {
    await world.acknowledge();
    return patch.apply(world.api, args);
  };
  Object.assign(world.api, { patch: note('patch', late), get: note('get', get) });
  world.machine.end(world.containerOf('t1'), 0);
  await world.clock.advance(50);
  assert.deepEqual(calls, ['patch']);
  const { state, updates } = world.task('t1').status;
  assert.equal(state, 'TASK_FINISHED');
  assert.deepEqual(
    updates?.map((one) => one.state),
    ['TASK_RUNNING', 'TASK_FINISHED'],
  );
  Object.assign(world.api, { update, patch, get });
  await world.run(200);
  assert.deepEqual(world.states('t1'), ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
  world.crash();
});

test('An append whose answer was lost is not made twice', async () => {
  const world = await worldWith(() => ({}));
  await world.launch('t1');
  await world.run(200);
  const { patch } = world.api;
  let lost = 0;
  const losing = async (...args: Parameters<FakeApi['patch']>): Promise<never> => {
    await patch.apply(world.api, args);
    lost += 1;
    throw new StatusError('ServiceUnavailable', 'the connection broke');
  };
  Object.assign(world.api, { patch: losing });
  world.machine.end(world.containerOf('t1'), 0);
  await world.clock.advance(50);
  Object.assign(world.api, { patch });
  await world.run(3000);
  assert.equal(lost, 1);
  assert.deepEqual(world.states('t1'), ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
  world.crash();
});

test('A task that fails says with what status, one of a signal by its name', async () => {
  const world = await worldWith(({ name }) => ({
    exitAfterMs: 100,
    exitCode: name === 'one' ? 1 : 139,
  }));
  await world.launch('one');
  await world.launch('two');
  await world.run(600);
  assert.equal(world.last('one')?.state, 'TASK_FAILED');
  assert.equal(world.last('one')?.message, 'Command exited with status 1');
  assert.equal(world.last('two')?.message, 'Command terminated with signal Segmentation fault');
  world.crash();
});

test('A task over its memory limit fails with that reason and what it may have', async () => {
  const world = await worldWith(() => ({ exitAfterMs: 100, exitCode: 137, oomKilled: true }));
  await world.launch('t1');
  await world.run(600);
  const last = world.last('t1');
  assert.equal(last?.reason, 'REASON_CONTAINER_LIMITATION_MEMORY');
  assert.match(last?.message ?? '', /^Memory limit exceeded: Requested: 32MB/);
  assert.equal(last?.limitation?.resources?.[0]?.scalar?.value, 32);
  world.crash();
});

test('A killed task gets SIGTERM, then SIGKILL when its grace is over', async () => {
  const world = await worldWith(
    ({ name }) => ({ termMs: name === 'deaf' ? undefined : 20 }),
    ['TASK_KILLING_STATE'],
  );
  await world.launch('good');
  await world.launch('deaf', {
    task: { kill_policy: { grace_period: { nanoseconds: 1e9 } } },
  });
  await world.run(500);
  await world.kill('good');
  await world.kill('deaf');
  await world.run(500);
  assert.deepEqual(world.states('good').slice(-2), ['TASK_KILLING', 'TASK_KILLED']);
  assert.equal(world.last('good')?.message, 'Command terminated with signal Terminated');
  assert.equal(world.last('deaf')?.state, 'TASK_KILLING');
  await world.run(700);
  assert.equal(world.last('deaf')?.message, 'Command terminated with signal Killed');
  world.crash();
});

test('A second kill can only shorten what is left of the grace', async () => {
  const world = await worldWith(() => ({ termMs: undefined }));
  await world.launch('t1');
  await world.run(300);
  await world.kill('t1', 60_000);
  await world.run(500);
  await world.kill('t1', 1000);
  await world.run(1200);
  assert.equal(world.last('t1')?.state, 'TASK_KILLED');
  world.crash();
});

test('Without the capability a framework is not told of TASK_KILLING', async () => {
  const world = await worldWith(() => ({}));
  await world.launch('t1');
  await world.run(300);
  await world.kill('t1');
  await world.run(500);
  assert.deepEqual(world.states('t1'), ['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLED']);
  world.crash();
});

test('A task killed before its container is made never runs', async () => {
  const world = await worldWith(() => ({}));
  await world.launch('t1');
  await world.kill('t1');
  await world.clock.advance(10);
  await world.run(500);
  assert.deepEqual(world.states('t1'), ['TASK_KILLED']);
  assert.equal(world.last('t1')?.reason, 'REASON_TASK_KILLED_DURING_LAUNCH');
  assert.equal(world.last('t1')?.message, 'Killed before delivery to the executor');
  assert.deepEqual(world.machine.started, []);
  world.crash();
});

test('A deleted Pod is a killed task, also when it is gone at once', async () => {
  const world = await worldWith(() => ({}));
  await world.launch('t1');
  await world.run(300);
  const target = { namespace: 'mesos-test', name: 'pod-t1' };
  await world.api.delete(pods, target, { gracePeriodSeconds: 0 });
  world.machine.end(world.containerOf('t1'), 137);
  await world.machine.removeContainer(world.containerOf('t1'));
  await world.run(500);
  assert.equal(world.last('t1')?.state, 'TASK_KILLED');
  world.crash();
});

test('What cannot be fetched fails the launch with the fetcher’s words', async () => {
  const world = await worldWith(() => ({}));
  await world.launch('t1', {
    task: { command: { value: 'true', uris: [{ value: 'http://localhost/a.tgz' }] } },
  });
  await world.run(500);
  assert.deepEqual(world.states('t1'), ['TASK_FAILED']);
  const { reason, message = '' } = world.last('t1') ?? {};
  assert.equal(reason, 'REASON_CONTAINER_LAUNCH_FAILED');
  assert.match(message, /^Failed to launch container: Failed to fetch all URIs for container '/);
  assert.match(message, /received HTTP return code 404$/);
  assert.deepEqual(world.machine.refused, ['pod-t1/t1: ContainerLaunchFailed']);
  world.crash();
});

test('An image that cannot be had fails the task, once', async () => {
  const world = await worldWith(() => ({}));
  await world.launch('t1');
  const pod = world.pod('pod-t1');
  assert(pod !== undefined);
  const waiting = { reason: 'ErrImagePull', message: 'no such image' };
  const containerStatuses = [
    {
      name: 't1',
      image: '',
      imageID: '',
      ready: false,
      restartCount: 0,
      state: { waiting },
      lastState: {},
    },
  ];
  const status = { ...pod.status, containerStatuses };
  await world.api.update(pods, { ...pod, status }, { subresource: 'status' });
  await world.clock.advance(100);
  await world.acknowledge();
  assert.equal(world.last('t1')?.message, 'Failed to launch container: no such image');
  await world.run(300);
  assert.deepEqual(world.states('t1'), ['TASK_FAILED']);
  world.crash();
});

test('A container finds its sandbox, its environment and its user', async () => {
  const world = await worldWith(() => ({}));
  world.web.set('http://x/run.sh', '#!/bin/sh');
  await world.launch('t1', {
    task: {
      command: {
        value: 'true',
        user: 'alice',
        uris: [{ value: 'http://x/run.sh', executable: true }],
      },
    },
  });
  await world.run(300);
  const uid = world.pod('pod-t1')?.metadata.uid ?? '';
  const dir = `/agent/slaves/A1/frameworks/F1/executors/t1/runs/${uid}`;
  const spec = world.machine.container(world.containerOf('t1'))?.spec;
  assert.equal(spec?.workingDir, dir);
  assert.equal(spec?.security.runAsUserName, 'alice');
  const env = new Map(spec?.env.map(({ name, value }) => [name, value]));
  assert.equal(env.get('MESOS_SANDBOX'), dir);
  assert.equal(env.get('MESOS_DIRECTORY'), dir);
  assert.equal(env.get('MESOS_AGENT_ENDPOINT'), '192.168.0.1:5051');
  assert.equal(env.get('MESOS_SLAVE_PID'), 'slave(1)@192.168.0.1:5051');
  assert.equal(env.get('MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD'), '5secs');
  assert.equal(
    world.files.text(`/agent/slaves/A1/frameworks/F1/executors/t1/runs/latest/run.sh`),
    '#!/bin/sh',
  );
  const facts = await world.files.facts(`${dir}/run.sh`);
  assert.deepEqual([facts?.uid, (facts?.mode ?? 0) & 0o777], [1000, 0o755]);
  world.crash();
});

function group(id: string, number: number): Launch['spec'] & { container: string } {
  return { execution: 'Group', executorID: 'ex', podName: 'pod-ex', container: id, group: number };
}

test('When one of a group fails the others of it are killed, other groups run on', async () => {
  const world = await worldWith(
    ({ name }) => (name === 'a1' ? { exitAfterMs: 500, exitCode: 3 } : {}),
    ['TASK_KILLING_STATE'],
  );
  for (const [id, number] of [
    ['a1', 0],
    ['a2', 0],
    ['b1', 1],
  ] as const)
    await world.launch(id, { spec: group(id, number) });
  await world.run(1500);
  assert.equal(world.last('a1')?.message, 'Command exited with status 3');
  assert.deepEqual(world.states('a2').slice(-2), ['TASK_KILLING', 'TASK_KILLED']);
  assert.deepEqual(world.states('b1'), ['TASK_STARTING', 'TASK_RUNNING']);
  const id = world.last('b1')?.container_status?.container_id;
  assert.equal(id?.parent?.value, world.pod('pod-ex')?.metadata.uid);
  assert.equal(id?.value, world.task('b1').metadata.uid);
  world.crash();
});

test('One of a group that finishes leaves the others alone', async () => {
  const world = await worldWith(({ name }) => (name === 'a1' ? { exitAfterMs: 300 } : {}));
  for (const id of ['a1', 'a2']) await world.launch(id, { spec: group(id, 0) });
  await world.run(1000);
  assert.equal(world.last('a1')?.state, 'TASK_FINISHED');
  assert.equal(world.last('a2')?.state, 'TASK_RUNNING');
  world.crash();
});

test('A task past its maximum completion time fails with that reason', async () => {
  const world = await worldWith(() => ({}), ['TASK_KILLING_STATE']);
  await world.launch('t1', { task: { max_completion_time: { nanoseconds: 1e9 } } });
  await world.run(1500);
  assert.deepEqual(world.states('t1'), ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FAILED']);
  assert.equal(world.last('t1')?.reason, 'REASON_MAX_COMPLETION_TIME_REACHED');
  world.crash();
});

test('A health check tells of health, of each failure, and kills after too many', async () => {
  let code = 0;
  const world = await worldWith(() => ({
    exec: () => ({ exitCode: code, output: new Uint8Array(), timedOut: false }),
  }));
  await world.launch('t1', {
    task: {
      health_check: {
        type: 'COMMAND',
        command: { value: 'true' },
        delay_seconds: 0,
        interval_seconds: 1,
        grace_period_seconds: 0,
        consecutive_failures: 2,
      },
    },
  });
  await world.run(2500);
  assert.equal(world.states('t1').length, 3, 'healthy is told once');
  assert.equal(world.last('t1')?.healthy, true);
  assert.equal(world.last('t1')?.reason, 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED');
  code = 1;
  await world.run(3000);
  const told = (world.told.get('t1') ?? []).map(({ state, healthy }) => `${state} ${healthy}`);
  assert.deepEqual(told.slice(2), [
    'TASK_RUNNING true',
    'TASK_RUNNING false',
    'TASK_RUNNING false',
    'TASK_KILLED false',
  ]);
  world.crash();
});

test('A general check tells of results when they change', async () => {
  let code = 0;
  const world = await worldWith(() => ({
    exec: () => ({ exitCode: code, output: new Uint8Array(), timedOut: false }),
  }));
  await world.launch('t1', {
    task: {
      check: {
        type: 'COMMAND',
        command: { command: { value: 'true' } },
        delay_seconds: 0,
        interval_seconds: 1,
      },
    },
  });
  await world.run(2500);
  code = 4;
  await world.run(2500);
  const results = (world.told.get('t1') ?? []).map(({ check_status: status }) => status);
  assert.deepEqual(results, [
    { type: 'COMMAND', command: {} },
    { type: 'COMMAND', command: {} },
    { type: 'COMMAND', command: { exit_code: 0 } },
    { type: 'COMMAND', command: { exit_code: 4 } },
  ]);
  world.crash();
});

const lifePattern =
  /^(TASK_STARTING,TASK_RUNNING(,TASK_KILLING)?,)?(TASK_FINISHED|TASK_FAILED|TASK_KILLED)$/;

async function simulate(seed: number): Promise<void> {
  const world = new World(seed);
  const { random } = world;
  world.machine.behaviour = ({ name }) => {
    const [kind, ms, code] = name.split('-');
    if (kind === 'once') return { exitAfterMs: Number(ms), exitCode: Number(code) };
    return { termMs: kind === 'deaf' ? undefined : 20 };
  };
  await world.start(random.chance(50) ? ['TASK_KILLING_STATE'] : []);
  const ids: string[] = [];
  for (let step = 0; step < 40; step++) {
    if (random.chance(50)) {
      const kind = random.pick(['good', 'deaf', `once-${random.below(400)}-${random.below(2)}`]);
      const id = `${kind}-${kind.startsWith('once') ? '' : '0-0-'}x${step}`;
      ids.push(id);
      const inGroup = random.chance(40);
      const number = random.below(3);
      await world.launch(id, inGroup ? { spec: group(id, number) } : {});
    }
    if (random.chance(25) && ids.length > 0) await world.kill(random.pick(ids), random.below(500));
    if (random.chance(30)) {
      world.kubelet();
      await world.clock.advance(random.below(12));
      world.crash();
      await world.clock.advance(random.below(300));
      await world.start();
    }
    await world.run(50 * random.below(5));
  }
  for (const id of ids) await world.kill(id, 100);
  await world.run(3000);
  for (const id of ids) assert.match(world.states(id).join(','), lifePattern, `life of ${id}`);
  const starts = world.machine.started;
  assert.equal(new Set(starts).size, starts.length, 'nothing ran twice');
  for (const { spec, state } of world.machine.containers())
    assert.equal(state, 'exited', `${spec.name} has ended`);
  world.crash();
}

test('Whenever the agent dies, every task is told of in order, once, to its end', async () => {
  for (const seed of seedsFromEnvironment(10)) {
    try {
      await simulate(seed);
    } catch (cause) {
      throw new Error(`Replay with SEED=${seed}`, { cause });
    }
  }
});
