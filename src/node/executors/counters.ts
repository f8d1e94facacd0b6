import type { Task } from '#mesos/kinds';
import type { TaskStatus } from '#mesos/protocol';

/** Counters of `/metrics/snapshot`, since this agent started (slave/metrics.cpp, fetcher.cpp, gc.cpp). */
const names = [
  'slave/tasks_finished',
  'slave/tasks_failed',
  'slave/tasks_killed',
  'slave/tasks_lost',
  'slave/tasks_gone',
  'slave/executors_terminated',
  'slave/executors_preempted',
  'slave/valid_status_updates',
  'slave/invalid_status_updates',
  'slave/valid_framework_messages',
  'slave/invalid_framework_messages',
  'slave/container_launch_errors',
  'slave/recovery_errors',
  'containerizer/fetcher/task_fetches_succeeded',
  'containerizer/fetcher/task_fetches_failed',
  'containerizer/mesos/container_destroy_errors',
  'containerizer/mesos/provisioner/remove_container_errors',
  'gc/path_removals_succeeded',
  'gc/path_removals_failed',
  'resource_provider_manager/events/subscribe',
  'resource_provider_manager/events/disconnect',
] as const;
export type CounterName = (typeof names)[number];

const ends: Readonly<Record<string, CounterName>> = {
  TASK_FINISHED: 'slave/tasks_finished',
  TASK_FAILED: 'slave/tasks_failed',
  TASK_KILLED: 'slave/tasks_killed',
  TASK_LOST: 'slave/tasks_lost',
  TASK_GONE: 'slave/tasks_gone',
};

export class AgentCounters {
  readonly #values = new Map<CounterName, number>(names.map((name) => [name, 0]));
  /** Pods of custom executors that could not be launched: each of their tasks tells of it. */
  readonly #unlaunched = new Set<string>();
  /** How long it took to know what a former agent left; undefined until then. */
  recoverySeconds: number | undefined;

  add(name: CounterName): void {
    this.#values.set(name, (this.#values.get(name) ?? 0) + 1);
  }

  all(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#values);
  }

  /** Statuses of a task that are durable now. */
  told(task: Task, statuses: readonly TaskStatus[]): void {
    for (const { state, reason } of statuses) {
      this.add('slave/valid_status_updates');
      const end = ends[state];
      if (end !== undefined) this.add(end);
      if (reason === 'REASON_CONTAINER_PREEMPTED') this.add('slave/executors_preempted');
      if (reason === 'REASON_CONTAINER_LAUNCH_FAILED') this.#unlaunchedOnce(task);
    }
  }

  #unlaunchedOnce({ spec, metadata }: Task): void {
    const pod = `${metadata.namespace}/${spec.podName}`;
    if (spec.execution === 'Custom') {
      if (this.#unlaunched.has(pod)) return;
      this.#unlaunched.add(pod);
    }
    this.add('slave/container_launch_errors');
  }

  /** The Pod has gone from this node. */
  released(namespace: string | undefined, name: string): void {
    this.#unlaunched.delete(`${namespace}/${name}`);
  }
}
