import { hash } from 'node:crypto';
import { equalJson, problem } from '#machinery';
import type {
  ColumnDeclaration,
  Draft,
  FieldFact,
  FieldReader,
  KindDeclaration,
  KubeObject,
  Problem,
  TypeFact,
  Verb,
} from '#machinery';
import { ageColumn, nameColumn } from '#machinery';

/** Fields by name: a scalar of the codec, a Mesos or Marathon message, or a list or struct of those. */
export interface Fields {
  readonly [name: string]: FieldForm;
}
/**
 * `json` is any JSON value, kept as it came with all its keys, one value to server-side apply;
 * `strings` a list; an object of fields is a struct.
 */
export type FieldForm =
  | 'string'
  | 'bool'
  | 'int32'
  | 'int64'
  | 'double'
  | 'json'
  | 'strings'
  | Fields;

/** What one of our kinds is; the rest is the same for all. */
export interface OwnKind<T extends KubeObject> {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames?: readonly string[];
  readonly namespaced: boolean;
  /** `json`: a whole definition. */
  readonly spec: Fields | 'json';
  /** Has a `status` of its own, written through `/status`. */
  readonly status?: Fields;
  /** Subresources that are doors: a POST to them is a call, not a write. */
  readonly doors?: readonly string[];
  /** Paths under `spec` that must be there: ids as text, definitions as objects. */
  readonly required: readonly string[];
  /** Paths under `spec` that stay as they were created. */
  readonly immutable: readonly string[];
  /** Paths under the object whose values are few. */
  readonly oneOf?: Readonly<Record<string, readonly string[]>>;
  readonly selectable?: Readonly<Record<string, FieldReader<T>>>;
  readonly columns: readonly ColumnDeclaration<T>[];
}

const meta = 'k8s.io.apimachinery.pkg.apis.meta.v1';
const verbs: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

/** A declaration and the field tables of its types. */
export interface Declared<T extends KubeObject> {
  readonly kind: KindDeclaration<T>;
  readonly types: readonly TypeFact[];
}

export function declareOwn<T extends KubeObject>(own: OwnKind<T>): Declared<T> {
  const { group, kind, plural, namespaced } = own;
  const type = typeName(group, kind);
  return {
    types: typesOf(own, type),
    kind: {
      group,
      version: 'v1',
      kind,
      plural,
      namespaced,
      listKind: `${kind}List`,
      singular: kind.toLowerCase(),
      shortNames: own.shortNames ?? [],
      categories: [group.slice(0, group.indexOf('.'))],
      verbs,
      subresources: [
        ...(own.status === undefined
          ? []
          : [{ name: 'status', kind, verbs: ['get', 'patch', 'update'], type }]),
        ...(own.doors ?? []).map((name) => ({ name, kind, verbs: ['create'], type })),
      ],
      type,
      listType: `${type}List`,
      storageVersionHash: hash('sha256', `${group}/v1/${kind}`, 'buffer')
        .subarray(0, 8)
        .toString('base64'),
      enabledByDefault: true,
      level: 'ga',
      storagePrefix: `${group}/${plural}`,
      allowCreateOnUpdate: false,
      allowUnconditionalUpdate: true,
      defaultPropagation: 'Background',
      ...(own.selectable !== undefined && { selectableFields: own.selectable }),
      table: { columns: [nameColumn, ...own.columns, ageColumn] },
      validateCreate: (object) => problemsOf(own, object),
      validateUpdate: (object, old) => [...problemsOf(own, object), ...changedOf(own, object, old)],
      ...(own.status !== undefined && statusRules(own)),
    },
  };
}

/** What `/status` may not touch, and what it alone may. A create keeps the status it comes with. */
function statusRules<T extends KubeObject>(
  own: OwnKind<T>,
): Pick<
  KindDeclaration<T>,
  'prepareForUpdate' | 'prepareForStatusUpdate' | 'validateStatusUpdate'
> {
  return {
    prepareForUpdate: (object, old) => copyRoot(object, old, 'status'),
    prepareForStatusUpdate: (object, old) => copyRoot(object, old, 'spec'),
    validateStatusUpdate: (object) => valueProblems(own, object),
  };
}

