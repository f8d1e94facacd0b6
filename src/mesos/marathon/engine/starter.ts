import type { Clock, Random } from '#base';
import type { Goal, Instance, RunSpec } from '../model/index.ts';
import { isResident, newInstanceID } from '../model/index.ts';
import { roleOf, versionOf } from './run-spec.ts';
import type { Tracker } from './tracker.ts';
import { hasLiveTasks, isScheduled } from './transitions.ts';

export interface StarterOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly tracker: Tracker;
  readonly defaultRole: string;
}

/** Instances of one run spec that wait at once: who asks for a billion must not fill the memory. */
const waitingMax = 10_000;

/**
 * Makes instances that wait for offers, as many of `wanted` as may wait at once; the rest is asked for
 * again when some of them were launched. Stopped ones that still hold a reservation come first.
 */
export function startInstances(
  options: StarterOptions,
  runSpec: RunSpec,
  wanted: number,
): readonly string[] {
  const { clock, random, tracker, defaultRole } = options;
  let waiting = 0;
  for (const instance of tracker.of(runSpec.spec.id).values())
    if (isScheduled(instance)) waiting += 1;
  const count = Math.min(wanted, waitingMax - waiting);
  const ids: string[] = [];
  for (const instance of isResident(runSpec) ? stoppedOnes(tracker, runSpec) : []) {
    if (ids.length >= count) break;
    void tracker.put({ ...instance, goal: 'Running', runSpecVersion: versionOf(runSpec) });
    ids.push(instance.instanceID);
  }
  const nowMs = clock.nowMs();
  const since = new Date(nowMs).toISOString();
  while (ids.length < count) {
    const instanceID = newInstanceID(runSpec.spec.id, { nowMs, random });
    ids.push(instanceID);
    void tracker.put({
      instanceID,
      runSpecID: runSpec.spec.id,
      role: roleOf(runSpec, defaultRole),
      runSpecVersion: versionOf(runSpec),
      goal: 'Running',
      condition: 'Scheduled',
      since,
      tasks: [],
    });
  }
  return ids;
}

function stoppedOnes(tracker: Tracker, runSpec: RunSpec): readonly Instance[] {
  return [...tracker.of(runSpec.spec.id).values()].filter(
    (instance) =>
      instance.goal === 'Stopped' && instance.reservation !== undefined && !hasLiveTasks(instance),
  );
}

/** Where an instance that is not wanted goes: a reservation is kept for the next time. */
export function endOf(instance: Instance): Goal {
  return instance.reservation === undefined ? 'Decommissioned' : 'Stopped';
}

/** What counts toward the number that is wanted. */
export function counts(instance: Instance): boolean {
  return instance.goal === 'Running' && instance.condition !== 'UnreachableInactive';
}
