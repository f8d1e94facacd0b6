import {
  sumResources,
  validateTask,
  validateTaskGroup,
  type ExecutorInfo,
  type OfferOperationLaunchGroup,
  type TaskInfo,
} from '#mesos/protocol';
import type { Acceptance } from './acceptance.ts';
import { refuseTask } from './accept.ts';
import { ExecutorBook, TaskBook, type FrameworkBook } from './books.ts';
import type { LaunchPlan } from './launcher.ts';
import { podProblem } from '../pods/problems.ts';

/** One task of LAUNCH: alone in its fate. */
export function planTask(work: Acceptance, given: TaskInfo): void {
  const { core, framework, agent } = work;
  const task = completed(given, framework.id);
  const user = userOf(task, framework);
  if (!mayRun(work, user)) {
    refuseTask(core, framework, {
      task,
      state: 'TASK_ERROR',
      reason: 'REASON_TASK_UNAUTHORIZED',
      message: `Principal '${framework.info.principal ?? ''}' no authorized to ${launchText(task, framework, user)}`,
    });
    return;
  }
  const problem = validateTask(task, work.launchContext()) ?? podProblem(task);
  if (problem !== undefined) {
    refuseTask(core, framework, {
      task,
      state: 'TASK_ERROR',
      reason: 'REASON_TASK_INVALID',
      message: problem,
    });
    return;
  }
  if (task.executor === undefined) {
    work.consume(task.resources ?? []);
    const podName = core.launcher.podName(framework, {
      shown: task.name === '' ? task.task_id.value : task.name,
      id: task.task_id.value,
    });
    const book = new TaskBook(framework, {
      agentID: agent.id,
      nodeName: agent.nodeName,
      executorID: task.task_id.value,
      execution: 'Command',
      info: task,
      podName,
      container: 'task',
      group: undefined,
      key: `${framework.namespace}/${podName}`,
    });
    addTask(work, book, { kind: 'pod', tasks: [book], executor: undefined });
    return;
  }
  const executor = executorFor(work, task.executor);
  work.consume(task.resources ?? []);
  addTask(work, taskBook(work, { task, executor, execution: 'Custom' }), undefined);
}

/** All tasks of the group, or none. */
export function planGroup(work: Acceptance, given: OfferOperationLaunchGroup): void {
  const { core, framework } = work;
  const tasks = (given.task_group.tasks ?? []).map((task) =>
    completed({ ...task, executor: task.executor ?? given.executor }, framework.id),
  );
  if (tasks.length === 0) return;
  const { executor: info } = given;
  const barred = tasks.find((task) => !mayRun(work, userOf(task, framework)));
  if (barred !== undefined) {
    const text = launchText(barred, framework, userOf(barred, framework));
    for (const task of tasks)
      refuseTask(core, framework, {
        task,
        state: 'TASK_ERROR',
        reason: 'REASON_TASK_GROUP_UNAUTHORIZED',
        // The missing space is the reference's.
        message: `Task '${barred.task_id.value}' is not authorized to${text}`,
      });
    return;
  }
  const problem =
    validateTaskGroup({ tasks }, info, work.launchContext()) ??
    duplicateID(tasks) ??
    tasks.map((task) => podProblem(task)).find((text) => text !== undefined);
  if (problem !== undefined) {
    for (const task of tasks)
      refuseTask(core, framework, {
        task,
        state: 'TASK_ERROR',
        reason: 'REASON_TASK_GROUP_INVALID',
        message: problem,
      });
    return;
  }
  const executor = executorFor(work, info);
  const group = executor.groups++;
  const execution = info.type === 'DEFAULT' ? 'Group' : 'Custom';
  for (const task of tasks) {
    work.consume(task.resources ?? []);
    addTask(work, taskBook(work, { task, executor, execution, group }), undefined);
  }
}

