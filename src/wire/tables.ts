/**
 * Field tables: what the codec must know of every type, as data. `kube/kinds` loads those of the
 * built-in kinds from the facts file; other parts may make their own (Mesos kinds).
 */
export interface TypeTables {
  type(name: string): TypeFact | undefined;
}

export interface TypeFact {
  /** Full proto message name: `k8s.io.api.core.v1.Pod`. */
  readonly name: string;
  /** `special`: JSON form of its own; `listAlias`: JSON is a bare list, the message has items = 1. */
  readonly kind?: 'special' | 'listAlias';
  /** In JSON the object starts with `kind`, then `apiVersion`. */
  readonly typeMeta?: boolean;
  /** False: the type has no protobuf message. */
  readonly protobuf?: boolean;
  /** `atomic`: server-side apply treats the whole as one value. */
  readonly mapType?: string;
  readonly structType?: string;
  readonly of?: string;
  /** In Go order, which is the order of keys in JSON. */
  readonly fields?: readonly FieldFact[];
}

export interface FieldFact {
  /** Null for an inlined struct. */
  readonly json?: string | null;
  /** The struct's keys appear in the parent's JSON object. */
  readonly inline?: boolean;
  readonly pb?: number;
  readonly wire?: 'varint' | 'len' | 'fixed64';
  readonly pbName?: string;
  /** string, bool, int32, ..., ref, list, map, any, or a special name such as Time. */
  readonly type: string;
  /** Type of the referred struct, of list elements or of map values. */
  readonly of?: string;
  readonly ptr?: boolean;
  readonly ofPtr?: boolean;
  readonly omit?: string | readonly string[];
  readonly optional?: boolean;
  readonly nullable?: boolean;
  readonly listType?: string;
  readonly listMapKeys?: readonly string[];
  readonly mapType?: string;
  readonly structType?: string;
  readonly patchStrategy?: string;
  readonly patchMergeKey?: string;
  readonly default?: unknown;
  readonly goType?: string;
  readonly goAlias?: string;
  readonly enum?: readonly string[];
}
