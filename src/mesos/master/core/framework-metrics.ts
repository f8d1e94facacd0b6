import type { TaskState } from '#mesos/protocol';
import type { FrameworkBook } from './books.ts';
import type { Counters } from './counters.ts';
import { metricsPrefix } from './frameworks.ts';

const calls = [
  'subscribe',
  'teardown',
  'accept',
  'decline',
  'accept_inverse_offers',
  'decline_inverse_offers',
  'revive',
  'kill',
  'shutdown',
  'acknowledge',
  'acknowledge_operation_status',
  'reconcile',
  'reconcile_operations',
  'message',
  'request',
  'suppress',
  'update_framework',
];
const events = [
  'subscribed',
  'offers',
  'inverse_offers',
  'rescind',
  'rescind_inverse_offer',
  'update',
  'update_operation_status',
  'message',
  'failure',
  'error',
  'heartbeat',
];
const operations = [
  'launch',
  'launch_group',
  'reserve',
  'unreserve',
  'create',
  'destroy',
  'grow_volume',
  'shrink_volume',
  'create_disk',
  'destroy_disk',
];
/** How tasks end, as metrics name it. */
export const endedStates = [
  'finished',
  'failed',
  'killed',
  'lost',
  'error',
  'dropped',
  'gone',
  'gone_by_operator',
];
/** All of these are there for every framework (metrics.cpp, FrameworkMetrics). */
const counted = [
  'calls',
  'events',
  'operations',
  ...['sent', 'accepted', 'declined', 'rescinded'].map((what) => `offers/${what}`),
  ...calls.map((call) => `calls/${call}`),
  ...events.map((event) => `events/${event}`),
  ...operations.map((operation) => `operations/${operation}`),
  ...endedStates.map((end) => `tasks/terminal/task_${end}`),
];
const activeStates: readonly TaskState[] = [
  'TASK_STAGING',
  'TASK_STARTING',
  'TASK_RUNNING',
  'TASK_KILLING',
  'TASK_UNREACHABLE',
  'TASK_UNKNOWN',
];

/** What is told of one framework; counters are those since the master began. */
export function* frameworkMetrics(
  counters: Counters,
  framework: FrameworkBook,
): IterableIterator<readonly [string, number]> {
  const prefix = metricsPrefix(framework);
  yield [`${prefix}subscribed`, framework.connected ? 1 : 0];
  for (const name of counted) yield [prefix + name, counters.get(prefix + name)];
  const active = new Map<TaskState, number>();
  for (const tasks of [framework.tasks, framework.unreachableTasks])
    for (const { state } of tasks.values()) active.set(state, (active.get(state) ?? 0) + 1);
  for (const state of activeStates)
    yield [`${prefix}tasks/active/${state.toLowerCase()}`, active.get(state) ?? 0];
  if (framework.removed) return;
  for (const role of framework.roles)
    yield [`${prefix}roles/${role}/suppressed`, framework.suppressedRoles.has(role) ? 1 : 0];
  // Counts messages of old drivers only; calls over HTTP are above.
  const { principal } = framework.info;
  if (principal === undefined) return;
  for (const what of ['received', 'processed'])
    yield [`frameworks/${principal}/messages_${what}`, 0];
}
