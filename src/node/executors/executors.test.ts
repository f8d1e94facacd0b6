import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base';
import type { Clock } from '#base';
import { createFakeApi, createInformer } from '#client';
import type { FakeApi } from '#client';
import type { Pod } from '#kube/kinds';
import { frameworks, tasks } from '#mesos/kinds';
import type { Task, TaskSpec } from '#mesos/kinds';
import type { TaskInfo, TaskStatus } from '#mesos/protocol';
import type { ContainerSpec } from '#node/runtime';
import { createSimClock, seededRandom, seedsFromEnvironment } from '#sim';
import type { SeededRandom, SimClock } from '#sim';
import { createExecutors } from './executors.ts';
import { FakeSandboxFiles, fakeFetchTools } from './fake-files.ts';
import { FakeMachine, RefusedInTest } from './fake-machine.ts';
import type { Behaviour } from './fake-machine.ts';
import { podLabels, pods } from './names.ts';
import type { Executors } from './options.ts';

const never = new Promise<never>(() => undefined);

/** The same object until `dead`: from then on no call begins and none that is under way answers. */
function mortal<T extends object>(target: T, dead: AbortSignal): T {
  return new Proxy(target, {
    get(on, name) {
      const value: unknown = Reflect.get(on, name, on);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (dead.aborted) return never;
        const result: unknown = value.apply(on, args);
        if (!(result instanceof Promise)) return result;
        return result.then(
          (answer: unknown) => (dead.aborted ? never : answer),
          (error: unknown) => (dead.aborted ? never : Promise.reject(error)),
        );
      };
    },
  });
}

function mortalClock(clock: Clock, dead: AbortSignal): Clock {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    sleep: (delayMs, signal) =>
      clock.sleep(delayMs, signal).then(
        () => (dead.aborted ? never : undefined),
        (error: unknown) => (dead.aborted ? never : Promise.reject(error)),
      ),
    after: (delayMs, action) =>
      clock.after(delayMs, () => {
        if (!dead.aborted) action();
      }),
  };
}

interface Launch {
  readonly task?: Partial<TaskInfo>;
  readonly spec?: Partial<TaskSpec>;
}

/** One node's agent, a machine and an API: what a framework would be told is kept by task. */
class World {
  readonly clock: SimClock = createSimClock();
  readonly random: SeededRandom;
  readonly api: FakeApi;
  readonly machine: FakeMachine;
  readonly files = new FakeSandboxFiles();
  readonly web = new Map<string, string>();
  readonly told = new Map<string, TaskStatus[]>();
  agent: Executors | undefined;
  #dead = new AbortController();

  constructor(seed = 1) {
    this.random = seededRandom(seed);
    this.api = createFakeApi({ clock: this.clock, random: this.random });
    this.machine = new FakeMachine(this.clock);
  }

  async start(capabilities: readonly 'TASK_KILLING_STATE'[] = []): Promise<void> {
    if (this.api.all(frameworks).length === 0)
      await this.api.create(frameworks, {
        apiVersion: 'mesos.tandem.dev/v1',
        kind: 'Framework',
        metadata: { name: 'f1' },
        spec: {
          frameworkID: 'F1',
          namespace: 'mesos-test',
          info: {
            user: 'root',
            name: 'test',
            capabilities: capabilities.map((type) => ({ type })),
          },
        },
        status: { phase: 'Active', registeredTime: '' },
      });
    this.#dead = new AbortController();
    const dead = this.#dead.signal;
    const files = mortal(this.files, dead);
    this.agent = createExecutors({
      api: mortal(this.api, dead),
      createInformer,
      runtime: mortal(this.machine, dead),
      files,
      fetchTools: fakeFetchTools(this.files, this.web),
      net: { http: () => never, tcp: () => never, grpc: () => never },
      clock: mortalClock(this.clock, dead),
      random: this.random,
      logger: silentLogger,
      nodeName: 'n1',
      nodeIp: '192.168.0.1',
      hostname: 'n1',
      port: 5051,
      dataDir: '/work',
      version: '1.11.0',
      refuse: (reason, message) => new RefusedInTest(reason, message),
    });
    void this.agent.run(dead);
    await this.clock.settle();
  }

  crash(): void {
    this.#dead.abort();
    this.machine.agentDied();
  }

