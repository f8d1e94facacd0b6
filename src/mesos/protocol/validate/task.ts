import {
  addResources,
  containsResources,
  scalarOf,
  sharedResources,
  sumResources,
  type Resources,
} from '../resources/arithmetic.ts';
import { orderedJson, resourcesText } from '../resources/text.ts';
import type { ContainerInfo, ExecutorInfo, TaskInfo } from '../types.ts';
import { validateCheck, validateHealthCheck } from './checks.ts';
import { sharesCgroups, validateCommand, validateContainer } from './container.ts';
import { under, validateExecutorThere } from './executor.ts';
import { validateID } from './names.ts';
import {
  haveOverlap,
  validateOneRole,
  validateRevocableMix,
  validateUniquePersistence,
  validateUsable,
} from './usage.ts';

/** Tasks of LAUNCH (mesos.md 4.2). All resources allocated and in the new form of reservations. */

/** What the master knows where a task is to be launched. */
export interface LaunchContext {
  readonly frameworkID: string;
  readonly agentID: string;
  /** Names of AgentInfo.Capability, `TASK_RESOURCE_LIMITS` among them. */
  readonly agentCapabilities: ReadonlySet<string>;
  /** Active ones of this framework, terminal unacknowledged ones too. */
  hasTask(taskID: string): boolean;
  hasUnreachableTask(taskID: string): boolean;
  /** The framework's executor of that id on this agent. */
  executor(executorID: string): ExecutorInfo | undefined;
  /** Containers of the executor's tasks, active and unreachable: undefined for a task without. */
  containersOf(executorID: string): Iterable<ContainerInfo | undefined>;
  /** What is left of the offers: a sum. */
  readonly offered: Resources;
}

export function validateTask(task: TaskInfo, context: LaunchContext): string | undefined {
  return (
    validateTaskItself(task, context) ??
    validateTaskExecutor(task, context) ??
    (sharesCgroups(task.container) === false
      ? "Only tasks in a task group may have 'share_cgroups' set to 'false'"
      : undefined)
  );
}

/** All but its executor: for LAUNCH and LAUNCH_GROUP. */
export function validateTaskItself(task: TaskInfo, context: LaunchContext): string | undefined {
  const { task_id: taskID, agent_id: agentID, check, health_check: health } = task;
  const { kill_policy: kill, max_completion_time: completion, command, container } = task;
  return (
    validateID(taskID.value) ??
    (context.hasTask(taskID.value) ? `Task has duplicate ID: ${taskID.value}` : undefined) ??
    (context.hasUnreachableTask(taskID.value)
      ? `Task reuses the ID of an unreachable task: ${taskID.value}`
      : undefined) ??
    (agentID.value === context.agentID
      ? undefined
      : `Task uses invalid agent ${agentID.value} while agent ${context.agentID} is expected`) ??
    ((kill?.grace_period?.nanoseconds ?? 0) < 0
      ? "Task's 'kill_policy.grace_period' must be non-negative"
      : undefined) ??
    ((completion?.nanoseconds ?? 0) < 0
      ? "Task's `max_completion_time` must be non-negative"
      : undefined) ??
    under('Task uses invalid check: ', check && validateCheck(check)) ??
    under('Task uses invalid health check: ', health && validateHealthCheck(health)) ??
    validateTaskResources(task) ??
    under("Task's `CommandInfo` is invalid: ", command && validateCommand(command)) ??
    under("Task's `ContainerInfo` is invalid: ", container && validateContainer(container)) ??
    validateLimits(task, context.agentCapabilities)
  );
}

function validateTaskResources({ resources = [] }: TaskInfo): string | undefined {
  if (resources.length === 0) return 'Task uses no resources';
  const sum = sumResources(resources);
  return (
    under('Task uses invalid resources: ', validateUsable(resources)) ??
    under('Task uses duplicate persistence ID: ', validateUniquePersistence(sum)) ??
    under('Invalid task resources: ', validateOneRole(sum)) ??
    under('Task mixes revocable and non-revocable resources: ', validateRevocableMix(sum))
  );
}

