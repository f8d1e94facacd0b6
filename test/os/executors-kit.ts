/** A node with a kubelet and a Mesos agent over a real runtime, and an API of this process. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLogger } from '#base';
import { createFakeApi, createInformer } from '#client';
import {
  serve,
  systemClock,
  systemFetchTools,
  systemFiles,
  systemProbeNet,
  systemRandom,
  systemSandboxFiles,
} from '#io';
import type { Pod } from '#kube/kinds';
import { frameworks, tasks } from '#mesos/kinds';
import type { Task } from '#mesos/kinds';
import type { TaskInfo, TaskStatus } from '#mesos/protocol';
import { createExecutors } from '#node/executors';
import type { Executors } from '#node/executors';
import { PodRefused, createKubelet } from '#node/kubelet';
import { withStrategicPatches } from '../../src/node/kubelet/fake-strategic.ts';
import { pods, runtimeClasses } from '../../src/node/kubelet/resources.ts';
import { openFixture, until } from './runtime-kit.ts';
import type { Fixture } from './runtime-kit.ts';

const namespace = 'mesos-test';
export const port = 15_051;

export interface TaskPlan {
  readonly info?: Partial<TaskInfo>;
  readonly image?: string;
  /** What the master writes beside the usual. */
  readonly pod?:
    | undefined
    | { readonly annotations?: Record<string, string>; readonly spec?: Partial<Pod['spec']> };
  /** A custom executor's command; the task is a record of it. */
  readonly executor?: { readonly id: string; readonly command: string };
}

export class Machine implements AsyncDisposable {
  readonly fixture: Fixture;
  readonly api = withStrategicPatches(createFakeApi({ clock: systemClock, random: systemRandom }));
  readonly problems: unknown[] = [];
  agent: Executors | undefined;
  readonly #told = new Map<string, TaskStatus[]>();
  readonly #master = new AbortController();
  #stop: () => Promise<void> = async () => undefined;
  readonly #port: number;

  constructor(fixture: Fixture, facePort: number) {
    this.fixture = fixture;
    this.#port = facePort;
  }

  static async open(facePort = port): Promise<Machine> {
    const machine = new Machine(await openFixture(), facePort);
    // Tasks of other users must reach their sandboxes.
    chmodSync(machine.fixture.folder, 0o711);
    const { api } = machine;
    await api.create(runtimeClasses, {
      apiVersion: 'node.k8s.io/v1',
      kind: 'RuntimeClass',
      metadata: { name: 'process' },
      handler: 'process',
    });
    await api.create(frameworks, {
      apiVersion: 'mesos.tandem.dev/v1',
      kind: 'Framework',
      metadata: { name: 'f1' },
      spec: {
        frameworkID: 'F1',
        namespace,
        info: {
          user: 'root',
          name: 'test',
          checkpoint: true,
          capabilities: [{ type: 'TASK_KILLING_STATE' }],
        },
      },
      status: { phase: 'Active', registeredTime: '' },
    });
    await machine.start();
    void machine.#acknowledge();
    return machine;
  }

