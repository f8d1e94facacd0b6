/**
 * JSON text as the legacy endpoints write it (stout jsonify.hpp): doubles always with a point or an
 * exponent, absent members left out. Documents come as pieces, so that a large one can be sent in
 * slices.
 */
export type Json =
  | string
  | number
  | boolean
  | Double
  | RawJson
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** A number of type double; plain numbers are integers. */
export class Double {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

export function double(value: number): Double {
  return new Double(value);
}

/** Text that is JSON already. */
export class RawJson {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Milliseconds as seconds. */
export function seconds(ms: number): Double {
  return new Double(ms / 1000);
}

export function jsonText(value: Json): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value instanceof Double) return doubleText(value.value);
  if (value instanceof RawJson) return value.text;
  if (Array.isArray(value)) return `[${value.map((one: Json) => jsonText(one)).join(',')}]`;
  const members: string[] = [];
  for (const [key, one] of Object.entries(value))
    if (one !== undefined) members.push(`${JSON.stringify(key)}:${jsonText(one as Json)}`);
  return `{${members.join(',')}}`;
}

export function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** Pieces of text of one document, in order. */
export type Document = Iterable<string>;

/** An object: members that are small as values, large ones as lists made while they are sent. */
export function* objectOf(members: Iterable<readonly [string, Json | Document]>): Document {
  let before = '{';
  for (const [key, value] of members) {
    yield `${before}${JSON.stringify(key)}:`;
    before = ',';
    if (isDocument(value)) yield* value;
    else yield jsonText(value);
  }
  yield before === '{' ? '{}' : '}';
}

/** An array whose elements are made one by one. */
export function* arrayOf(elements: Iterable<Json | Document>): Document {
  let before = '[';
  for (const element of elements) {
    if (isDocument(element)) {
      yield before;
      yield* element;
    } else yield before + jsonText(element);
    before = ',';
  }
  yield before === '[' ? '[]' : ']';
}

export function* mapped<T, R>(items: Iterable<T>, make: (item: T) => R): Iterable<R> {
  for (const item of items) yield make(item);
}

function isDocument(value: Json | Document): value is Document {
  return (
    typeof value === 'object' &&
    !Array.isArray(value) &&
    typeof (value as Partial<Document>)[Symbol.iterator] === 'function'
  );
}
