import {
  addResources,
  containsResources,
  scalarOf,
  sumResources,
  type Resources,
} from '../resources/arithmetic.ts';
import { orderedJson, resourcesText } from '../resources/text.ts';
import { decimalText } from '../resources/values.ts';
import type { ExecutorInfo, TaskGroupInfo, TaskInfo } from '../types.ts';
import { sharesCgroups, validateCommand } from './container.ts';
import { firstProblem, sameExecutor, under, validateExecutorThere } from './executor.ts';
import { validateExecutorCgroups, validateTaskItself, type LaunchContext } from './task.ts';
import { haveOverlap, validateRevocableMix, validateUniquePersistence } from './usage.ts';

/** LAUNCH_GROUP (mesos.md 4.3): all of it, or nothing. */

const executorCpusMin = 0.01;
const executorMemoryMinMb = 32;

export function validateTaskGroup(
  group: TaskGroupInfo,
  executor: ExecutorInfo,
  context: LaunchContext,
): string | undefined {
  for (const task of group.tasks ?? []) {
    const problem = validateGroupTask(task, context);
    if (problem !== undefined) return `Task '${task.task_id.value}' is invalid: ${problem}`;
  }
  return (
    validateGroupExecutor(group, executor, context) ?? validateCgroups(group, executor, context)
  );
}

function validateGroupTask(task: TaskInfo, context: LaunchContext): string | undefined {
  const problem = validateTaskItself(task, context);
  if (problem !== undefined) return problem;
  if (task.executor === undefined) return "'TaskInfo.executor' must be set";
  const { container, limits = {} } = task;
  const kind = task.health_check?.type;
  if ((container?.network_infos ?? []).length > 0 && (kind === 'HTTP' || kind === 'TCP'))
    return "HTTP and TCP health checks are not supported for nested containers not joining parent's network";
  if (container?.type === 'DOCKER') return 'Docker ContainerInfo is not supported on the task';
  if (Object.keys(limits).length > 0 && sharesCgroups(container) !== false)
    return "Resource limits may only be set for tasks within a task group when the 'share_cgroups' field is set to 'false'.";
  return undefined;
}

function validateGroupExecutor(
  group: TaskGroupInfo,
  executor: ExecutorInfo,
  context: LaunchContext,
): string | undefined {
  const id = executor.executor_id.value;
  const tasks = group.tasks ?? [];
  return firstProblem([
    () => validateExecutorThere(executor, context),
    () => (executor.type === undefined ? "'ExecutorInfo.type' must be set" : undefined),
    () => (executor.type === 'UNKNOWN' ? 'Unknown executor type' : undefined),
    () =>
      executor.container?.type === 'DOCKER'
        ? 'Docker ContainerInfo is not supported on the executor'
        : undefined,
    () => {
      const other = tasks.find((task) => task.executor && !sameExecutor(task.executor, executor));
      if (other === undefined) return undefined;
      return `The \`ExecutorInfo\` of task '${other.task_id.value}' is different from executor '${id}'`;
    },
    () => validateMinimum(executor),
    () => validateTogether(tasks, executor),
    () => {
      let total = sumResources(...tasks.map((task) => task.resources ?? []));
      if (context.executor(id) === undefined) total = addResources(total, executor.resources ?? []);
      if (containsResources(context.offered, total)) return undefined;
      return `Total resources ${resourcesText(total)} required by task group and its executor are more than available ${resourcesText(context.offered)}`;
    },
    () =>
      under(
        `Executor '${id}'contains an invalid command: `,
        executor.command && validateCommand(executor.command),
      ),
  ]);
}

function validateMinimum({
  executor_id: { value: id },
  ...info
}: ExecutorInfo): string | undefined {
  const resources = sumResources(info.resources ?? []);
  const cpus = scalarOf(resources, 'cpus');
  if (cpus === undefined || cpus < executorCpusMin)
    return `Executor '${id}' uses less CPUs (${cpus === undefined ? 'None' : decimalText(cpus, 6)}) than the minimum required (${executorCpusMin})`;
  const memory = scalarOf(resources, 'mem');
  if (memory === undefined || Math.trunc(memory) < executorMemoryMinMb)
    return `Executor '${id}' uses less memory (${memory === undefined ? 'None' : megabytes(memory)}) than the minimum required (${executorMemoryMinMb}MB)`;
  return scalarOf(resources, 'disk') === undefined ? `Executor '${id}' uses no disk` : undefined;
}

function megabytes(value: number): string {
  const whole = Math.trunc(value);
  return whole === 0 ? '0B' : `${whole}MB`;
}

function validateTogether(tasks: readonly TaskInfo[], executor: ExecutorInfo): string | undefined {
  const sums: readonly Resources[] = tasks.map((task) => sumResources(task.resources ?? []));
  const own = sumResources(executor.resources ?? []);
  const total = sumResources(own, ...sums);
  return firstProblem([
    () =>
      under(
        'Task group and executor use duplicate persistence ID: ',
        validateUniquePersistence(total),
      ),
    () =>
      under(
        'Task group and executor mix revocable and non-revocable resources: ',
        validateRevocableMix(total),
      ),
    () =>
      haveOverlap([...sums, own])
        ? `There are overlapping resources in the task group's task resources [ ${sums.map(resourcesText).join(', ')} ] and/or executor resources ${orderedJson(executor.resources ?? [])}`
        : undefined,
  ]);
}

/** A task that does not say shares: one executor's tasks all share, or none does. */
function validateCgroups(
  group: TaskGroupInfo,
  executor: ExecutorInfo,
  context: LaunchContext,
): string | undefined {
  const problem = validateExecutorCgroups(executor);
  if (problem !== undefined) return problem;
  const tasks = group.tasks ?? [];
  if (tasks.length === 0) return undefined;
  const containers = [
    ...tasks.map((task) => task.container),
    ...context.containersOf(executor.executor_id.value),
  ];
  const said = new Set(containers.map((container) => sharesCgroups(container) ?? true));
  return said.size > 1
    ? "If set, the value of 'share_cgroups' must be the same for all tasks in each task group and under a single executor"
    : undefined;
}