  async start(): Promise<void> {
    const stop = new AbortController();
    const { fixture, api } = this;
    const logger = {
      ...silentLogger,
      warn: (message: string, fields?: object) => void this.problems.push([message, fields]),
    };
    const common = { api, clock: systemClock, random: systemRandom, logger, createInformer };
    const agent = createExecutors({
      ...common,
      runtime: fixture.runtime,
      files: systemSandboxFiles,
      fetchTools: systemFetchTools,
      net: systemProbeNet,
      nodeName: 'n1',
      nodeIp: '127.0.0.1',
      hostname: '127.0.0.1',
      port: this.#port,
      dataDir: join(fixture.folder, 'mesos'),
      version: '1.11.0',
      refuse: (reason, message) => new PodRefused(reason, message),
    });
    this.agent = agent;
    const kubelet = createKubelet({
      ...common,
      runtime: fixture.runtime,
      recorder: { event: () => undefined },
      files: systemFiles,
      net: systemProbeNet,
      nodeName: 'n1',
      nodeIp: '127.0.0.1',
      version: 'v1.36.2',
      clusterDns: '10.96.0.10',
      clusterDomain: 'cluster.local',
      dirs: {
        pods: join(fixture.folder, 'pods'),
        memory: join(fixture.options.runDir, 'secret'),
        logs: join(fixture.folder, 'logs'),
      },
      authorize: () => true,
      extension: agent.extension,
    });
    const face = await serve({
      face: agent.face,
      host: '127.0.0.1',
      port: this.#port,
      clock: systemClock,
    });
    const running = [kubelet.run(stop.signal), agent.run(stop.signal)];
    await kubelet.registered;
    this.#stop = async () => {
      stop.abort(new Error('stopped'));
      await face[Symbol.asyncDispose]();
      await Promise.all(running);
    };
  }

  /** The agent process ends; what runs goes on. */
  async stop(): Promise<void> {
    await this.#stop();
    await this.fixture.reopen();
  }

  async launch(id: string, plan: TaskPlan): Promise<void> {
    const { executor } = plan;
    const podName = executor === undefined ? `pod-${id}` : `pod-${executor.id}`;
    const command = plan.info?.command;
    const info: TaskInfo = {
      name: id,
      task_id: { value: id },
      agent_id: { value: 'A1' },
      ...plan.info,
      ...(executor === undefined
        ? {}
        : {
            executor: { executor_id: { value: executor.id }, command: { value: executor.command } },
          }),
    };
    await this.api.create(tasks, {
      apiVersion: 'mesos.tandem.dev/v1',
      kind: 'Task',
      metadata: { name: id, namespace },
      spec: {
        frameworkID: 'F1',
        taskID: id,
        agentID: 'A1',
        nodeName: 'n1',
        executorID: executor?.id ?? id,
        execution: executor === undefined ? 'Command' : 'Custom',
        podName,
        ...(executor === undefined ? { container: 'task' } : {}),
        task: info,
      },
      status: { state: 'TASK_STAGING' },
    });
    if (this.api.all(pods).some(({ metadata }) => metadata.name === podName)) return;
    const script = executor?.command ?? command?.value ?? 'true';
    await this.#createPod(podName, { script, image: plan.image, pod: plan.pod });
  }

  async #createPod(
    name: string,
    of: { readonly script: string } & Pick<TaskPlan, 'pod'> & {
        readonly image: string | undefined;
      },
  ): Promise<void> {
    const { image, script, pod } = of;
    await this.api.create<Pod>(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace,
        labels: { 'mesos.tandem.dev/framework-id': 'f1' },
        annotations: pod?.annotations,
      },
      spec: {
        nodeName: 'n1',
        hostNetwork: true,
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 3,
        ...(image === undefined ? { runtimeClassName: 'process' } : {}),
        containers: [
          {
            name: 'task',
            command: ['/bin/sh', '-c', script],
            resources: {},
            ...(image === undefined ? {} : { image }),
          },
        ],
        ...pod?.spec,
      },
      status: { phase: 'Pending' },
    });
  }

  async kill(id: string): Promise<void> {
    const task = this.task(id);
    const kill = { time: new Date().toISOString() };
    await this.api.update(tasks, { ...task, spec: { ...task.spec, kill } });
  }

  task(id: string): Task {
    const found = this.api.all(tasks).find(({ spec }) => spec.taskID === id);
    if (found === undefined) throw new Error(`There is no task ${id}`);
    return found;
  }

  told(id: string): readonly TaskStatus[] {
    return this.#told.get(id) ?? [];
  }

  /** The status of that state, once it was told. */
  toldOf(id: string, state: TaskStatus['state']): Promise<TaskStatus> {
    return until(`${id} is ${state}`, () => this.told(id).find((status) => status.state === state));
  }

  podUid(id: string): string {
    const { podName } = this.task(id).spec;
    return this.api.all(pods).find(({ metadata }) => metadata.name === podName)?.metadata.uid ?? '';
  }

  sandbox(id: string): string {
    const { executorID } = this.task(id).spec;
    const slave = join(this.fixture.folder, 'mesos/slaves/A1');
    return `${slave}/frameworks/F1/executors/${executorID}/runs/${this.podUid(id)}`;
  }

  file(name: string, content: string | Uint8Array, mode = 0o644): string {
    const path = join(this.fixture.folder, name);
    writeFileSync(path, content, { mode });
    return path;
  }

  /** The master: tells and acknowledges the first update of each task. */
  async #acknowledge(): Promise<void> {
    const { signal } = this.#master;
    while (!signal.aborted) {
      for (const task of this.api.all(tasks)) {
        const [first, ...updates] = task.status.updates ?? [];
        if (first === undefined) continue;
        const told = this.#told.get(task.spec.taskID) ?? [];
        if (!told.some(({ uuid }) => uuid === first.uuid)) told.push(first);
        this.#told.set(task.spec.taskID, told);
        const statuses = [...(task.status.statuses ?? []), first];
        const status = { ...task.status, updates, statuses, updateState: first.state };
        await this.api
          .update(tasks, { ...task, status }, { subresource: 'status' })
          .catch(() => undefined); // the agent has written meanwhile: next time
      }
      await systemClock.sleep(5);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#master.abort();
    for (const { metadata } of this.api.all(pods))
      await this.api.delete(pods, { namespace, name: metadata.name }, { gracePeriodSeconds: 1 });
    await until('all Pods gone', () => this.api.all(pods).length === 0);
    await this.#stop();
    await this.fixture[Symbol.asyncDispose]();
  }
}
