import { setKey } from '#wire';
import { MessageError, parseJsonText } from './json-text.ts';
import type { FieldSchema, ScalarName, Schemas } from './schema.ts';

export type Message = Record<string, unknown>;

/**
 * JSON values to canonical messages, as the reference reads them (stout's protobuf.hpp): lenient in
 * what it takes for a number, a boolean or a list, strict about shapes. Fields are looked at in the
 * order of their names, which decides the first error.
 */
export class JsonDecoder {
  readonly #schemas: Schemas;
  readonly #readers = new Map<string, MessageReader>();

  constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  /** `value` as `JSON.parse` gives it. Missing required fields are the caller's to find. */
  decode(type: string, value: unknown): Message {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new MessageError('content', 'Expecting a JSON object');
    const message: Message = {};
    this.#reader(type).read(message, value as Message);
    return message;
  }

  #reader(type: string): MessageReader {
    const known = this.#readers.get(type);
    if (known !== undefined) return known;
    const reader = new MessageReader();
    this.#readers.set(type, reader);
    reader.fields = this.#schemas
      .message(type)
      .fields.map((field, _, all) => this.#fieldReader(field, all))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return reader;
  }

  #fieldReader(field: FieldSchema, all: readonly FieldSchema[]): FieldReader {
    const element = this.#element(field, field.label === 'map' ? 'value' : field.name);
    const store = storing(field, all);
    if (field.label === 'map')
      return {
        name: field.name,
        read: (message, value) => readMap(field, element, message, value),
      };
    return {
      name: field.name,
      read: (message, value) => readField(field, { element, store }, message, value),
    };
  }

  /** Reads one value; undefined when the field stays unset. */
  #element(field: FieldSchema, name: string): ElementReader {
    const { type } = field;
    if (type.kind === 'message') {
      const reader = this.#reader(type.name);
      return (value) => {
        if (typeof value !== 'object') throw unexpected(value, name);
        const message: Message = {};
        reader.read(message, value as Message);
        return message;
      };
    }
    if (type.kind === 'enum')
      return (value) => {
        if (typeof value !== 'string') throw unexpected(value, name);
        if (type.values.has(value)) return value;
        if (field.label !== 'required') return undefined;
        throw new MessageError('content', `Failed to find enum for '${value}'`);
      };
    return scalarReader(type.name, name);
  }
}

type ElementReader = (value: unknown) => unknown;
interface FieldReader {
  readonly name: string;
  readonly read: (message: Message, value: unknown) => void;
}

class MessageReader {
  fields: readonly FieldReader[] = [];

  read(message: Message, value: Message): void {
    for (const field of this.fields) {
      // No field is named as something that every object inherits; the table's test sees to it.
      const one = value[field.name];
      if (one !== undefined && one !== null) field.read(message, one);
    }
  }
}

type Store = (message: Message, value: unknown) => void;

/** Puts a value where it belongs; a member of a oneof takes the place of the others. */
function storing(field: FieldSchema, all: readonly FieldSchema[]): Store {
  const { name } = field;
  if (field.label === 'repeated')
    return (message, value) => {
      const list = message[name] as unknown[] | undefined;
      if (list === undefined) message[name] = [value];
      else list.push(value);
    };
  const rivals = all
    .filter((one) => one !== field && field.oneof !== undefined && one.oneof === field.oneof)
    .map((one) => one.name);
  return (message, value) => {
    for (const rival of rivals) delete message[rival];
    message[name] = value;
  };
}

function readField(
  field: FieldSchema,
  { element, store }: { readonly element: ElementReader; readonly store: Store },
  ...[message, value]: [Message, unknown]
): void {
  if (Array.isArray(value)) {
    if (field.label !== 'repeated') throw unexpected(value, field.name);
    // Lists within lists are read as one list there.
    for (const one of value) {
      if (one !== null && one !== undefined) readField(field, { element, store }, message, one);
    }
    return;
  }
  const read = element(value);
  if (read !== undefined) store(message, read);
}

