import type { Resource } from '../types.ts';
import {
  allocateResource,
  isAllocatableTo,
  isPersistentVolume,
  isReserved,
  isRevocable,
  isShared,
  isUnreserved,
  reservationRole,
  unallocateResource,
  withoutReservations,
} from './reservations.ts';
import { containsResource, isAddable, isIndivisible, isSubtractable, kindKey } from './same.ts';
import { valueText } from './text.ts';
import {
  addRanges,
  addSets,
  fromFixed,
  rangesCount,
  subtractRanges,
  subtractSets,
  toFixed,
} from './values.ts';

/**
 * Resources as a sum: in the new form of reservations, none empty, no two that could be one. A
 * shared volume that is held n times stands in the array n times. Arrays and their members are
 * never changed. Every function takes any array of valid resources in the new form and gives a sum.
 */
export type Resources = readonly Resource[];

export const noResources: Resources = Object.freeze([]);

export function isEmptyResource(resource: Resource): boolean {
  switch (resource.type) {
    case 'SCALAR':
      return toFixed(resource.scalar?.value ?? 0) === 0;
    case 'RANGES':
      return (resource.ranges?.range ?? []).length === 0;
    case 'SET':
      return (resource.set?.item ?? []).length === 0;
    default:
      return true;
  }
}

/** Up to here looking at every one is quicker than an index. */
const looseMax = 32;

/** The sum of loose resources. */
export function sumResources(...lists: readonly Resources[]): Resources {
  const sum: Resource[] = [];
  const count = lists.reduce((total, list) => total + list.length, 0);
  if (count > looseMax) return sumOfMany(lists);
  for (const list of lists) for (const resource of list) addTo(sum, resource);
  return sum;
}

/** The same with an index, for lists as long as strangers like. */
function sumOfMany(lists: readonly Resources[]): Resources {
  const sum: Resource[] = [];
  const places = new Map<string, number>();
  for (const resource of lists.flat()) {
    if (isEmptyResource(resource)) continue;
    const key = isIndivisible(resource) || isShared(resource) ? undefined : kindKey(resource);
    const place = key === undefined ? undefined : places.get(key);
    const one = place === undefined ? undefined : sum[place];
    if (one !== undefined && place !== undefined) sum[place] = plus(one, resource);
    else {
      if (key !== undefined) places.set(key, sum.length);
      sum.push(resource);
    }
  }
  return sum;
}

/** `left` must be a sum already. */
export function addResources(left: Resources, right: Resources): Resources {
  if (right.length === 0) return left;
  const sum = [...left];
  for (const resource of right) addTo(sum, resource);
  return sum;
}

/** What is left of `left`; what it does not have is not taken, and nothing goes below zero. */
export function subtractResources(left: Resources, right: Resources): Resources {
  if (left.length === 0 || right.length === 0) return left;
  const rest = [...left];
  for (const resource of right) takeFrom(rest, resource);
  return rest;
}

/** Is all of `right` in `left`? Copies of a shared volume count. `left` must be a sum. */
export function containsResources(left: Resources, right: Resources): boolean {
  if (right.length === 0) return true;
  const rest = [...left];
  for (const resource of sumResources(right)) {
    if (!rest.some((one) => containsResource(one, resource))) return false;
    if (resource.disk !== undefined) takeFrom(rest, resource);
  }
  return true;
}

export function sameResources(left: Resources, right: Resources): boolean {
  return containsResources(left, right) && containsResources(right, left);
}

function addTo(sum: Resource[], resource: Resource): void {
  if (isEmptyResource(resource)) return;
  for (let index = 0; index < sum.length; index++) {
    const one = sum[index];
    if (one === undefined || !isAddable(one, resource)) continue;
    sum[index] = plus(one, resource);
    return;
  }
  sum.push(resource);
}

function takeFrom(rest: Resource[], resource: Resource): void {
  for (let index = 0; index < rest.length; index++) {
    const one = rest[index];
    if (one === undefined || !isSubtractable(one, resource)) continue;
    const left = isShared(one) ? undefined : minus(one, resource);
    if (left !== undefined) rest[index] = left;
    else {
      // The last one takes the place: messages list what is left in this order.
      const last = rest.pop();
      if (last !== undefined && index < rest.length) rest[index] = last;
    }
    return;
  }
}

function plus(left: Resource, right: Resource): Resource {
  switch (left.type) {
    case 'SCALAR': {
      const fixed = toFixed(left.scalar?.value ?? 0) + toFixed(right.scalar?.value ?? 0);
      return { ...left, scalar: { value: fromFixed(fixed) } };
    }
    case 'RANGES':
      return { ...left, ranges: addRanges(left.ranges ?? {}, right.ranges ?? {}) };
    case 'SET':
      return { ...left, set: addSets(left.set ?? {}, right.set ?? {}) };
    default:
      return left;
  }
}

