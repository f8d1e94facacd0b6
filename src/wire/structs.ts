import { DecodeError } from './codec.ts';
import { eitherCodec, listAliasCodec } from './either.ts';
import {
  absent,
  fieldFromJson,
  layoutOf,
  settle,
  typeMetaFields,
  type Field,
  type Layout,
} from './fields.ts';
import type { JsonObject } from './objects.ts';
import { goName, isObject, setKey } from './objects.ts';
import type { ProtobufReader, ProtobufWriter } from './protobuf.ts';
import type { FieldFact, TypeFact, TypeTables } from './tables.ts';
import type { Context, ValueCodec } from './values.ts';
import {
  boolCodec,
  bytesCodec,
  doubleCodec,
  durationCodec,
  int32Codec,
  int64Codec,
  intOrStringCodec,
  microTimeCodec,
  quantityCodec,
  rawCodec,
  stringCodec,
  timeCodec,
} from './values.ts';

/** A compiled struct: the fields of its JSON object, those inlined from other structs included. */
export interface StructCodec extends ValueCodec {
  readonly name: string;
  readonly typeMeta: boolean;
  /** In the order of JSON keys, inlined structs flattened. */
  readonly fields: readonly Field[];
  readonly byKey: ReadonlyMap<string, Field>;
  /** The message's content without a length, for the envelope. */
  writeContent(writer: ProtobufWriter, value: JsonObject): void;
  readContent(reader: ProtobufReader, into: JsonObject): JsonObject;
}
/** One record of a message, in ascending order: a field or an inlined struct. */
interface Record_ {
  readonly number: number;
  readonly tag: number;
  readonly field: Field | undefined;
  readonly inline: StructCodec | undefined;
}

const scalars: Readonly<Record<string, ValueCodec>> = {
  string: stringCodec(),
  bool: boolCodec,
  int32: int32Codec,
  int64: int64Codec,
  double: doubleCodec,
  bytes: bytesCodec,
  any: rawCodec,
  Time: timeCodec,
  MicroTime: microTimeCodec,
  Duration: durationCodec,
  Quantity: quantityCodec,
  IntOrString: intOrStringCodec,
  RawExtension: rawCodec,
  FieldsV1: rawCodec,
  JSON: rawCodec,
};
/** Specials that fields refer to by their full name. */
const specialNames: Readonly<Record<string, string>> = {
  'k8s.io.apimachinery.pkg.api.resource.Quantity': 'Quantity',
  'k8s.io.apimachinery.pkg.apis.meta.v1.Duration': 'Duration',
  'k8s.io.apimachinery.pkg.apis.meta.v1.Time': 'Time',
  'k8s.io.apimachinery.pkg.apis.meta.v1.MicroTime': 'MicroTime',
  'k8s.io.apimachinery.pkg.apis.meta.v1.FieldsV1': 'FieldsV1',
  'k8s.io.apimachinery.pkg.runtime.RawExtension': 'RawExtension',
  'k8s.io.apimachinery.pkg.util.intstr.IntOrString': 'IntOrString',
  'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSON': 'JSON',
};

/** Compiles types when they are first met; recursion goes through `of`. */
export class Compiler {
  readonly #tables: TypeTables;
  readonly #codecs = new Map<string, ValueCodec>();
  readonly #structs = new Map<string, Struct>();

  constructor(tables: TypeTables) {
    this.#tables = tables;
  }
  knows(name: string): boolean {
    return this.#tables.type(name) !== undefined;
  }
  /** The struct of a top-level object. */
  struct(name: string): StructCodec {
    const known = this.#structs.get(name);
    if (known !== undefined) return known;
    const fact = this.#tables.type(name);
    if (fact === undefined) throw new Error(`Cannot compile type ${name}: it is not in the tables`);
    const struct = new Struct(fact, this);
    this.#structs.set(name, struct);
    return struct;
  }
  /** The codec of a scalar, special or struct by its name in the tables. */
  of(name: string): ValueCodec {
    const simple = Object.hasOwn(scalars, name) ? scalars[name] : undefined;
    if (simple !== undefined) return simple;
    const special = Object.hasOwn(specialNames, name) ? specialNames[name] : undefined;
    if (special !== undefined) return this.of(special);
    const known = this.#codecs.get(name);
    if (known !== undefined) return known;
    const codec = this.#make(name);
    this.#codecs.set(name, codec);
    return codec;
  }
  #make(name: string): ValueCodec {
    const fact = this.#tables.type(name);
    if (fact === undefined) throw new Error(`Cannot compile type ${name}: it is not in the tables`);
    if (fact.kind === 'listAlias')
      return listAliasCodec(this.of(fact.of ?? 'string'), goName(name));
    if (fact.kind === 'special') return eitherCodec(fact, (of) => this.of(of));
    return this.struct(name);
  }
}

