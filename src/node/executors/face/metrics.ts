import type { Resource } from '#mesos/protocol';
import { emittedOf } from '../emitted.ts';
import type { AgentContext } from './context.ts';
import { executorsOf, heldBy } from './view.ts';

/** `/metrics/snapshot` of the agent, by name (mesos.md 8.6), out of what there is. */
export async function metricsOf(context: AgentContext): Promise<Readonly<Record<string, number>>> {
  const { options, world } = context;
  const executors = executorsOf(world, context.paths);
  const live = executors.filter(({ over }) => !over);
  const values: Record<string, number> = {
    'slave/uptime_secs': (options.clock.nowMs() - context.startedMs) / 1000,
    'slave/registered': 1,
    'slave/recovery_errors': 0,
    'slave/recovery_time_secs': 0,
    'slave/frameworks_active': new Set(live.map(({ frameworkID }) => frameworkID)).size,
    'slave/executors_registering': live.filter(
      ({ containers }) => !containers.some(({ container }) => container.state === 'running'),
    ).length,
    'slave/executors_running': live.filter(({ containers }) =>
      containers.some(({ container }) => container.state === 'running'),
    ).length,
    'slave/executors_terminating': 0,
    'slave/executors_terminated': executors.length - live.length,
    'slave/executors_preempted': 0,
    'slave/container_launch_errors': 0,
    'slave/executor_directory_max_allowed_age_secs': 604_800,
    ...taskCounts(context),
  };
  const { info } = await context.facts.read();
  const held = live.flatMap(heldBy);
  for (const name of ['cpus', 'gpus', 'mem', 'disk']) {
    const total = sumOf(info.resources ?? [], name);
    const used = sumOf(held, name);
    values[`slave/${name}_total`] = total;
    values[`slave/${name}_used`] = used;
    values[`slave/${name}_percent`] = total === 0 ? 0 : used / total;
  }
  for (const [name, value] of Object.entries(options.systemStats?.() ?? {}))
    values[`system/${name.replace(/^avg_/, '')}`] = value;
  return values;
}

function taskCounts({ world }: AgentContext): Record<string, number> {
  const states = ['staging', 'starting', 'running', 'killing', 'finished', 'failed', 'killed'];
  const counts: Record<string, number> = {};
  for (const state of [...states, 'lost', 'gone']) counts[`slave/tasks_${state}`] = 0;
  for (const task of world.tasks.list()) {
    const state = emittedOf(task).last?.state ?? task.status.state;
    const name = `slave/tasks_${state.replace(/^TASK_/, '').toLowerCase()}`;
    if (counts[name] !== undefined) counts[name] += 1;
  }
  return counts;
}

function sumOf(resources: readonly Resource[], name: string): number {
  const sum = resources
    .filter((one) => one.name === name && one.revocable === undefined)
    .reduce((total, one) => total + (one.scalar?.value ?? 0), 0);
  return Math.round(sum * 1000) / 1000;
}
