import type { TaskInfo } from '#mesos/protocol';
import type { TaskSpec } from './types.ts';

/** A task as it was launched: JSON in the store has no infinity, and a limit there may be one. */
export function taskInfoOf({ task }: Pick<TaskSpec, 'task'>): TaskInfo {
  const limits = Object.entries(task.limits ?? {});
  if (limits.every(([, { value }]) => Number.isFinite(value))) return task;
  const restored = limits.map(([name, scalar]): [string, typeof scalar] => [
    name,
    Number.isFinite(scalar.value) ? scalar : { value: Number.POSITIVE_INFINITY },
  ]);
  return { ...task, limits: Object.fromEntries(restored) };
}
