import { hasPersistentVolumes } from './app/volumes.ts';
import type { RunSpec } from './root.ts';
import type {
  Constraint,
  KillSelection,
  Network,
  PodPersistentVolume,
  PodVolume,
  UnreachableStrategy,
} from './types.ts';
import { parseConstraint } from './constraint-rules.ts';

/** What apps and pods have in common, read from either form. */

export function instancesOf({ kind, spec }: RunSpec): number {
  return kind === 'app' ? spec.instances : (spec.scaling?.instances ?? 1);
}

export function networksOf({ spec }: RunSpec): readonly Network[] {
  return spec.networks ?? [];
}

export function isPodPersistent(volume: PodVolume): volume is PodPersistentVolume {
  return 'persistent' in volume;
}

export function isResident({ kind, spec }: RunSpec): boolean {
  return kind === 'app'
    ? hasPersistentVolumes(spec)
    : (spec.volumes?.some(isPodPersistent) ?? false);
}

export function constraintsOf({ kind, spec }: RunSpec): readonly Constraint[] {
  if (kind === 'pod') return spec.scheduling?.placement?.constraints ?? [];
  return (spec.constraints ?? []).flatMap((parts) => {
    const constraint = parseConstraint(parts);
    return typeof constraint === 'string' ? [] : [constraint];
  });
}

export function acceptedRolesOf({ kind, spec }: RunSpec): readonly string[] {
  return kind === 'app'
    ? (spec.acceptedResourceRoles ?? [])
    : (spec.scheduling?.placement?.acceptedResourceRoles ?? []);
}

export function killSelectionOf({ kind, spec }: RunSpec): KillSelection {
  return kind === 'app' ? spec.killSelection : (spec.scheduling?.killSelection ?? 'YOUNGEST_FIRST');
}

export function unreachableStrategyOf({ kind, spec }: RunSpec): UnreachableStrategy {
  const strategy = kind === 'app' ? spec.unreachableStrategy : spec.scheduling?.unreachableStrategy;
  return strategy ?? { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 };
}

/** Shares of the wanted number. */
export interface Strategy {
  readonly minimumHealthCapacity: number;
  readonly maximumOverCapacity: number;
}

export function upgradeStrategyOf({ kind, spec }: RunSpec): Strategy {
  const strategy = kind === 'app' ? spec.upgradeStrategy : spec.scheduling?.upgrade;
  return strategy ?? { minimumHealthCapacity: 1, maximumOverCapacity: 1 };
}

export interface BackoffNumbers {
  readonly firstMs: number;
  readonly factor: number;
  readonly maxMs: number;
}

export function backoffOf({ kind, spec }: RunSpec): BackoffNumbers {
  if (kind === 'app')
    return {
      firstMs: spec.backoffSeconds * 1000,
      factor: spec.backoffFactor,
      maxMs: spec.maxLaunchDelaySeconds * 1000,
    };
  const backoff = spec.scheduling?.backoff;
  return {
    firstMs: (backoff?.backoff ?? 1) * 1000,
    factor: backoff?.backoffFactor ?? 1.15,
    maxMs: (backoff?.maxLaunchDelay ?? 300) * 1000,
  };
}
