import facts from './facts/raml.json' with { type: 'json' };

/** A field of a RAML type; sizes and ranges are checked on reading. */
export interface RamlField {
  readonly name: string;
  /** A builtin, another type, or either with `[]`. */
  readonly type: string;
  readonly required?: boolean | undefined;
  readonly default?: unknown;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly minLength?: number | undefined;
  readonly maxLength?: number | undefined;
  readonly minItems?: number | undefined;
  readonly maxItems?: number | undefined;
  readonly itemMin?: number | undefined;
  readonly itemMax?: number | undefined;
  readonly pattern?: string | undefined;
  /** A set: repeated elements are one. */
  readonly unique?: boolean | undefined;
  readonly format?: string | undefined;
  /** Named values of a plain string; they tell variants of a union apart. */
  readonly enum?: readonly string[] | undefined;
  readonly omitEmpty?: boolean | undefined;
  readonly forceOptional?: boolean | undefined;
}

export interface RamlType {
  readonly fields?: readonly RamlField[] | undefined;
  readonly inherits?: string | undefined;
  readonly map?: string | undefined;
  readonly keyPattern?: string | undefined;
  readonly union?: readonly string[] | undefined;
  readonly type?: string | undefined;
  readonly enum?: readonly string[] | undefined;
  readonly asUpdate?: boolean | undefined;
  readonly discriminator?: string | undefined;
  readonly discriminatorValue?: string | undefined;
  readonly pattern?: string | undefined;
  readonly minLength?: number | undefined;
  readonly maxLength?: number | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly format?: string | undefined;
}

const types: Readonly<Record<string, RamlType>> = facts;

/** `XUpdate` is X with every field optional and told apart from empty. */
export function ramlType(name: string): RamlType {
  const type = types[name];
  if (type !== undefined) return type;
  const base = types[name.replace(/Update$/, '')];
  if (base === undefined) throw new Error(`Cannot find the RAML type ${name}`);
  return { ...base, asUpdate: true };
}

/** A type's fields, inherited ones first. */
export function fieldsOf(type: RamlType): readonly RamlField[] {
  if (type.inherits === undefined) return type.fields ?? [];
  return [...fieldsOf(ramlType(type.inherits)), ...(type.fields ?? [])];
}

const builtins = new Set(['string', 'integer', 'number', 'boolean', 'datetime', 'object']);

export function isBuiltin(type: string): boolean {
  return builtins.has(type);
}

/** Collections are never absent unless told apart from empty. */
export function isCollection(type: string): boolean {
  return type.endsWith('[]') || (!isBuiltin(type) && ramlType(type).map !== undefined);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A field's own property; inherited ones (`constructor`) are none. */
export function member(record: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
