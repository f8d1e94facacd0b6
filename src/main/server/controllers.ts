import type { Clock, Logger, Random } from '#base';
import type { KubeServer } from '#kube/server';
import type { ClusterPlan } from '../cluster/plan.ts';

/** Something that runs until its signal aborts. */
export interface Runnable {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

export interface ControllerParts {
  readonly kube: KubeServer;
  readonly plan: ClusterPlan;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export function controllersOf(_parts: ControllerParts): readonly Runnable[] {
  return [];
}
