import type { Resource, ValueType } from '#mesos/protocol';
import { addRanges, containsRanges, subtractRanges, type Ranges } from './ranges.ts';

/** What one list of resources has of one identity. Scalars count in thousandths, so sums are exact. */
interface Item {
  /** Name, reservations, disk and so on; its amount means nothing. */
  readonly like: Resource;
  readonly identity: string;
  thousandths: number;
  ranges: Ranges;
  set: ReadonlySet<string>;
  /** Of shared volumes: how many hold it. */
  shares: number;
}

/**
 * A sum of resources by identity. Adding and removing cost a look-up per resource: every offer,
 * launch and end of a task goes through here.
 */
export class Holdings {
  readonly #items = new Map<string, Item>();

  static of(resources: readonly Resource[] | undefined): Holdings {
    const holdings = new Holdings();
    holdings.add(resources);
    return holdings;
  }

  get isEmpty(): boolean {
    return this.#items.size === 0;
  }

  add(resources: readonly Resource[] | undefined): void {
    for (const resource of resources ?? []) this.addOne(resource);
  }

  addOne(resource: Resource): void {
    const identity = identityOf(resource);
    const item = this.#items.get(identity);
    if (item === undefined) {
      if (!isNothing(resource)) this.#items.set(identity, itemOf(resource, identity));
    } else if (resource.shared !== undefined) item.shares += 1;
    else grow(item, resource);
  }

  /** What is not there is not removed. */
  remove(resources: readonly Resource[] | undefined): void {
    for (const resource of resources ?? []) {
      const identity = identityOf(resource);
      const item = this.#items.get(identity);
      if (item === undefined) continue;
      if (resource.shared !== undefined) item.shares -= 1;
      else shrink(item, resource);
      if (isSpent(item)) this.#items.delete(identity);
    }
  }

  contains(resources: readonly Resource[] | undefined): boolean {
    for (const wanted of Holdings.of(resources).#items.values()) {
      const item = this.#items.get(wanted.identity);
      if (item === undefined || !covers(item, wanted)) return false;
    }
    return true;
  }

  minus(other: Holdings): Holdings {
    const rest = new Holdings();
    for (const item of this.#items.values()) {
      const taken = other.#items.get(item.identity);
      const left = { ...item };
      if (taken !== undefined && item.like.shared === undefined) take(left, taken);
      if (!isSpent(left)) rest.#items.set(item.identity, left);
    }
    return rest;
  }

  copy(): Holdings {
    return this.minus(new Holdings());
  }