function minus(left: Resource, right: Resource): Resource | undefined {
  switch (left.type) {
    case 'SCALAR': {
      const fixed = toFixed(left.scalar?.value ?? 0) - toFixed(right.scalar?.value ?? 0);
      return fixed <= 0 ? undefined : { ...left, scalar: { value: fromFixed(fixed) } };
    }
    case 'RANGES': {
      const ranges = subtractRanges(left.ranges ?? {}, right.ranges ?? {});
      return ranges.range?.length === 0 ? undefined : { ...left, ranges };
    }
    case 'SET': {
      const set = subtractSets(left.set ?? {}, right.set ?? {});
      return set.item?.length === 0 ? undefined : { ...left, set };
    }
    default:
      return undefined;
  }
}

/** The same with another amount; undefined when it is indivisible. For shrinking an offer. */
export function shrinkResource(resource: Resource, toThousandths: number): Resource | undefined {
  if (toFixed(resource.scalar?.value ?? 0) <= toThousandths) return resource;
  const smaller = { ...resource, scalar: { value: fromFixed(toThousandths) } };
  return containsResource(resource, smaller) ? smaller : undefined;
}

export function allocateResources(resources: Resources, role: string): Resources {
  return resources.map((resource) => allocateResource(resource, role));
}
/** A sum again: parts allocated to different roles join. */
export function unallocateResources(resources: Resources): Resources {
  return sumResources(resources.map(unallocateResource));
}
/** `toUnreserved`: all reservations off, joined. */
export function flattenResources(resources: Resources): Resources {
  return sumResources(resources.map(withoutReservations));
}

export function reservedResources(resources: Resources, role?: string): Resources {
  return resources.filter((resource) => isReserved(resource, role));
}
export function unreservedResources(resources: Resources): Resources {
  return resources.filter(isUnreserved);
}
export function allocatableResources(resources: Resources, role: string): Resources {
  return resources.filter((resource) => isAllocatableTo(resource, role));
}
export function revocableResources(resources: Resources): Resources {
  return resources.filter(isRevocable);
}
export function nonRevocableResources(resources: Resources): Resources {
  return resources.filter((resource) => !isRevocable(resource));
}
export function sharedResources(resources: Resources): Resources {
  return resources.filter(isShared);
}
export function persistentVolumes(resources: Resources): Resources {
  return resources.filter(isPersistentVolume);
}

/** By role of the innermost reservation. */
export function reservationsByRole(resources: Resources): ReadonlyMap<string, Resources> {
  const byRole = new Map<string, Resource[]>();
  for (const resource of resources) {
    const role = reservationRole(resource);
    if (role === undefined) continue;
    const list = byRole.get(role) ?? [];
    list.push(resource);
    byRole.set(role, list);
  }
  return byRole;
}

/** Scalars by name in thousandths, of every role and disk; a shared volume counts once. */
export function scalarQuantities(resources: Resources): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (const { name, type, scalar } of onceShared(resources))
    if (type === 'SCALAR') sums.set(name, (sums.get(name) ?? 0) + toFixed(scalar?.value ?? 0));
  return Object.fromEntries(sums);
}

/** Sum of one scalar, in Mesos' unit; undefined when there is no such resource. */
export function scalarOf(resources: Resources, name: string): number | undefined {
  let sum: number | undefined;
  for (const resource of onceShared(resources))
    if (resource.name === name && resource.type === 'SCALAR')
      sum = (sum ?? 0) + toFixed(resource.scalar?.value ?? 0);
  return sum === undefined ? undefined : fromFixed(sum);
}

/** All numbers of one ranges resource, whatever its roles. */
export function rangesOf(
  resources: Resources,
  name: string,
): readonly { begin: number; end: number }[] {
  const all = resources.filter((one) => one.name === name && one.type === 'RANGES');
  return addRanges({}, { range: all.flatMap(({ ranges }) => ranges?.range ?? []) }).range ?? [];
}

/** Every value counted: scalars in thousandths, numbers of ranges and items of sets as 1000 each. */
export function resourceQuantities(resources: Resources): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const resource of onceShared(resources))
    sums.set(resource.name, (sums.get(resource.name) ?? 0) + quantityOf(resource));
  return sums;
}

function quantityOf(resource: Resource): number {
  if (resource.type === 'RANGES') return 1000 * rangesCount(resource.ranges ?? {});
  if (resource.type === 'SET') return 1000 * (resource.set?.item ?? []).length;
  return toFixed(resource.scalar?.value ?? 0);
}

/** Each shared volume once, however often it is held. */
export function onceShared(resources: Resources): Resources {
  if (!resources.some(isShared)) return resources;
  const seen = new Set<string>();
  return resources.filter((resource) => {
    if (!isShared(resource)) return true;
    const key = `${kindKey(resource)} ${valueText(resource)}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
