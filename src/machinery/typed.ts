import { isObject, setKey } from '#wire';
import { StatusError } from './errors.ts';
import type { FieldSet, MaybeSet } from './field-set.ts';
import { elementText, isMember, member, nodeOf, own } from './field-set.ts';
import { equalJson } from './json-patch.ts';
import type { ListSchema, Schema } from './schema.ts';

/**
 * Walks over values by their schema, as structured-merge-diff does: what a value holds, how two
 * differ, how one is laid over the other, and what is taken away again.
 */
type Json = Record<string, unknown>;

/** A failure of these walks is a 500 without a reason, as in the reference. */
function typedError(text: string): StatusError {
  return new StatusError('', text, { code: 500 });
}

/** `k:{...}`, `v:...`: what identifies an item of a list. */
export function elementOf(schema: ListSchema, item: unknown, path: string): string {
  if (schema.listType === 'set') return `v:${JSON.stringify(item)}`;
  if (!isObject(item))
    throw typedError(`${path}: associative list with keys may not have non-map elements`);
  const parts: string[] = [];
  const fields = schema.element.kind === 'struct' ? schema.element.fields : undefined;
  for (const key of schema.keys.length > 1 ? schema.keys.toSorted() : schema.keys) {
    const value = item[key] ?? fields?.get(key)?.default;
    if (value === undefined || value === null) {
      if (schema.keys.length > 1) continue;
      throw typedError(
        `${path}: element 0: associative list with keys has an element that omits key field "${key}" (and doesn't have default value)`,
      );
    }
    parts.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
  }
  return `k:{${parts.join(',')}}`;
}

function itemsOf(schema: ListSchema, value: unknown, path: string): Map<string, unknown> {
  const items = new Map<string, unknown>();
  for (const item of Array.isArray(value) ? value : []) {
    const element = elementOf(schema, item, path);
    // A list may hold doubled items from before; the first one stands for all.
    if (!items.has(element)) items.set(element, item);
  }
  return items;
}

function isLeaf(schema: Schema): boolean {
  if (schema.kind === 'scalar') return true;
  return schema.kind === 'list' ? schema.listType === 'atomic' : schema.atomic;
}
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (isObject(value)) {
    for (const _ in value) return false;
    return true;
  }
  return false;
}
const scalarSchema: Schema = { kind: 'scalar' };
function childSchema(schema: Schema, key: string): Schema {
  if (schema.kind === 'struct') return schema.fields.get(key)?.schema ?? scalarSchema;
  return schema.kind === 'map' ? schema.element : scalarSchema;
}

/** Everything a value sets. Undeclared fields and doubled list items are errors. */
export function fieldSetOf(schema: Schema, value: unknown, path = ''): MaybeSet {
  if (isLeaf(schema) || value === null || value === undefined) return member;
  const children: [string, FieldSet][] = [];
  if (schema.kind === 'list') {
    const seen = new Set<string>();
    for (const item of Array.isArray(value) ? value : []) {
      const element = elementOf(schema, item, path);
      if (seen.has(element))
        throw typedError(`${path}: duplicate entries for key ${elementText(element)}`);
      seen.add(element);
      const set = schema.listType === 'set' ? member : fieldSetOf(schema.element, item, path);
      children.push([
        element,
        nodeOf(
          true,
          Object.entries(set ?? {}).filter(([key]) => key !== '.'),
        ) ?? member,
      ]);
    }
  } else if (isObject(value)) {
    for (const [key, one] of Object.entries(value)) {
      if (one === undefined) continue;
      const at = `${path}.${key}`;
      if (schema.kind === 'struct' && !schema.fields.has(key))
        throw typedError(`${at}: field not declared in schema`);
      const set = fieldSetOf(childSchema(schema, key), one, at);
      const itself = schema.kind === 'map' || isEmpty(one);
      const inner = Object.entries(set ?? {}).filter(([name]) => name !== '.');
      const node = nodeOf(itself || (set !== undefined && isMember(set)), inner);
      if (node !== undefined) children.push([`f:${key}`, node]);
    }
  }
  return nodeOf(false, children);
}

export interface Comparison {
  readonly added: MaybeSet;
  readonly modified: MaybeSet;
  readonly removed: MaybeSet;
}
const same: Comparison = { added: undefined, modified: undefined, removed: undefined };

