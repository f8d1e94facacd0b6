import type { Informer } from '#client';
import { frameworks as frameworkKind, tasks as taskKind } from '#mesos/kinds';
import type { Framework, Task } from '#mesos/kinds';
import type { Pod } from '#kube/kinds';
import { isStatus } from '#machinery';
import type { Container } from '#node/runtime';
import { AgentCounters } from './counters.ts';
import { ContainerIndex } from './container-index.ts';
import { podLabels, pods } from './names.ts';
import type { ExecutorsOptions } from './options.ts';

/** The caches of what this node's tasks are made of, with what was written and is not yet back. */
export class World {
  readonly options: ExecutorsOptions;
  readonly tasks: Informer<Task>;
  readonly pods: Informer<Pod>;
  readonly frameworks: Informer<Framework>;
  readonly containers: ContainerIndex;
  readonly counters = new AgentCounters();
  readonly #written = new Map<string, Task>();

  constructor(options: ExecutorsOptions) {
    const { api, createInformer, clock, logger, nodeName, runtime } = options;
    const fieldSelector = `spec.nodeName=${nodeName}`;
    this.options = options;
    this.tasks = createInformer<Task>(api, taskKind, {
      clock,
      logger,
      fieldSelector,
      indexes: {
        pod: ({ metadata, spec }) => [`${metadata.namespace}/${spec.podName}`],
        framework: ({ spec }) => [spec.frameworkID],
      },
    });
    this.pods = createInformer<Pod>(api, pods, {
      clock,
      logger,
      fieldSelector,
      // Others are the kubelet's business alone.
      labelSelector: podLabels.frameworkID,
      indexes: { uid: ({ metadata }) => [metadata.uid] },
    });
    this.frameworks = createInformer<Framework>(api, frameworkKind, {
      clock,
      logger,
      indexes: { id: ({ spec }) => [spec.frameworkID] },
    });
    this.containers = new ContainerIndex(runtime);
  }

  /** The newest this agent knows: what it wrote itself, or what the cache has. */
  task(key: string): Task | undefined {
    const seen = this.tasks.get(key);
    const own = this.#written.get(key);
    if (own === undefined) return seen;
    const back =
      seen === undefined
        ? this.tasks.hasSynced && reached(this.tasks.observedVersion, versionOf(own))
        : seen.metadata.uid !== own.metadata.uid || versionOf(seen) >= versionOf(own);
    if (!back) return own;
    this.#written.delete(key);
    return seen;
  }

  wrote(key: string, task: Task): void {
    this.#written.set(key, task);
  }

  /** Tasks of a Pod, as new as they are known. */
  tasksOf(namespace: string, podName: string): readonly Task[] {
    return this.tasks
      .by('pod', `${namespace}/${podName}`)
      .map((task) => this.task(keyOfTask(task)) ?? task);
  }

  tasksOfPod(pod: Pod): readonly Task[] {
    return this.tasksOf(pod.metadata.namespace ?? '', pod.metadata.name);
  }

  framework(id: string): Framework | undefined {
    return this.frameworks.by('id', id)[0];
  }

  pod(task: Task): Pod | undefined {
    return this.pods.get(`${task.metadata.namespace}/${task.spec.podName}`);
  }

  /** Asks the server when the cache has no Pod: a Task and its Pod are written in one step. */
  async podOf(task: Task): Promise<Pod | 'unseen' | 'gone'> {
    const cached = this.pod(task);
    if (cached !== undefined) return cached;
    try {
      await this.options.api.get(pods, {
        namespace: task.metadata.namespace,
        name: task.spec.podName,
      });
      return 'unseen';
    } catch (error) {
      if (isStatus(error, 'NotFound')) return this.pod(task) ?? 'gone';
      throw error;
    }
  }

  /** A task's container, by the Pod's uid (known from the Pod, or from what was told before). */
  containerOf(task: Task, podUid: string | undefined): Container | undefined {
    const { container } = task.spec;
    if (podUid === undefined || container === undefined) return undefined;
    return this.containers.newest(podUid, container);
  }

  /** Where checks find a container: '' on the node's own network, loopback of its own without any. */
  addressInside(container: Container): string {
    const sandbox = this.options.runtime.sandboxes().find(({ id }) => id === container.sandboxId);
    return sandbox?.spec.noNetwork === true ? '127.0.0.1' : (sandbox?.ip ?? '');
  }

  sandboxIp(container: Container | undefined, podUid: string | undefined): string {
    const all = this.options.runtime.sandboxes();
    const own =
      container === undefined
        ? all.find(({ spec }) => spec.podUid === podUid)
        : all.find(({ id }) => id === container.sandboxId);
    return own?.ip ?? '';
  }
}

export function keyOfTask(task: Task): string {
  return `${task.metadata.namespace}/${task.metadata.name}`;
}

/** The Pod's uid as earlier statuses tell it, for Pods that are gone. */
export function toldPodUid(task: Task): string | undefined {
  const { updates = [], statuses = [] } = task.status;
  for (const status of [...updates, ...statuses].toReversed()) {
    const id = status.container_status?.container_id;
    if (id !== undefined) return id.parent?.value ?? id.value;
  }
  return undefined;
}

/** Versions of one resource may be compared as whole numbers (Kubernetes, API concepts, from 1.35 on). */
function versionOf(task: Task): number {
  return Number(task.metadata.resourceVersion);
}
function reached(observed: string, wanted: number): boolean {
  return Number(observed) >= wanted;
}
