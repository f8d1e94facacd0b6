import type { RunSpec } from '../root.ts';
import { instancesOf, isResident, upgradeStrategyOf } from '../run-spec.ts';

/** How many instances an upgrade may kill at once, and between which numbers it moves. */
export interface UpgradeNumbers {
  readonly minHealthy: number;
  readonly maxCapacity: number;
  readonly killNow: number;
}

export interface UpgradeState {
  readonly runSpec: RunSpec;
  /** Instances with goal Running, of all versions. */
  readonly current: number;
  /** Of those the healthy ones, or all when nothing checks their health. */
  readonly consideredHealthy: number;
}

export function upgradeNumbers({
  runSpec,
  current,
  consideredHealthy,
}: UpgradeState): UpgradeNumbers {
  const wanted = instancesOf(runSpec);
  const { minimumHealthCapacity, maximumOverCapacity } = upgradeStrategyOf(runSpec);
  const minHealthy = Math.ceil(wanted * minimumHealthCapacity);
  let maxCapacity = Math.floor(wanted * (1 + maximumOverCapacity));
  let killNow = Math.max(0, consideredHealthy - minHealthy);
  if (minHealthy === maxCapacity && maxCapacity <= consideredHealthy) {
    // There is no room to move: one goes first (its volume has to be free), or one comes beyond.
    if (isResident(runSpec)) killNow = consideredHealthy - minHealthy + 1;
    else maxCapacity += 1;
  }
  if (wanted < current) killNow = Math.max(current - wanted, killNow);
  return { minHealthy, maxCapacity, killNow };
}

/** How many new instances may be started now. */
export function instancesToStart(options: {
  readonly wanted: number;
  readonly maxCapacity: number;
  readonly oldActive: number;
  readonly started: number;
}): number {
  const { wanted, maxCapacity, oldActive, started } = options;
  return Math.min(wanted - started, Math.max(0, maxCapacity - oldActive - started));
}
