import {
  canonicalQuantity,
  formatDuration,
  instantMicroText,
  instantText,
  parseDuration,
  parseInstant,
  parseMicroInstant,
  zeroTimeSeconds,
} from '#base';
import { DecodeError } from './codec.ts';
import { goQuote } from './go-text.ts';
import type { StructCodec } from './structs.ts';
import type { ProtobufReader, ProtobufWriter } from './protobuf.ts';

/** Where a conversion stands, for the texts of errors, and what it counted. */
export class Context {
  /** Keys from the root to here, without list indexes, as Go names fields. */
  readonly path: string[] = [];
  /** Name of the struct whose field is read. */
  struct = '';
  /** Keys of all objects that were met: fewer than the document has means duplicates. */
  keys = 0;
  /** A key was met that no struct declares. */
  unknown = false;
  /** Places of fields of the structs that are being read, the innermost on top. */
  readonly order: number[] = [];
  top = 0;
  /** What is in canonical form already is taken over, not copied. */
  readonly taking: boolean;
  /** `keys` is asked for: values of free form are looked into. */
  readonly counting: boolean;

  constructor(options: { readonly taking?: boolean; readonly counting?: boolean } = {}) {
    this.taking = options.taking === true;
    this.counting = options.counting === true;
  }

  /** Pushes a place onto `order` and lets it sink between those above `from`. */
  insert(place: number, from: number): void {
    const { order } = this;
    let at = this.top++;
    for (; at > from && (order[at - 1] ?? 0) > place; at--) order[at] = order[at - 1] ?? 0;
    order[at] = place;
  }

  wrongType(value: unknown, goType: string): DecodeError {
    const into =
      this.path.length === 0
        ? `Go value of type ${goType}`
        : `Go struct field ${this.struct}.${this.path.join('.')} of type ${goType}`;
    return new DecodeError(`json: cannot unmarshal ${kindOf(value, goType)} into ${into}`);
  }
}

function kindOf(value: unknown, goType: string): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number' || typeof value === 'bigint')
    return /^u?int/.test(goType) ? `number ${value}` : 'number';
  return typeof value;
}

/** How one kind of value is read and written; closures made once per type. */
export interface ValueCodec {
  readonly goType: string;
  /** Wire type: 0 varint, 1 fixed64, 2 length-delimited. */
  readonly wire: 0 | 1 | 2;
  /** True for plain structs: never omitted, always an object. */
  readonly isStruct: boolean;
  /** Canonical form; `value` is neither null nor undefined. */
  fromJson(value: unknown, context: Context): unknown;
  /** What stands for an absent value of an always-written field. */
  zero(): unknown;
  /** True when `omitempty` drops the (canonical) value. */
  isEmpty(value: unknown): boolean;
  /** Payload with its length where the wire type has one, but without the tag. */
  write(writer: ProtobufWriter, value: unknown): void;
  read(reader: ProtobufReader): unknown;
  /** The struct that objects of this value are; absent for values without declared fields. */
  structOf?(): StructCodec | undefined;
}

type ScalarParts = Pick<ValueCodec, 'goType' | 'fromJson' | 'write' | 'read'> & {
  readonly zero: unknown;
  readonly wire?: 0 | 1 | 2;
};

function scalar(parts: ScalarParts): ValueCodec {
  const { zero } = parts;
  return {
    goType: parts.goType,
    wire: parts.wire ?? 2,
    isStruct: false,
    fromJson: parts.fromJson,
    zero: () => zero,
    isEmpty: (value) => value === zero,
    write: parts.write,
    read: parts.read,
  };
}

export function stringCodec(goType = 'string'): ValueCodec {
  return scalar({
    goType,
    zero: '',
    fromJson: (value, context) => {
      if (typeof value !== 'string') throw context.wrongType(value, goType);
      return value;
    },
    write: (writer, value) => {
      const mark = writer.length;
      writer.text(String(value));
      writer.varint(writer.length - mark);
    },
    read: (reader) => reader.text(),
  });
}

