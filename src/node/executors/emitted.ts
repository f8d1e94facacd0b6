import type { Task } from '#mesos/kinds';
import type { TaskState, TaskStatus } from '#mesos/protocol';

const terminalStates: ReadonlySet<TaskState> = new Set([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_LOST',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
]);

export function isTerminal(state: TaskState | undefined): boolean {
  return state !== undefined && terminalStates.has(state);
}

/** What the framework was told of a task so far, or is about to be told: all that must not be said twice. */
export interface Emitted {
  readonly starting: boolean;
  readonly running: boolean;
  readonly killing: boolean;
  readonly terminal: boolean;
  /** The newest status of any kind; its health and checks carry on. */
  readonly last: TaskStatus | undefined;
}

/** Updates that wait for acknowledgement, and the traces that acknowledged ones left. */
export function emittedOf(task: Task): Emitted {
  const { state, updateState, updates = [], statuses = [] } = task.status;
  const states = new Set<TaskState>([state]);
  if (updateState !== undefined) states.add(updateState);
  for (const status of [...statuses, ...updates]) states.add(status.state);
  const has = (...wanted: TaskState[]): boolean => wanted.some((one) => states.has(one));
  const running = has('TASK_RUNNING', 'TASK_KILLING');
  return {
    starting: running || has('TASK_STARTING'),
    running,
    killing: has('TASK_KILLING'),
    terminal: isTerminal(state) || updates.some((status) => isTerminal(status.state)),
    last: updates.at(-1) ?? statuses.at(-1),
  };
}