class Struct implements StructCodec {
  readonly name: string;
  readonly goType: string;
  readonly wire = 2;
  readonly isStruct = true;
  readonly typeMeta: boolean;
  readonly #fact: TypeFact;
  readonly #compiler: Compiler;
  readonly #goStruct: string;
  #fields: readonly Field[] | undefined;
  #byKey: ReadonlyMap<string, Field> | undefined;
  #madeLayout: Layout | undefined;
  #records: readonly Record_[] | undefined;
  #byNumber: ReadonlyMap<number, Record_> | undefined;

  constructor(fact: TypeFact, compiler: Compiler) {
    this.#fact = fact;
    this.#compiler = compiler;
    this.name = fact.name;
    this.goType = goName(fact.name);
    this.#goStruct = fact.name.slice(fact.name.lastIndexOf('.') + 1);
    this.typeMeta = fact.typeMeta === true;
  }

  get fields(): readonly Field[] {
    this.#fields ??= (this.#fact.fields ?? []).flatMap((fact) => this.#fieldsOf(fact));
    return this.#fields;
  }
  get byKey(): ReadonlyMap<string, Field> {
    this.#byKey ??= new Map(this.fields.map((field) => [field.key, field]));
    return this.#byKey;
  }
  #fieldsOf(fact: FieldFact): readonly Field[] {
    if (fact.inline === true) return this.#compiler.struct(fact.of ?? '').fields;
    return typeof fact.json === 'string' ? [fieldOf(fact, this.#compiler)] : [];
  }
  get records(): readonly Record_[] {
    this.#records ??= (this.#fact.fields ?? [])
      .filter((fact) => fact.pb !== undefined)
      .map((fact) => this.#recordOf(fact))
      .toSorted((a, b) => a.number - b.number);
    return this.#records;
  }
  #recordOf(fact: FieldFact): Record_ {
    const number = fact.pb ?? 0;
    const inline = fact.inline === true ? this.#compiler.struct(fact.of ?? '') : undefined;
    const field = inline === undefined ? this.byKey.get(fact.json ?? '') : undefined;
    const wire = field === undefined || field.shape === 'map' ? 2 : field.codec.wire;
    return { number, tag: number * 8 + wire, field, inline };
  }

  fromJson(value: unknown, context: Context): JsonObject {
    if (!isObject(value)) throw context.wrongType(value, this.goType);
    const outerStruct = context.struct;
    const from = context.top;
    context.struct = this.#goStruct;
    const ordered = this.#place(value, context);
    const end = context.top;
    const { slots } = this.#layout;
    let result: JsonObject | undefined = context.taking && ordered ? undefined : {};
    // Of many declared fields few are there: only those are looked at, and the always-written ones.
    for (let place = from; place < end; place++) {
      const field = slots[context.order[place] ?? 0];
      if (field === undefined) continue;
      const one = value[field.key];
      const canonical = fieldFromJson(field, one, context);
      if (result === undefined) {
        if (canonical === one) continue;
        result = this.#before(value, field);
      }
      if (canonical !== undefined) result[field.key] = canonical;
    }
    context.struct = outerStruct;
    context.top = from;
    return result ?? value;
  }
  /**
   * Puts the indexes of the fields that are there or always written onto the context's stack, in
   * order. True when the object holds nothing else and its keys stand in order.
   */
  #place(value: JsonObject, context: Context): boolean {
    const { index, always, slots } = this.#layout;
    const from = context.top;
    for (const at of always) context.order[context.top++] = at;
    let ordered = true;
    let last = -1;
    let present = 0;
    let seen = 0;
    for (const key in value) {
      // A JavaScript object may hold undefined values, a document cannot.
      if (value[key] === undefined) {
        ordered = false;
        continue;
      }
      present++;
      const at = index.get(key);
      if (at === undefined) continue;
      seen++;
      ordered &&= at > last;
      last = at;
      if (slots[at]?.omit === true) context.insert(at, from);
    }
    context.keys += present;
    if (seen < present) this.#unknownKeys(value, context);
    return ordered && seen === present;
  }
  /** What stands before a field, in an object of its own. */
  #before(value: JsonObject, field: Field): JsonObject {
    const { index } = this.#layout;
    const end = index.get(field.key) ?? 0;
    const result: JsonObject = {};
    for (const key in value) {
      if ((index.get(key) ?? end) >= end) break;
      result[key] = value[key];
    }
    return result;
  }
  get #layout(): Layout {
    this.#madeLayout ??= layoutOf(
      this.typeMeta ? [...typeMetaFields, ...this.fields] : this.fields,
    );
    return this.#madeLayout;
  }
  #unknownKeys(value: JsonObject, context: Context): void {
    context.unknown = true;
    for (const [key, one] of Object.entries(value)) {
      if (this.byKey.has(key) || (this.typeMeta && (key === 'kind' || key === 'apiVersion')))
        continue;
      context.keys += countNested(one);
    }
  }

  zero(): unknown {
    const result: JsonObject = {};
    for (const field of this.fields) {
      const value = absent(field);
      if (value !== undefined) result[field.key] = value;
    }
    return result;
  }
  isEmpty(): boolean {
    return false;
  }
  structOf(): StructCodec {
    return this;
  }

  write(writer: ProtobufWriter, value: unknown): void {
    const mark = writer.length;
    this.writeContent(writer, isObject(value) ? value : {});
    writer.varint(writer.length - mark);
  }
  writeContent(writer: ProtobufWriter, value: JsonObject): void {
    const { records } = this;
    for (let index = records.length - 1; index >= 0; index--) {
      const record = records[index];
      if (record === undefined) continue;
      if (record.inline !== undefined) {
        record.inline.write(writer, value);
        writer.varint(record.tag);
      } else if (record.field !== undefined) {
        writeField(writer, record.field, { tag: record.tag, value: value[record.field.key] });
      }
    }
  }

  read(reader: ProtobufReader): JsonObject {
    const outer = reader.enter();
    const into = this.readContent(reader, {});
    reader.leave(outer);
    return into;
  }
  readContent(reader: ProtobufReader, into: JsonObject): JsonObject {
    const loose: JsonObject = {};
    this.readLoose(reader, loose);
    for (const field of this.fields) {
      const value = settle(field, loose[field.key]);
      if (value !== undefined) into[field.key] = value;
    }
    return into;
  }
  /** Fields as they come on the wire, those of inlined structs into the same object. */
  readLoose(reader: ProtobufReader, loose: JsonObject): void {
    this.#byNumber ??= new Map(this.records.map((record) => [record.number, record]));
    while (reader.more) {
      const tag = reader.tag();
      const record = this.#byNumber.get(tag >>> 3);
      if (record === undefined) {
        reader.skip(tag & 7);
        continue;
      }
      if (record.inline !== undefined) {
        expectWire(record, tag);
        const outer = reader.enter();
        if (record.inline instanceof Struct) record.inline.readLoose(reader, loose);
        reader.leave(outer);
      } else readField(reader, { record, tag, loose });
    }
  }
}

