import type { TaskInfo } from '#mesos/protocol';
import { fillContainer, imageOf } from './container.ts';

/** Why a valid task cannot be made into a Pod here; undefined when it can. */
export function podProblem(task: TaskInfo): string | undefined {
  const { executor } = task;
  const custom = executor !== undefined && executor.type !== 'DEFAULT';
  const command = custom ? executor.command : task.command;
  const container = custom ? executor.container : task.container;
  const draft = {
    spec: { containers: [] },
    container: { name: 'task', resources: {} },
    labels: {},
    annotations: {},
  };
  const problem = fillContainer(draft, command, container);
  if (problem !== undefined) return problem;
  if (imageOf(container) === undefined && command?.value === undefined)
    return 'Task has neither a command nor an image';
  return undefined;
}
