import type { Instance } from '../instance.ts';
import type { App, Health, Stats, TaskStatsByVersion } from '../types.ts';

export interface Counts {
  readonly tasksStaged: number;
  readonly tasksRunning: number;
  readonly tasksHealthy: number;
  readonly tasksUnhealthy: number;
}

/** Results of health checks by instance. */
export type HealthOf = (instanceID: string) => readonly Health[];

/** Instances that wait for an offer count nowhere. Without results an instance's own word counts. */
export function countsOf(instances: readonly Instance[], healthOf?: HealthOf): Counts {
  let [tasksStaged, tasksRunning, tasksHealthy, tasksUnhealthy] = [0, 0, 0, 0];
  for (const instance of instances) {
    const [task] = instance.tasks;
    if (instance.condition === 'Scheduled' || task === undefined) continue;
    if (task.mesosState === 'TASK_RUNNING') tasksRunning++;
    if (task.mesosState === undefined || task.mesosState === 'TASK_STAGING') tasksStaged++;
    const healthy = healthOf === undefined ? instance.healthy : isHealthy(instance, healthOf);
    if (healthy === true) tasksHealthy++;
    if (healthy === false) tasksUnhealthy++;
  }
  return { tasksStaged, tasksRunning, tasksHealthy, tasksUnhealthy };
}

function isHealthy({ instanceID }: Instance, healthOf: HealthOf): boolean | undefined {
  const health = healthOf(instanceID);
  return health.length === 0 ? undefined : health.every(({ alive }) => alive);
}

export interface StatsOptions {
  readonly instances: readonly Instance[];
  readonly healthOf: HealthOf;
  readonly nowMs: number;
}

/** `embed=app.taskStats`. */
export function taskStats({ versionInfo }: App, options: StatsOptions): TaskStatsByVersion {
  const launched = options.instances.filter(
    ({ condition, tasks }) => condition !== 'Scheduled' && tasks.length > 0,
  );
  const of = (wanted: (instance: Instance) => boolean): Stats | undefined =>
    statsOf(launched.filter(wanted), options);
  const all = { totalSummary: of(() => true) };
  if (versionInfo === undefined) return all;
  const { lastScalingAt, lastConfigChangeAt } = versionInfo;
  return {
    startedAfterLastScaling: of(({ runSpecVersion }) => runSpecVersion >= lastScalingAt),
    withLatestConfig: of(({ runSpecVersion }) => runSpecVersion >= lastConfigChangeAt),
    withOutdatedConfig: of(({ runSpecVersion }) => runSpecVersion < lastConfigChangeAt),
    ...all,
  };
}

function statsOf(instances: readonly Instance[], options: StatsOptions): Stats | undefined {
  if (instances.length === 0) return undefined;
  const counts = countsOf(instances, options.healthOf);
  const lifeTimes = instances
    .flatMap(({ tasks: [task] }) => task?.startedAt ?? [])
    .map((startedAt) => (options.nowMs - Date.parse(startedAt)) / 1000)
    .toSorted((a, b) => a - b);
  const sum = lifeTimes.reduce((total, one) => total + one, 0);
  return {
    stats: {
      counts: {
        staged: counts.tasksStaged,
        running: counts.tasksRunning,
        healthy: counts.tasksHealthy,
        unhealthy: counts.tasksUnhealthy,
      },
      lifeTime:
        lifeTimes.length === 0
          ? undefined
          : {
              averageSeconds: sum / lifeTimes.length,
              medianSeconds: lifeTimes[Math.floor(lifeTimes.length / 2)] ?? 0,
            },
    },
  };
}
