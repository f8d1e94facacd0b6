import { ProtobufReader, ProtobufWriter, setKey } from '#wire';
import type { Message } from './json-decode.ts';
import type { FieldSchema, FieldType, ScalarName, Schemas } from './schema.ts';

/** Wire types of proto2. */
const varintWire = 0;
const fixed64Wire = 1;
const lengthWire = 2;

type Write = (writer: ProtobufWriter, value: unknown) => void;

/** Messages to proto2 bytes. Fields are written in the order of their numbers. */
export class ProtobufEncoder {
  readonly #schemas: Schemas;
  readonly #messages = new Map<string, MessageWriter>();
  readonly #writer = new ProtobufWriter();

  constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  encode(type: string, message: object): Uint8Array {
    this.#writer.reset();
    this.#message(type).write(this.#writer, message);
    return this.#writer.take();
  }

  #message(type: string): MessageWriter {
    const known = this.#messages.get(type);
    if (known !== undefined) return known;
    const message = new MessageWriter();
    this.#messages.set(type, message);
    // The writer works from the end to the beginning.
    message.fields = this.#schemas
      .message(type)
      .fields.toSorted((a, b) => b.number - a.number)
      .map((field) => ({ name: field.name, write: this.#field(field) }));
    return message;
  }

  #field(field: FieldSchema): Write {
    const one = this.#tagged(field.number, field.type);
    if (field.label === 'repeated')
      return (writer, value) => {
        const items = value as readonly unknown[];
        for (let at = items.length - 1; at >= 0; at--) one(writer, items[at]);
      };
    if (field.label !== 'map') return one;
    const entryValue = this.#tagged(2, field.type);
    return (writer, value) => {
      for (const [key, item] of Object.entries(value as Message).toReversed()) {
        const mark = writer.length;
        entryValue(writer, item);
        writer.stringField((1 << 3) | lengthWire, key);
        writer.close((field.number << 3) | lengthWire, mark);
      }
    };
  }

  #tagged(number: number, type: FieldType): Write {
    if (type.kind === 'message') {
      const inner = this.#message(type.name);
      return (writer, value) => {
        const mark = writer.length;
        inner.write(writer, value as object);
        writer.close((number << 3) | lengthWire, mark);
      };
    }
    if (type.kind === 'enum')
      return (writer, value) => {
        const code = type.values.get(value as string);
        if (code === undefined)
          throw new Error(`Cannot encode ${JSON.stringify(value)}: ${type.name} has no such value`);
        writer.int64(code);
        writer.varint((number << 3) | varintWire);
      };
    return scalarWriter(number, type.name);
  }
}

class MessageWriter {
  fields: readonly { readonly name: string; readonly write: Write }[] = [];

  write(writer: ProtobufWriter, message: object): void {
    const values = message as Readonly<Record<string, unknown>>;
    for (const field of this.fields) {
      const value = values[field.name];
      if (value !== undefined && value !== null) field.write(writer, value);
    }
  }
}

function scalarWriter(number: number, type: ScalarName): Write {
  if (type === 'string')
    return (writer, value) => writer.stringField((number << 3) | lengthWire, value as string);
  if (type === 'bytes')
    return (writer, value) => {
      const bytes = Buffer.from(value as string, 'base64');
      writer.bytes(bytes);
      writer.varint(bytes.length);
      writer.varint((number << 3) | lengthWire);
    };
  if (type === 'double')
    return (writer, value) => {
      writer.double(value as number);
      writer.varint((number << 3) | fixed64Wire);
    };
  return (writer, value) => {
    writer.int64(type === 'bool' ? (value === true ? 1 : 0) : (value as number));
    writer.varint((number << 3) | varintWire);
  };
}

interface FieldReader {
  /** Reads a value with this wire type; false when the field does not come so and is skipped. */
  readonly read: (reader: ProtobufReader, message: Message, wire: number) => boolean;
}
type Store = (message: Message, value: unknown) => void;

/** Proto2 bytes to messages. Unknown fields and unknown enum values are dropped. */
export class ProtobufDecoder {
  readonly #schemas: Schemas;
  readonly #messages = new Map<string, MessageReader>();

  constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  /** Throws `DecodeError`. Missing required fields are the caller's to find. */
  decode(type: string, bytes: Uint8Array): Message {
    const message: Message = {};
    this.#message(type).read(new ProtobufReader(bytes), message);
    return message;
  }

