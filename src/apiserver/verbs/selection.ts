import type { KindDeclaration } from '#machinery';
import { badRequest } from '#machinery';
import { registryPrefix } from '../cache/object-cache.ts';
import type { StoredObject } from '../cache/stored-object.ts';
import type { Selection } from '../cache/topics.ts';
import { viewOf } from '../core.ts';
import {
  type FieldRequirement,
  type LabelMatcher,
  fieldRequirements,
  labelMatcher,
} from './machine.ts';

export interface Wanted {
  readonly namespace: string;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}
/** A selection, and whether it leaves anything out but by namespace. */
export interface KindSelection extends Selection {
  readonly filtered: boolean;
  /** The only name that can match. */
  readonly name: string | undefined;
}

type FieldReader = (object: StoredObject) => string;

/** What list, watch and deletecollection work on. Throws 400 for selectors that cannot be read. */
export function selectionOf(kind: KindDeclaration, wanted: Wanted): KindSelection {
  const all = `${registryPrefix}${kind.storagePrefix}/`;
  const prefix = wanted.namespace === '' || !kind.namespaced ? all : `${all}${wanted.namespace}/`;
  const labels = wanted.labelSelector ? labelMatcher(wanted.labelSelector) : undefined;
  const fields = wanted.fieldSelector ? fieldRequirements(wanted.fieldSelector) : [];
  // Selectors of two versions of one kind may mean different things by the same words.
  const id = `${kind.group}/${kind.version}\n${prefix}\n${wanted.labelSelector ?? ''}\n${wanted.fieldSelector ?? ''}`;
  if ((labels === undefined || labels.everything) && fields.length === 0)
    return { id, prefix, filtered: false, name: undefined };
  const readers = fields.map((one) => ({ ...one, read: readerOf(kind, one.field) }));
  const equal = readers.filter((one) => one.operator === '=');
  const named = equal.find((one) => one.field === 'metadata.name');
  const trigger = named ?? equal.find((one) => one.value !== '') ?? equal[0];
  return {
    id,
    prefix,
    filtered: true,
    name: named?.value,
    matches: matcher(labels, readers),
    trigger:
      trigger === undefined
        ? undefined
        : { field: `${kind.version}/${trigger.field}`, value: trigger.value, of: trigger.read },
  };
}

function matcher(
  labels: LabelMatcher | undefined,
  fields: readonly (FieldRequirement & { readonly read: FieldReader })[],
): (object: StoredObject) => boolean {
  return (object) => {
    for (const { read, operator, value } of fields)
      if ((read(object) === value) !== (operator === '=')) return false;
    return labels === undefined || labels.matches(object.labels);
  };
}

function readerOf(kind: KindDeclaration, field: string): FieldReader {
  if (field === 'metadata.name') return nameOf;
  if (field === 'metadata.namespace' && kind.namespaced) return namespaceOf;
  const declared = kind.selectableFields;
  if (declared !== undefined && Object.hasOwn(declared, field)) {
    const read = declared[field];
    if (read !== undefined) return (object) => read(viewOf(kind, object));
  }
  if (declared !== undefined && Object.keys(declared).length > 0)
    throw badRequest(`field label not supported: ${field}`);
  const known = kind.namespaced ? '"metadata.name", "metadata.namespace"' : '"metadata.name"';
  throw badRequest(`"${field}" is not a known field selector: only ${known}`);
}

function nameOf(object: StoredObject): string {
  return object.key.slice(object.key.lastIndexOf('/') + 1);
}
function namespaceOf(object: StoredObject): string {
  const parts = object.key.split('/');
  return parts.at(-2) ?? '';
}
