import { formatTime } from '#base';
import { goJson, goQuote, isObject, setKey } from '#wire';
import { StatusError } from './errors.ts';
import type { FieldSet, MaybeSet } from './field-set.ts';
import { difference, intersection, pathsOf, recursiveDifference, union } from './field-set.ts';
import type { Manager, Managers } from './managers.ts';
import { decodeManagers, encodeManagers, equalManagers, identityOf } from './managers.ts';
import { annotationProblems } from './metadata.ts';
import type { ManagedFieldsEntry } from './object.ts';
import type { StructSchema } from './schema.ts';
import { compare, fieldSetOf, merge, prune } from './typed.ts';

/**
 * Who owns which field: managedFields after ordinary writes, and server-side apply
 * (apimachinery util/managedfields over structured-merge-diff). Pure: objects are not changed.
 */
export interface FieldWrite {
  readonly schema: StructSchema;
  /** The canonical form of an object of the kind that holds nothing: `codec.canonical(type, {})`. */
  readonly empty: object;
  readonly manager: string;
  readonly apiVersion: string;
  /** '' for the main resource. */
  readonly subresource: string;
  readonly nowMs: number;
  /** Fields this door resets and so never owns: `{'f:status': {}}` for a main resource with status. */
  readonly ignored?: FieldSet | undefined;
  /** The client sent an explicitly empty list: everything is forgotten. */
  readonly reset?: boolean | undefined;
}
type Json = Readonly<Record<string, unknown>>;

const untrackedMeta = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'clusterName',
  'generation',
  'managedFields',
  'resourceVersion',
]);

/** The part of an object that is tracked. */
function tracked(object: object): Json {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(object)) {
    if (key === 'kind' || key === 'apiVersion') continue;
    if (key !== 'metadata' || !isObject(value)) {
      result[key] = value;
      continue;
    }
    const meta: Record<string, unknown> = {};
    for (const [name, one] of Object.entries(value)) if (!untrackedMeta.has(name)) meta[name] = one;
    result[key] = meta;
  }
  return result;
}

/** What a configuration says: metadata that only names the object says nothing. */
function said(config: object): Json {
  const { metadata, ...rest } = tracked(config);
  return isObject(metadata) && Object.keys(metadata).length > 0 ? { ...rest, metadata } : rest;
}

function entriesOf(object: object): readonly ManagedFieldsEntry[] | undefined {
  const metadata: unknown = 'metadata' in object ? object.metadata : undefined;
  const entries = isObject(metadata) ? metadata['managedFields'] : undefined;
  return Array.isArray(entries) ? (entries as ManagedFieldsEntry[]) : undefined;
}

/**
 * managedFields after a create, update or patch. `live` is absent for a create. The result is
 * undefined when there are none (they were cleared, and nobody has applied since).
 */
export function updateManagedFields(
  live: object | undefined,
  next: object,
  write: FieldWrite,
): readonly ManagedFieldsEntry[] | undefined {
  const before = managersBefore(live, next, write);
  if (live !== undefined && before.size === 0) return undefined;
  const found = compare(write.schema, tracked(live ?? write.empty), tracked(next));
  const changed = recursiveDifference(union(found.added, found.modified), write.ignored);
  const touched = union(union(found.added, found.modified), found.removed);
  if (touched === undefined) {
    const kept = live === undefined ? undefined : entriesOf(live);
    return kept !== undefined && sameAsLive(live, before) ? kept : encodeManagers(before);
  }
  const self = selfOf(write, 'Update');
  const identity = identityOf(self);
  const after = new Map<string, Manager>();
  for (const [name, one] of before)
    if (name !== identity) after.set(name, { ...one, set: difference(one.set, touched) });
  const mine = before.get(identity);
  const set = union(difference(mine?.set, found.removed), changed);
  const unchanged = mine !== undefined && equalManagers(single(mine), single({ ...mine, set }));
  after.set(identity, unchanged ? mine : { ...self, set });
  const entries = encodeManagers(after);
  return entries.length === 0 ? undefined : entries;
}
function single(one: Manager): Managers {
  return new Map([['', one]]);
}
function sameAsLive(live: object | undefined, managers: Managers): boolean {
  const decoded = live === undefined ? undefined : decodeManagers(entriesOf(live));
  return decoded !== undefined && equalManagers(decoded, managers);
}

/** What the client sent counts when it can be read, but not on subresources; else what is there. */
function managersBefore(live: object | undefined, next: object, write: FieldWrite): Managers {
  const none: Managers = new Map();
  if (write.reset === true && write.subresource === '') return none;
  const sent = write.subresource === '' ? entriesOf(next) : undefined;
  const only = sent?.[0];
  if (sent?.length === 1 && only !== undefined && Object.keys(only).length === 0) return none;
  const decoded = decodeManagers(sent);
  if (decoded !== undefined && decoded.size > 0) return decoded;
  return (live === undefined ? undefined : decodeManagers(entriesOf(live))) ?? none;
}