  #message(type: string): MessageReader {
    const known = this.#messages.get(type);
    if (known !== undefined) return known;
    const message = new MessageReader();
    this.#messages.set(type, message);
    const { fields } = this.#schemas.message(type);
    for (const field of fields) message.fields.set(field.number, this.#field(field, fields));
    return message;
  }

  #field(field: FieldSchema, all: readonly FieldSchema[]): FieldReader {
    if (field.label === 'map') return this.#map(field);
    const { type, name } = field;
    const store = storing(field, all);
    if (type.kind !== 'message') return scalarField(type, store, field.label === 'repeated');
    const inner = this.#message(type.name);
    return {
      read: (reader, message, wire) => {
        if (wire !== lengthWire) return false;
        // A singular message that comes twice is merged.
        const earlier = field.label === 'repeated' ? undefined : message[name];
        const value = (earlier ?? {}) as Message;
        readInner(reader, inner, value);
        if (earlier === undefined) store(message, value);
        return true;
      },
    };
  }

  #map(field: FieldSchema): FieldReader {
    const key: FieldSchema = {
      ...field,
      name: 'key',
      number: 1,
      label: 'optional',
      type: { kind: 'scalar', name: 'string' },
      default: undefined,
    };
    const value: FieldSchema = { ...field, name: 'value', number: 2, label: 'optional' };
    const entry = new MessageReader();
    entry.fields.set(1, this.#field(key, []));
    entry.fields.set(2, this.#field(value, []));
    return {
      read: (reader, message, wire) => {
        if (wire !== lengthWire) return false;
        const one: Message = {};
        readInner(reader, entry, one);
        const map = (message[field.name] ?? {}) as Message;
        const name = typeof one['key'] === 'string' ? one['key'] : '';
        setKey(map, name, one['value'] ?? (field.type.kind === 'message' ? {} : ''));
        message[field.name] = map;
        return true;
      },
    };
  }
}

class MessageReader {
  readonly fields = new Map<number, FieldReader>();

  read(reader: ProtobufReader, message: Message): void {
    while (reader.more) {
      const tag = reader.tag();
      const wire = tag & 7;
      const field = this.fields.get(tag >>> 3);
      if (field === undefined || !field.read(reader, message, wire)) reader.skip(wire);
    }
  }
}

function readInner(reader: ProtobufReader, inner: MessageReader, message: Message): void {
  const outer = reader.enter();
  inner.read(reader, message);
  reader.leave(outer);
}

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

function scalarField(
  type: Exclude<FieldType, { readonly kind: 'message' }>,
  store: Store,
  repeated: boolean,
): FieldReader {
  const { wire: wanted, read } =
    type.kind === 'enum' ? enumReader(type.values) : scalars[type.name];
  const readOne = (reader: ProtobufReader, message: Message): void => {
    const value = read(reader);
    if (value !== undefined) store(message, value);
  };
  return {
    read: (reader, message, wire) => {
      if (wire === wanted) {
        readOne(reader, message);
        return true;
      }
      // A packed list.
      if (!repeated || wire !== lengthWire) return false;
      const outer = reader.enter();
      while (reader.more) readOne(reader, message);
      reader.leave(outer);
      return true;
    },
  };
}

interface ScalarReader {
  readonly wire: number;
  readonly read: (reader: ProtobufReader) => unknown;
}

function enumReader(values: ReadonlyMap<string, number>): ScalarReader {
  // Of two names for a number the first counts.
  const names = new Map([...values].toReversed().map(([name, code]) => [code, name]));
  return { wire: varintWire, read: (reader) => names.get(reader.int()) };
}

const scalars: Readonly<Record<ScalarName, ScalarReader>> = {
  string: { wire: lengthWire, read: (reader) => reader.text() },
  bytes: { wire: lengthWire, read: (reader) => reader.slice().toString('base64') },
  bool: { wire: varintWire, read: (reader) => reader.uint() !== 0 },
  double: { wire: fixed64Wire, read: (reader) => reader.double() },
  int32: { wire: varintWire, read: (reader) => reader.int() | 0 },
  uint32: { wire: varintWire, read: (reader) => reader.uint() >>> 0 },
  int64: { wire: varintWire, read: (reader) => reader.int() },
  uint64: { wire: varintWire, read: (reader) => reader.uint() },
};
