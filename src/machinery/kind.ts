import type { Draft, KubeObject } from './object.ts';
import type { Problem } from './problems.ts';

/** Names one served resource; `T` is the type of its objects (it exists for the compiler only). */
export interface ResourceName<T extends KubeObject = KubeObject> {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Never set: carries `T` from a declaration to the client that uses it. */
  readonly objectType?: T;
}

export type Verb =
  | 'create'
  | 'delete'
  | 'deletecollection'
  | 'get'
  | 'list'
  | 'patch'
  | 'update'
  | 'watch';

export interface SubresourceDeclaration {
  readonly name: string;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
  /** Name in the field tables of what the subresource reads or answers. */
  readonly type?: string;
}

/** Facts of the request that a strategy may need. */
export interface WriteContext {
  readonly nowMs: number;
  readonly namespace: string;
  readonly subresource: string;
}

/**
 * Everything the generic server must know of a kind. Shared code never branches on a kind's name:
 * what differs between kinds is an answer given here. Functions get canonical drafts and are pure.
 * They are methods to the compiler, so that a list of declarations of different kinds has a type;
 * nobody calls one with another kind's object. Metadata (names by `nameProblems`, labels, owners and
 * so on) is checked by the server for all kinds alike, before `validateCreate` and `validateUpdate`.
 */
export interface KindDeclaration<T extends KubeObject = KubeObject> extends ResourceName<T> {
  readonly listKind: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly Verb[];
  readonly subresources: readonly SubresourceDeclaration[];
  /** Name of the object's type in the field tables, and of its list's. */
  readonly type: string;
  readonly listType: string;
  /** As discovery shows it; undefined for kinds that are not stored. */
  readonly storageVersionHash?: string;
  /** False: alpha and beta kinds that are declared but not served unless asked for. */
  readonly enabledByDefault?: boolean;
  readonly level?: 'ga' | 'beta' | 'alpha';
  /**
   * Set on a version that is not what the store holds: the declaration that is, and the way there
   * and back (Event of events.k8s.io, HorizontalPodAutoscaler v1). Both functions make new objects.
   */
  readonly storedAs?: StoredAs;
  /** First segment(s) of the store's key: `/registry/<storagePrefix>/[namespace/]name`. */
  readonly storagePrefix: string;
  /** May PUT create, and may it come without a resourceVersion? (strategy, k8s registry) */
  readonly allowCreateOnUpdate?: boolean;
  readonly allowUnconditionalUpdate?: boolean;
  /** How names are checked; default: DNS-1123 subdomain. Returns texts, as the reference gives them. */
  nameProblems?(name: string, prefix: boolean): readonly string[];
  /** Sets what is absent (SetDefaults_*). Also run on objects read from an older store. */
  defaults?(object: Draft<T>): void;
  /** Resets and computes fields before validation (PrepareForCreate): status dropped, generation 1. */
  prepareForCreate?(object: Draft<T>, context: WriteContext): void;
  prepareForUpdate?(object: Draft<T>, old: T, context: WriteContext): void;
  /** Before a write through `/status`: everything but status is taken from `old`. */
  prepareForStatusUpdate?(object: Draft<T>, old: T, context: WriteContext): void;
  validateCreate?(object: T): readonly Problem[];
  validateUpdate?(object: T, old: T): readonly Problem[];
  validateStatusUpdate?(object: T, old: T): readonly Problem[];
  /** Subresources that replace a part of the object in place, by their name. */
  readonly partialUpdates?: Readonly<Record<string, PartialUpdate<T>>>;
  /** Texts for Warning headers. */
  warnings?(object: T, old: T | undefined): readonly string[];
  /** Field selectors beyond metadata.name and metadata.namespace. */
  readonly selectableFields?: Readonly<Record<string, FieldReader<T>>>;
  /** Columns of `kubectl get`; without it the generic Name and Age. */
  readonly table?: TableDeclaration<T>;
  /** The scale subresource, where declared. */
  readonly scale?: ScaleDeclaration<T>;
  /**
   * Seconds of grace a delete gets (RESTCreateDeleteStrategy CheckGracefulDelete); undefined or no
   * function: deleted at once. `asked` is what the client asked for.
   */
  gracePeriodSeconds?(object: T, asked: number | undefined): number | undefined;
  /** Called on the draft of an object that a delete marks but does not remove yet. */
  prepareForDelete?(object: Draft<T>): void;
  /** Default propagation of a delete without options: 'orphan' only for a few legacy kinds. */
  readonly defaultPropagation?: 'Background' | 'Orphan';
  /** A delete that removes the object at once answers with it instead of a Status. */
  readonly deleteReturnsObject?: boolean;
  /** Milliseconds after which the store drops the object (Events). */
  readonly ttlMs?: number;
}

/** A write through `ephemeralcontainers` or `resize`: the rest of the object is taken from `old`. */
export interface PartialUpdate<T extends KubeObject = KubeObject> {
  prepare(object: Draft<T>, old: T, context: WriteContext): void;
  /** All that is wrong with the result; metadata is checked by the server as in every update. */
  validate(object: T, old: T): readonly Problem[];
}
/** Written as a method so that the declaration of one kind is a declaration of any kind. */
export type FieldReader<T> = { read(object: T): string }['read'];
export interface StoredAs {
  readonly kind: ResourceName;
  toStored(object: KubeObject): KubeObject;
  fromStored(object: KubeObject): KubeObject;
}

export interface ColumnDeclaration<T> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  cell(object: T, nowMs: number): string | number | boolean | null;
}
export interface TableDeclaration<T> {
  readonly columns: readonly ColumnDeclaration<T>[];
  rowConditions?(object: T): readonly Readonly<Record<string, string>>[];
}
/** An autoscaling/v1 Scale as it is shown. */
export interface ScaleView extends KubeObject {
  readonly spec: { readonly replicas: number };
  readonly status: { readonly replicas: number; readonly selector: string };
}
export interface ScaleDeclaration<T> {
  replicas(object: T): number;
  statusReplicas(object: T): number;
  /** Selector in text form. */
  selector(object: T): string;
  setReplicas(object: Draft<T>, replicas: number): void;
  /** Columns of the scale itself. */
  readonly table?: TableDeclaration<ScaleView>;
}
