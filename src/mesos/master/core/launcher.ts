import { namespaces as namespaceKind } from '#kube/kinds';
import { isStatus, type NewObject } from '#machinery';
import { objectName, type Task } from '#mesos/kinds';
import type { TaskStatus } from '#mesos/protocol';
import type { Launch, LaunchResult } from '../doors.ts';
import { podOf, podSize, groupParts } from '../pods/pod.ts';
import { refuseTask } from './accept.ts';
import type { ExecutorBook, FrameworkBook, TaskBook } from './books.ts';
import type { Core } from './core.ts';

/** How many ended containers a Pod of groups shows; the newest, for their logs. */
const shownMax = 16;

/** What one ACCEPT starts: a Pod with its tasks, or tasks that join an executor's. */
export interface LaunchPlan {
  readonly kind: 'pod' | 'growth';
  readonly tasks: TaskBook[];
  /** Absent for a command task. */
  readonly executor: ExecutorBook | undefined;
}

interface Refusal {
  readonly reason: TaskStatus['reason'];
  readonly message: string;
  readonly state: 'TASK_ERROR' | 'lost';
}

/** Turns plans into Pods and Tasks: all new ones of an ACCEPT in one commit. */
export class Launcher {
  readonly #core: Core;
  readonly #namespaces = new Map<string, Promise<void>>();
  /** Executors whose Pods will be made smaller when their turn comes. */
  readonly #resizing = new Set<ExecutorBook>();

  constructor(core: Core) {
    this.#core = core;
  }

  podName(framework: FrameworkBook, name: { readonly shown: string; readonly id: string }): string {
    const { informers } = this.#core;
    return this.#freeName(framework, {
      ...name,
      taken: (key) =>
        informers.pods.get(key) !== undefined || informers.tasks.get(key) !== undefined,
    });
  }

  taskName(
    framework: FrameworkBook,
    name: { readonly shown: string; readonly id: string },
  ): string {
    const { informers } = this.#core;
    return this.#freeName(framework, {
      ...name,
      taken: (key) => informers.tasks.get(key) !== undefined,
    });
  }

  /** The same for the same id, unless what ended under that name is still there. */
  #freeName(
    { id, namespace }: FrameworkBook,
    name: { readonly shown: string; readonly id: string; taken(key: string): boolean },
  ): string {
    const plain = objectName(name.shown, `${id}\n${name.id}`);
    if (!name.taken(`${namespace}/${plain}`)) return plain;
    return objectName(name.shown, `${id}\n${name.id}\n${this.#core.options.random.uuid()}`);
  }

  async launch(plans: readonly LaunchPlan[]): Promise<void> {
    const pods = plans.filter(({ kind }) => kind === 'pod');
    const growths = plans.filter(({ kind }) => kind === 'growth');
    for (const { tasks } of growths) this.#begin(tasks);
    await Promise.all([this.#launchPods(pods), ...growths.map((plan) => this.#grow(plan))]);
  }

  /** Until the promise settles, the tasks are neither stored nor refused. */
  #begin(tasks: readonly TaskBook[]): PromiseWithResolvers<boolean> {
    const done = Promise.withResolvers<boolean>();
    for (const task of tasks) {
      task.launching = done.promise;
      ends.set(task, done);
    }
    return done;
  }

  async #launchPods(plans: readonly LaunchPlan[]): Promise<void> {
    const [first] = plans;
    if (first === undefined) return;
    const framework = (first.tasks[0] ?? first.executor)?.framework;
    if (framework === undefined) return;
    for (const plan of plans) {
      const done = this.#begin(plan.tasks);
      if (plan.executor !== undefined) plan.executor.stored = done.promise;
    }
    const launches: Launch[] = plans.map((plan) => ({
      pod: podOf(this.#place(framework), plan),
      tasks: plan.tasks.map((task) => taskObject(task)),
    }));
    let results: readonly LaunchResult[];
    try {
      await this.#namespace(framework);
      results = await this.#core.options.doors.launch(launches);
    } catch (error) {
      this.#namespaces.delete(framework.namespace);
      const message = error instanceof Error ? error.message : 'unknown error';
      results = plans.map(() => ({ ok: false, reason: 'NodeGone', message }));
    }
    // A namespace that somebody deleted is made again for the next launch.
    if (results.some((result) => !result.ok && result.reason === 'Failed'))
      this.#namespaces.delete(framework.namespace);
    for (const [index, plan] of plans.entries()) this.#finish(plan, results[index]);
  }

  #place(framework: FrameworkBook): { framework: FrameworkBook; masterVersion: string } {
    return { framework, masterVersion: this.#core.options.version };
  }

  /** Tasks join an executor, one growth after the other: each states the Pod's whole new size. */
  #grow(plan: LaunchPlan): Promise<void> {
    const { executor } = plan;
    if (executor === undefined) return Promise.resolve();
    const turn = executor.growing.then(() => this.#growNow(plan, executor));
    executor.growing = turn;
    return turn;
  }

  async #growNow(plan: LaunchPlan, executor: ExecutorBook): Promise<void> {
    const { doors } = this.#core.options;
    let result: LaunchResult | undefined;
    if (await executor.stored) {
      const groups = plan.tasks.filter(({ execution }) => execution === 'Group');
      try {
        [result] = await doors.grow([
          {
            namespace: executor.framework.namespace,
            podName: executor.podName,
            podUID: executor.podUID,
            ...(groups.length > 0 && groupParts(this.#place(executor.framework), groups)),
            ...podSize(executor),
            tasks: plan.tasks.map((task) => taskObject(task)),
          },
        ]);
      } catch (error) {
        const message = error instanceof Error ? error.message : 'unknown error';
        result = { ok: false, reason: 'PodGone', message };
      }
    } else result = { ok: false, reason: 'PodGone', message: 'Executor terminated' };
    this.#finish(plan, result);
  }

  /** Tasks of an executor ended: its Pod is as large as what is left. */
  resize(executor: ExecutorBook): void {
    if (this.#resizing.has(executor)) return;
    this.#resizing.add(executor);
    executor.growing = executor.growing.then(async () => {
      this.#resizing.delete(executor);
      if (!(await executor.stored) || !this.#core.books.executors.has(executor.podKey)) return;
      const release = executor.finished.splice(0);
      executor.shown.push(...release);
      const prune = executor.shown.splice(0, Math.max(0, executor.shown.length - shownMax));
      try {
        await this.#core.options.doors.grow([
          {
            namespace: executor.framework.namespace,
            podName: executor.podName,
            podUID: executor.podUID,
            ...(release.length > 0 && { release }),
            ...(prune.length > 0 && { prune }),
            ...podSize(executor),
            tasks: [],
          },
        ]);
      } catch (error) {
        this.#core.logger.warn('A Pod of an executor was not resized', {
          pod: executor.podKey,
          error,
        });
      }
    });
  }

  #finish(plan: LaunchPlan, result: LaunchResult | undefined): void {
    const { tasks, executors } = this.#core;
    const ok = result?.ok === true;
    if (!ok) {
      const refusal = refusalOf(result);
      for (const task of plan.tasks) {
        if (!task.completed) tasks.withdraw(task);
        const { framework } = task;
        refuseTask(this.#core, framework, {
          task: task.info,
          state:
            refusal.state === 'TASK_ERROR'
              ? 'TASK_ERROR'
              : framework.partitionAware
                ? 'TASK_DROPPED'
                : 'TASK_LOST',
          reason: refusal.reason,
          message: refusal.message,
        });
      }
      if (plan.kind === 'pod' && plan.executor !== undefined) executors.remove(plan.executor);
    }
    for (const task of plan.tasks) {
      task.launching = undefined;
      ends.get(task)?.resolve(ok);
      ends.delete(task);
      if (ok) this.#core.tasks.stored(task);
    }
    if (ok && plan.kind === 'pod' && plan.executor !== undefined)
      plan.executor.podUID = result.pod?.metadata.uid ?? plan.executor.podUID;
  }

  /** Of all tasks and Pods of frameworks of this name; made when the first of them launches. */
  #namespace(framework: FrameworkBook): Promise<void> {
    const { namespace } = framework;
    let made = this.#namespaces.get(namespace);
    if (made === undefined) {
      made = this.#makeNamespace(framework);
      this.#namespaces.set(namespace, made);
    }
    return made;
  }

  async #makeNamespace({ namespace, roles, info }: FrameworkBook): Promise<void> {
    const [role] = roles;
    // Pods that people put beside the tasks pay as those do, where a label can say so.
    const labelled = roles.size === 1 && role !== undefined && labelValue.test(role);
    try {
      await this.#core.options.api.create(namespaceKind, {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: {
          name: namespace,
          labels: {
            'app.kubernetes.io/managed-by': 'mesos',
            ...(labelled && { 'tandem.dev/role': role }),
          },
          annotations: { 'mesos.tandem.dev/framework-name': info.name },
        },
      });
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error;
    }
  }
}

