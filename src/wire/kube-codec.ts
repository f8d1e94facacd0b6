import type { Codec, Decoded } from './codec.ts';
import { DecodeError } from './codec.ts';
import { escapeGo } from './go-text.ts';
import { documentOf, parseDocument, parseJson } from './json.ts';
import { ProtobufReader, ProtobufWriter } from './protobuf.ts';
import { strictProblems } from './strict.ts';
import { Compiler } from './structs.ts';
import type { TypeTables } from './tables.ts';
import { isObject } from './objects.ts';
import { Context } from './values.ts';
import { parseYaml } from './yaml.ts';

/** `k8s\0`: what every protobuf body starts with. */
const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00]);
/** Empty contentEncoding and contentType: gogo writes both. */
const envelopeEnd = Buffer.from([0x1a, 0x00, 0x22, 0x00]);

/** A codec over these tables. Types are compiled when they are first used. */
export function createCodec(tables: TypeTables): Codec {
  return new KubeCodec(tables);
}

/** JSON bytes of a value that is in canonical form already; Go's escapes, no newline. */
export function encodeCanonicalJson(value: unknown): Buffer {
  return Buffer.from(escapeGo(JSON.stringify(value)));
}

class KubeCodec implements Codec {
  readonly #compiler: Compiler;
  readonly #writer = new ProtobufWriter();

  constructor(tables: TypeTables) {
    this.#compiler = new Compiler(tables);
  }
  knows(type: string): boolean {
    return this.#compiler.knows(type);
  }

  canonical(type: string, value: unknown): Decoded {
    const struct = this.#compiler.struct(type);
    const context = new Context();
    const canonical = struct.fromJson(value ?? {}, context);
    const strict = context.unknown ? strictProblems(struct, documentOf(value)) : [];
    return { value: asObject(canonical), strictProblems: strict };
  }

  takeCanonical(type: string, value: object): Record<string, unknown> {
    return asObject(this.#compiler.struct(type).fromJson(value, new Context({ taking: true })));
  }

  decodeJson(type: string, bytes: Uint8Array): Decoded {
    const struct = this.#compiler.struct(type);
    const parsed = parseJson(bytes);
    const context = new Context({ counting: true });
    const canonical = struct.fromJson(parsed.value ?? {}, context);
    const suspicious = context.unknown || context.keys !== parsed.keys;
    return {
      value: asObject(canonical),
      strictProblems: suspicious ? strictProblems(struct, parseDocument(parsed.text)) : [],
    };
  }

  async decodeYaml(type: string, bytes: Uint8Array): Promise<Decoded> {
    const parsed = await parseYaml(bytes);
    const decoded = this.canonical(type, parsed.value);
    return {
      value: decoded.value,
      strictProblems: [...parsed.strictProblems, ...decoded.strictProblems],
    };
  }

  decodeProtobuf(
    bytes: Uint8Array,
    typeOf: (apiVersion: string, kind: string) => string | undefined,
  ): Decoded {
    const { apiVersion, kind, raw } = readEnvelope(bytes);
    const type = typeOf(apiVersion, kind);
    if (type === undefined)
      throw new DecodeError(`no kind "${kind}" is registered for version "${apiVersion}"`);
    const struct = this.#compiler.struct(type);
    const head: Record<string, unknown> = {};
    if (struct.typeMeta && kind !== '') head['kind'] = kind;
    if (struct.typeMeta && apiVersion !== '') head['apiVersion'] = apiVersion;
    const value = struct.readContent(new ProtobufReader(raw), head);
    return { value, strictProblems: [] };
  }

  encodeJson(type: string, object: object): Uint8Array {
    return encodeCanonicalJson(this.takeCanonical(type, object));
  }

  encodeProtobuf(type: string, object: object): Uint8Array {
    const struct = this.#compiler.struct(type);
    const value = asObject(object);
    const writer = this.#writer;
    writer.reset();
    writer.bytes(envelopeEnd);
    const rawMark = writer.length;
    struct.writeContent(writer, value);
    writer.close(0x12, rawMark);
    const metaMark = writer.length;
    writer.stringField(0x12, text(struct.typeMeta ? value['kind'] : ''));
    writer.stringField(0x0a, text(struct.typeMeta ? value['apiVersion'] : ''));
    writer.close(0x0a, metaMark);
    writer.bytes(magic);
    return writer.take();
  }
}

function asObject(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}
function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  /** The object's message. */
  readonly raw: Uint8Array;
}
/** What a protobuf body says of itself, without reading the object. */
export function readEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length === 0) throw new DecodeError('empty data');
  if (magic.compare(bytes.subarray(0, 4)) !== 0)
    throw new DecodeError(
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
    );
  const reader = new ProtobufReader(bytes.subarray(4));
  let apiVersion = '';
  let kind = '';
  let raw: Uint8Array = new Uint8Array(0);
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 0x0a) {
      const outer = reader.enter();
      while (reader.more) {
        const inner = reader.tag();
        if (inner === 0x0a) apiVersion = reader.text();
        else if (inner === 0x12) kind = reader.text();
        else reader.skip(inner & 7);
      }
      reader.leave(outer);
    } else if (tag === 0x12) raw = reader.slice();
    else reader.skip(tag & 7);
  }
  return { apiVersion, kind, raw };
}

/**
 * The envelope of a list made of the envelopes of an empty list and of its items: every list of the
 * API has its metadata as field 1 and its items as field 2.
 */
export function protobufList(
  empty: Uint8Array,
  items: readonly Uint8Array[],
): readonly Uint8Array[] {
  const { apiVersion, kind, raw } = readEnvelope(empty);
  const slices: Uint8Array[] = [];
  let bytes = raw.length;
  const writer = new ProtobufWriter();
  for (const item of items) {
    const message = readEnvelope(item).raw;
    writer.reset();
    writer.varint(message.length);
    writer.varint(0x12);
    const head = writer.take();
    slices.push(head, message);
    bytes += head.length + message.length;
  }
  writer.reset();
  writer.varint(bytes);
  writer.varint(0x12);
  const typeMark = writer.length;
  writer.stringField(0x12, kind);
  writer.stringField(0x0a, apiVersion);
  writer.close(0x0a, typeMark);
  writer.bytes(magic);
  return [writer.take(), raw, ...slices, envelopeEnd];
}
