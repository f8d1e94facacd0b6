import type { Resource } from '#mesos/protocol';
import { emittedOf } from '../emitted.ts';
import type { AgentContext } from './context.ts';
import { ageMsMax } from '../sandbox-gc.ts';
import { executorsOf, heldBy } from './view.ts';

/** `/metrics/snapshot` of the agent, by name (mesos.md 8.6), out of what there is. */
export async function metricsOf(context: AgentContext): Promise<Readonly<Record<string, number>>> {
  const { options, world } = context;
  const executors = executorsOf(world, context.paths);
  const live = executors.filter(({ over }) => !over);
  const { info, agent } = await context.facts.read();
  const { recoverySeconds } = world.counters;
  const { totalBytes, usedBytes } = context.fetcher.cache();
  const values: Record<string, number> = {
    ...world.counters.all(),
    'slave/uptime_secs': (options.clock.nowMs() - context.startedMs) / 1000,
    'slave/registered': agent === undefined ? 0 : 1,
    ...(recoverySeconds === undefined ? {} : { 'slave/recovery_time_secs': recoverySeconds }),
    'slave/frameworks_active': new Set(live.map(({ frameworkID }) => frameworkID)).size,
    'slave/executors_registering': live.filter(
      ({ containers }) => !containers.some(({ container }) => container.state === 'running'),
    ).length,
    'slave/executors_running': live.filter(({ containers }) =>
      containers.some(({ container }) => container.state === 'running'),
    ).length,
    'slave/executors_terminating': live.filter(
      ({ containerID }) =>
        world.pods.by('uid', containerID)[0]?.metadata.deletionTimestamp !== undefined,
    ).length,
    'slave/executor_directory_max_allowed_age_secs': await sandboxAgeMax(context),
    ...taskCounts(context),
    'containerizer/fetcher/cache_size_total_bytes': totalBytes,
    'containerizer/fetcher/cache_size_used_bytes': usedBytes,
    'containerizer/mesos/filesystem/containers_new_rootfs': options.runtime
      .containers()
      .filter(({ state, spec }) => state === 'running' && spec.imageId !== undefined).length,
    'gc/path_removals_pending': context.gc.pending,
    'resource_provider_manager/subscribed': 0,
  };
  const held = live.flatMap(heldBy);
  for (const name of ['cpus', 'gpus', 'mem', 'disk']) {
    for (const revocable of [false, true]) {
      const total = sumOf(info.resources ?? [], name, revocable);
      const used = sumOf(held, name, revocable);
      const prefix = `slave/${name}_${revocable ? 'revocable_' : ''}`;
      values[`${prefix}total`] = total;
      values[`${prefix}used`] = used;
      values[`${prefix}percent`] = total === 0 ? 0 : used / total;
    }
  }
  for (const [name, value] of Object.entries(options.systemStats?.() ?? {}))
    values[`system/${name.replace(/^avg_/, '')}`] = value;
  return values;
}

function taskCounts({ world }: AgentContext): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const state of ['staging', 'starting', 'running', 'killing'])
    counts[`slave/tasks_${state}`] = 0;
  for (const task of world.tasks.list()) {
    const state = emittedOf(task).last?.state ?? task.status.state;
    const name = `slave/tasks_${state.replace(/^TASK_/, '').toLowerCase()}`;
    if (counts[name] !== undefined) counts[name] += 1;
  }
  return counts;
}

/** How old a sandbox may become on a disk as full as this one. */
async function sandboxAgeMax({ options, paths }: AgentContext): Promise<number> {
  const { bytes, availableBytes } = await options.files.space(paths.root);
  return ageMsMax(bytes === 0 ? 0 : 1 - availableBytes / bytes) / 1000;
}

function sumOf(resources: readonly Resource[], name: string, revocable: boolean): number {
  const sum = resources
    .filter((one) => one.name === name && (one.revocable !== undefined) === revocable)
    .reduce((total, one) => total + (one.scalar?.value ?? 0), 0);
  return Math.round(sum * 1000) / 1000;
}
