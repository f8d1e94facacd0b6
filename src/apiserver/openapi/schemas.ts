import type { FieldFact, KindDeclaration, Scheme, TypeFact, TypeTables } from '#machinery';

/** v2 is Swagger 2.0 (`definitions`), v3 OpenAPI 3.0 (`components/schemas`). */
export type Flavour = 'v2' | 'v3';
export type Describe = (type: string, field: string) => string | undefined;

/** `k8s.io.api.core.v1.Pod` is published as `io.k8s.api.core.v1.Pod`. */
export function schemaName(type: string): string {
  const rest = /^k8s\.io\.(.*)$/.exec(type)?.[1];
  return rest === undefined ? type : `io.k8s.${rest}`;
}

type Schema = Record<string, unknown>;

/** The schemas of the types that `roots` reach, by their published names. */
export function schemasOf(
  scheme: Scheme,
  roots: readonly string[],
  options: { readonly flavour: Flavour; readonly describe?: Describe | undefined },
): Record<string, Schema> {
  const maker = new SchemaMaker(scheme, options.flavour, options.describe);
  for (const root of roots) maker.need(root);
  return maker.finish();
}

class SchemaMaker {
  readonly #tables: TypeTables;
  readonly #flavour: Flavour;
  readonly #describe: Describe | undefined;
  readonly #kinds = new Map<string, KindDeclaration[]>();
  readonly #lists = new Map<string, KindDeclaration[]>();
  readonly #made = new Map<string, Schema>();
  readonly #queue: string[] = [];

  constructor(scheme: Scheme, flavour: Flavour, describe: Describe | undefined) {
    this.#tables = scheme.tables;
    this.#flavour = flavour;
    this.#describe = describe;
    for (const kind of scheme.kinds) {
      push(this.#kinds, kind.type, kind);
      if (kind.listType !== '') push(this.#lists, kind.listType, kind);
    }
  }

  need(type: string): void {
    if (this.#made.has(type)) return;
    this.#made.set(type, {});
    this.#queue.push(type);
  }

  finish(): Record<string, Schema> {
    for (let type = this.#queue.pop(); type !== undefined; type = this.#queue.pop()) {
      const fact = this.#tables.type(type);
      this.#made.set(type, fact === undefined ? this.#factless(type) : this.#typeSchema(fact));
    }
    const sorted = [...this.#made].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(sorted.map(([type, schema]) => [schemaName(type), schema]));
  }

  #factless(type: string): Schema {
    return this.#special(type.slice(type.lastIndexOf('.') + 1)) ?? { type: 'object' };
  }

  #typeSchema(fact: TypeFact): Schema {
    const special = this.#special(fact.name.slice(fact.name.lastIndexOf('.') + 1));
    const description = this.#describe?.(fact.name, '');
    const head: Schema = description === undefined ? {} : { description };
    if (special !== undefined && (fact.fields ?? []).length === 0) return { ...head, ...special };
    if (fact.kind === 'special') return { ...head, ...special };
    const properties: Schema = {};
    const required: string[] = [];
    if (fact.typeMeta === true) {
      properties['apiVersion'] = { type: 'string', description: versionText };
      properties['kind'] = { type: 'string', description: kindText };
    }
    this.#fields(fact, { properties, required });
    return {
      ...head,
      type: 'object',
      ...(required.length > 0 ? { required: required.toSorted() } : {}),
      ...(Object.keys(properties).length > 0 ? { properties } : {}),
      ...(fact.mapType === 'atomic' || fact.structType === 'atomic'
        ? { 'x-kubernetes-map-type': 'atomic' }
        : {}),
      ...this.#groupVersionKinds(fact.name),
    };
  }

  #fields(
    fact: TypeFact,
    into: { readonly properties: Schema; readonly required: string[] },
  ): void {
    for (const field of fact.fields ?? []) {
      if (field.inline === true || field.json === null || field.json === undefined) {
        const inner = field.of === undefined ? undefined : this.#tables.type(field.of);
        if (inner !== undefined) this.#fields(inner, into);
        continue;
      }
      into.properties[field.json] = this.#fieldSchema(fact.name, field);
      if (field.optional !== true) into.required.push(field.json);
    }
  }

  #fieldSchema(type: string, field: FieldFact): Schema {
    const description = this.#describe?.(type, field.json ?? '');
    const schema = this.#valueSchema(field.type, field.of);
    const isReference = '$ref' in schema;
    const empty = namedTypes[field.type] === undefined ? { default: {} } : {};
    const wrapped: Schema =
      isReference && this.#flavour === 'v3' ? { allOf: [schema], ...empty } : schema;
    const fallback =
      this.#flavour === 'v3' && field.default !== undefined ? { default: field.default } : {};
    const values = field.enum === undefined || field.type === 'list' ? {} : { enum: field.enum };
    // Any value with any keys; kubectl explain takes no schema that says nothing at all.
    const open = field.type === 'JSON' ? { 'x-kubernetes-preserve-unknown-fields': true } : {};
    return {
      ...(description === undefined ? {} : { description }),
      ...open,
      ...wrapped,
      ...fallback,
      ...values,
      ...extensionsOf(field),
    };
  }

