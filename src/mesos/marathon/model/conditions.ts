import type { TaskState, TaskStatus } from '#mesos/protocol';
import type { Condition } from './instance.ts';
import type { MesosTaskState } from './types.ts';

const byState: Readonly<Record<TaskState, Condition>> = {
  TASK_STAGING: 'Staging',
  TASK_STARTING: 'Starting',
  TASK_RUNNING: 'Running',
  TASK_KILLING: 'Killing',
  TASK_FINISHED: 'Finished',
  TASK_FAILED: 'Failed',
  TASK_KILLED: 'Killed',
  TASK_ERROR: 'Error',
  TASK_LOST: 'Gone',
  TASK_DROPPED: 'Dropped',
  TASK_UNREACHABLE: 'Unreachable',
  TASK_GONE: 'Gone',
  TASK_GONE_BY_OPERATOR: 'Gone',
  TASK_UNKNOWN: 'Unknown',
};

const unreachableReasons: readonly (string | undefined)[] = [
  'REASON_RECONCILIATION',
  'REASON_AGENT_DISCONNECTED',
  'REASON_AGENT_REMOVED',
  // As frameworks of the old API know them.
  'REASON_SLAVE_DISCONNECTED',
  'REASON_SLAVE_REMOVED',
];

/** What a status update means for a task; a lost one by why it is lost. */
export function conditionOf({ state, reason, message }: TaskStatus): Condition {
  if (state !== 'TASK_LOST') return byState[state];
  const unknown = message?.startsWith('Reconciliation: Task is unknown to the') === true;
  if (unknown || reason === 'REASON_TASK_UNKNOWN') return 'Unknown';
  return unreachableReasons.includes(reason) ? 'Unreachable' : 'Gone';
}

const byRank: readonly Condition[] = [
  'Error',
  'Failed',
  'Gone',
  'Dropped',
  'Unreachable',
  'Killing',
  'Starting',
  'Staging',
  'Unknown',
  'Provisioned',
  'Running',
  'Finished',
  'Killed',
];

/** The condition of an instance by those of its tasks: the gravest. */
export function instanceCondition(conditions: readonly Condition[]): Condition {
  const found = byRank.find((condition) => conditions.includes(condition));
  return found ?? conditions[0] ?? 'Scheduled';
}

const states: Readonly<Record<Condition, MesosTaskState>> = {
  Scheduled: 'TASK_STAGING',
  Provisioned: 'TASK_STAGING',
  Staging: 'TASK_STAGING',
  Starting: 'TASK_STARTING',
  Running: 'TASK_RUNNING',
  Killing: 'TASK_KILLING',
  Unreachable: 'TASK_UNREACHABLE',
  UnreachableInactive: 'TASK_UNREACHABLE',
  Error: 'TASK_ERROR',
  Failed: 'TASK_FAILED',
  Finished: 'TASK_FINISHED',
  Killed: 'TASK_KILLED',
  Gone: 'TASK_GONE',
  Dropped: 'TASK_DROPPED',
  Unknown: 'TASK_UNKNOWN',
};

/** The state that answers show for a condition. */
export function mesosStateOf(condition: Condition): MesosTaskState {
  return states[condition];
}
