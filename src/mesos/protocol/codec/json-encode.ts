import { wholeOf } from '#wire';
import type { FieldSchema, FieldType, Schemas } from './schema.ts';

type Write = (value: unknown) => string;

/**
 * Messages to the reference's JSON: fields in the order of the .proto, unset ones with a default that
 * is not deprecated written too, doubles with a point, 64-bit integers as numbers.
 */
export class JsonEncoder {
  readonly #schemas: Schemas;
  readonly #writers = new Map<string, MessageWriter>();

  constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  encode(type: string, message: object): string {
    return this.#writer(type).write(message);
  }

  #writer(type: string): MessageWriter {
    const known = this.#writers.get(type);
    if (known !== undefined) return known;
    const writer = new MessageWriter();
    this.#writers.set(type, writer);
    writer.fields = this.#schemas.message(type).fields.map((field) => this.#field(field));
    return writer;
  }

  #field(field: FieldSchema): FieldWriter {
    const write = this.#type(field.type);
    const key = `${JSON.stringify(field.name)}:`;
    if (field.label === 'repeated')
      return { name: field.name, unset: '', write: (value) => list(key, write, value) };
    if (field.label === 'map')
      return { name: field.name, unset: '', write: (value) => map(key, write, value) };
    const unset =
      field.default === undefined || field.deprecated ? '' : `${key}${write(field.default)}`;
    return { name: field.name, unset, write: (value) => key + write(value) };
  }

  #type(type: FieldType): Write {
    if (type.kind === 'message') {
      const writer = this.#writer(type.name);
      return (value) => writer.write(value as object);
    }
    if (type.kind === 'enum') return (value) => JSON.stringify(value);
    if (type.name === 'bool') return (value) => (value === true ? 'true' : 'false');
    if (type.name === 'double') return (value) => doubleText(value as number);
    if (type.name === 'string' || type.name === 'bytes') return (value) => JSON.stringify(value);
    return (value) => integerText(value as number, type.name);
  }
}

interface FieldWriter {
  readonly name: string;
  /** What stands there when the field is not set. */
  readonly unset: string;
  readonly write: Write;
}

class MessageWriter {
  fields: readonly FieldWriter[] = [];

  write(message: object): string {
    const values = message as Readonly<Record<string, unknown>>;
    let text = '';
    for (const field of this.fields) {
      const value = values[field.name];
      const part = value === undefined || value === null ? field.unset : field.write(value);
      if (part !== '') text += text === '' ? part : `,${part}`;
    }
    return `{${text}}`;
  }
}

function list(key: string, write: Write, value: unknown): string {
  const items = value as readonly unknown[];
  if (items.length === 0) return '';
  let text = '';
  for (const item of items) text += text === '' ? write(item) : `,${write(item)}`;
  return `${key}[${text}]`;
}

function map(key: string, write: Write, value: unknown): string {
  let text = '';
  for (const [name, one] of Object.entries(value as Readonly<Record<string, unknown>>)) {
    const entry = `${JSON.stringify(name)}:${write(one)}`;
    text += text === '' ? entry : `,${entry}`;
  }
  return text === '' ? '' : `${key}{${text}}`;
}

/** Always with a point or an exponent; `Infinity`, `-Infinity` and `NaN` stand bare. */
export function doubleText(value: number): string {
  if (Number.isInteger(value)) {
    if (Object.is(value, -0)) return '-0.0';
    const text = String(value);
    return text.includes('e') ? text.replace('e+', 'e') : `${text}.0`;
  }
  return String(value).replace('e+', 'e');
}

const int64Max = 2n ** 63n - 1n;
const uint64Max = 2n ** 64n - 1n;

function integerText(value: number, type: string): string {
  if (Number.isSafeInteger(value)) return value === 0 ? '0' : String(value);
  if (!Number.isFinite(value)) return '0';
  const whole = wholeOf(value);
  const max = type === 'uint64' ? uint64Max : int64Max;
  return String(whole > max ? max : whole < -int64Max - 1n ? -int64Max - 1n : whole);
}

// oxlint-disable-next-line no-control-regex -- everything that is not ASCII
const beyondAscii = /[^\u0000-\u007f]/g;

/**
 * The same JSON in ASCII. Streams to frameworks are written so: some clients compare the length of a
 * record, which counts bytes, with the length of the text that they decoded.
 */
export function asciiJson(json: string): string {
  return json.replaceAll(
    beyondAscii,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