/** How `right` differs from `left`; absent is undefined, null is a value. */
export function compare(schema: Schema, left: unknown, right: unknown): Comparison {
  if (left === right) return same;
  const leaf = isLeaf(schema) || (isEmpty(left) && isEmpty(right));
  if (leaf) {
    if (left === undefined) return { ...same, added: member };
    if (right === undefined) return { ...same, removed: member };
    return equalJson(left, right) ? same : { ...same, modified: member };
  }
  const added: [string, FieldSet][] = [];
  const modified: [string, FieldSet][] = [];
  const removed: [string, FieldSet][] = [];
  const visit = (element: string, inner: Schema, pair: readonly [unknown, unknown]) => {
    const found = compare(inner, pair[0], pair[1]);
    if (found.added !== undefined) added.push([element, found.added]);
    if (found.modified !== undefined) modified.push([element, found.modified]);
    if (found.removed !== undefined) removed.push([element, found.removed]);
  };
  if (schema.kind === 'list') {
    const lefts = itemsOf(schema, left, '');
    const rights = itemsOf(schema, right, '');
    const inner = schema.listType === 'set' ? scalarSchema : schema.element;
    for (const [element, item] of lefts) visit(element, inner, [item, rights.get(element)]);
    for (const [element, item] of rights)
      if (!lefts.has(element)) visit(element, inner, [undefined, item]);
  } else {
    const lefts = isObject(left) ? left : {};
    const rights = isObject(right) ? right : {};
    for (const key of Object.keys(lefts))
      visit(`f:${key}`, childSchema(schema, key), [lefts[key], ownValue(rights, key)]);
    for (const key of Object.keys(rights))
      if (!Object.hasOwn(lefts, key))
        visit(`f:${key}`, childSchema(schema, key), [undefined, rights[key]]);
  }
  return {
    added: nodeOf(left === undefined, added),
    modified: nodeOf(false, modified),
    removed: nodeOf(right === undefined, removed),
  };
}
function ownValue(object: Json, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** `config` laid over `live`: what config does not say stays. */
export function merge(schema: Schema, live: unknown, config: unknown): unknown {
  if (config === undefined) return live;
  if (live === undefined || live === null || config === null || isLeaf(schema)) return config;
  if (schema.kind === 'list')
    return Array.isArray(live) && Array.isArray(config) ? mergeLists(schema, live, config) : config;
  if (!isObject(live) || !isObject(config)) return config;
  const result: Json = {};
  for (const [key, value] of Object.entries(live)) setKey(result, key, value);
  for (const [key, value] of Object.entries(config))
    setKey(result, key, merge(childSchema(schema, key), ownValue(live, key), value));
  return result;
}

/** Items of both in the order of config; items only live has keep their place among their neighbours. */
function mergeLists(
  schema: ListSchema,
  live: readonly unknown[],
  config: readonly unknown[],
): readonly unknown[] {
  const lefts = itemsOf(schema, live, '');
  const rights = itemsOf(schema, config, '');
  const leftOrder = [...lefts.keys()];
  const rightOrder = [...rights.keys()];
  const shared = rightOrder.filter((element) => lefts.has(element));
  const result: unknown[] = [];
  const take = (element: string) => {
    const inner = schema.listType === 'set' ? scalarSchema : schema.element;
    result.push(merge(inner, lefts.get(element), rights.get(element)));
  };
  let l = 0;
  let r = 0;
  let s = 0;
  while (l < leftOrder.length || r < rightOrder.length) {
    const leftElement = leftOrder[l];
    const rightElement = rightOrder[r];
    if (leftElement !== undefined && rightElement !== undefined) {
      if (leftElement !== rightElement && rights.has(leftElement) && shared[s] !== leftElement) {
        l++;
        continue;
      }
      if (leftElement === rightElement) {
        take(leftElement);
        l++;
        r++;
        s++;
        continue;
      }
    }
    if (leftElement !== undefined && !rights.has(leftElement)) {
      take(leftElement);
      l++;
    } else if (rightElement !== undefined) {
      take(rightElement);
      if (lefts.has(rightElement)) s++;
      r++;
    } else l++;
  }
  return result;
}

export interface Prune {
  /** What the manager owned before. */
  readonly last: FieldSet;
  /** What anybody owns now, the manager included. */
  readonly owned: MaybeSet;
}
/** Takes out what was owned and is owned by nobody any more. */
export function prune(schema: Schema, value: unknown, sets: Prune): unknown {
  if (isLeaf(schema)) return value;
  const goes = (element: string, named: boolean): boolean => {
    const last = own(sets.last, element);
    if (last === undefined || (sets.owned !== undefined && Object.hasOwn(sets.owned, element)))
      return false;
    return named || isMember(last);
  };
  const inside = (element: string, inner: Schema, one: unknown): unknown => {
    const last = own(sets.last, element);
    if (last === undefined) return one;
    const owned = sets.owned === undefined ? undefined : own(sets.owned, element);
    return prune(inner, one, { last, owned });
  };
  if (schema.kind === 'list') {
    if (!Array.isArray(value)) return value;
    return value.flatMap((item: unknown) => {
      const element = elementOf(schema, item, '');
      if (goes(element, false)) return [];
      return [schema.listType === 'set' ? item : inside(element, schema.element, item)];
    });
  }
  if (!isObject(value)) return value;
  const result: Json = {};
  for (const [key, one] of Object.entries(value)) {
    const element = `f:${key}`;
    if (goes(element, schema.kind === 'struct')) continue;
    setKey(result, key, inside(element, childSchema(schema, key), one));
  }
  return result;
}
