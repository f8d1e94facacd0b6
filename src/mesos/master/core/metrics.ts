import type { TaskState } from '#mesos/protocol';
import type { Core } from './core.ts';
import { allocatorMetrics } from './allocator-metrics.ts';
import { endedStates, frameworkMetrics } from './framework-metrics.ts';
import { freeInPool } from './room.ts';

const liveStates: readonly TaskState[] = [
  'TASK_STAGING',
  'TASK_STARTING',
  'TASK_RUNNING',
  'TASK_KILLING',
  'TASK_UNREACHABLE',
];
const messages = [
  'authenticate',
  'deactivate_framework',
  'decline_offers',
  'executor_to_framework',
  'exited_executor',
  'framework_to_executor',
  'kill_task',
  'launch_tasks',
  'operation_status_update',
  'operation_status_update_acknowledgement',
  'reconcile_operations',
  'reconcile_tasks',
  'register_framework',
  'register_slave',
  'reregister_framework',
  'reregister_slave',
  'resource_request',
  'revive_offers',
  'status_update',
  'status_update_acknowledgement',
  'suppress_offers',
  'unregister_framework',
  'unregister_slave',
  'update_slave',
];
const judged = [
  'executor_to_framework_messages',
  'framework_to_executor_messages',
  'operation_status_updates',
  'operation_status_update_acknowledgements',
  'status_update_acknowledgements',
  'status_updates',
];
const alwaysThere: readonly string[] = [
  ...endedStates.map((state) => `tasks_${state}`),
  ...messages.map((name) => `messages_${name}`),
  ...judged.flatMap((name) => [`valid_${name}`, `invalid_${name}`]),
  'dropped_messages',
  'slave_registrations',
  'slave_reregistrations',
  'slave_removals',
  'slave_removals/reason_unhealthy',
  'slave_removals/reason_unregistered',
  'slave_removals/reason_registered',
  'slave_shutdowns_scheduled',
  'slave_shutdowns_completed',
  'slave_shutdowns_canceled',
  'slave_unreachable_scheduled',
  'slave_unreachable_completed',
  'slave_unreachable_canceled',
  'recovery_slave_removals',
  'http_cache_hits',
].map((name) => `master/${name}`);

const operationStates = [
  'total',
  'pending',
  'recovering',
  'unreachable',
  'finished',
  'failed',
  'error',
  'dropped',
  'gone_by_operator',
];
const operationNames = [
  '',
  'reserve/',
  'unreserve/',
  'create/',
  'destroy/',
  'grow_volume/',
  'shrink_volume/',
  'create_disk/',
  'destroy_disk/',
].flatMap((type) => operationStates.map((state) => `master/operations/${type}${state}`));

/** By the names of `/metrics/snapshot` (mesos.md 8.6); computed when asked for. */
export function metricsOf(core: Core): Record<string, number> {
  const { books, options, counters } = core;
  const found: Record<string, number> = {};
  for (const name of alwaysThere) found[name] = 0;
  for (const name of operationNames) found[name] = 0;
  for (const [name, count] of counters.entries()) found[name] = count;
  found['master/uptime_secs'] = (options.clock.nowMs() - books.startedMs) / 1000;
  found['master/elected'] = 1;
  found['master/outstanding_offers'] = books.offers.size;
  found['master/event_queue_messages'] = 0;
  found['master/event_queue_dispatches'] = 0;
  found['master/event_queue_http_requests'] = 0;
  agentGauges(core, found);
  frameworkGauges(core, found);
  operationGauges(core, found);
  resourceGauges(core, found);
  // One message each here: an agent that registers does so once.
  for (const again of ['', 're'])
    found[`master/messages_${again}register_slave`] =
      found[`master/slave_${again}registrations`] ?? 0;
  for (const [name, value] of allocatorMetrics(core)) found[name] = value;
  for (const [name, value] of core.registrar.entries()) found[name] = value;
  found['registrar/queued_operations'] = core.lanes.agents.pending;
  found['registrar/log/recovered'] = 1;
  found['registrar/log/ensemble_size'] = 1;
  return found;
}

