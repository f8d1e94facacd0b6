import { goQuote, isObject, setKey } from '#wire';
import { StatusError } from './errors.ts';
import { badRequest, requestEntityTooLarge } from './status.ts';

/** RFC 6902 with the texts and limits of the library that the reference uses (evanphx/json-patch). */
const operationsMax = 10_000;
/** Bytes that all copy operations together may add. */
const copyBytesMax = 3 * 1024 * 1024;

export interface JsonPatchResult {
  readonly value: unknown;
  /** `json patch unknown field "[0].foo"`. */
  readonly strictProblems: readonly string[];
}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from: string;
  readonly value: unknown;
  readonly hasValue: boolean;
}

/** Applies to a copy; `document` stays as it is. Throws `StatusError` 400 or 422. */
export function applyJsonPatch(document: unknown, patch: unknown): JsonPatchResult {
  if (!Array.isArray(patch)) throw badRequest(`error decoding patch: ${notAList(patch)}`);
  if (patch.length > operationsMax)
    throw requestEntityTooLarge(
      `The allowed maximum operations in a JSON patch is ${operationsMax}, got ${patch.length}`,
    );
  const strictProblems: string[] = [];
  const work: Work = { root: structuredClone(document), copiedBytes: 0 };
  const operations = patch.map((one: unknown, index) => operationOf(one, index, strictProblems));
  for (const operation of operations) applyOne(work, operation);
  return { value: work.root, strictProblems };
}

interface Work {
  root: unknown;
  copiedBytes: number;
}

function notAList(patch: unknown): string {
  const kind = isObject(patch) ? 'object' : typeof patch;
  return `json: cannot unmarshal ${kind} into Go value of type jsonpatch.Patch`;
}
/** A failed operation is a 422 whose text is the library's. */
function failed(text: string): StatusError {
  return new StatusError('Invalid', text);
}

