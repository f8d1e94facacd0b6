import { isObject } from '#wire';
import type { FieldSet, MaybeSet } from './field-set.ts';
import { equalSets, sortedSet, union } from './field-set.ts';
import type { ManagedFieldsEntry } from './object.ts';

/** managedFields as sets by manager: decoded, combined, written back in the reference's order. */
export interface Manager {
  readonly manager: string;
  readonly operation: string;
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  readonly set: MaybeSet;
}
export type Managers = ReadonlyMap<string, Manager>;

/** Entries with operation Update that are kept apart; older ones are merged. */
const updateEntriesMax = 10;
const ancient = 'ancient-changes';

export function identityOf(one: Omit<Manager, 'time' | 'set'>): string {
  return JSON.stringify([one.operation, one.manager, one.apiVersion, one.subresource]);
}

/** Undefined when an entry cannot be understood. */
export function decodeManagers(
  entries: readonly ManagedFieldsEntry[] | null | undefined,
): Managers | undefined {
  const managers = new Map<string, Manager>();
  for (const entry of entries ?? []) {
    const { operation, fieldsV1 } = entry;
    if (operation !== 'Apply' && operation !== 'Update') return undefined;
    if ((entry.fieldsType ?? '') !== 'FieldsV1') return undefined;
    if (fieldsV1 !== undefined && fieldsV1 !== null && !isFieldSet(fieldsV1)) return undefined;
    const manager: Manager = {
      manager: entry.manager ?? '',
      operation,
      apiVersion: entry.apiVersion ?? '',
      subresource: entry.subresource ?? '',
      time: entry.time,
      // An entry that holds nothing would be a root that is a member: it is no entry at all.
      set:
        isObject(fieldsV1) && Object.keys(fieldsV1).length > 0 ? (fieldsV1 as FieldSet) : undefined,
    };
    const identity = identityOf(manager);
    const before = managers.get(identity);
    managers.set(identity, before ? { ...manager, set: union(before.set, manager.set) } : manager);
  }
  return managers;
}

function isFieldSet(value: unknown): value is FieldSet {
  return (
    isObject(value) &&
    Object.entries(value).every(
      ([key, child]) => (key === '.' || /^[fkvi]:/.test(key)) && isFieldSet(child),
    )
  );
}

/** Entries without fields are left out; Apply first, then by time, manager, version, subresource. */
export function encodeManagers(managers: Managers): readonly ManagedFieldsEntry[] {
  return capped([...managers.values()].filter((one) => one.set !== undefined))
    .toSorted(compareManagers)
    .map(entryOf);
}

function entryOf(one: Manager): ManagedFieldsEntry {
  return {
    ...(one.manager === '' ? {} : { manager: one.manager }),
    operation: one.operation,
    apiVersion: one.apiVersion,
    ...(one.time === undefined ? {} : { time: one.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: sortedSet(one.set ?? {}),
    ...(one.subresource === '' ? {} : { subresource: one.subresource }),
  };
}

function compareManagers(a: Manager, b: Manager): number {
  return (
    compareText(a.operation, b.operation) ||
    compareText(a.time ?? '', b.time ?? '') ||
    compareText(a.manager, b.manager) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource, b.subresource)
  );
}
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function capped(managers: readonly Manager[]): readonly Manager[] {
  const updates = managers.filter((one) => one.operation === 'Update');
  if (updates.length <= updateEntriesMax) return managers;
  const others = managers.filter((one) => one.operation !== 'Update');
  const sorted = updates.toSorted(compareManagers);
  const merged = new Map<string, Manager>();
  while (sorted.length > 0 && sorted.length + merged.size > updateEntriesMax) {
    const oldest = sorted.shift();
    if (oldest === undefined) break;
    const bucket = merged.get(oldest.apiVersion);
    merged.set(oldest.apiVersion, {
      ...oldest,
      manager: ancient,
      subresource: '',
      set: union(bucket?.set, oldest.set),
    });
  }
  return [...others, ...merged.values(), ...sorted];
}

export function equalManagers(a: Managers, b: Managers): boolean {
  const filled = (managers: Managers) => [...managers].filter(([, one]) => one.set !== undefined);
  const left = filled(a);
  return (
    left.length === filled(b).length &&
    left.every(([identity, one]) => equalSets(one.set, b.get(identity)?.set))
  );
}
