import type { FieldFact, TypeFact, TypeTables } from '#wire';

/**
 * What merging needs to know of a type: which lists are sets or maps, what is one value. Made from
 * the field tables when first asked for; custom resources make theirs from their own schema.
 */
export type Schema =
  | { readonly kind: 'scalar' }
  | StructSchema
  | { readonly kind: 'map'; readonly atomic: boolean; readonly element: Schema }
  | ListSchema;
export interface StructSchema {
  readonly kind: 'struct';
  readonly atomic: boolean;
  readonly fields: ReadonlyMap<string, SchemaField>;
}
export interface ListSchema {
  readonly kind: 'list';
  readonly listType: 'atomic' | 'set' | 'map';
  /** Keys of a list of type map. */
  readonly keys: readonly string[];
  readonly element: Schema;
}
export interface SchemaField {
  readonly schema: Schema;
  /** Strategic merge: `merge`, `replace`, `retainKeys`, `merge,retainKeys` or ''. */
  readonly patchStrategy: string;
  readonly mergeKey: string | undefined;
  readonly default: unknown;
}

const scalar: Schema = { kind: 'scalar' };
const schemas = new WeakMap<TypeTables, Map<string, StructSchema>>();

/** The schema of a top-level type of the tables. */
export function schemaOf(tables: TypeTables, type: string): StructSchema {
  const known = schemas.get(tables) ?? new Map<string, StructSchema>();
  schemas.set(tables, known);
  const found = known.get(type);
  if (found !== undefined) return found;
  const fact = tables.type(type);
  if (fact === undefined)
    throw new Error(`Cannot make a schema of ${type}: it is not in the tables`);
  const struct = new LazyStruct(fact, tables);
  known.set(type, struct);
  return struct;
}

/** Types refer to themselves (JSONSchemaProps): fields are made when they are first asked for. */
class LazyStruct implements StructSchema {
  readonly kind = 'struct';
  readonly atomic: boolean;
  readonly #fact: TypeFact;
  readonly #tables: TypeTables;
  #fields: ReadonlyMap<string, SchemaField> | undefined;

  constructor(fact: TypeFact, tables: TypeTables, atomic = false) {
    this.#fact = fact;
    this.#tables = tables;
    this.atomic = atomic || fact.mapType === 'atomic' || fact.structType === 'atomic';
  }
  asAtomic(): LazyStruct {
    return this.atomic ? this : new LazyStruct(this.#fact, this.#tables, true);
  }
  get fields(): ReadonlyMap<string, SchemaField> {
    this.#fields ??= this.#make();
    return this.#fields;
  }
  #make(): ReadonlyMap<string, SchemaField> {
    const fields = new Map<string, SchemaField>();
    if (this.#fact.typeMeta === true)
      for (const key of ['kind', 'apiVersion'])
        fields.set(key, {
          schema: scalar,
          patchStrategy: '',
          mergeKey: undefined,
          default: undefined,
        });
    for (const field of this.#fact.fields ?? []) {
      if (field.inline === true)
        for (const [key, one] of schemaOf(this.#tables, field.of ?? '').fields)
          fields.set(key, one);
      else if (typeof field.json === 'string')
        fields.set(field.json, {
          schema: fieldSchema(this.#tables, field),
          patchStrategy: field.patchStrategy ?? '',
          mergeKey: field.patchMergeKey,
          default: field.default,
        });
    }
    return fields;
  }
}

function namedSchema(tables: TypeTables, name: string | undefined): Schema {
  const fact = name === undefined ? undefined : tables.type(name);
  if (fact === undefined || fact.kind === 'special') return scalar;
  if (fact.kind === 'listAlias')
    return { kind: 'list', listType: 'atomic', keys: [], element: scalar };
  return schemaOf(tables, fact.name);
}

function fieldSchema(tables: TypeTables, field: FieldFact): Schema {
  const atomic = field.mapType === 'atomic' || field.structType === 'atomic';
  if (field.type === 'ref') {
    const schema = namedSchema(tables, field.of);
    return atomic && schema instanceof LazyStruct ? schema.asAtomic() : schema;
  }
  if (field.type === 'map') return { kind: 'map', atomic, element: namedSchema(tables, field.of) };
  if (field.type !== 'list') return scalar;
  const listType = field.listType === 'set' || field.listType === 'map' ? field.listType : 'atomic';
  return {
    kind: 'list',
    listType,
    keys: field.listMapKeys ?? [],
    element: namedSchema(tables, field.of),
  };
}