  #valueSchema(type: string, of: string | undefined): Schema {
    if (type === 'list') return { type: 'array', items: this.#inner(of) };
    if (type === 'map') return { type: 'object', additionalProperties: this.#inner(of) };
    if (type === 'ref') return this.#reference(of ?? '');
    return scalars[type] ?? this.#named(type) ?? this.#special(type) ?? {};
  }

  #inner(of: string | undefined): Schema {
    if (of === undefined) return {};
    const schema = scalars[of] ?? this.#named(of) ?? this.#special(of);
    if (schema !== undefined) return schema;
    if (of.startsWith('list:') || of.startsWith('map:')) return {};
    const reference = this.#reference(of);
    return this.#flavour === 'v3' ? { allOf: [reference], default: {} } : reference;
  }

  #reference(type: string): Schema {
    this.need(type);
    const base = this.#flavour === 'v2' ? '#/definitions/' : '#/components/schemas/';
    return { $ref: base + schemaName(type) };
  }

  /** Types that clients show by their name: a field of theirs refers to it. */
  #named(name: string): Schema | undefined {
    const type = namedTypes[name];
    return type === undefined ? undefined : this.#reference(type);
  }

  #special(name: string): Schema | undefined {
    const v3 = this.#flavour === 'v3';
    if (name === 'Quantity')
      return v3 ? { oneOf: [{ type: 'string' }, { type: 'number' }] } : { type: 'string' };
    if (name === 'IntOrString')
      return v3
        ? { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] }
        : { type: 'string', format: 'int-or-string' };
    if (name === 'Time' || name === 'MicroTime') return { type: 'string', format: 'date-time' };
    if (name === 'Duration') return { type: 'string' };
    if (name === 'RawExtension' || name === 'FieldsV1' || name === 'Patch')
      return { type: 'object' };
    if (name === 'JSON' || name === 'any' || name.startsWith('JSONSchemaPropsOr')) return {};
    return undefined;
  }

  #groupVersionKinds(type: string): Schema {
    const kinds = (this.#kinds.get(type) ?? []).map(({ group, version, kind }) => ({
      group,
      kind,
      version,
    }));
    const lists = (this.#lists.get(type) ?? []).map(({ group, version, listKind }) => ({
      group,
      kind: listKind,
      version,
    }));
    const all = [...kinds, ...lists];
    return all.length === 0 ? {} : { 'x-kubernetes-group-version-kind': all };
  }
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}

const namedTypes: Readonly<Record<string, string>> = {
  IntOrString: 'k8s.io.apimachinery.pkg.util.intstr.IntOrString',
  Quantity: 'k8s.io.apimachinery.pkg.api.resource.Quantity',
};

const scalars: Readonly<Record<string, Schema>> = {
  string: { type: 'string' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  uint32: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
};

/** What kubectl and server-side apply need to know of lists and maps. */
function extensionsOf(field: FieldFact): Schema {
  const out: Schema = {};
  if (field.listMapKeys !== undefined) out['x-kubernetes-list-map-keys'] = field.listMapKeys;
  if (field.listType !== undefined) out['x-kubernetes-list-type'] = field.listType;
  if (field.mapType !== undefined) out['x-kubernetes-map-type'] = field.mapType;
  if (field.structType !== undefined) out['x-kubernetes-map-type'] = field.structType;
  if (field.patchMergeKey !== undefined) out['x-kubernetes-patch-merge-key'] = field.patchMergeKey;
  if (field.patchStrategy !== undefined) out['x-kubernetes-patch-strategy'] = field.patchStrategy;
  return out;
}

const versionText =
  'The version of the schema that this object is written in, as group/version or just the version for the core group.';
const kindText =
  'The kind of object this is, in CamelCase; it follows from where it was sent and never changes.';
