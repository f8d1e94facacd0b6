import { isObject, setKey } from '#wire';
import { StatusError } from './errors.ts';
import { equalJson } from './json-patch.ts';
import type { Schema, SchemaField, StructSchema } from './schema.ts';
import { badRequest } from './status.ts';

/**
 * Strategic merge patch: lists of objects merge by their key, and directives say what cannot be
 * said by merging ($patch, $retainKeys, $deleteFromPrimitiveList, $setElementOrder). Follows
 * apimachinery util/strategicpatch. Neither argument is changed.
 */
export function applyStrategicMergePatch(
  original: Readonly<Record<string, unknown>>,
  patch: unknown,
  schema: StructSchema,
): Record<string, unknown> {
  if (!isObject(patch)) throw badRequest('invalid JSON document');
  return mergeMap(original, patch, schema);
}

type Json = Record<string, unknown>;
const directive = '$patch';
const retainKeys = '$retainKeys';
const deleteFrom = '$deleteFromPrimitiveList/';
const setOrder = '$setElementOrder/';

function badPatchType(value: unknown): StatusError {
  return badRequest(`unknown patch type: ${JSON.stringify(value)}`);
}
function unprocessable(text: string): StatusError {
  return new StatusError('Invalid', text);
}

/** A struct's own field, or the common rule of a map's values. */
function fieldFor(schema: Schema, key: string): SchemaField | undefined {
  if (schema.kind === 'struct') return schema.fields.get(key);
  if (schema.kind === 'map')
    return { schema: schema.element, patchStrategy: '', mergeKey: undefined, default: undefined };
  return undefined;
}

function mergeMap(original: Json, patch: Json, schema: Schema): Json {
  const kind = patch[directive];
  if (kind !== undefined) {
    if (kind === 'replace') return withoutDirectives(patch);
    if (kind === 'delete') return {};
    if (kind !== 'merge') throw badPatchType(kind);
  }
  const result: Json = {};
  const kept = retained(original, patch);
  for (const [key, value] of Object.entries(kept)) setKey(result, key, value);
  for (const [key, value] of Object.entries(patch)) {
    if (key === directive || key === retainKeys) continue;
    if (key.startsWith(setOrder)) {
      const field = key.slice(setOrder.length);
      if (!Object.hasOwn(patch, field)) orderOnly(result, { key: field, order: value, schema });
      continue;
    }
    if (key.startsWith(deleteFrom)) {
      removePrimitives(result, key.slice(deleteFrom.length), value);
      continue;
    }
    mergeKeyInto(result, { key, value, patch, schema });
  }
  return result;
}

interface KeyPatch {
  readonly key: string;
  readonly value: unknown;
  readonly patch: Json;
  readonly schema: Schema;
}

function mergeKeyInto(result: Json, { key, value, patch, schema }: KeyPatch): void {
  if (value === null) {
    delete result[key];
    return;
  }
  const field = fieldFor(schema, key);
  const before = Object.hasOwn(result, key) ? result[key] : undefined;
  const strategy = field?.patchStrategy ?? '';
  const inner: Schema = field?.schema ?? { kind: 'scalar' };
  if (isObject(value)) {
    const base = isObject(before) && !strategy.split(',').includes('replace') ? before : {};
    const merged = mergeMap(base, value, inner);
    // `$patch: delete` takes the whole object away.
    if (value[directive] === 'delete') delete result[key];
    else setKey(result, key, merged);
    return;
  }
  if (!Array.isArray(value)) {
    setKey(result, key, value);
    return;
  }
  const merges = strategy.split(',').includes('merge') && inner.kind === 'list';
  if (!merges || field === undefined) {
    setKey(result, key, value.filter((one) => !isDirective(one)).map(withoutDirectivesOf));
    return;
  }
  const order = patch[setOrder + key];
  if (order !== undefined && !Array.isArray(order))
    throw badRequest('invalid patch format of setElementOrder list');
  setKey(
    result,
    key,
    mergeList(Array.isArray(before) ? before : [], value, {
      field,
      order,
      element: inner.element,
    }),
  );
}

function isDirective(one: unknown): boolean {
  return isObject(one) && Object.hasOwn(one, directive);
}
function withoutDirectivesOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectivesOf);
  return isObject(value) ? withoutDirectives(value) : value;
}
function withoutDirectives(value: Json): Json {
  const result: Json = {};
  for (const [key, one] of Object.entries(value)) {
    if (key === directive || key === retainKeys) continue;
    if (key.startsWith(setOrder) || key.startsWith(deleteFrom) || one === null) continue;
    setKey(result, key, withoutDirectivesOf(one));
  }
  return result;
}