export const boolCodec = scalar({
  goType: 'bool',
  zero: false,
  wire: 0,
  fromJson: (value, context) => {
    if (typeof value !== 'boolean') throw context.wrongType(value, 'bool');
    return value;
  },
  write: (writer, value) => writer.byte(value === true ? 1 : 0),
  read: (reader) => reader.uint() !== 0,
});

function intCodec(goType: string, bounds: readonly [number, number]): ValueCodec {
  const [low, high] = bounds;
  return scalar({
    goType,
    zero: 0,
    wire: 0,
    fromJson: (value, context) => {
      const number = typeof value === 'bigint' ? Number(value) : value;
      if (typeof number !== 'number' || !Number.isInteger(number) || number < low || number > high)
        throw context.wrongType(value, goType);
      // -0 is 0 in Go.
      return number === 0 ? 0 : number;
    },
    write: (writer, value) => writer.int64(Number(value)),
    read: (reader) => reader.int(),
  });
}
export const int32Codec = intCodec('int32', [-(2 ** 31), 2 ** 31 - 1]);
// The upper bound is 2^63 because 2^63-1 is no double.
export const int64Codec = intCodec('int64', [-(2 ** 63), 2 ** 63]);

export const doubleCodec = scalar({
  goType: 'float64',
  zero: 0,
  wire: 1,
  fromJson: (value, context) => {
    const number = typeof value === 'bigint' ? Number(value) : value;
    if (typeof number !== 'number') throw context.wrongType(value, 'float64');
    return number;
  },
  write: (writer, value) => writer.double(Number(value)),
  read: (reader) => reader.double(),
});

/** Standard base64 with padding, as text: decoded only for protobuf. */
export const bytesCodec: ValueCodec = {
  ...scalar({
    goType: '[]uint8',
    zero: null,
    fromJson: (value, context) => {
      if (typeof value !== 'string') throw context.wrongType(value, '[]uint8');
      const text = /[\r\n]/.test(value) ? value.replace(/[\r\n]/g, '') : value;
      if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
        throw new DecodeError(`illegal base64 data at input byte ${badBase64At(text)}`);
      return text;
    },
    write: (writer, value) => {
      const bytes = Buffer.from(String(value ?? ''), 'base64');
      writer.bytes(bytes);
      writer.varint(bytes.length);
    },
    read: (reader) => reader.slice().toString('base64'),
  }),
  isEmpty: (value) => value === null || value === '',
};
function badBase64At(text: string): number {
  const bad = /[^A-Za-z0-9+/]/.exec(text);
  return bad === null ? text.length - (text.length % 4) : bad.index;
}

function wrapped(action: () => string): string {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof DecodeError) throw cause;
    throw new DecodeError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
function plainString(value: unknown): string {
  if (typeof value !== 'string')
    throw new DecodeError(
      `json: cannot unmarshal ${kindOf(value, 'string')} into Go value of type string`,
    );
  return value;
}

export const quantityCodec = scalar({
  goType: 'resource.Quantity',
  zero: '0',
  fromJson: (value) => {
    const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '{}';
    return wrapped(() => canonicalQuantity(text));
  },
  write: (writer, value) => {
    const mark = writer.length;
    writer.stringField(0x0a, String(value));
    writer.varint(writer.length - mark);
  },
  read: (reader) => {
    let text = '';
    readMessage(reader, (number) => {
      if (number !== 1) return false;
      text = reader.text();
      return true;
    });
    return text === '' ? '0' : wrapped(() => canonicalQuantity(text));
  },
});

/** Calls `field` for each field number; false means: not known, skip it. */
function readMessage(reader: ProtobufReader, field: (number: number) => boolean): void {
  const outer = reader.enter();
  while (reader.more) {
    const tag = reader.tag();
    if (!field(tag >>> 3)) reader.skip(tag & 7);
  }
  reader.leave(outer);
}

const plainTime =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;

