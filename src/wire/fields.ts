import { isObject, setKey, type JsonObject } from './objects.ts';
import type { FieldFact } from './tables.ts';
import { stringCodec, type Context, type ValueCodec } from './values.ts';

/** A field of a struct: where it stands in JSON, and what its values are. */
export interface Field {
  readonly key: string;
  readonly shape: 'single' | 'list' | 'map';
  /** Codec of the value, of list elements or of map values. */
  readonly codec: ValueCodec;
  readonly fact: FieldFact;
  /** What Go calls the whole field in errors: `[]v1.Container`. */
  readonly goType: string;
  readonly omit: boolean;
  readonly pointer: boolean;
}
/** The fields of a JSON object by their places. */
export interface Layout {
  readonly slots: readonly Field[];
  readonly index: ReadonlyMap<string, number>;
  /** Places of fields that are written when they are absent too. */
  readonly always: readonly number[];
}

export function layoutOf(slots: readonly Field[]): Layout {
  return {
    slots,
    index: new Map(slots.map(({ key }, at) => [key, at])),
    always: slots.flatMap(({ omit }, at) => (omit ? [] : [at])),
  };
}

/** First of every object that says its kind. */
export const typeMetaFields: readonly Field[] = ['kind', 'apiVersion'].map((key) => ({
  key,
  shape: 'single',
  codec: stringCodec(),
  fact: { json: key, type: 'string', omit: 'omitempty', optional: true },
  goType: 'string',
  omit: true,
  pointer: false,
}));

/** What the canonical form holds for an absent field; undefined: nothing. */
export function absent(field: Field): unknown {
  if (field.omit) return undefined;
  if (field.shape !== 'single' || field.pointer) return null;
  return field.codec.zero();
}

export function fieldFromJson(field: Field, value: unknown, context: Context): unknown {
  if (value === undefined || value === null) return absent(field);
  context.path.push(field.key);
  const { codec } = field;
  let result: unknown;
  if (field.shape === 'single') result = codec.fromJson(value, context);
  else if (field.shape === 'list') {
    if (!Array.isArray(value)) throw context.wrongType(value, field.goType);
    result = listFromJson(field, value, context);
  } else {
    if (!isObject(value)) throw context.wrongType(value, field.goType);
    result = mapFromJson(field, value, context);
  }
  context.path.pop();
  return settle(field, result);
}

function nilElement(field: Field): unknown {
  return field.fact.ofPtr === true ? null : field.codec.zero();
}

function listFromJson(field: Field, value: readonly unknown[], context: Context): unknown {
  let result: unknown[] | undefined = context.taking ? undefined : [];
  for (let at = 0; at < value.length; at++) {
    const one = value[at];
    const canonical = one == null ? nilElement(field) : field.codec.fromJson(one, context);
    if (result === undefined) {
      if (canonical === one) continue;
      result = value.slice(0, at);
    }
    result.push(canonical);
  }
  return result ?? value;
}

function mapFromJson(field: Field, value: JsonObject, context: Context): JsonObject {
  const keys = Object.keys(value);
  context.keys += keys.length;
  const sorted = isSorted(keys);
  if (!sorted) sortKeys(keys);
  const result: JsonObject = {};
  let same = context.taking && sorted;
  for (const key of keys) {
    const one = value[key];
    same &&= one !== undefined;
    if (one === undefined) continue;
    const canonical = one === null ? nilElement(field) : field.codec.fromJson(one, context);
    same &&= canonical === one;
    setKey(result, key, canonical);
  }
  return same ? value : result;
}

function isSorted(keys: readonly string[]): boolean {
  for (let at = 1; at < keys.length; at++)
    if ((keys[at] ?? '') < (keys[at - 1] ?? '')) return false;
  return true;
}

/** Most maps are small: moving a few keys costs less than the general way. */
const fewKeys = 12;

function sortKeys(keys: string[]): void {
  if (keys.length > fewKeys) {
    keys.sort();
    return;
  }
  for (let next = 1; next < keys.length; next++) {
    const key = keys[next] ?? '';
    let at = next;
    for (; at > 0 && (keys[at - 1] ?? '') > key; at--) keys[at] = keys[at - 1] ?? '';
    keys[at] = key;
  }
}

/** Drops what omitempty drops; fills in what is always written. */
export function settle(field: Field, value: unknown): unknown {
  if (value === undefined) return absent(field);
  if (value === null) return absent(field);
  if (!field.omit) return value;
  if (field.shape === 'list') return Array.isArray(value) && value.length === 0 ? undefined : value;
  if (field.shape === 'map') {
    if (isObject(value)) for (const _ in value) return value;
    return undefined;
  }
  return !field.pointer && field.codec.isEmpty(value) ? undefined : value;
}
