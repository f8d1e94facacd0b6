/**
 * Turns API objects into bytes and back, driven by field tables.
 *
 * An object in memory is in *canonical form*: plain JSON values with only declared fields, keys in
 * the order of the table, structs always present, always-written fields present (nil lists and maps
 * as `null`), omitted ones absent, quantities and times in their canonical text. So
 * `JSON.stringify` of it is its JSON form.
 */
export interface Codec {
  /** True when the tables know the type. */
  knows(type: string): boolean;
  /** From any JSON value. Throws `DecodeError` where a value has the wrong type. */
  canonical(type: string, value: unknown): Decoded;
  /**
   * The same of an object that the caller gives away: what in it is in canonical form already is part
   * of the result. Unknown fields go silently.
   */
  takeCanonical(type: string, value: object): Record<string, unknown>;
  decodeJson(type: string, bytes: Uint8Array): Decoded;
  /** Asynchronous only because the YAML library is loaded when it is first needed. */
  decodeYaml(type: string, bytes: Uint8Array): Promise<Decoded>;
  /** `bytes` with the envelope `k8s\0` + runtime.Unknown; the type is found by the caller's `typeOf`. */
  decodeProtobuf(
    bytes: Uint8Array,
    typeOf: (apiVersion: string, kind: string) => string | undefined,
  ): Decoded;
  /**
   * Brings the object (which may be a draft with keys out of order) into canonical form first, and
   * ends without a newline. Objects known to be canonical: `encodeCanonicalJson`.
   */
  encodeJson(type: string, object: object): Uint8Array;
  /** With the envelope; `apiVersion` and `kind` are taken from the object. */
  encodeProtobuf(type: string, object: object): Uint8Array;
}
export interface Decoded {
  readonly value: Record<string, unknown>;
  /** What strict field validation refuses: `unknown field "spec.foo"`, `duplicate field "spec.a"`. */
  readonly strictProblems: readonly string[];
}
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}