function agentGauges({ books }: Core, found: Record<string, number>): void {
  const agents = [...books.agents.values()];
  const count = (test: (agent: (typeof agents)[number]) => boolean): number =>
    agents.filter(test).length;
  found['master/slaves_connected'] = count(({ connected }) => connected);
  found['master/slaves_disconnected'] = count(({ connected }) => !connected);
  found['master/slaves_active'] = count(({ active }) => active);
  found['master/slaves_inactive'] = count(({ active }) => !active);
  found['master/slaves_unreachable'] = books.unreachableAgents.size;
}

function frameworkGauges(core: Core, found: Record<string, number>): void {
  const { books, counters } = core;
  const states = new Map<TaskState, number>(liveStates.map((state) => [state, 0]));
  let connected = 0;
  for (const framework of books.frameworks.values()) {
    if (framework.connected) connected += 1;
    for (const tasks of [framework.tasks, framework.unreachableTasks])
      for (const { state } of tasks.values()) states.set(state, (states.get(state) ?? 0) + 1);
    for (const [name, value] of frameworkMetrics(counters, framework)) found[name] = value;
  }
  for (const framework of books.completedFrameworks)
    for (const [name, value] of frameworkMetrics(counters, framework)) found[name] = value;
  const others = books.frameworks.size - connected;
  found['master/frameworks_connected'] = connected;
  found['master/frameworks_disconnected'] = others;
  found['master/frameworks_active'] = connected;
  found['master/frameworks_inactive'] = others;
  for (const state of liveStates)
    found[`master/${state.toLowerCase().replace('task_', 'tasks_')}`] = states.get(state) ?? 0;
}

/** Operations that have not ended; those that have are counted for ever. */
function operationGauges({ books }: Core, found: Record<string, number>): void {
  const add = (type: string, state: string): void => {
    for (const name of [`master/operations/${state}`, `master/operations/${type}/${state}`])
      found[name] = (found[name] ?? 0) + 1;
  };
  for (const { operations } of books.frameworks.values())
    for (const { agentID, operation } of operations.values()) {
      const type = (operation.info.type ?? 'UNKNOWN').toLowerCase();
      if (books.unreachableAgents.has(agentID)) add(type, 'unreachable');
      else if (books.recoveredAgents.has(agentID)) add(type, 'recovering');
    }
}

/** Straight from the sums that are kept: there may be ten thousand agents. */
function resourceGauges({ books, options }: Core, found: Record<string, number>): void {
  const names = ['cpus', 'gpus', 'mem', 'disk'] as const;
  const all: Record<string, number> = {};
  const held: Record<string, number> = {};
  const allocated: Record<string, number> = {};
  for (const agent of books.agents.values()) {
    const total = agent.total.quantities();
    const busy = agent.busy.quantities();
    const offered = agent.offered.quantities();
    for (const name of names) {
      const used = (busy[name] ?? 0) - (offered[name] ?? 0);
      const taken = agent.total.scalar(name) - freeInPool(options.pool, agent, name);
      all[name] = (all[name] ?? 0) + (total[name] ?? 0);
      held[name] = (held[name] ?? 0) + Math.max(used, taken);
      allocated[name] = (allocated[name] ?? 0) + (busy[name] ?? 0);
    }
  }
  for (const name of names) {
    const sum = (all[name] ?? 0) / 1000;
    const taken = (held[name] ?? 0) / 1000;
    found[`master/${name}_total`] = sum;
    found[`master/${name}_used`] = taken;
    found[`master/${name}_percent`] = sum === 0 ? 0 : taken / sum;
    for (const kind of ['total', 'used', 'percent']) found[`master/${name}_revocable_${kind}`] = 0;
    found[`allocator/mesos/resources/${name}/total`] = sum;
    found[`allocator/mesos/resources/${name}/offered_or_allocated`] = (allocated[name] ?? 0) / 1000;
  }
}
