import { doubleText } from '#mesos/protocol';
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
 * JSON text of a value as the original writes it: fields in RAML order, doubles with a fraction
 * (`1.0`), absent fields left out, empty collections left out where the type says so.
 */
export function textOf<K extends keyof RamlTypes>(type: K, value: RamlTypes[K]): string {
  return writerOf(type)(value);
}

/** The text of a list of values of a type. */
export function listText<K extends keyof RamlTypes>(
  type: K,
  values: readonly RamlTypes[K][],
): string {
  const write = writerOf(type);
  return `[${values.map(write).join(',')}]`;
}

/** An object from members that are JSON text already. */
export function objectText(members: Readonly<Record<string, string>>): string {
  const parts = Object.entries(members).map(([name, text]) => `${JSON.stringify(name)}:${text}`);
  return `{${parts.join(',')}}`;
}

type Writer = (value: unknown) => string;

const writers = new Map<string, Writer>();

function writerOf(type: string): Writer {
  const known = writers.get(type);
  if (known !== undefined) return known;
  let made: Writer | undefined;
  const writer: Writer = (value) => {
    made ??= makeWriter(type);
    return made(value);
  };
  writers.set(type, writer);
  return writer;
}

function makeWriter(name: string): Writer {
  if (name.endsWith('[]')) return listWriter(writerOf(name.slice(0, -2)));
  if (isBuiltin(name)) return builtinWriter(name, undefined);
  const type = ramlType(name);
  if (type.union !== undefined) return unionWriter(type.union);
  if (type.discriminator !== undefined && type.inherits === undefined)
    return writerOf('FixedPodScalingPolicy');
  if (type.fields !== undefined) return objectWriter(type);
  if (type.map !== undefined) return mapWriter(writerOf(type.map));
  const base = type.type ?? 'string';
  return isBuiltin(base) ? builtinWriter(base, type.format) : writerOf(base);
}

function builtinWriter(type: string, format: string | undefined): Writer {
  const double = type === 'number' && format !== 'int32' && format !== 'int64';
  return double ? numberText : (value) => JSON.stringify(value) ?? 'null';
}

/** JavaScript writes 1 where the original writes 1.0. */
function numberText(value: unknown): string {
  return typeof value === 'number' && Number.isFinite(value) ? doubleText(value) : 'null';
}

function listWriter(write: Writer): Writer {
  return (value) => (Array.isArray(value) ? `[${value.map(write).join(',')}]` : '[]');
}

function mapWriter(write: Writer): Writer {
  return (value) => {
    if (!isRecord(value)) return '{}';
    const parts = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}:${write(one)}`);
    return `{${parts.join(',')}}`;
  };
}

/** The variant whose required fields and named values are all there; those that ask most come first. */
function unionWriter(variants: readonly string[]): Writer {
  const objects: { readonly fits: (value: unknown) => boolean; readonly write: Writer }[] = [];
  let plain: Writer = (value) => JSON.stringify(value) ?? 'null';
  for (const name of variants.toSorted((a, b) => demands(b) - demands(a))) {
    const type = ramlType(name);
    if (type.fields !== undefined) objects.push({ fits: fitsOf(type), write: writerOf(name) });
    else if (type.type === 'number') {
      const strings = plain;
      plain = (value) => (typeof value === 'number' ? numberText(value) : strings(value));
    }
  }
  return (value) => (objects.find(({ fits }) => fits(value))?.write ?? plain)(value);
}

function demands(name: string): number {
  return fieldsOf(ramlType(name)).filter((field) => field.required === true).length;
}

function fitsOf(type: RamlType): (value: unknown) => boolean {
  const required = fieldsOf(type).filter((field) => field.required === true);
  return (value) =>
    isRecord(value) &&
    required.every((field) => {
      const one = member(value, field.name);
      return one !== undefined && (field.enum === undefined || field.enum.includes(String(one)));
    });
}

function objectWriter(type: RamlType): Writer {
  const fields = fieldsOf(type).map((field) => ({
    name: field.name,
    label: `${JSON.stringify(field.name)}:`,
    omitEmpty: leavesOutEmpty(field, type),
    write: fieldWriter(field),
  }));
  return (value) => {
    if (!isRecord(value)) return '{}';
    let text = '';
    for (const { name, label, omitEmpty, write } of fields) {
      const one = member(value, name);
      if (one === undefined || one === null || (omitEmpty && isEmpty(one))) continue;
      text += text === '' ? label : `,${label}`;
      text += write(one);
    }
    return `{${text}}`;
  };
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isRecord(value) && Object.keys(value).length === 0;
}

/** Only collections are left out when empty; an object without fields is written. */
function leavesOutEmpty(field: RamlField, type: RamlType): boolean {
  if (field.forceOptional === true || type.asUpdate === true) return false;
  return field.omitEmpty === true && isCollection(field.type);
}

function fieldWriter(field: RamlField): Writer {
  return isBuiltin(field.type) ? builtinWriter(field.type, field.format) : writerOf(field.type);
}