function readMap(
  field: FieldSchema,
  element: ElementReader,
  ...[message, value]: [Message, unknown]
): void {
  if (Array.isArray(value)) {
    for (const one of value) {
      if (one !== null && one !== undefined) readMap(field, element, message, one);
    }
    return;
  }
  if (typeof value !== 'object' || value === null) throw unexpected(value, field.name);
  const map = (message[field.name] ?? {}) as Message;
  for (const [key, one] of Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    setKey(map, key, one === null ? emptyOf(field) : (element(one) ?? emptyOf(field)));
  if (Object.keys(map).length > 0) message[field.name] = map;
}

/** What an entry without a value reads as. */
function emptyOf({ type }: FieldSchema): unknown {
  if (type.kind === 'message') return {};
  if (type.kind === 'enum') return type.values.keys().next().value;
  if (type.name === 'bool') return false;
  return type.name === 'string' || type.name === 'bytes' ? '' : 0;
}

function unexpected(value: unknown, name: string): MessageError {
  const shape = Array.isArray(value) ? 'array' : typeof value;
  return new MessageError('content', `Not expecting a JSON ${shape} for field '${name}'`);
}

function scalarReader(type: ScalarName, name: string): ElementReader {
  if (type === 'string')
    return (value) => {
      if (typeof value === 'string') return value;
      throw unexpected(value, name);
    };
  if (type === 'bytes')
    return (value) => {
      if (typeof value === 'string') return canonicalBase64(value, name);
      throw unexpected(value, name);
    };
  if (type === 'bool')
    return (value) => {
      if (typeof value === 'boolean') return value;
      if (typeof value === 'string') return booleanOf(value, name);
      throw unexpected(value, name);
    };
  const fit = fits[type];
  return (value) => {
    if (typeof value === 'number') return fit(value);
    if (typeof value === 'string') return fit(numberOf(value, { type, name }));
    throw unexpected(value, name);
  };
}

/** What a C++ cast makes of a number. */
const fits = {
  double: (value: number) => value,
  int32: (value: number) => Math.trunc(value) | 0,
  uint32: (value: number) => Math.trunc(value) >>> 0,
  int64: (value: number) => within(value, -(2 ** 63), 2 ** 63),
  uint64: (value: number) =>
    value < 0 ? within(2 ** 64 + Math.trunc(value), 0, 2 ** 64) : within(value, 0, 2 ** 64),
} as const;

function within(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, Math.trunc(value))) || 0;
}

function numberOf(
  text: string,
  { type, name }: { readonly type: ScalarName; readonly name: string },
): number {
  if (type === 'double' && text === 'Infinity') return Number.POSITIVE_INFINITY;
  if (type === 'double' && text === '-Infinity') return Number.NEGATIVE_INFINITY;
  const value = parsed(text, { wanted: 'number', name });
  return typeof value === 'number' ? value : 0;
}

function booleanOf(text: string, name: string): boolean {
  return parsed(text, { wanted: 'boolean', name }) === true;
}

function parsed(
  text: string,
  { wanted, name }: { readonly wanted: 'number' | 'boolean'; readonly name: string },
): unknown {
  let reason = 'Unexpected JSON type parsed';
  try {
    const value = parseJsonText(text);
    if (typeof value === wanted) return value;
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    reason = error.message;
  }
  throw new MessageError(
    'content',
    `Failed to parse '${text}' as a JSON ${wanted} for field '${name}': ${reason}`,
  );
}

/** White space and everything from the first `=` on is skipped, as the reference does. */
function canonicalBase64(text: string, name: string): string {
  const padding = text.indexOf('=');
  const content = padding === -1 ? text : text.slice(0, padding);
  const strange = /[^A-Za-z0-9+/\s]/u.exec(content)?.[0];
  if (strange !== undefined)
    throw new MessageError(
      'content',
      `Failed to base64 decode bytes field '${name}': Invalid character '${strange}'`,
    );
  return Buffer.from(content, 'base64').toString('base64');
}
