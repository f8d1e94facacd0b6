import type { ResourceName } from './kind.ts';
import type { KubeObject, NewObject } from './object.ts';

/**
 * The Kubernetes API as calls: what controllers, schedulers, agents and verbs speak. `client`
 * implements it over HTTP, `apiserver` in process (no bytes are parsed there). Every failure is a
 * `StatusError`. Objects that come back are frozen and shared.
 */
export interface Api {
  get<T extends KubeObject>(resource: ResourceName<T>, target: Target): Promise<T>;
  list<T extends KubeObject>(
    resource: ResourceName<T>,
    options?: ListOptions,
  ): Promise<ListResult<T>>;
  /** Ends when the server closes the stream; throws `StatusError` 410 when `resourceVersion` is gone. */
  watch<T extends KubeObject>(
    resource: ResourceName<T>,
    options: WatchOptions,
  ): AsyncIterable<readonly WatchEvent<T>[]>;
  create<T extends KubeObject>(
    resource: ResourceName<T>,
    object: NewObject<T>,
    options?: WriteOptions,
  ): Promise<T>;
  /** PUT. `metadata.resourceVersion`, when set, must still be current. */
  update<T extends KubeObject>(
    resource: ResourceName<T>,
    object: NewObject<T>,
    options?: WriteOptions & { readonly subresource?: string },
  ): Promise<T>;
  patch<T extends KubeObject>(resource: ResourceName<T>, target: Target, patch: Patch): Promise<T>;
  /** The object as it is after the call (still there while finalizers or grace hold it). */
  delete<T extends KubeObject>(
    resource: ResourceName<T>,
    target: Target,
    options?: DeleteOptions,
  ): Promise<T | undefined>;
  /** POST to a subresource: `binding`, `eviction`, `token`. */
  post<R>(
    resource: ResourceName,
    target: Target & { readonly subresource: string },
    body: unknown,
  ): Promise<R>;
}

export interface Target {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly subresource?: string | undefined;
}
export interface Selection {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}
export interface ListOptions extends Selection {
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}
export interface ListResult<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  readonly continue?: string | undefined;
}
export interface WatchOptions extends Selection {
  readonly resourceVersion: string;
  readonly allowWatchBookmarks?: boolean | undefined;
  readonly signal: AbortSignal;
}
export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}
export interface WriteOptions {
  readonly fieldManager?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}
export interface Patch extends WriteOptions {
  readonly type: 'json' | 'merge' | 'strategic' | 'apply';
  /** A JSON value; for 'apply' the applied object. */
  readonly body: unknown;
  /** Only for 'apply'. */
  readonly force?: boolean | undefined;
}
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground' | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}