function countNested(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const values = Object.values(value);
  let count = Array.isArray(value) ? 0 : values.length;
  for (const one of values) count += countNested(one);
  return count;
}

function fieldOf(fact: FieldFact, compiler: Compiler): Field {
  const shape = fact.type === 'list' ? 'list' : fact.type === 'map' ? 'map' : 'single';
  const name = fact.type === 'ref' || shape !== 'single' ? (fact.of ?? 'string') : fact.type;
  const named = name === 'string' && fact.goType !== undefined;
  const codec = named ? stringCodec(goName(fact.goType ?? '')) : compiler.of(name);
  // Only creationTimestamp has omitzero: a struct-like value that is dropped when it is zero.
  const omits = typeof fact.omit === 'string' ? [fact.omit] : (fact.omit ?? []);
  const droppable = shape !== 'single' || fact.ptr === true || !structLike(fact.type);
  const omit = omits.includes('omitzero') || (omits.includes('omitempty') && droppable);
  const alias = fact.goAlias === undefined ? undefined : goName(fact.goAlias);
  const plain =
    shape === 'list'
      ? `[]${codec.goType}`
      : shape === 'map'
        ? `map[string]${codec.goType}`
        : codec.goType;
  return {
    key: fact.json ?? '',
    shape,
    codec,
    fact,
    goType: alias ?? plain,
    omit,
    pointer: fact.ptr === true,
  };
}
function structLike(type: string): boolean {
  return [
    'ref',
    'Time',
    'MicroTime',
    'Duration',
    'Quantity',
    'IntOrString',
    'RawExtension',
  ].includes(type);
}

