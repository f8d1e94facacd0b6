import type { TypeFact, TypeTables } from '#machinery';
import facts from './facts/api-facts.json' with { type: 'json' };

/** One kind of the facts file (its format: the reference's kubernetes-api-facts, section 1). */
export interface KindFact {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Absent when the kind cannot be listed. */
  readonly listKind?: string;
  readonly level: string;
  /** False: known to clients, no resource; `role` says what it is. */
  readonly served: boolean;
  readonly enabledByDefault?: boolean;
  readonly role?: string;
  readonly plural?: string;
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly namespaced?: boolean;
  readonly verbs?: readonly string[];
  readonly subresources?: readonly SubresourceFact[];
  readonly storageVersion?: string;
  readonly storageVersionHash?: string;
  /** `/registry/pods/{namespace}/{name}`. */
  readonly storageKey?: string;
  readonly type: string;
  readonly listType?: string;
  readonly protobuf?: boolean;
}
export interface SubresourceFact {
  readonly name: string;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
  readonly type?: string;
}
export interface GroupFact {
  readonly group: string;
  readonly preferred: string;
  /** In discovery order. */
  readonly versions: readonly {
    readonly version: string;
    readonly level: string;
    readonly enabledByDefault: boolean;
    readonly path: string;
    readonly groupPriorityMinimum?: number;
    readonly versionPriority?: number;
  }[];
}
interface Facts {
  readonly groups: readonly GroupFact[];
  readonly kinds: readonly KindFact[];
  readonly types: readonly TypeFact[];
}

// The file is data of known shape; the compiler's own idea of it is a union of 4,000 literals.
const data = facts as unknown as Facts;
const byName = new Map(data.types.map((type) => [type.name, type]));

/** The field tables of all built-in types. */
export const typeTables: TypeTables = { type: (name) => byName.get(name) };
/** Every kind of the facts, served or not. */
export const kindFacts: readonly KindFact[] = data.kinds;
/** The groups in the order of `/apis`. */
export const groupFacts: readonly GroupFact[] = data.groups;