function timeCodecOf(micro: boolean): ValueCodec {
  const parse = micro ? parseMicroInstant : parseInstant;
  const print = micro ? instantMicroText : instantText;
  const codec = scalar({
    goType: micro ? 'v1.MicroTime' : 'v1.Time',
    zero: null,
    fromJson: (value) => {
      const text = plainString(value);
      // The usual case needs no arithmetic; year 1 may be the zero time.
      if (!micro && plainTime.test(text) && !text.startsWith('0001')) return text;
      let result: string | null = null;
      wrapped(() => {
        const instant = parse(text);
        const isZero = instant.seconds === zeroTimeSeconds && (!micro || instant.nanos === 0);
        result = isZero ? null : print(instant);
        return '';
      });
      return result;
    },
    write: (writer, value) => {
      const mark = writer.length;
      if (typeof value === 'string') {
        const { seconds, nanos } = parse(value);
        writer.int64(micro ? nanos : 0);
        writer.byte(0x10);
        writer.int64(seconds);
        writer.byte(0x08);
      }
      writer.varint(writer.length - mark);
    },
    read: (reader) => {
      let seconds = 0;
      let nanos = 0;
      let empty = true;
      readMessage(reader, (number) => {
        empty = false;
        if (number === 1) seconds = reader.int();
        else if (number === 2) nanos = reader.int();
        else return false;
        return true;
      });
      if (empty) return null;
      return wrapped(() => print({ seconds, nanos: micro ? nanos : 0 }));
    },
  });
  return codec;
}
export const timeCodec = timeCodecOf(false);
export const microTimeCodec = timeCodecOf(true);

export const durationCodec = scalar({
  goType: 'v1.Duration',
  zero: '0s',
  fromJson: (value) => {
    return wrapped(() => formatDuration(parseDuration(plainString(value))));
  },
  write: (writer, value) => {
    const mark = writer.length;
    writer.int64(Number(parseDuration(String(value))));
    writer.byte(0x08);
    writer.varint(writer.length - mark);
  },
  read: (reader) => {
    let nanos = 0;
    readMessage(reader, (number) => {
      if (number !== 1) return false;
      nanos = reader.int();
      return true;
    });
    return formatDuration(BigInt(nanos));
  },
});

export const intOrStringCodec = scalar({
  goType: 'intstr.IntOrString',
  zero: 0,
  fromJson: (value) => {
    if (typeof value === 'string') return value;
    if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 2 ** 31)
      return value;
    throw new DecodeError(
      `json: cannot unmarshal ${kindOf(value, 'int32')} into Go value of type int32`,
    );
  },
  write: (writer, value) => {
    const mark = writer.length;
    writer.stringField(0x1a, typeof value === 'string' ? value : '');
    writer.int64(typeof value === 'number' ? value : 0);
    writer.byte(0x10);
    writer.byte(typeof value === 'string' ? 1 : 0);
    writer.byte(0x08);
    writer.varint(writer.length - mark);
  },
  read: (reader) => {
    let isText = false;
    let number = 0;
    let text = '';
    readMessage(reader, (field) => {
      if (field === 1) isText = reader.int() === 1;
      else if (field === 2) number = reader.int();
      else if (field === 3) text = reader.text();
      else return false;
      return true;
    });
    return isText ? text : number;
  },
});

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + countKeys(one), 0);
  const values = Object.values(value);
  return values.reduce((sum: number, one) => sum + countKeys(one), values.length);
}

/** Any JSON value as it came: RawExtension, FieldsV1, JSON; in protobuf `{1: bytes of JSON}`. */
export const rawCodec = scalar({
  goType: 'interface {}',
  zero: null,
  fromJson: (value, context) => {
    if (context.counting) context.keys += countKeys(value);
    return value;
  },
  write: (writer, value) => {
    const mark = writer.length;
    if (value !== null && value !== undefined) {
      const json = JSON.stringify(value);
      writer.stringField(0x0a, json);
    }
    writer.varint(writer.length - mark);
  },
  read: (reader) => {
    let value: unknown = null;
    readMessage(reader, (number) => {
      if (number !== 1) return false;
      value = rawFromBytes(reader.slice());
      return true;
    });
    return value;
  },
});
function rawFromBytes(bytes: Buffer): unknown {
  if (bytes.length === 0) return null;
  const text = bytes.toString('utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DecodeError(`invalid JSON in raw bytes: ${goQuote(text.slice(0, 30))}`, { cause });
  }
}