/** Whom a task runs as (mesos.md 11). */
function userOf({ command, executor }: TaskInfo, framework: FrameworkBook): string {
  return command?.user ?? executor?.command?.user ?? framework.info.user;
}

function mayRun({ framework, agent }: Acceptance, user: string): boolean {
  const { stream, info, namespace, id } = framework;
  const about = { user, namespace, frameworkID: id, frameworkName: info.name, agentID: agent.id };
  return stream?.subscriber.allows?.('run_tasks', about) ?? true;
}

function launchText(task: TaskInfo, framework: FrameworkBook, user: string): string {
  return `launch task ${task.task_id.value} of framework ${framework.id} under user '${user}'`;
}

/** Two tasks of one name cannot be two containers; the reference does not look. */
function duplicateID(tasks: readonly TaskInfo[]): string | undefined {
  const ids = tasks.map(({ task_id }) => task_id.value);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  return twice === undefined
    ? undefined
    : `Task '${twice}' is invalid: Task has duplicate ID: ${twice}`;
}

/** Defaults that the master fills in: the executor's framework, the kind of a health check. */
function completed(task: TaskInfo, frameworkID: string): TaskInfo {
  const { executor, health_check: health } = task;
  const type =
    health?.type ??
    (health?.command !== undefined && health.http === undefined
      ? 'COMMAND'
      : health?.http !== undefined && health.command === undefined
        ? 'HTTP'
        : undefined);
  return {
    ...task,
    ...(health !== undefined && type !== undefined && { health_check: { ...health, type } }),
    ...(executor !== undefined &&
      executor.framework_id === undefined && {
        executor: { ...executor, framework_id: { value: frameworkID } },
      }),
  };
}

/** The executor that runs there, or a new one that takes its own part of the offers. */
function executorFor(work: Acceptance, info: ExecutorInfo): ExecutorBook {
  const { core, framework, agent } = work;
  const running = framework.executor(agent.id, info.executor_id.value);
  if (running !== undefined) return running;
  work.consume(info.resources ?? []);
  const id = info.executor_id.value;
  const podName = core.launcher.podName(framework, {
    shown: (info.name ?? '') === '' ? id : (info.name ?? id),
    id: `${agent.id}\n${id}`,
  });
  const executor = new ExecutorBook(framework, {
    info: { ...info, resources: sumResources(info.resources ?? []) },
    agentID: agent.id,
    podName,
    podKey: `${framework.namespace}/${podName}`,
  });
  core.executors.add(executor);
  work.plans.push({ kind: 'pod', tasks: [], executor });
  return executor;
}

function taskBook(
  work: Acceptance,
  options: {
    readonly task: TaskInfo;
    readonly executor: ExecutorBook;
    readonly execution: 'Group' | 'Custom';
    readonly group?: number;
  },
): TaskBook {
  const { core, framework, agent } = work;
  const { task, executor, execution } = options;
  const name = core.launcher.taskName(framework, {
    shown: task.name === '' ? task.task_id.value : task.name,
    id: task.task_id.value,
  });
  return new TaskBook(framework, {
    agentID: agent.id,
    nodeName: agent.nodeName,
    executorID: executor.id,
    execution,
    info: task,
    podName: executor.podName,
    container: execution === 'Group' ? name : undefined,
    group: options.group,
    key: `${framework.namespace}/${name}`,
  });
}

/** Into the books at once: its id is taken, its room is held. */
function addTask(work: Acceptance, task: TaskBook, plan: LaunchPlan | undefined): void {
  const { core, framework, agent, role } = work;
  core.tasks.add(task);
  core.cycle.held(framework, agent, { role, resources: task.resources, sign: 1 });
  if (plan !== undefined) {
    work.plans.push(plan);
    return;
  }
  const executor = framework.executor(agent.id, task.executorID);
  const open = work.plans.find((one) => one.executor === executor);
  if (open !== undefined) open.tasks.push(task);
  else work.plans.push({ kind: 'growth', tasks: [task], executor });
}
