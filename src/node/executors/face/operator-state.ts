import type { Task } from '#mesos/kinds';
import type {
  AgentResponseGetExecutors,
  AgentResponseGetFrameworks,
  AgentResponseGetTasks,
  Task as TaskMessage,
} from '#mesos/protocol';
import type { AgentContext } from './context.ts';
import { userOf } from './state.ts';
import { executorsOf, taskMessage } from './view.ts';

export function tasksResponse({ world, paths }: AgentContext): AgentResponseGetTasks {
  const executors = executorsOf(world, paths);
  const shown = (task: Task): TaskMessage =>
    taskMessage(task, userOf(task, world.framework(task.spec.frameworkID)?.spec.info.user));
  return {
    pending_tasks: [],
    queued_tasks: executors.flatMap(({ queued }) => queued.map(shown)),
    launched_tasks: executors.flatMap(({ launched }) => launched.map(shown)),
    terminated_tasks: executors.flatMap(({ terminated }) => terminated.map(shown)),
    completed_tasks: executors.flatMap(({ completed }) => completed.map(shown)),
  };
}

export function executorsResponse({ world, paths }: AgentContext): AgentResponseGetExecutors {
  const executors = executorsOf(world, paths);
  return {
    executors: executors.filter(({ over }) => !over).map(({ info }) => ({ executor_info: info })),
    completed_executors: executors
      .filter(({ over }) => over)
      .map(({ info }) => ({ executor_info: info })),
  };
}

export function frameworksResponse({ world, paths }: AgentContext): AgentResponseGetFrameworks {
  const executors = executorsOf(world, paths);
  const live = new Set(executors.filter(({ over }) => !over).map(({ frameworkID }) => frameworkID));
  const all = new Set(executors.map(({ frameworkID }) => frameworkID));
  const shown = (id: string): { framework_info: NonNullable<ReturnType<typeof infoOf>> }[] => {
    const info = infoOf(id);
    return info === undefined ? [] : [{ framework_info: info }];
  };
  const infoOf = (id: string) => world.framework(id)?.spec.info;
  return {
    frameworks: [...live].flatMap(shown),
    completed_frameworks: [...all].filter((id) => !live.has(id)).flatMap(shown),
  };
}
