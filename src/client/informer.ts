import type { Cancel, Clock, Logger } from '#base';
import { silentLogger } from '#base';
import {
  isStatus,
  type Api,
  type KubeObject,
  type ResourceName,
  type WatchEvent,
} from '#machinery';

/** A cache of one resource that follows the server: list, watch, list again when the past is gone. */
export interface Informer<T extends KubeObject> {
  readonly resource: ResourceName<T>;
  /** Resolves when the first list is in the cache. */
  readonly synced: Promise<void>;
  readonly hasSynced: boolean;
  /** Every write up to this resourceVersion is in the cache; '' before the first list. */
  readonly observedVersion: string;
  /** `key` is "namespace/name", or "name" for cluster kinds. */
  get(key: string): T | undefined;
  list(): readonly T[];
  /** Objects whose index function `index` gave `value`. */
  by(index: string, value: string): readonly T[];
  /**
   * Called after the cache changed, once for each object; `object` is undefined when it is gone.
   * What was in the cache before is not told: listen before `run`, or look at `list()` as well.
   */
  onChange(listener: (change: InformerChange<T>) => void): Cancel;
  /** Runs until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}
export interface InformerChange<T> {
  readonly key: string;
  readonly object: T | undefined;
  readonly old: T | undefined;
}
export interface InformerOptions<T> {
  readonly clock: Clock;
  readonly logger?: Logger;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly indexes?: Readonly<Record<string, (object: T) => readonly string[]>>;
  /** What of an object is kept; metadata must stay. For caches that need little of much. */
  readonly keep?: (object: T) => T;
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

const listPageItems = 500;
const retryMsMin = 100;
// client-go's reflector waits at most 30 s between attempts.
const retryMsMax = 30_000;
/** A watch that ends sooner than this without an event counts as a failure. */
const watchMsMin = 1_000;

export const createInformer: CreateInformer = (api, resource, options) =>
  new Follower(api, resource, options);

interface Bucket<T> {
  readonly members: Map<string, T>;
  array: readonly T[] | undefined;
}
interface Index<T> {
  of(object: T): readonly string[];
  readonly values: Map<string, Bucket<T>>;
}

class Follower<T extends KubeObject> implements Informer<T> {
  readonly resource: ResourceName<T>;
  readonly synced: Promise<void>;
  hasSynced = false;
  observedVersion = '';
  readonly #api: Api;
  readonly #options: InformerOptions<T>;
  readonly #logger: Logger;
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();
  readonly #listeners = new Set<(change: InformerChange<T>) => void>();
  #array: readonly T[] | undefined;
  #resolveSynced: () => void;

  constructor(api: Api, resource: ResourceName<T>, options: InformerOptions<T>) {
    this.#api = api;
    this.resource = resource;
    this.#options = options;
    this.#logger = (options.logger ?? silentLogger).with({ resource: resource.plural });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#resolveSynced = resolve;
    for (const [name, of] of Object.entries(options.indexes ?? {}))
      this.#indexes.set(name, { of, values: new Map() });
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): readonly T[] {
    this.#array ??= [...this.#objects.values()];
    return this.#array;
  }

  by(index: string, value: string): readonly T[] {
    const values = this.#indexes.get(index)?.values;
    if (values === undefined) throw new Error(`Cannot read index "${index}": it was not declared`);
    const bucket = values.get(value);
    if (bucket === undefined) return [];
    bucket.array ??= [...bucket.members.values()];
    return bucket.array;
  }

  onChange(listener: (change: InformerChange<T>) => void): Cancel {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    let listed = false;
    while (!signal.aborted) {
      const startMs = this.#options.clock.monotonicMs();
      try {
        if (!listed) {
          await this.#list(signal);
          listed = true;
        }
        const seen = await this.#watch(signal);
        const quick = this.#options.clock.monotonicMs() - startMs < watchMsMin;
        failures = seen === 0 && quick ? failures + 1 : 0;
      } catch (error) {
        if (signal.aborted) return;
        if (isStatus(error, 'Expired') || isStatus(error, 'Gone')) {
          // The watch window has moved past us: nothing is wrong, all is read again.
          if (listed) failures = 0;
          listed = false;
          failures++;
        } else {
          failures++;
          this.#logger.warn('Cannot follow resource, trying again', { error, failures });
        }
      }
      if (failures > 0) await this.#pause(failures, signal);
    }
  }