function validateLimits(task: TaskInfo, capabilities: ReadonlySet<string>): string | undefined {
  const { limits = {}, resources = [] } = task;
  const names = Object.keys(limits);
  if (names.length === 0) return undefined;
  if (!capabilities.has('TASK_RESOURCE_LIMITS'))
    return 'Agent is not capable of handling task resource limits';
  if (names.some((name) => name !== 'cpus' && name !== 'mem'))
    return "Only cpus and mem may be included in a task's resource limits";
  const sum = sumResources(resources);
  const cpus = scalarOf(sum, 'cpus');
  const { cpus: cpuLimit, mem: memoryLimit } = limits;
  if (cpuLimit !== undefined && cpus === undefined)
    return 'When a CPU limit is specified, a CPU request must also be specified';
  if (cpuLimit !== undefined && !(cpuLimit.value >= (cpus ?? 0)))
    return 'The cpu limit must be greater than or equal to the cpu request';
  const memory = scalarOf(sum, 'mem');
  if (memoryLimit !== undefined && memory === undefined)
    return 'When a memory limit is specified, a memory request must also be specified';
  if (memoryLimit !== undefined && !(memoryLimit.value >= Math.trunc(memory ?? 0)))
    return 'The memory limit must be greater than or equal to the memory request';
  return undefined;
}

function validateTaskExecutor(task: TaskInfo, context: LaunchContext): string | undefined {
  const { executor, command, resources = [] } = task;
  if ((executor === undefined) === (command === undefined))
    return 'Task should have at least one (but not both) of CommandInfo or ExecutorInfo present';
  let total = sumResources(resources);
  if (executor !== undefined) {
    const problem = validateCustomExecutor(executor, context);
    if (problem !== undefined) return problem;
    if (context.executor(executor.executor_id.value) === undefined)
      total = addResources(total, executor.resources ?? []);
  }
  const problem = validateTogether(task);
  if (problem !== undefined) return problem;
  if (containsResources(context.offered, total)) return undefined;
  return `Total resources ${resourcesText(total)} required by task and its executor is more than available ${resourcesText(context.offered)}`;
}

function validateCustomExecutor(
  executor: ExecutorInfo,
  context: LaunchContext,
): string | undefined {
  const problem = validateExecutorThere(executor, context);
  if (problem !== undefined) return problem;
  if (executor.type !== undefined && executor.type !== 'CUSTOM')
    return "'ExecutorInfo.type' must be 'CUSTOM'";
  if (executor.command === undefined) return "'ExecutorInfo.command' must be set";
  const resources = sumResources(executor.resources ?? []);
  if (sharedResources(resources).length > 0)
    return `Executor resources ${resourcesText(resources)} should not contain any shared resources`;
  return validateExecutorCgroups(executor);
}

export function validateExecutorCgroups({ container }: ExecutorInfo): string | undefined {
  return sharesCgroups(container) === true
    ? "The 'share_cgroups' field cannot be set to 'true' on executor containers"
    : undefined;
}

function validateTogether({ resources = [], executor }: TaskInfo): string | undefined {
  const total = sumResources(resources, executor?.resources ?? []);
  return (
    under('Task and its executor use invalid resources: ', validateUsable(total)) ??
    (executor !== undefined &&
    haveOverlap([sumResources(resources), sumResources(executor.resources ?? [])])
      ? `There are overlapping resources in the task resources ${orderedJson(resources)} and executor resources ${orderedJson(executor.resources ?? [])}`
      : undefined) ??
    under(
      'Task and its executor use duplicate persistence ID: ',
      validateUniquePersistence(total),
    ) ??
    under(
      'Task and its executor mix revocable and non-revocable resources: ',
      validateRevocableMix(total),
    )
  );
}