/** `$retainKeys`: everything the list does not name goes, and the patch may only set what it names. */
function retained(original: Json, patch: Json): Json {
  const keep = patch[retainKeys];
  if (keep === undefined) return original;
  if (!Array.isArray(keep)) throw badRequest('invalid patch format of retainKeys');
  const names = new Set(keep.map(String));
  for (const key of Object.keys(patch))
    if (!key.startsWith('$') && patch[key] !== null && !names.has(key))
      throw unprocessable('patch contents does not match retainKeys list');
  return Object.fromEntries(Object.entries(original).filter(([key]) => names.has(key)));
}

function removePrimitives(result: Json, key: string, values: unknown): void {
  if (!Array.isArray(values)) throw badRequest('invalid patch format of primitive list');
  const before = result[key];
  if (!Array.isArray(before)) return;
  result[key] = before.filter((one) => !values.some((value) => equalJson(one, value)));
}

interface ListRules {
  readonly field: SchemaField;
  readonly order: readonly unknown[] | undefined;
  readonly element: Schema;
}

function mergeList(
  original: readonly unknown[],
  patch: readonly unknown[],
  rules: ListRules,
): readonly unknown[] {
  const sample = [...original, ...patch].find((one) => one !== null && one !== undefined);
  if (Array.isArray(sample)) throw unprocessable('lists of lists are not supported');
  if (!isObject(sample)) {
    const merged = [...original];
    for (const one of patch) if (!merged.some((known) => equalJson(known, one))) merged.push(one);
    return ordered(merged, { original, patch, order: rules.order, same: equalJson });
  }
  const key = rules.field.mergeKey;
  if (key === undefined) throw badRequest('strategic merge patch format is not supported');
  if (patch.some((one) => isObject(one) && one[directive] === 'replace'))
    return patch.filter((one) => !isDirective(one)).map(withoutDirectivesOf);
  const merged = mergeObjects(original, patch, { key, element: rules.element });
  const same = (a: unknown, b: unknown) => isObject(a) && isObject(b) && equalJson(a[key], b[key]);
  const added = patch.filter((one) => !isDirective(one));
  return ordered(merged, { original, patch: added, order: rules.order, same });
}

function mergeObjects(
  original: readonly unknown[],
  patch: readonly unknown[],
  rules: { readonly key: string; readonly element: Schema },
): unknown[] {
  const { key, element } = rules;
  let merged = [...original];
  for (const one of patch) {
    if (!isObject(one)) throw badRequest('strategic merge patch format is not supported');
    const value = one[key];
    if (value === undefined)
      throw badRequest(`map: ${goMap(one)} does not contain declared merge key: ${key}`);
    const matches = (known: unknown) => isObject(known) && equalJson(known[key], value);
    if (one[directive] === 'delete') {
      merged = merged.filter((known) => !matches(known));
      continue;
    }
    const index = merged.findIndex(matches);
    const before = merged[index];
    if (index >= 0 && isObject(before)) merged[index] = mergeMap(before, one, element);
    else merged.push(mergeMap({}, one, element));
  }
  return merged;
}
/** As Go prints a map: `map[a:1 b:2]`. */
function goMap(value: Json): string {
  const parts = Object.keys(value)
    .toSorted()
    .map((key) => `${key}:${isObject(value[key]) ? goMap(value[key]) : String(value[key])}`);
  return `map[${parts.join(' ')}]`;
}

interface Ordering {
  readonly original: readonly unknown[];
  readonly patch: readonly unknown[];
  readonly order: readonly unknown[] | undefined;
  readonly same: (a: unknown, b: unknown) => boolean;
}
/**
 * Items named by `$setElementOrder` take its order; items only the server has keep their place
 * relative to their neighbours.
 */
function ordered(merged: readonly unknown[], ordering: Ordering): readonly unknown[] {
  const { order, same, original } = ordering;
  if (order === undefined) return merged;
  const wanted = order.flatMap((one) => merged.filter((item) => same(item, one)));
  const serverOnly = merged.filter((item) => !order.some((one) => same(item, one)));
  const place = (item: unknown) => original.findIndex((one) => same(one, item));
  const result: unknown[] = [];
  let next = 0;
  for (const item of wanted) {
    const at = place(item);
    while (next < serverOnly.length && at >= 0 && place(serverOnly[next]) < at)
      result.push(serverOnly[next++]);
    result.push(item);
  }
  return [...result, ...serverOnly.slice(next)];
}

/** Only the order was given: the list itself stays. */
function orderOnly(
  result: Json,
  asked: { readonly key: string; readonly order: unknown; readonly schema: Schema },
): void {
  if (!Array.isArray(asked.order)) throw badRequest('invalid patch format of setElementOrder list');
  const before = result[asked.key];
  const field = fieldFor(asked.schema, asked.key);
  if (!Array.isArray(before) || field === undefined) return;
  const key = field.mergeKey;
  const same =
    key === undefined
      ? equalJson
      : (a: unknown, b: unknown) => isObject(a) && isObject(b) && equalJson(a[key], b[key]);
  result[asked.key] = ordered(before, { original: before, patch: [], order: asked.order, same });
}
