import { formatMicroTime, timeOr } from '#base';
import type { TaskKill } from '#mesos/kinds';
import type {
  SchedulerCallKill,
  SchedulerCallMessage,
  SchedulerCallShutdown,
} from '#mesos/protocol';
import type { FrameworkBook, TaskBook } from './books.ts';
import type { Core } from './core.ts';
import { reconcileTask } from './reconcile.ts';

/** Where neither the call nor the task says anything (checks.proto, KillPolicy). */
const graceNanosecondsDefault = 3e9;

/** KILL (mesos.md 2.7): durable when it resolves; the agent does the rest. */
export async function killTask(
  core: Core,
  book: FrameworkBook,
  { task_id, agent_id, kill_policy }: SchedulerCallKill,
): Promise<void> {
  const task = book.tasks.get(task_id.value);
  if (task === undefined) {
    reconcileTask(core, book, { task_id, ...(agent_id !== undefined && { agent_id }) });
    return;
  }
  if (agent_id !== undefined && agent_id.value !== task.agentID) return;
  await requestKill(core, task, { graceNanoseconds: kill_policy?.grace_period?.nanoseconds });
}

interface KillRequest {
  readonly graceNanoseconds?: number | undefined;
}

function requestKill(core: Core, task: TaskBook, request: KillRequest): Promise<void> {
  return requestKillAs(core, task, {
    time: formatMicroTime(core.options.clock.nowMs()),
    ...(request.graceNanoseconds !== undefined && {
      gracePeriodNanoseconds: request.graceNanoseconds,
    }),
  });
}

/** Of an operator, too, who says why. */
export async function requestKillAs(core: Core, task: TaskBook, kill: TaskKill): Promise<void> {
  if (task.launching !== undefined && !(await task.launching)) return;
  await core.lanes.tasks.change(task.key, (object) => {
    const earlier = object.spec.kill;
    if (earlier !== undefined && deadlineMs(task, earlier) <= deadlineMs(task, kill))
      return undefined;
    return { ...object, spec: { ...object.spec, kill } };
  });
}

/** A repeated kill can only shorten what remains. */
function deadlineMs(task: TaskBook, kill: TaskKill): number {
  const own = task.info.kill_policy?.grace_period?.nanoseconds ?? graceNanosecondsDefault;
  return timeOr(kill.time, 0) + (kill.gracePeriodNanoseconds ?? own) / 1e6;
}

/** SHUTDOWN: the executor's Pod is deleted, with its grace; its tasks fail as its end is seen. */
export async function shutdownExecutor(
  core: Core,
  book: FrameworkBook,
  { executor_id, agent_id }: SchedulerCallShutdown,
): Promise<void> {
  const executor = book.executor(agent_id.value, executor_id.value);
  if (executor === undefined || !(await executor.stored)) return;
  await core.executors.deletePod(executor);
}

/** MESSAGE: may be lost, as in Mesos; dropped where nobody could receive it. */
export async function sendMessage(
  core: Core,
  book: FrameworkBook,
  { agent_id, executor_id, data }: SchedulerCallMessage,
): Promise<void> {
  const agent = core.books.agents.get(agent_id.value);
  const executor = book.executor(agent_id.value, executor_id.value);
  const { agentDoor } = core.options;
  const valid = agent?.connected === true && executor !== undefined && agentDoor !== undefined;
  core.counters.add(`master/${valid ? 'valid' : 'invalid'}_framework_to_executor_messages`);
  if (!valid) return;
  try {
    await agentDoor.message(agent.nodeName, {
      frameworkID: book.id,
      executorID: executor_id.value,
      agentID: agent.id,
      data,
    });
  } catch (error) {
    core.logger.warn('A message to an executor was lost', { executor: executor_id.value, error });
  }
}
