import type { Cancel, Clock, Logger } from '#base';
import type { Api, KubeObject, ResourceName } from '#machinery';

/** A cache of one resource that follows the server: list, watch, list again when the past is gone. */
export interface Informer<T extends KubeObject> {
  readonly resource: ResourceName<T>;
  /** Resolves when the first list is in the cache. */
  readonly synced: Promise<void>;
  readonly hasSynced: boolean;
  /** `key` is "namespace/name", or "name" for cluster kinds. */
  get(key: string): T | undefined;
  list(): readonly T[];
  /** Objects whose index function `index` gave `value`. */
  by(index: string, value: string): readonly T[];
  /** Called after the cache changed, once for each object; `object` is undefined when it is gone. */
  onChange(
    listener: (change: { key: string; object: T | undefined; old: T | undefined }) => void,
  ): Cancel;
  /** Runs until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}
export interface InformerOptions<T> {
  readonly clock: Clock;
  readonly logger?: Logger;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly indexes?: Readonly<Record<string, (object: T) => readonly string[]>>;
}
export type CreateInformer = <T extends KubeObject>(
  api: Api,
  resource: ResourceName<T>,
  options: InformerOptions<T>,
) => Informer<T>;

/** "namespace/name" or "name". */
export function keyOf(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}