function selfOf(write: FieldWrite, operation: 'Apply' | 'Update'): Omit<Manager, 'set'> {
  return {
    manager: write.manager,
    operation,
    apiVersion: write.apiVersion,
    subresource: write.subresource,
    time: formatTime(write.nowMs),
  };
}

export interface ApplyWrite extends FieldWrite {
  readonly force: boolean;
}
export interface Applied {
  /** The merged object, without managedFields; to be defaulted and checked like any other. */
  readonly object: Record<string, unknown>;
  readonly managedFields: readonly ManagedFieldsEntry[];
  /** False: neither fields nor owners changed, nothing is to be written. */
  readonly changed: boolean;
}

/**
 * Server-side apply of `config` (a JSON value with declared fields only; canonical form must not
 * have filled anything in: give what the client sent). Throws Conflict.
 */
export function applyConfiguration(
  live: object | undefined,
  config: Json,
  write: ApplyWrite,
): Applied {
  try {
    return applyOnce(live, config, write);
  } catch (cause) {
    if (!(cause instanceof ApplyConflict) || !mayForce(live, cause, write)) throw cause;
    return applyOnce(live, config, { ...write, force: true });
  }
}

/** Carries the fields of the conflict, so that a client-side applied object can be taken over. */
class ApplyConflict extends StatusError {
  readonly fields: MaybeSet;
  constructor(conflicts: readonly Manager[]) {
    const causes = conflicts.flatMap((one) =>
      pathsOf(one.set).map((field) => ({
        reason: 'FieldManagerConflict',
        message: `conflict with ${managerText(one)}`,
        field,
      })),
    );
    super('Conflict', conflictText(conflicts), { details: { causes } });
    this.fields = conflicts.reduce<MaybeSet>((all, one) => union(all, one.set), undefined);
  }
}

function managerText(one: Manager): string {
  const name = goQuote(one.manager);
  const named =
    one.subresource === '' ? name : `${name} with subresource ${goQuote(one.subresource)}`;
  if (one.operation !== 'Update') return named;
  const using = `${named} using ${one.apiVersion}`;
  return one.time === undefined ? using : `${using} at ${one.time}`;
}

function conflictText(conflicts: readonly Manager[]): string {
  const byManager = new Map<string, string[]>();
  for (const one of conflicts) {
    const text = managerText(one);
    byManager.set(text, [...(byManager.get(text) ?? []), ...pathsOf(one.set)]);
  }
  const names = [...byManager.keys()].toSorted();
  const total = names.reduce((sum, name) => sum + (byManager.get(name)?.length ?? 0), 0);
  if (total === 1)
    return `Apply failed with 1 conflict: conflict with ${names[0]}: ${byManager.get(names[0] ?? '')?.[0]}`;
  const listed = names.map(
    (name) =>
      `conflicts with ${name}:\n${(byManager.get(name) ?? []).map((path) => `- ${path}`).join('\n')}`,
  );
  return `Apply failed with ${total} conflicts: ${listed.join('\n')}`;
}

const lastAppliedKey = 'kubectl.kubernetes.io/last-applied-configuration';

function lastAppliedOf(object: object | undefined): string | undefined {
  const metadata: unknown =
    object !== undefined && 'metadata' in object ? object.metadata : undefined;
  const annotations = isObject(metadata) ? metadata['annotations'] : undefined;
  const text = isObject(annotations) ? annotations[lastAppliedKey] : undefined;
  return typeof text === 'string' && text !== '' ? text : undefined;
}

/** kubectl may take over what it applied from the client's side: fields equal to its annotation. */
function mayForce(live: object | undefined, conflict: ApplyConflict, write: ApplyWrite): boolean {
  const text = write.manager === 'kubectl' ? lastAppliedOf(live) : undefined;
  if (text === undefined || live === undefined) return false;
  try {
    const last: unknown = JSON.parse(text);
    if (!isObject(last)) return false;
    const found = compare(write.schema, tracked(last), tracked(live));
    const known = fieldSetOf(write.schema, said(last));
    const equal = difference(known, union(found.modified, found.removed));
    return difference(conflict.fields, equal) === undefined;
  } catch {
    // An annotation that cannot be read allows nothing.
    return false;
  }
}

function configSet(config: Json, write: ApplyWrite): MaybeSet {
  try {
    return fieldSetOf(write.schema, said(config));
  } catch (cause) {
    if (!(cause instanceof StatusError)) throw cause;
    const { namespace, name } = isObject(config['metadata']) ? config['metadata'] : {};
    const kind = `${write.apiVersion}, Kind=${String(config['kind'])}`;
    throw new StatusError(
      '',
      `failed to create typed patch object (${String(namespace ?? '')}/${String(name ?? '')}; ${kind}): ${cause.message}`,
      { code: 500, cause },
    );
  }
}

