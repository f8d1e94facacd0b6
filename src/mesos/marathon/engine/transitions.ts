import type { TaskStatus } from '#mesos/protocol';
import type { Condition, Instance, InstanceTask } from '../model/index.ts';
import { conditionOf, instanceCondition, isTerminal } from '../model/index.ts';

/** `disabled`, or when an unreachable instance is replaced and when it is forgotten. */
export type Unreachable =
  | 'disabled'
  | { readonly inactiveAfterSeconds: number; readonly expungeAfterSeconds: number };

// Instance.scala: messages are cut.
const messageLengthMax = 10_000;

/** The task after an update; undefined when it changes nothing. Terminal tasks stay what they are. */
export function updatedTask(
  task: InstanceTask,
  status: TaskStatus,
  nowMs: number,
): InstanceTask | undefined {
  if (isTerminal(task.condition)) return undefined;
  const condition = conditionOf(status);
  if (!isNews(task, condition, status)) return undefined;
  const { startedAt } = task;
  const now = new Date(nowMs).toISOString();
  return {
    ...task,
    condition,
    mesosState: status.state,
    status: withCutMessage(status),
    ...(condition === 'Running' && { startedAt: startedAt ?? now }),
    ipAddresses: addressesOf(status) ?? task.ipAddresses,
  };
}

function isNews(task: InstanceTask, condition: Condition, status: TaskStatus): boolean {
  const { status: last } = task;
  return (
    task.condition !== condition ||
    last === undefined ||
    last.state !== status.state ||
    (status.healthy !== undefined && last.healthy !== status.healthy) ||
    (status.check_status !== undefined &&
      JSON.stringify(status.check_status) !== JSON.stringify(last.check_status))
  );
}

function withCutMessage(status: TaskStatus): TaskStatus {
  const { message } = status;
  if (message === undefined || message.length <= messageLengthMax) return status;
  return { ...status, message: message.slice(0, messageLengthMax) };
}

function addressesOf(status: TaskStatus): InstanceTask['ipAddresses'] | undefined {
  const infos = status.container_status?.network_infos;
  if (infos === undefined) return undefined;
  const addresses = infos.flatMap(({ ip_addresses: list = [] }) =>
    list.flatMap(({ ip_address: ipAddress, protocol = 'IPv4' }) =>
      ipAddress === undefined ? [] : [{ ipAddress, protocol }],
    ),
  );
  return addresses.length === 0 ? undefined : addresses;
}

/** The instance with one task replaced: its condition and health follow from all its tasks. */
export function withTask(
  instance: Instance,
  task: InstanceTask,
  options: {
    readonly unreachable: Unreachable;
    readonly nowMs: number;
    /** Marathon makes checks too: what an agent reports of its own is not the whole. */
    readonly ownChecks?: boolean;
  },
): Instance {
  const tasks = instance.tasks.map((one) => (one.taskID === task.taskID ? task : one));
  const condition = conditionOfTasks(tasks, options);
  // Checks that Marathon makes itself are not told by updates.
  const isRunning = condition === 'Running' && instance.condition === 'Running';
  const reported = options.ownChecks === true ? undefined : healthOf(tasks);
  const healthy = reported ?? (isRunning ? instance.healthy : undefined);
  const suspended =
    isTerminal(task.condition) && instance.reservation !== undefined
      ? { reservation: { ...instance.reservation, state: 'Suspended' as const } }
      : {};
  if (condition === instance.condition && healthy === instance.healthy)
    return { ...instance, ...suspended, tasks };
  const started = tasks.flatMap(({ startedAt }) => startedAt ?? []).toSorted();
  return {
    ...instance,
    ...suspended,
    tasks,
    condition,
    healthy,
    since: new Date(options.nowMs).toISOString(),
    activeSince: started[0],
  };
}

function conditionOfTasks(
  tasks: readonly InstanceTask[],
  options: { readonly unreachable: Unreachable; readonly nowMs: number },
): Condition {
  const condition = instanceCondition(
    tasks.map(({ condition: one }) => (one === 'UnreachableInactive' ? 'Unreachable' : one)),
  );
  const { unreachable, nowMs } = options;
  return condition === 'Unreachable' &&
    unreachable !== 'disabled' &&
    unreachableFor(tasks, nowMs, unreachable.inactiveAfterSeconds)
    ? 'UnreachableInactive'
    : condition;
}

/** True when a task has been unreachable for so long. */
export function unreachableFor(
  tasks: readonly InstanceTask[],
  nowMs: number,
  seconds: number,
): boolean {
  return tasks.some((task) => {
    if (task.condition !== 'Unreachable') return false;
    return nowMs >= unreachableSinceMs(task) + seconds * 1000;
  });
}

function unreachableSinceMs({ status, stagedAt }: InstanceTask): number {
  if (status?.unreachable_time !== undefined) return status.unreachable_time.nanoseconds / 1e6;
  if (status?.timestamp !== undefined) return status.timestamp * 1000;
  return Date.parse(stagedAt);
}

/**
 * True when a running task is healthy and none is unhealthy or still starting, false when a running
 * one is unhealthy (Instance.scala, computeHealth: in the order of the tasks).
 */
function healthOf(tasks: readonly InstanceTask[]): boolean | undefined {
  let healthy: boolean | undefined;
  for (const { condition, status } of tasks) {
    if (condition === 'Running' && status?.healthy === false) return false;
    if (condition !== 'Running' && condition !== 'Finished') return undefined;
    if (condition === 'Running' && status?.healthy === true) healthy = true;
  }
  return healthy;
}

/** Waits for an offer: new, or ended and wanted again (Instance.scala, isScheduled). */
export function isScheduled(instance: Instance): boolean {
  return (
    instance.goal === 'Running' &&
    (instance.condition === 'Scheduled' ||
      (isTerminal(instance.condition) && !hasLiveTasks(instance)))
  );
}

/** Has it tasks that have not ended? */
export function hasLiveTasks({ tasks }: Instance): boolean {
  return tasks.some(({ condition }) => !isTerminal(condition));
}
