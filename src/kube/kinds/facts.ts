import type { SubresourceDeclaration, Verb } from '#machinery';
import facts from './facts/api-facts.json' with { type: 'json' };
import strategyFacts from './facts/strategies.json' with { type: 'json' };

/** One served kind, as the table of facts has it. */
export interface KindFact {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind?: string;
  readonly level: 'ga' | 'beta' | 'alpha';
  readonly served: boolean;
  readonly enabledByDefault?: boolean;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly Verb[];
  readonly subresources?: readonly SubresourceDeclaration[];
  readonly storageVersionHash?: string;
  /** `/registry/services/specs/{namespace}/{name}`. */
  readonly storageKey?: string;
  readonly type: string;
  readonly listType?: string;
  readonly deprecated?: string;
}
interface FieldFact {
  readonly json: string | null;
  readonly type: string;
  readonly of?: string;
  readonly ptr?: boolean;
  readonly omit?: string;
  readonly inline?: boolean;
}

/** What the registry of a kind does the same way for many kinds (flags of the reference's strategies). */
export interface StrategyFact {
  readonly createOnUpdate: boolean;
  readonly unconditionalUpdate: boolean;
  readonly gc: 'background' | 'orphan' | 'unsupported';
  /** What must differ for generation +1. */
  readonly generation: string;
  /** Which metadata a write through /status takes from the stored object. */
  readonly statusMetadata?: string;
}

/** A group and its versions in the order of discovery. */
export interface ApiGroupFact {
  readonly group: string;
  readonly preferred: string;
  readonly versions: readonly {
    readonly version: string;
    readonly level: string;
    readonly enabledByDefault: boolean;
    readonly groupPriorityMinimum?: number;
    readonly versionPriority?: number;
  }[];
}

export const apiGroups: readonly ApiGroupFact[] = facts.groups;
// The file's own shape is a union of hundreds of literals; this is the edge where it gets its type.
const kinds = (facts.kinds as unknown as readonly KindFact[]).filter(({ served }) => served);
const types = new Map(
  (facts.types as readonly { name: string; fields?: readonly unknown[] }[]).map((type) => [
    type.name,
    (type.fields ?? []) as readonly FieldFact[],
  ]),
);
const strategies = strategyFacts as Readonly<Record<string, StrategyFact>>;
const plainStrategy: StrategyFact = {
  createOnUpdate: false,
  unconditionalUpdate: true,
  gc: 'background',
  generation: 'none',
};

export const servedKinds: readonly KindFact[] = kinds;

/** `apps/v1/Deployment`, `v1/Pod`. */
export function kindName(fact: { group: string; version: string; kind: string }): string {
  return `${fact.group === '' ? '' : `${fact.group}/`}${fact.version}/${fact.kind}`;
}
const byName = new Map(kinds.map((kind) => [kindName(kind), kind]));

export function kindFact(name: string): KindFact {
  const found = byName.get(name);
  if (found === undefined) throw new Error(`Cannot declare kind "${name}": it is not in the facts`);
  return found;
}

export function strategyFact({ group, kind }: KindFact): StrategyFact {
  return strategies[group === '' ? kind : `${kind}.${group}`] ?? plainStrategy;
}

/** Names of the fields at an object's root besides apiVersion, kind and metadata. */
export function rootFields(type: string): readonly string[] {
  return (types.get(type) ?? [])
    .map(({ json }) => json ?? '')
    .filter((name) => name !== 'metadata');
}

/** The type of a struct field that is always present; undefined for every other field. */
export function structField(type: string, field: string): string | undefined {
  const found = types.get(type)?.find(({ json }) => json === field);
  return found !== undefined && isStruct(found) ? found.of : undefined;
}

/** A struct with nothing in it, in canonical form: fields that are always written have their zero. */
export function emptyStruct(type: string): Record<string, unknown> {
  const empty: Record<string, unknown> = {};
  for (const field of types.get(type) ?? []) {
    if (field.json === null || field.inline === true) {
      if (field.of !== undefined) Object.assign(empty, emptyStruct(field.of));
    } else if (isStruct(field)) empty[field.json] = emptyStruct(field.of ?? '');
    else if (field.omit === undefined) empty[field.json] = zero(field);
  }
  return empty;
}

function isStruct(field: FieldFact): boolean {
  return field.type === 'ref' && field.ptr !== true && field.omit !== 'omitzero';
}

const zeros: Readonly<Record<string, unknown>> = {
  string: '',
  bool: false,
  int32: 0,
  int64: 0,
  double: 0,
  Quantity: '0',
  IntOrString: 0,
  Duration: '0s',
};
function zero({ type, ptr }: FieldFact): unknown {
  return ptr === true ? null : (zeros[type] ?? null);
}
