import { DecodeError } from './codec.ts';
import type { FieldFact, TypeFact } from './tables.ts';
import type { ValueCodec } from './values.ts';
import { isObject } from './objects.ts';
import { boolCodec } from './values.ts';

/** JSON is a bare list, the message holds it as field 1. */
export function listAliasCodec(element: ValueCodec, name: string): ValueCodec {
  return {
    goType: name,
    wire: 2,
    isStruct: false,
    zero: () => null,
    isEmpty: (value) => value === null || (Array.isArray(value) && value.length === 0),
    fromJson(value, context) {
      if (!Array.isArray(value)) throw context.wrongType(value, name);
      return value.map((one) => (one == null ? element.zero() : element.fromJson(one, context)));
    },
    write(writer, value) {
      const mark = writer.length;
      const list = Array.isArray(value) ? value : [];
      for (const one of list.toReversed()) {
        element.write(writer, one);
        writer.varint(0x0a);
      }
      writer.varint(writer.length - mark);
    },
    read(reader) {
      const outer = reader.enter();
      const list: unknown[] = [];
      while (reader.more) {
        const tag = reader.tag();
        if (tag === 0x0a) list.push(element.read(reader));
        else reader.skip(tag & 7);
      }
      reader.leave(outer);
      return list.length === 0 ? null : list;
    },
  };
}

/** JSONSchemaPropsOrArray, OrBool and OrStringArray: a schema or something else. */
export function eitherCodec(fact: TypeFact, of: (name: string) => ValueCodec): ValueCodec {
  const name = fact.name.split('.').slice(-2).join('.');
  const facts = fact.fields ?? [];
  const schemaFact = facts.find((field) => field.type === 'ref');
  const otherFact = facts.find((field) => field.type !== 'ref');
  if (schemaFact === undefined || otherFact === undefined)
    throw new Error(`Cannot compile type ${fact.name}: it has no known JSON form`);
  const schema = () => of(schemaFact.of ?? '');
  const isBool = otherFact.type === 'bool';
  const element = isBool ? boolCodec : of(otherFact.of ?? 'string');
  const tagOf = (field: FieldFact, wire: number) => (field.pb ?? 0) * 8 + wire;
  const schemaTag = tagOf(schemaFact, 2);
  const otherTag = tagOf(otherFact, isBool ? 0 : 2);
  return {
    goType: name,
    wire: 2,
    isStruct: false,
    structOf: () => schema().structOf?.(),
    zero: () => (isBool ? false : null),
    isEmpty: (value) => value === null,
    fromJson(value, context) {
      if (isObject(value)) return schema().fromJson(value, context);
      if (isBool) {
        if (typeof value === 'boolean') return value;
        throw new DecodeError('boolean or JSON schema expected');
      }
      if (!Array.isArray(value)) return null;
      const list = value.map((one) => element.fromJson(one, context));
      return list.length === 0 ? null : list;
    },
    write(writer, value) {
      const mark = writer.length;
      // Descending field numbers: OrBool has the schema last, the others first.
      const writeSchema = () => {
        if (!isObject(value)) return;
        schema().write(writer, value);
        writer.varint(schemaTag);
      };
      if (isBool) {
        writeSchema();
        writer.byte(value === true || isObject(value) ? 1 : 0);
        writer.varint(otherTag);
      } else {
        for (const one of Array.isArray(value) ? value.toReversed() : []) {
          element.write(writer, one);
          writer.varint(otherTag);
        }
        writeSchema();
      }
      writer.varint(writer.length - mark);
    },
    read(reader) {
      const outer = reader.enter();
      let found: unknown;
      let allows = false;
      const list: unknown[] = [];
      while (reader.more) {
        const tag = reader.tag();
        if (tag === schemaTag) found = schema().read(reader);
        else if (tag !== otherTag) reader.skip(tag & 7);
        else if (isBool) allows = reader.uint() !== 0;
        else list.push(element.read(reader));
      }
      reader.leave(outer);
      if (found !== undefined) return found;
      return isBool ? allows : list.length === 0 ? null : list;
    },
  };
}
