import type { KindDeclaration, KubeObject, ResourceName, Scheme } from '#machinery';
import { apiVersionOf } from '#machinery';
import type { CacheEvent } from './cache/history.ts';
import type { ObjectCache } from './cache/object-cache.ts';
import type { StoredObject } from './cache/stored-object.ts';
import { keyOf, viewOf } from './core.ts';
import type { ObjectChange, Reader } from './server-types.ts';

export function kindOf(scheme: Scheme, resource: ResourceName): KindDeclaration {
  const kind = scheme.byPlural(resource.group, resource.version, resource.plural);
  if (kind === undefined)
    throw new Error(
      `Cannot serve ${apiVersionOf(resource.group, resource.version)} ${resource.plural}: it is not declared`,
    );
  return kind;
}

/** The caller's `ResourceName` says which type the objects of a kind have. */
export function typed<T extends KubeObject>(object: KubeObject): T {
  return object as T;
}

/** Decoded only when somebody looks. */
class LazyChange<T extends KubeObject> implements ObjectChange<T> {
  readonly key: string;
  readonly #event: CacheEvent;
  readonly #view: (stored: StoredObject) => T;

  constructor(event: CacheEvent, prefix: string, view: (stored: StoredObject) => T) {
    this.key = event.object.key.slice(prefix.length);
    this.#event = event;
    this.#view = view;
  }
  get object(): T | undefined {
    const { type, object } = this.#event;
    return type === 'DELETED' ? undefined : this.#view(object);
  }
  get old(): T | undefined {
    const { previous } = this.#event;
    return previous === undefined ? undefined : this.#view(previous);
  }
}

export function createReader(cache: ObjectCache, scheme: Scheme): Reader {
  return {
    get<T extends KubeObject>(resource: ResourceName<T>, name: string, namespace = '') {
      const kind = kindOf(scheme, resource);
      const stored = cache.of(kind).get(keyOf(kind, name, namespace));
      return stored === undefined ? undefined : typed<T>(viewOf(kind, stored));
    },
    list<T extends KubeObject>(resource: ResourceName<T>, namespace = '') {
      const kind = kindOf(scheme, resource);
      const all = cache.of(kind);
      const prefix = namespace === '' ? all.prefix : `${all.prefix}${namespace}/`;
      const objects: T[] = [];
      for (const stored of all.select({ id: prefix, prefix }))
        objects.push(typed<T>(viewOf(kind, stored)));
      return objects;
    },
    onChange<T extends KubeObject>(
      resource: ResourceName<T>,
      listener: (change: ObjectChange<T>) => void,
    ) {
      const kind = kindOf(scheme, resource);
      const all = cache.of(kind);
      const view = (stored: StoredObject): T => typed<T>(viewOf(kind, stored));
      return all.onChange((events) => {
        for (const event of events) listener(new LazyChange(event, all.prefix, view));
      });
    },
  };
}
