import type { Condition, Instance } from '../instance.ts';
import { fieldOfInstance } from '../offer/attributes.ts';
import type { RunSpec } from '../root.ts';
import { constraintsOf, killSelectionOf } from '../run-spec.ts';

export interface KillRequest {
  readonly runSpec: RunSpec;
  /** Those that count: goal Running and not given up as unreachable. */
  readonly instances: readonly Instance[];
  readonly scaleTo: number;
  /** Instances that the caller wants gone, by id. */
  readonly sentenced: readonly string[];
}

/**
 * Which instances go: those named, then those whose going keeps GROUP_BY even, then by what state they
 * are in and how old they are.
 */
export function selectToKill(request: KillRequest): Instance[] {
  const { runSpec, instances, scaleTo, sentenced } = request;
  const ids = new Set(sentenced);
  const named = instances.filter(({ instanceID }) => ids.has(instanceID));
  const count = Math.max(instances.length - scaleTo, named.length);
  if (count <= 0) return [];
  const sorted = instances
    .filter(({ instanceID }) => !ids.has(instanceID))
    .toSorted(compareFor(runSpec));
  const even = evenSelection(runSpec, sorted, count - named.length);
  const chosen = new Set(even);
  const others = sorted.filter((instance) => !chosen.has(instance));
  return [...named, ...even, ...others].slice(0, count);
}

const weights: Readonly<Partial<Record<Condition, number>>> = {
  Unreachable: 1,
  Staging: 2,
  Starting: 3,
  Running: 4,
};

function weightOf({ condition }: Instance): number {
  return weights[condition] ?? 5;
}

function startOf({ activeSince, tasks, since }: Instance): string {
  return activeSince ?? tasks[0]?.startedAt ?? tasks[0]?.stagedAt ?? since;
}

/** Lighter conditions go first, then by the run spec's selection. */
export function compareFor(runSpec: RunSpec): (a: Instance, b: Instance) => number {
  const youngestFirst = killSelectionOf(runSpec) === 'YOUNGEST_FIRST';
  return (a, b) => {
    const byWeight = weightOf(a) - weightOf(b);
    if (byWeight !== 0) return byWeight;
    const [first, second] = [startOf(a), startOf(b)];
    if (first === second) return 0;
    return first < second === youngestFirst ? 1 : -1;
  };
}

/** Instances by the value of one field: in which group each is, how many are left in each. */
interface Distribution {
  readonly groupOf: ReadonlyMap<Instance, number>;
  readonly sizes: number[];
  readonly spreadAtFirst: number;
}

/** Of those that leave every GROUP_BY as even as it was or more so; those to go first come first. */
function evenSelection(runSpec: RunSpec, sorted: readonly Instance[], count: number): Instance[] {
  if (count <= 0 || count >= sorted.length) return [];
  const distributions = constraintsOf(runSpec)
    .filter(({ operator }) => operator === 'GROUP_BY')
    .map(({ fieldName }) => distributionOf(sorted, fieldName));
  if (distributions.length === 0) return [];
  const selected = new Set<Instance>();
  while (selected.size < count) {
    const left = sorted.filter((instance) => !selected.has(instance));
    const fits = (one: Instance): boolean =>
      distributions.every((distribution) => staysEven(distribution, one));
    const next =
      left.find((one) => distributions.some((all) => isInLargest(all, one)) && fits(one)) ??
      left.find(fits);
    if (next === undefined) break;
    selected.add(next);
    for (const { groupOf, sizes } of distributions) {
      const group = groupOf.get(next) ?? 0;
      sizes[group] = (sizes[group] ?? 0) - 1;
    }
  }
  return [...selected];
}

function distributionOf(instances: readonly Instance[], field: string): Distribution {
  const groups = new Map<string | undefined, number>();
  const groupOf = new Map<Instance, number>();
  const sizes: number[] = [];
  for (const instance of instances) {
    const value = fieldOfInstance(instance, field);
    const group = groups.get(value) ?? groups.size;
    groups.set(value, group);
    groupOf.set(instance, group);
    sizes[group] = (sizes[group] ?? 0) + 1;
  }
  return { groupOf, sizes, spreadAtFirst: spread(sizes) };
}

function spread(sizes: readonly number[]): number {
  return Math.max(...sizes) - Math.min(...sizes);
}

/** A difference of one cannot be helped. */
function staysEven({ groupOf, sizes, spreadAtFirst }: Distribution, gone: Instance): boolean {
  const group = groupOf.get(gone);
  const after = spread(sizes.map((size, index) => (index === group ? size - 1 : size)));
  return after <= 1 || spreadAtFirst > after;
}

function isInLargest({ groupOf, sizes }: Distribution, instance: Instance): boolean {
  const largest = Math.max(...sizes);
  if (sizes.every((size) => size === largest)) return false;
  return sizes[groupOf.get(instance) ?? 0] === largest;
}