  async launch(id: string, of: Launch = {}): Promise<void> {
    const { spec: given = {} } = of;
    const podName = given.podName ?? `pod-${id}`;
    const container = given.container ?? id;
    const task: TaskInfo = {
      name: id,
      task_id: { value: id },
      agent_id: { value: 'A1' },
      command: { value: 'true' },
      ...of.task,
    };
    await this.api.create(tasks, {
      apiVersion: 'mesos.tandem.dev/v1',
      kind: 'Task',
      metadata: { name: id, namespace: 'mesos-test' },
      spec: {
        frameworkID: 'F1',
        taskID: id,
        agentID: 'A1',
        nodeName: 'n1',
        executorID: given.executorID ?? id,
        execution: 'Command',
        podName,
        container,
        task,
        ...given,
      },
      status: { state: 'TASK_STAGING' },
    });
    const existing = this.pod(podName);
    if (existing !== undefined) {
      const containers = [...existing.spec.containers, { name: container }];
      await this.api.update(pods, { ...existing, spec: { ...existing.spec, containers } });
      return;
    }
    await this.api.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: podName,
        namespace: 'mesos-test',
        labels: { [podLabels.frameworkID]: 'f1' },
      },
      spec: { nodeName: 'n1', runtimeClassName: 'process', containers: [{ name: container }] },
      status: { phase: 'Pending' },
    });
  }

  pod(name: string): Pod | undefined {
    return this.api.all(pods).find(({ metadata }) => metadata.name === name);
  }
  task(id: string): Task {
    const found = this.api.all(tasks).find(({ spec }) => spec.taskID === id);
    assert(found !== undefined, `Task ${id} is there`);
    return found;
  }

  async kill(id: string, graceMs?: number): Promise<void> {
    const task = this.task(id);
    const kill = {
      time: '2026-01-01T00:00:00Z',
      ...(graceMs === undefined ? {} : { gracePeriodNanoseconds: graceMs * 1e6 }),
    };
    await this.api.update(tasks, { ...task, spec: { ...task.spec, kill } });
  }

  /** The kubelet's turn: every Pod that is not deleted gets its containers. */
  kubelet(): void {
    const { agent } = this;
    if (agent === undefined || this.#dead.signal.aborted) return;
    for (const pod of this.api.all(pods))
      if (pod.metadata.deletionTimestamp === undefined)
        void this.machine.launch(pod, agent.extension, this.#dead.signal).catch(() => undefined);
  }

  /** The master's turn: what is unacknowledged is told and acknowledged, oldest first. */
  async acknowledge(): Promise<void> {
    for (const task of this.api.all(tasks)) {
      const [first, ...rest] = task.status.updates ?? [];
      if (first === undefined) continue;
      const told = this.told.get(task.spec.taskID) ?? [];
      if (!told.some(({ uuid }) => uuid === first.uuid)) told.push(first);
      this.told.set(task.spec.taskID, told);
      const { data: _data, ...kept } = first;
      const statuses = (task.status.statuses ?? []).filter(({ state }) => state !== kept.state);
      const status = {
        ...task.status,
        updates: rest,
        updateState: first.state,
        updateUUID: first.uuid,
        statuses: [...statuses, kept],
      };
      await this.api.update(tasks, { ...task, status }, { subresource: 'status' });
    }
  }

  async run(durationMs: number): Promise<void> {
    for (let spent = 0; spent < durationMs; spent += 50) {
      this.kubelet();
      await this.clock.advance(50);
      await this.acknowledge();
    }
    this.agent?.check();
  }

  states(id: string): string[] {
    return (this.told.get(id) ?? []).map(({ state }) => state);
  }
  last(id: string): TaskStatus | undefined {
    return this.told.get(id)?.at(-1);
  }
  containerOf(id: string): string {
    const found = this.machine.containers().find(({ spec }) => spec.name === id);
    assert(found !== undefined, `Container ${id} is there`);
    return found.id;
  }
}

async function worldWith(
  behaviour: (spec: ContainerSpec) => Behaviour,
  capabilities: readonly 'TASK_KILLING_STATE'[] = [],
): Promise<World> {
  const world = new World();
  world.machine.behaviour = behaviour;
  await world.start(capabilities);
  return world;
}

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
  const dir = `/work/slaves/A1/frameworks/F1/executors/t1/runs/${uid}`;
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
    world.files.text(`/work/slaves/A1/frameworks/F1/executors/t1/runs/latest/run.sh`),
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
  for (const seed of seedsFromEnvironment(20)) {
    try {
      await simulate(seed);
    } catch (cause) {
      throw new Error(`Replay with SEED=${seed}`, { cause });
    }
  }
});