const known = new Set(['op', 'path', 'from', 'value']);
function operationOf(one: unknown, index: number, strictProblems: string[]): Operation {
  if (!isObject(one))
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${Array.isArray(one) ? 'array' : typeof one} into Go value of type jsonpatch.Operation`,
    );
  for (const key of Object.keys(one))
    if (!known.has(key)) strictProblems.push(`json patch unknown field "[${index}].${key}"`);
  const text = (key: string) => (typeof one[key] === 'string' ? one[key] : undefined);
  const op = text('op') ?? 'unknown';
  const path = text('path');
  if (path === undefined)
    throw failed(
      op === 'unknown'
        ? 'Unexpected kind: unknown'
        : `${op} operation failed to decode path: missing value`,
    );
  return {
    op,
    path,
    from: text('from') ?? '',
    value: one['value'],
    hasValue: Object.hasOwn(one, 'value'),
  };
}

function applyOne(work: Work, operation: Operation): void {
  switch (operation.op) {
    case 'add':
      add(work, operation.path, operation.value ?? null);
      return;
    case 'remove':
      remove(work, operation.path);
      return;
    case 'replace':
      replace(work, operation);
      return;
    case 'move': {
      const value = lookUp(work, operation.from, 'move');
      remove(work, operation.from);
      add(work, operation.path, value);
      return;
    }
    case 'copy':
      copy(work, operation);
      return;
    case 'test':
      testValue(work, operation);
      return;
    default:
      throw failed(`Unexpected kind: ${operation.op}`);
  }
}

function tokensOf(path: string): readonly string[] {
  return path
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The container that holds the last token of the path; undefined when the way breaks off. */
function parentOf(work: Work, path: string): { parent: unknown; key: string } | undefined {
  const tokens = tokensOf(path);
  const key = tokens.at(-1);
  if (key === undefined) return undefined;
  let parent = work.root;
  for (const token of tokens.slice(0, -1)) {
    const next = childOf(parent, token);
    if (typeof next !== 'object' || next === null) return undefined;
    parent = next;
  }
  return { parent, key };
}
function childOf(parent: unknown, token: string): unknown {
  if (Array.isArray(parent)) {
    const index = indexOf(token, parent.length);
    return index === undefined ? undefined : parent[index];
  }
  return isObject(parent) && Object.hasOwn(parent, token) ? parent[token] : undefined;
}
/** Negative indexes count from the end, as the library allows. */
function indexOf(token: string, length: number): number | undefined {
  if (!/^-?[0-9]+$/.test(token)) return undefined;
  const index = Number(token);
  const at = index < 0 ? index + length : index;
  return at >= 0 && at < length ? at : undefined;
}

const missing = 'missing value';

function add(work: Work, path: string, value: unknown): void {
  if (path === '') {
    work.root = value;
    return;
  }
  const place = parentOf(work, path);
  if (place === undefined || typeof place.parent !== 'object' || place.parent === null)
    throw failed(`add operation does not apply: doc is missing path: ${goQuote(path)}: ${missing}`);
  const { parent, key } = place;
  if (Array.isArray(parent)) {
    if (key === '-') {
      parent.push(value);
      return;
    }
    const index = indexOf(key, parent.length + 1);
    if (index === undefined)
      throw failed(
        /^-?[0-9]+$/.test(key)
          ? `add operation does not apply: doc is missing path: ${goQuote(path)}: Unable to access invalid index: ${key}: invalid index referenced`
          : `add operation does not apply: doc is missing path: ${goQuote(path)}: value was not a proper array index: ${goQuote(key)}: strconv.Atoi: parsing ${goQuote(key)}: invalid syntax`,
      );
    parent.splice(index, 0, value);
  } else if (isObject(parent)) setKey(parent, key, value);
}

function remove(work: Work, path: string): void {
  const place = parentOf(work, path);
  if (place === undefined)
    throw failed(
      `remove operation does not apply: doc is missing path: ${goQuote(path)}: ${missing}`,
    );
  const { parent, key } = place;
  if (Array.isArray(parent)) {
    const index = indexOf(key, parent.length);
    if (index === undefined)
      throw failed(
        `error in remove for path: '${path}': Unable to access invalid index: ${key}: invalid index referenced`,
      );
    parent.splice(index, 1);
  } else if (isObject(parent) && Object.hasOwn(parent, key)) delete parent[key];
  else
    throw failed(
      `error in remove for path: '${path}': Unable to remove nonexistent key: ${key}: ${missing}`,
    );
}

function replace(work: Work, operation: Operation): void {
  const { path } = operation;
  if (path === '') {
    work.root = operation.value ?? null;
    return;
  }
  const place = parentOf(work, path);
  if (place === undefined)
    throw failed(`replace operation does not apply: doc is missing path: ${path}: ${missing}`);
  const { parent, key } = place;
  if (Array.isArray(parent)) {
    const index = indexOf(key, parent.length);
    if (index === undefined)
      throw failed(`replace operation does not apply: doc is missing key: ${path}: ${missing}`);
    parent[index] = operation.value ?? null;
  } else if (isObject(parent) && Object.hasOwn(parent, key))
    setKey(parent, key, operation.value ?? null);
  else throw failed(`replace operation does not apply: doc is missing key: ${path}: ${missing}`);
}

function lookUp(work: Work, path: string, op: string): unknown {
  if (path === '') return work.root;
  const place = parentOf(work, path);
  const value = place === undefined ? undefined : childOf(place.parent, place.key);
  if (value === undefined)
    throw failed(`${op} operation does not apply: doc is missing from path: ${path}: ${missing}`);
  return value;
}

function copy(work: Work, operation: Operation): void {
  const value = lookUp(work, operation.from, 'copy');
  work.copiedBytes += Buffer.byteLength(JSON.stringify(value));
  if (work.copiedBytes > copyBytesMax)
    throw requestEntityTooLarge(
      `Unable to complete the copy, the accumulated size increase of copy is ${work.copiedBytes}, exceeding the limit ${copyBytesMax}`,
    );
  add(work, operation.path, structuredClone(value));
}

function testValue(work: Work, operation: Operation): void {
  const place = operation.path === '' ? undefined : parentOf(work, operation.path);
  const actual = operation.path === '' ? work.root : place && childOf(place.parent, place.key);
  const wanted = operation.hasValue ? operation.value : null;
  if (!equalJson(actual ?? null, wanted ?? null))
    throw failed(`testing value ${operation.path} failed: test failed`);
}

/** Equal as JSON: the order of keys does not matter. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a))
    return (
      Array.isArray(b) && a.length === b.length && a.every((one, index) => equalJson(one, b[index]))
    );
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a).filter((key) => a[key] !== undefined);
  const others = Object.keys(b).filter((key) => b[key] !== undefined);
  return (
    keys.length === others.length &&
    keys.every((key) => Object.hasOwn(b, key) && equalJson(a[key], b[key]))
  );
}