function applyOnce(live: object | undefined, config: Json, write: ApplyWrite): Applied {
  const before = applyManagers(live, write);
  const self = selfOf(write, 'Apply');
  const identity = identityOf(self);
  const last = before.get(identity);
  const set = recursiveDifference(configSet(config, write), write.ignored);
  const managers = new Map(before);
  managers.set(identity, { ...self, set });
  const base = live ?? write.empty;
  const merged = merge(write.schema, base, config);
  const pruned =
    last?.set === undefined
      ? merged
      : prune(write.schema, merged, { last: last.set, owned: ownedBy(managers) });
  const result = withoutManagedFields(pruned);
  const found = compare(write.schema, tracked(base), tracked(result));
  const touched = recursiveDifference(union(found.added, found.modified), write.ignored);
  const conflicts: Manager[] = [];
  for (const [name, one] of managers) {
    if (name === identity) continue;
    const clash = intersection(one.set, touched);
    if (clash !== undefined) conflicts.push({ ...one, set: clash });
    const left = difference(difference(one.set, clash), found.removed);
    managers.set(name, { ...one, set: left });
  }
  if (conflicts.length > 0 && !write.force) throw new ApplyConflict(conflicts);
  const differs = union(touched, found.removed) !== undefined;
  const ownersDiffer = !equalManagers(before, managers);
  const synced = syncLastApplied(result, config, write);
  const annotated = lastAppliedOf(synced) !== lastAppliedOf(result);
  const changed = live === undefined || differs || ownersDiffer || annotated;
  // A repeated apply keeps the time of the first.
  if (last !== undefined && equalManagers(single(last), single({ ...last, set })))
    managers.set(identity, last);
  return { object: { ...synced }, managedFields: encodeManagers(managers), changed };
}

/** Fields that were there before anyone tracked them belong to nobody in particular. */
function applyManagers(live: object | undefined, write: ApplyWrite): Managers {
  if (live === undefined) return new Map();
  const decoded = decodeManagers(entriesOf(live)) ?? new Map<string, Manager>();
  if (decoded.size > 0) return decoded;
  const found = compare(write.schema, tracked(write.empty), tracked(live));
  const self = {
    ...selfOf({ ...write, manager: 'before-first-apply' }, 'Update'),
    subresource: '',
  };
  const set = recursiveDifference(found.added, write.ignored);
  const all = union(set, recursiveDifference(found.modified, write.ignored));
  return all === undefined ? new Map() : new Map([[identityOf(self), { ...self, set: all }]]);
}

function ownedBy(managers: Managers): MaybeSet {
  // metadata itself never goes: names live there, though nobody owns them.
  let owned: MaybeSet = { 'f:metadata': { 'f:name': {} } };
  for (const one of managers.values()) owned = union(owned, one.set);
  return owned;
}

/**
 * The annotation of client-side apply is kept up to date for as long as the object has it, behind
 * the back of who owns it (managedfields lastappliedupdater.go): taking a client-side applied
 * object over must not conflict with the very annotation that allows it.
 */
function syncLastApplied(object: Record<string, unknown>, config: Json, write: ApplyWrite): Json {
  if (write.manager !== 'kubectl' || lastAppliedOf(object) === undefined) return object;
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const { [lastAppliedKey]: _old, ...others } = annotationsOf(metadata);
  const text = lastAppliedText(config);
  const annotations = { ...others, [lastAppliedKey]: text };
  const fits = annotationProblems(annotations, '').length === 0;
  return { ...object, metadata: { ...metadata, annotations: fits ? annotations : others } };
}

/** What was applied, without the annotation itself, keys sorted as Go sorts those of maps. */
function lastAppliedText(config: Json): string {
  const metadata = isObject(config['metadata']) ? config['metadata'] : {};
  if (!isObject(metadata['annotations'])) return `${goJson(sorted(config))}\n`;
  const { [lastAppliedKey]: _old, ...annotations } = annotationsOf(metadata);
  return `${goJson(sorted({ ...config, metadata: { ...metadata, annotations } }))}\n`;
}

function annotationsOf(metadata: Json): Readonly<Record<string, string>> {
  const annotations = metadata['annotations'];
  return isObject(annotations) ? (annotations as Readonly<Record<string, string>>) : {};
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value).toSorted()) setKey(result, key, sorted(value[key]));
  return result;
}

function withoutManagedFields(value: unknown): Record<string, unknown> {
  const object: Record<string, unknown> = isObject(value) ? { ...value } : {};
  const metadata = object['metadata'];
  if (!isObject(metadata)) return object;
  const { managedFields: _dropped, ...rest } = metadata;
  return { ...object, metadata: rest };
}