interface Written {
  readonly tag: number;
  readonly value: unknown;
}
function writeField(writer: ProtobufWriter, field: Field, written: Written): void {
  const { tag } = written;
  const value = written.value ?? undefined;
  const { codec } = field;
  if (field.shape === 'single') {
    // Bytes and pointers are written when they are there, everything else always.
    if (value === undefined && (field.pointer || codec === bytesCodec)) return;
    codec.write(writer, value ?? codec.zero());
    writer.varint(tag);
  } else if (field.shape === 'list') {
    if (!Array.isArray(value)) return;
    for (let index = value.length - 1; index >= 0; index--) {
      codec.write(writer, value[index] ?? codec.zero());
      writer.varint(tag);
    }
  } else if (isObject(value)) {
    for (const key of Object.keys(value).sort().reverse()) {
      const mark = writer.length;
      const one = value[key] ?? undefined;
      if (one !== undefined || codec !== bytesCodec) {
        codec.write(writer, one ?? codec.zero());
        writer.varint(16 + codec.wire);
      }
      writer.stringField(0x0a, key);
      writer.close(tag, mark);
    }
  }
}

interface FieldRead {
  readonly record: Record_;
  readonly tag: number;
  readonly loose: JsonObject;
}

function expectWire(record: Record_, tag: number): void {
  if (tag === record.tag) return;
  const { field } = record;
  const name = field?.fact.pbName ?? field?.key ?? `#${record.number}`;
  throw new DecodeError(
    `proto: wrong wireType = ${tag & 7} for field ${name.charAt(0).toUpperCase()}${name.slice(1)}`,
  );
}

function readField(reader: ProtobufReader, read: FieldRead): void {
  const { record, tag, loose } = read;
  const { field } = record;
  if (field === undefined) return;
  const { codec } = field;
  if (field.shape === 'list') {
    const list = Array.isArray(loose[field.key]) ? (loose[field.key] as unknown[]) : [];
    loose[field.key] = list;
    if ((tag & 7) === 2 && codec.wire !== 2) {
      const outer = reader.enter();
      while (reader.more) list.push(codec.read(reader));
      reader.leave(outer);
      return;
    }
    expectWire(record, tag);
    list.push(codec.read(reader));
    return;
  }
  expectWire(record, tag);
  if (field.shape === 'single') {
    loose[field.key] = codec.read(reader);
    return;
  }
  const map = isObject(loose[field.key]) ? (loose[field.key] as JsonObject) : {};
  loose[field.key] = map;
  readMapEntry(reader, codec, map);
}

function readMapEntry(reader: ProtobufReader, codec: ValueCodec, map: JsonObject): void {
  const outer = reader.enter();
  let key = '';
  let value: unknown;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 0x0a) key = reader.text();
    else if (tag === 16 + codec.wire) value = codec.read(reader);
    else reader.skip(tag & 7);
  }
  reader.leave(outer);
  setKey(map, key, value ?? codec.zero());
}
