import assert from 'node:assert/strict';
import { silentLogger } from '#base';
import { createFakeApi, createInformer } from '#client';
import type { FakeApi } from '#client';
import type { Pod } from '#kube/kinds';
import { frameworks, tasks } from '#mesos/kinds';
import type { Task, TaskSpec } from '#mesos/kinds';
import type { TaskInfo, TaskStatus } from '#mesos/protocol';
import type { ContainerSpec } from '#node/runtime';
import { createSimClock, mortal, mortalClock, seededRandom } from '#sim';
import type { SeededRandom, SimClock } from '#sim';
import { createExecutors } from './executors.ts';
import { FakeSandboxFiles, fakeFetchTools } from './fake-files.ts';
import { FakeMachine, RefusedInTest } from './fake-machine.ts';
import type { Behaviour } from './fake-machine.ts';
import { podLabels, pods } from './names.ts';
import type { Executors } from './options.ts';

const never = new Promise<never>(() => undefined);

export interface Launch {
  readonly task?: Partial<TaskInfo>;
  readonly spec?: Partial<TaskSpec>;
}

/** One node's agent, a machine and an API: what a framework would be told is kept by task. */
export class World {
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
      dataDir: '/agent',
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

export async function worldWith(
  behaviour: (spec: ContainerSpec) => Behaviour,
  capabilities: readonly 'TASK_KILLING_STATE'[] = [],
): Promise<World> {
  const world = new World();
  world.machine.behaviour = behaviour;
  await world.start(capabilities);
  return world;
}