  list(): readonly Resource[] {
    return [...this.#items.values()].map(resourceOf);
  }

  /** In thousandths. */
  scalar(identity: string): number {
    return this.#items.get(identity)?.thousandths ?? 0;
  }

  ranges(identity: string): Ranges {
    return this.#items.get(identity)?.ranges ?? [];
  }

  /** Sets an amount of unreserved resources, in thousandths; zero takes it away. */
  setScalar(name: string, thousandths: number): void {
    if (thousandths <= 0) this.#items.delete(name);
    else {
      const like: Resource = { name, type: 'SCALAR', scalar: { value: 0 } };
      this.#items.set(name, { ...itemOf(like, name), thousandths });
    }
  }

  setRanges(name: string, ranges: Ranges): void {
    if (ranges.length === 0) this.#items.delete(name);
    else this.#items.set(name, itemOf({ name, type: 'RANGES', ranges: { range: ranges } }, name));
  }

  *parts(): IterableIterator<{
    readonly identity: string;
    readonly like: Resource;
    readonly thousandths: number;
    readonly resource: Resource;
  }> {
    for (const item of this.#items.values())
      yield {
        identity: item.identity,
        like: item.like,
        thousandths: item.thousandths,
        resource: resourceOf(item),
      };
  }

  /** Thousandths by name over all identities. */
  quantities(): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const { like, thousandths } of this.#items.values())
      if (like.type === 'SCALAR') sums[like.name] = (sums[like.name] ?? 0) + thousandths;
    return sums;
  }
}

export function thousandthsOf(value: number | undefined): number {
  return Math.round((value ?? 0) * 1000);
}

/** Unreserved, not a disk of its own, neither revocable nor shared. */
export function isPlain(resource: Resource): boolean {
  return (
    resource.disk === undefined &&
    resource.revocable === undefined &&
    resource.shared === undefined &&
    resource.provider_id === undefined &&
    (resource.reservations === undefined || resource.reservations.length === 0)
  );
}

/** The same for resources that may be added up; to whom it is allocated does not matter. */
export function identityOf(resource: Resource): string {
  if (isPlain(resource)) return resource.name;
  const reservations = (resource.reservations ?? []).map((one) => [
    one.type,
    one.role,
    one.principal,
    one.labels?.labels?.map(({ key, value }) => [key, value]),
  ]);
  // A volume says how a disk is used, not which one it is.
  const { persistence, source } = resource.disk ?? {};
  return JSON.stringify([
    resource.name,
    reservations,
    persistence?.id,
    source,
    resource.revocable !== undefined,
    resource.shared !== undefined,
    resource.provider_id?.value,
  ]);
}

/** The resources without `allocation_info`. */
export function unallocated(resources: readonly Resource[]): readonly Resource[] {
  return resources.map((resource) => {
    if (resource.allocation_info === undefined) return resource;
    const { allocation_info: _, ...rest } = resource;
    return rest;
  });
}

export function allocated(resources: readonly Resource[], role: string): readonly Resource[] {
  return resources.map((resource) => ({ ...resource, allocation_info: { role } }));
}

function itemOf(resource: Resource, identity: string): Item {
  const { allocation_info: _, ...like } = resource;
  return {
    like,
    identity,
    thousandths: thousandthsOf(resource.scalar?.value),
    ranges: addRanges([], resource.ranges?.range ?? []),
    set: new Set(resource.set?.item),
    shares: resource.shared === undefined ? 0 : 1,
  };
}

function isNothing(resource: Resource): boolean {
  if (resource.type === 'SCALAR') return thousandthsOf(resource.scalar?.value) <= 0;
  if (resource.type === 'RANGES') return (resource.ranges?.range ?? []).length === 0;
  return (resource.set?.item ?? []).length === 0;
}

function isSpent(item: Item): boolean {
  if (item.like.shared !== undefined) return item.shares <= 0;
  const spent: Readonly<Record<ValueType, boolean>> = {
    SCALAR: item.thousandths <= 0,
    RANGES: item.ranges.length === 0,
    SET: item.set.size === 0,
    TEXT: true,
  };
  return spent[item.like.type];
}

function grow(item: Item, resource: Resource): void {
  if (resource.type === 'SCALAR') item.thousandths += thousandthsOf(resource.scalar?.value);
  else if (resource.type === 'RANGES')
    item.ranges = addRanges(item.ranges, resource.ranges?.range ?? []);
  else item.set = new Set([...item.set, ...(resource.set?.item ?? [])]);
}

function shrink(item: Item, resource: Resource): void {
  if (resource.type === 'SCALAR') item.thousandths -= thousandthsOf(resource.scalar?.value);
  else if (resource.type === 'RANGES')
    item.ranges = subtractRanges(item.ranges, resource.ranges?.range ?? []);
  else item.set = without(item.set, new Set(resource.set?.item));
}

function without(set: ReadonlySet<string>, taken: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...set].filter((one) => !taken.has(one)));
}

function take(item: Item, taken: Item): void {
  item.thousandths -= taken.thousandths;
  if (taken.ranges.length > 0) item.ranges = subtractRanges(item.ranges, taken.ranges);
  if (taken.set.size > 0) item.set = without(item.set, taken.set);
}

function covers(item: Item, wanted: Item): boolean {
  if (wanted.like.shared !== undefined) return true;
  return (
    item.thousandths >= wanted.thousandths &&
    containsRanges(item.ranges, wanted.ranges) &&
    [...wanted.set].every((one) => item.set.has(one))
  );
}

function resourceOf(item: Item): Resource {
  if (item.like.type === 'SCALAR')
    return { ...item.like, scalar: { value: item.thousandths / 1000 } };
  if (item.like.type === 'RANGES') return { ...item.like, ranges: { range: item.ranges } };
  return { ...item.like, set: { item: [...item.set] } };
}