const labelValue = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

/** How the launch of a task is told to have ended. */
const ends = new WeakMap<TaskBook, PromiseWithResolvers<boolean>>();

function refusalOf(result: LaunchResult | undefined): Refusal {
  if (result === undefined || result.ok)
    return {
      state: 'lost',
      reason: 'REASON_INVALID_OFFERS',
      message: 'Task launched with invalid offers: no answer',
    };
  if (result.reason === 'PodGone')
    return { state: 'lost', reason: 'REASON_EXECUTOR_TERMINATED', message: 'Executor terminated' };
  if (result.reason !== 'Failed')
    return {
      state: 'lost',
      reason: 'REASON_INVALID_OFFERS',
      message: `Task launched with invalid offers: ${result.message}`,
    };
  const { error } = result;
  const { reason } = error;
  if (reason === 'Invalid' || reason === 'BadRequest')
    return { state: 'TASK_ERROR', reason: 'REASON_TASK_INVALID', message: error.message };
  if (reason === 'Forbidden' && !error.message.includes('being terminated'))
    return { state: 'TASK_ERROR', reason: 'REASON_TASK_UNAUTHORIZED', message: error.message };
  return {
    state: 'lost',
    reason: 'REASON_INVALID_OFFERS',
    message: `Task launched with invalid offers: ${error.message}`,
  };
}

function taskObject(task: TaskBook): NewObject<Task> {
  const [, name = ''] = task.key.split('/');
  const { framework } = task;
  return {
    apiVersion: 'mesos.tandem.dev/v1',
    kind: 'Task',
    metadata: { name, namespace: framework.namespace },
    spec: {
      frameworkID: framework.id,
      taskID: task.taskID,
      agentID: task.agentID,
      nodeName: task.nodeName,
      executorID: task.executorID,
      execution: task.execution,
      podName: task.podName,
      ...(task.container !== undefined && { container: task.container }),
      ...(task.group !== undefined && { group: task.group }),
      task: task.info,
    },
    status: { state: 'TASK_STAGING' },
  };
}
