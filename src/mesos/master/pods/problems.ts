import type { TaskInfo } from '#mesos/protocol';
import { fillContainer, imageOf } from './container.ts';
import type { PodDraft } from './parameters.ts';

function emptyDraft(): PodDraft {
  return {
    spec: { containers: [] },
    container: { name: 'task', resources: {} },
    labels: {},
    annotations: {},
  };
}

/** Why a valid task cannot be made into a Pod here; undefined when it can. */
export function podProblem(task: TaskInfo): string | undefined {
  const { executor } = task;
  const custom = executor !== undefined && executor.type !== 'DEFAULT';
  const command = custom ? executor.command : task.command;
  const container = custom ? executor.container : task.container;
  const problem =
    fillContainer(emptyDraft(), command, container) ??
    // A default executor has no process, yet what it is given must be what there is.
    (custom ? undefined : fillContainer(emptyDraft(), undefined, executor?.container));
  if (problem !== undefined) return problem;
  if (imageOf(container) === undefined && command?.value === undefined)
    return 'Task has neither a command nor an image';
  return undefined;
}
