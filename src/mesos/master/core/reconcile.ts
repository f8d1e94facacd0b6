import type {
  SchedulerCallReconcile,
  SchedulerCallReconcileTask,
  TaskState,
  TaskStatus,
} from '#mesos/protocol';
import type { FrameworkBook, TaskBook } from './books.ts';
import type { Core } from './core.ts';
import { latestOf } from './tasks.ts';

/** RECONCILE (mesos.md 2.9): answers are sent at once, without uuid, in no particular order. */
export function reconcileTasks(
  core: Core,
  book: FrameworkBook,
  { tasks = [] }: SchedulerCallReconcile,
): void {
  if (tasks.length === 0) for (const task of book.tasks.values()) sendLatest(core, task);
  else for (const task of tasks) reconcileTask(core, book, task);
}

/** Also what KILL of an unknown task is answered with. */
export function reconcileTask(
  core: Core,
  book: FrameworkBook,
  asked: SchedulerCallReconcileTask,
): void {
  const known = book.tasks.get(asked.task_id.value);
  if (known !== undefined) {
    sendLatest(core, known);
    return;
  }
  const { recoveredAgents, agents, unreachableAgents, goneAgents } = core.books;
  const agentID = asked.agent_id?.value;
  if (agentID === undefined ? recoveredAgents.size > 0 : recoveredAgents.has(agentID)) return;
  const answer = (state: TaskState, message: string, more: Partial<TaskStatus> = {}): void => {
    core.updates.sendOnce(book, {
      task_id: asked.task_id,
      state: book.partitionAware ? state : 'TASK_LOST',
      message: `Reconciliation: ${message}`,
      source: 'SOURCE_MASTER',
      reason: 'REASON_RECONCILIATION',
      ...(asked.agent_id !== undefined && { agent_id: asked.agent_id }),
      timestamp: core.options.clock.nowMs() / 1000,
      ...more,
    });
  };
  if (agentID === undefined) answer('TASK_UNKNOWN', 'Task is unknown');
  else if (agents.has(agentID)) answer('TASK_GONE', 'Task is unknown to the agent');
  else if (unreachableAgents.has(agentID)) {
    const sinceMs = unreachableAgents.get(agentID)?.sinceMs ?? 0;
    answer(
      'TASK_UNREACHABLE',
      'Task is unreachable',
      book.partitionAware ? { unreachable_time: { nanoseconds: sinceMs * 1e6 } } : {},
    );
  } else if (goneAgents.has(agentID)) answer('TASK_GONE_BY_OPERATOR', 'Task is gone');
  else answer('TASK_UNKNOWN', 'Task is unknown');
}

/** The state that was forwarded last, not one that waits behind an unacknowledged update. */
function sendLatest(core: Core, task: TaskBook): void {
  core.updates.sendOnce(task.framework, {
    task_id: task.info.task_id,
    state: task.statusUpdateState ?? task.state,
    message: 'Reconciliation: Latest task state',
    source: 'SOURCE_MASTER',
    reason: 'REASON_RECONCILIATION',
    agent_id: { value: task.agentID },
    ...(task.execution !== 'Command' && { executor_id: { value: task.executorID } }),
    timestamp: core.options.clock.nowMs() / 1000,
    ...latestOf(task),
  });
}
