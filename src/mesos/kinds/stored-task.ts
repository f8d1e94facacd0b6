import type { CheckInfo, HealthCheck, TaskInfo } from '#mesos/protocol';
import type { TaskSpec } from './types.ts';

/** A task as it was launched: JSON in the store has no infinity, and numbers there may be without bound. */
export function taskInfoOf({ task }: Pick<TaskSpec, 'task'>): TaskInfo {
  const { limits, health_check, check } = task;
  if (limits === undefined && health_check === undefined && check === undefined) return task;
  return {
    ...task,
    ...(limits !== undefined && {
      limits: Object.fromEntries(
        Object.entries(limits).map(([name, { value }]) => [name, { value: unbounded(value) }]),
      ),
    }),
    ...(health_check !== undefined && { health_check: withTimes(health_check) }),
    ...(check !== undefined && { check: withTimes(check) }),
  };
}

const times = ['delay_seconds', 'interval_seconds', 'timeout_seconds', 'grace_period_seconds'];

function withTimes<T extends CheckInfo | HealthCheck>(check: T): T {
  const entries = Object.entries(check).map(([name, value]: [string, unknown]) => [
    name,
    times.includes(name) ? unbounded(value) : value,
  ]);
  return Object.fromEntries(entries) as T;
}

/** What is no number any more was infinite. */
function unbounded(value: unknown): number {
  return typeof value === 'number' ? value : Number.POSITIVE_INFINITY;
}
