import { type Problem, invalidJson, noJson, unparsableJson } from './problem.ts';
import { isDottedName } from './ids.ts';
import {
  type RamlField,
  type RamlType,
  fieldsOf,
  isBuiltin,
  isCollection,
  isRecord,
  member,
  ramlType,
} from './raml.ts';
import type { RamlTypes } from './types.ts';

/**
 * Reads JSON as a RAML type the way the original's reader (play-json) does: unknown fields are dropped,
 * null is absent, defaults are filled in, enumerations are matched in any case. Every problem is told
 * with its path. Collections that are left out of JSON when empty are absent here too.
 */
export function read<K extends keyof RamlTypes>(type: K, json: unknown): RamlTypes[K] {
  const reading: Reading = { problems: [], depth: 0 };
  const value = readerOf(type)(json, '', reading);
  if (reading.problems.length > 0) throw invalidJson(reading.problems);
  return value as RamlTypes[K];
}

/** Reads a list of a type. */
export function readList<K extends keyof RamlTypes>(type: K, json: unknown): RamlTypes[K][] {
  const reading: Reading = { problems: [], depth: 0 };
  const value = listReader(readerOf(type))(json, '', reading);
  if (reading.problems.length > 0) throw invalidJson(reading.problems);
  return value as RamlTypes[K][];
}

/** Parses a body; no JSON at all is a 400. */
export function parseJson(body: Uint8Array | string): unknown {
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
  if (text.trim() === '') throw noJson();
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unparsableJson(error instanceof Error ? error.message : String(error));
  }
}

interface Reading {
  readonly problems: Problem[];
  depth: number;
}
/** Tells its problems; its value counts only when there are none. */
type Reader = (json: unknown, path: string, reading: Reading) => unknown;

/** Groups in groups: deeper ones are refused before the stack is used up. */
const depthMax = 200;

const readers = new Map<string, Reader>();

function readerOf(type: string): Reader {
  const known = readers.get(type);
  if (known !== undefined) return known;
  // Types refer to themselves (groups in groups), so the reader is known before it is made.
  let made: Reader | undefined;
  const reader: Reader = (json, path, reading) => {
    made ??= makeReader(type);
    return made(json, path, reading);
  };
  readers.set(type, reader);
  return reader;
}

function makeReader(name: string): Reader {
  if (name.endsWith('[]')) return listReader(readerOf(name.slice(0, -2)));
  if (isBuiltin(name)) return builtinReader(name, undefined);
  const type = ramlType(name);
  if (type.union !== undefined) return unionReader(type.union);
  if (type.discriminator !== undefined && type.inherits === undefined) return scalingReader;
  if (type.fields !== undefined) return objectReader(type);
  if (type.map !== undefined) return mapReader(type);
  if (type.enum !== undefined) return enumReader(type.enum);
  // Limits of a named type hold where a field has it, not where it is an element of a list.
  return namedReader(type);
}

function namedReader(type: RamlType): Reader {
  const base = type.type ?? 'string';
  return isBuiltin(base) ? builtinReader(base, type.format) : readerOf(base);
}

function fail(reading: Reading, path: string, text: string): undefined {
  reading.problems.push({ path: path === '' ? '/' : path, text });
  return undefined;
}

function builtinReader(type: string, format: string | undefined): Reader {
  switch (type) {
    case 'string':
      return (json, path, reading) =>
        typeof json === 'string' ? json : fail(reading, path, 'error.expected.jsstring');
    case 'boolean':
      return (json, path, reading) =>
        typeof json === 'boolean' ? json : fail(reading, path, 'error.expected.jsboolean');
    case 'datetime':
      return readDateTime;
    case 'object':
      return (json, path, reading) =>
        isRecord(json) ? json : fail(reading, path, 'error.expected.jsobject');
    default:
      return numberReader(type === 'integer' ? (format ?? 'int32') : format);
  }
}

