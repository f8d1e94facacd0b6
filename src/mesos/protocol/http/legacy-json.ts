import { doubleText } from '../codec/json-encode.ts';

/**
 * JSON as the legacy endpoints of master and agent write it (stout's jsonify, over RapidJSON): absent
 * members are left out, doubles have a point or an exponent.
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

export function jsonText(value: Json): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value instanceof Double) return doubleText(value.value);
  if (value instanceof RawJson) return value.text;
  if (isList(value)) return `[${value.map((one) => jsonText(one)).join(',')}]`;
  const members: string[] = [];
  for (const [key, one] of Object.entries(value))
    if (one !== undefined) members.push(`${JSON.stringify(key)}:${jsonText(one)}`);
  return `{${members.join(',')}}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
