import type { RunSpec } from '../model/index.ts';
import { unreachableStrategyOf } from '../model/index.ts';
import type { Unreachable } from './transitions.ts';

/** What apps and pods have in common, read from either form. */

export function versionOf({ spec }: RunSpec): string {
  return spec.version ?? '';
}

export function roleOf({ spec }: RunSpec, fallback: string): string {
  return spec.role ?? fallback;
}

export function unreachableOf(runSpec: RunSpec | undefined): Unreachable {
  return runSpec === undefined
    ? { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 }
    : unreachableStrategyOf(runSpec);
}

export function hasConstraints(runSpec: RunSpec): boolean {
  const constraints =
    runSpec.kind === 'app'
      ? runSpec.spec.constraints
      : runSpec.spec.scheduling?.placement?.constraints;
  return constraints !== undefined && constraints.length > 0;
}

/** Health is known only when something checks it (Instance.scala, hasConfiguredHealthChecks). */
export function hasHealthChecks(runSpec: RunSpec): boolean {
  if (runSpec.kind === 'pod')
    return runSpec.spec.containers.some(({ healthCheck }) => healthCheck !== undefined);
  const { healthChecks = [], check, readinessChecks = [] } = runSpec.spec;
  return healthChecks.length > 0 || check !== undefined || readinessChecks.length > 0;
}

/** Names of a pod's containers; apps have one task without a name. */
export function containersOf(runSpec: RunSpec): readonly (string | undefined)[] {
  return runSpec.kind === 'app' ? [undefined] : runSpec.spec.containers.map(({ name }) => name);
}

/** Least amounts of an offer that are worth a closer look. */
export function amountsOf(runSpec: RunSpec): { readonly cpus: number; readonly mem: number } {
  if (runSpec.kind === 'app') return { cpus: runSpec.spec.cpus, mem: runSpec.spec.mem };
  let cpus = 0;
  let mem = 0;
  for (const { resources } of runSpec.spec.containers) {
    cpus += resources.cpus;
    mem += resources.mem;
  }
  return { cpus, mem };
}