  async #pause(failures: number, signal: AbortSignal): Promise<void> {
    const delayMs = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(failures - 1, 12));
    try {
      await this.#options.clock.sleep(delayMs, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    const fresh = new Map<string, T>();
    let resourceVersion = '';
    let next: string | undefined;
    do {
      const page = await this.#api.list(this.resource, {
        namespace,
        labelSelector,
        fieldSelector,
        limit: listPageItems,
        continue: next,
        signal,
      });
      for (const item of page.items) fresh.set(keyOf(item), this.#kept(item));
      resourceVersion = page.resourceVersion;
      next = page.continue;
    } while (next !== undefined && next !== '');
    this.observedVersion = resourceVersion;
    for (const key of this.#objects.keys()) if (!fresh.has(key)) this.#remove(key);
    for (const [key, object] of fresh) this.#put(key, object);
    if (!this.hasSynced) {
      this.hasSynced = true;
      this.#resolveSynced();
    }
  }

  /** Follows until the server ends the stream; gives the number of events seen. */
  async #watch(signal: AbortSignal): Promise<number> {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    let seen = 0;
    const batches = this.#api.watch(this.resource, {
      namespace,
      labelSelector,
      fieldSelector,
      resourceVersion: this.observedVersion,
      allowWatchBookmarks: true,
      signal,
    });
    for await (const batch of batches) {
      for (const event of batch) this.#apply(event);
      seen += batch.length;
    }
    return seen;
  }

  #apply(event: WatchEvent<T>): void {
    this.observedVersion = event.object.metadata.resourceVersion;
    if (event.type === 'BOOKMARK') return;
    const key = keyOf(event.object);
    if (event.type === 'DELETED') this.#remove(key);
    else this.#put(key, this.#kept(event.object));
  }

  #kept(object: T): T {
    return this.#options.keep?.(object) ?? object;
  }

  #put(key: string, object: T): void {
    const old = this.#objects.get(key);
    if (
      old !== undefined &&
      old.metadata.resourceVersion === object.metadata.resourceVersion &&
      old.metadata.uid === object.metadata.uid
    )
      return;
    this.#objects.set(key, object);
    this.#array = undefined;
    this.#reindex(key, old, object);
    this.#tell({ key, object, old });
  }

  #remove(key: string): void {
    const old = this.#objects.get(key);
    if (old === undefined) return;
    this.#objects.delete(key);
    this.#array = undefined;
    this.#reindex(key, old, undefined);
    this.#tell({ key, object: undefined, old });
  }

  #reindex(key: string, old: T | undefined, object: T | undefined): void {
    for (const { values, of } of this.#indexes.values()) {
      const after = object === undefined ? [] : of(object);
      if (old !== undefined)
        for (const value of of(old)) {
          if (after.includes(value)) continue;
          const bucket = values.get(value);
          if (bucket === undefined) continue;
          bucket.members.delete(key);
          bucket.array = undefined;
          if (bucket.members.size === 0) values.delete(value);
        }
      for (const value of after) addTo(values, value, { key, object });
    }
  }

  #tell(change: InformerChange<T>): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#logger.error('Listener failed', { error, key: change.key });
      }
    }
  }
}

function addTo<T>(
  values: Map<string, Bucket<T>>,
  value: string,
  entry: { readonly key: string; readonly object: T | undefined },
): void {
  if (entry.object === undefined) return;
  let bucket = values.get(value);
  if (bucket === undefined) {
    bucket = { members: new Map(), array: undefined };
    values.set(value, bucket);
  }
  bucket.members.set(entry.key, entry.object);
  bucket.array = undefined;
}