function numberReader(format: string | undefined): Reader {
  const whole = format === 'int32' || format === 'int64';
  const bound = format === 'int32' ? 2 ** 31 : 2 ** 63;
  const text = format === 'int64' ? 'error.expected.long' : 'error.expected.int';
  return (json, path, reading) => {
    if (typeof json !== 'number' || !Number.isFinite(json))
      return fail(reading, path, 'error.expected.jsnumber');
    if (whole && (!Number.isInteger(json) || json >= bound || json < -bound))
      return fail(reading, path, text);
    return json;
  };
}

const dateTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/;

function readDateTime(json: unknown, path: string, reading: Reading): unknown {
  if (typeof json !== 'string') return fail(reading, path, 'error.expected.date');
  const millis = dateTime.test(json) ? Date.parse(json) : Number.NaN;
  if (Number.isNaN(millis)) return fail(reading, path, 'error.expected.date.isoformat');
  return new Date(millis).toISOString();
}

function enumReader(values: readonly string[]): Reader {
  const byLowerCase = new Map(values.map((value) => [value.toLowerCase(), value]));
  return (json, path, reading) => {
    const value = typeof json === 'string' ? byLowerCase.get(json.toLowerCase()) : undefined;
    return value ?? fail(reading, path, 'error.unknown.enum.literal');
  };
}

function listReader(element: Reader): Reader {
  return (json, path, reading) => {
    if (!Array.isArray(json)) return fail(reading, path, 'error.expected.jsarray');
    return json.map((one: unknown, index) => element(one, `${path}(${index})`, reading));
  };
}

function mapReader(type: RamlType): Reader {
  const value = readerOf(type.map ?? 'string');
  const keys = type.keyPattern === undefined ? undefined : new RegExp(type.keyPattern);
  return (json, path, reading) => {
    if (!isRecord(json)) return fail(reading, path, 'error.expected.jsobject');
    const entries = Object.entries(json).map(([key, one]): [string, unknown] => {
      if (keys !== undefined && !keys.test(key)) fail(reading, `${path}/${key}`, 'error.pattern');
      return [key, value(one, `${path}/${key}`, reading)];
    });
    return Object.fromEntries(entries);
  };
}

/** The variants are tried in order; when none fits, the last one's problems are told. */
function unionReader(variants: readonly string[]): Reader {
  const all = variants.map(variantReader);
  return (json, path, reading) => {
    for (const reader of all) {
      const attempt: Reading = { problems: [], depth: reading.depth };
      const value = reader(json, path, attempt);
      if (attempt.problems.length === 0) return value;
      if (reader === all.at(-1)) reading.problems.push(...attempt.problems);
    }
    return undefined;
  };
}

/** A named string of a union is any string: `unlimited` is checked later, with a text of its own. */
function variantReader(name: string): Reader {
  const type = ramlType(name);
  return type.enum === undefined ? readerOf(name) : builtinReader('string', undefined);
}

const scalingReader: Reader = (json, path, reading) =>
  isRecord(json) && json['kind'] === 'fixed'
    ? readerOf('FixedPodScalingPolicy')(json, path, reading)
    : fail(reading, path, 'error.expected.jsstring');

function objectReader(type: RamlType): Reader {
  const update = type.asUpdate === true;
  const fields = fieldsOf(type).map((field) => fieldReader(field, update));
  return (json, path, reading) => {
    if (!isRecord(json)) return fail(reading, path, 'error.expected.jsobject');
    if (reading.depth >= depthMax) return fail(reading, path, 'error.maxLength');
    reading.depth++;
    const result: Record<string, unknown> = {};
    for (const { name, readField } of fields) {
      const value = readField(member(json, name), `${path}/${name}`, reading);
      if (value !== undefined) result[name] = value;
    }
    reading.depth--;
    return result;
  };
}

interface FieldReader {
  readonly name: string;
  readonly readField: Reader;
}

