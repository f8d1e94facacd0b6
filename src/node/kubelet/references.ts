import type { Clock, Logger } from '#base';
import type { CreateInformer, Informer } from '#client';
import type { Api, KubeObject, ResourceName } from '#machinery';
import { isStatus } from '#machinery';
import type { ConfigMap, Secret } from '#kube/kinds';
import { configMaps, secrets } from './resources.ts';

interface Followed {
  readonly informer: Informer<KubeObject>;
  readonly stop: AbortController;
  readonly users: Set<string>;
}
export interface ReferenceTarget {
  readonly podUid: string;
  readonly namespace: string;
  readonly name: string;
}
export interface Payload {
  readonly data: ReadonlyMap<string, Uint8Array>;
  readonly type: string;
}

/**
 * ConfigMaps and Secrets that Pods of this node name, each followed by a watch of its own: a node may
 * read no others. Released with the last Pod that uses them.
 */
export class References {
  readonly #api: Api;
  readonly #createInformer: CreateInformer;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #followed = new Map<string, Followed>();
  readonly #signal: AbortSignal;
  /** Called with the uid of each Pod that uses what changed. */
  readonly #changed: (podUid: string) => void;

  constructor(
    options: {
      readonly api: Api;
      readonly createInformer: CreateInformer;
      readonly clock: Clock;
      readonly logger: Logger;
      readonly changed: (podUid: string) => void;
    },
    signal: AbortSignal,
  ) {
    this.#api = options.api;
    this.#createInformer = options.createInformer;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#signal = signal;
    this.#changed = options.changed;
  }

  async configMap(target: ReferenceTarget): Promise<Payload | undefined> {
    const object = await this.#get<ConfigMap>(configMaps, target);
    if (object === undefined) return undefined;
    const data = new Map<string, Uint8Array>();
    for (const [key, text] of Object.entries(object.data ?? {})) data.set(key, Buffer.from(text));
    for (const [key, text] of Object.entries(object.binaryData ?? {}))
      data.set(key, Buffer.from(text ?? '', 'base64'));
    return { data, type: '' };
  }

  async secret(target: ReferenceTarget): Promise<Payload | undefined> {
    const object = await this.#get<Secret>(secrets, target);
    if (object === undefined) return undefined;
    const data = new Map<string, Uint8Array>();
    for (const [key, text] of Object.entries(object.data ?? {}))
      data.set(key, Buffer.from(text ?? '', 'base64'));
    return { data, type: object.type ?? '' };
  }

  release(podUid: string): void {
    for (const [key, followed] of this.#followed) {
      if (!followed.users.delete(podUid) || followed.users.size > 0) continue;
      followed.stop.abort();
      this.#followed.delete(key);
    }
  }

  async #get<T extends KubeObject>(
    resource: ResourceName<T>,
    target: ReferenceTarget,
  ): Promise<T | undefined> {
    const { podUid, namespace, name } = target;
    const key = `${resource.plural}/${namespace}/${name}`;
    const followed = this.#followed.get(key) ?? this.#follow(key, resource, { namespace, name });
    followed.users.add(podUid);
    if (!followed.informer.hasSynced) {
      // The first use asks directly: an error (forbidden, no server) is then seen, not waited for.
      try {
        return await this.#api.get(resource, { namespace, name });
      } catch (error) {
        if (isStatus(error, 'NotFound')) return undefined;
        throw error;
      }
    }
    // The informer was made for this very resource.
    return followed.informer.get(`${namespace}/${name}`) as T | undefined;
  }

  #follow(
    key: string,
    resource: ResourceName,
    target: { readonly namespace: string; readonly name: string },
  ): Followed {
    const informer = this.#createInformer(this.#api, resource, {
      clock: this.#clock,
      logger: this.#logger,
      namespace: target.namespace,
      fieldSelector: `metadata.name=${target.name}`,
    });
    const stop = new AbortController();
    const followed: Followed = { informer, stop, users: new Set() };
    informer.onChange(() => {
      for (const user of followed.users) this.#changed(user);
    });
    this.#followed.set(key, followed);
    informer.run(AbortSignal.any([stop.signal, this.#signal])).catch((error: unknown) => {
      if (!stop.signal.aborted && !this.#signal.aborted)
        this.#logger.warn('Cannot follow an object that Pods use', { key, error });
    });
    return followed;
  }
}