function copyRoot(object: object, old: object, field: string): void {
  const value = (old as Readonly<Record<string, unknown>>)[field];
  // The old object is frozen and shared; what follows may write into the draft.
  (object as Draft<Record<string, unknown>>)[field] = structuredClone(value);
}

function typeName(group: string, name: string): string {
  return `dev.tandem.${group.slice(0, group.indexOf('.'))}.v1.${name}`;
}

function typesOf<T extends KubeObject>(own: OwnKind<T>, type: string): readonly TypeFact[] {
  const types: TypeFact[] = [];
  const struct = (name: string, fields: Fields): string => {
    const facts = Object.entries(fields).map(([json, form]) => {
      const path = `${name}${json.slice(0, 1).toUpperCase()}${json.slice(1)}`;
      return fieldFact(json, form, (inner) => struct(path, inner));
    });
    types.push({ name, protobuf: false, fields: facts });
    return name;
  };
  const root = (json: string, fields: Fields | 'json'): FieldFact =>
    fields === 'json'
      ? { json, type: 'JSON', ptr: true, omit: 'omitempty', optional: false }
      : {
          json,
          type: 'ref',
          of: struct(`${type}${json === 'spec' ? 'Spec' : 'Status'}`, fields),
          optional: json === 'status',
        };
  types.push(
    {
      name: type,
      typeMeta: true,
      protobuf: false,
      fields: [
        { json: 'metadata', type: 'ref', of: `${meta}.ObjectMeta`, optional: true },
        root('spec', own.spec),
        ...(own.status === undefined ? [] : [root('status', own.status)]),
      ],
    },
    {
      name: `${type}List`,
      typeMeta: true,
      protobuf: false,
      fields: [
        { json: 'metadata', type: 'ref', of: `${meta}.ListMeta`, optional: true },
        { json: 'items', type: 'list', of: type, optional: false },
      ],
    },
  );
  return types;
}

function fieldFact(json: string, form: FieldForm, struct: (fields: Fields) => string): FieldFact {
  const common = { json, ptr: true, omit: 'omitempty', optional: true };
  if (typeof form !== 'string') return { ...common, type: 'ref', of: struct(form) };
  if (form === 'strings')
    return {
      json,
      type: 'list',
      of: 'string',
      listType: 'atomic',
      omit: 'omitempty',
      optional: true,
    };
  return { ...common, type: form === 'json' ? 'JSON' : form };
}

/** Paths of declarations, taken apart once. */
const keysOfPaths = new Map<string, readonly string[]>();

function keysOf(path: string): readonly string[] {
  let keys = keysOfPaths.get(path);
  if (keys === undefined) keysOfPaths.set(path, (keys = path.split('.')));
  return keys;
}

function valueAt(object: unknown, path: string): unknown {
  let value = object;
  for (const key of keysOf(path)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value;
}

function problemsOf<T extends KubeObject>(own: OwnKind<T>, object: T): readonly Problem[] {
  const found: Problem[] = [];
  for (const path of own.required) {
    const value = valueAt(object, path);
    if (value === undefined || value === null || value === '') found.push(problem.required(path));
    else if (typeof value !== 'string' && (typeof value !== 'object' || Array.isArray(value)))
      found.push(problem.invalid(path, value, 'must be a string or an object'));
  }
  return [...found, ...valueProblems(own, object)];
}

function valueProblems<T extends KubeObject>(own: OwnKind<T>, object: T): readonly Problem[] {
  const found: Problem[] = [];
  for (const [path, values] of Object.entries(own.oneOf ?? {})) {
    const value = valueAt(object, path);
    if (value === undefined || (typeof value === 'string' && values.includes(value))) continue;
    found.push(problem.notSupported(path, value, values));
  }
  return found;
}

function changedOf<T extends KubeObject>(own: OwnKind<T>, object: T, old: T): readonly Problem[] {
  return own.immutable
    .filter((path) => !equalJson(valueAt(object, path), valueAt(old, path)))
    .map((path) => problem.invalid(path, valueAt(object, path) ?? null, 'field is immutable'));
}