function fieldReader(field: RamlField, update: boolean): FieldReader {
  const limited = withLimits(field);
  const collection = isCollection(field.type);
  const optional = update || field.forceOptional === true;
  const empty: unknown = field.type.endsWith('[]') ? [] : {};
  const dropEmpty = collection && field.omitEmpty === true && !optional;
  const absent = (path: string, reading: Reading): unknown => {
    if (optional) return undefined;
    if (collection && field.required !== true) return dropEmpty ? undefined : empty;
    if (field.default !== undefined) return field.default;
    return field.required === true ? fail(reading, path, 'error.path.missing') : undefined;
  };
  const nullable = optional || field.required !== true;
  const readField: Reader = (json, path, reading) => {
    if (json === undefined || (json === null && nullable)) return absent(path, reading);
    const value = limited(json, path, reading);
    return dropEmpty && isEmpty(value) ? undefined : value;
  };
  return { name: field.name, readField };
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isRecord(value) && Object.keys(value).length === 0;
}

/** A field's own limits, and those of the named type it has. */
function limitsOf(field: RamlField): RamlField {
  if (isBuiltin(field.type) || field.type.endsWith('[]')) return field;
  const { min, max, minLength, maxLength, pattern } = ramlType(field.type);
  return { ...defined({ min, max, minLength, maxLength, pattern }), ...field };
}

function defined(limits: Partial<RamlField>): Partial<RamlField> {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}

function withLimits(field: RamlField): Reader {
  const reader = isBuiltin(field.type)
    ? builtinReader(field.type, field.format)
    : readerOf(field.type);
  const limits = limitsOf(field);
  const matches = patternTest(field.type, limits.pattern);
  return (json, path, reading) => {
    const before = reading.problems.length;
    const value = reader(json, path, reading);
    if (reading.problems.length > before) return value;
    if (typeof value === 'number') checkNumber(value, { limits, path, reading });
    if (typeof value === 'string' && typeof json === 'string') {
      checkLength(value.length, { limits, path, reading });
      if (!matches(value)) fail(reading, path, 'error.pattern');
    }
    if (Array.isArray(value)) return checkList(value, { limits, path, reading });
    return value;
  };
}

interface Limited {
  readonly limits: RamlField;
  readonly path: string;
  readonly reading: Reading;
}

function checkNumber(value: number, { limits, path, reading }: Limited): void {
  if (limits.max !== undefined && value > limits.max) fail(reading, path, 'error.max');
  if (limits.min !== undefined && value < limits.min) fail(reading, path, 'error.min');
}

function checkLength(length: number, { limits, path, reading }: Limited): void {
  if (length > (limits.maxLength ?? Infinity)) fail(reading, path, 'error.maxLength');
  if (length < (limits.minLength ?? 0)) fail(reading, path, 'error.minLength');
}

function checkList(value: readonly unknown[], { limits, path, reading }: Limited): unknown[] {
  if (value.length > (limits.maxItems ?? Infinity)) fail(reading, path, 'error.maxLength');
  const list = limits.unique === true ? distinct(value) : value.slice();
  if (list.length < (limits.minItems ?? 0)) fail(reading, path, 'error.minLength');
  return list;
}

function distinct(values: readonly unknown[]): unknown[] {
  const byText = new Map(values.map((value) => [JSON.stringify(value), value]));
  return Array.from(byText.values());
}

/** Whole matches. Ids have a check of their own: their pattern takes exponential time on `///...`. */
function patternTest(type: string, pattern: string | undefined): (text: string) => boolean {
  if (pattern === undefined) return () => true;
  if (type === 'PathId') return isPathId;
  const expression = new RegExp(`^(?:${pattern})$`, 'u');
  return (text) => expression.test(text);
}

function isPathId(text: string): boolean {
  return text.split('/').every((part) => part === '' || part === '..' || isDottedName(part));
}
