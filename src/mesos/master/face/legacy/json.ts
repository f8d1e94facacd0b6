/**
 * Documents of the legacy endpoints as pieces of text, so that a large one can be sent in slices.
 */
import { Double, jsonText } from '#mesos/protocol';
import type { Json } from '#mesos/protocol';

export { RawJson, double, jsonText } from '#mesos/protocol';
export type { Json } from '#mesos/protocol';

/** Milliseconds as seconds. */
export function seconds(ms: number): Double {
  return new Double(ms / 1000);
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
