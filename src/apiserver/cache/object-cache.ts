import assert from 'node:assert/strict';
import type { Clock } from '#base';
import type { Draft, KindDeclaration, KubeObject } from '#machinery';
import type { Change, ChangeGroup, Store } from '#store';
import { DecodedPool } from './decoded-pool.ts';
import { type DraftsByValue, ResourceCache } from './resource-cache.ts';

export const registryPrefix = '/registry/';
const loadPage = 2000;
const decodedBytesMax = 8 * 1024 * 1024;

/** The watch cache: every stored object's bytes once, always as new as the last acknowledged write. */
export class ObjectCache {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly pool = new DecodedPool(decodedBytesMax);
  readonly #byPrefix = new Map<string, ResourceCache>();
  readonly #drafts: DraftsByValue = new WeakMap();
  readonly #revisionWaiters = new Set<() => void>();
  #subscription: Disposable | undefined;
  #revision = 0;

  constructor(options: { store: Store; clock: Clock; kinds: readonly KindDeclaration[] }) {
    this.#store = options.store;
    this.#clock = options.clock;
    for (const kind of options.kinds) this.add(kind);
  }

  /** Newest revision that was applied. */
  get revision(): number {
    return Math.max(this.#revision, 1);
  }
  get resources(): Iterable<ResourceCache> {
    return this.#byPrefix.values();
  }

  add(kind: KindDeclaration): void {
    if (kind.storagePrefix === '' || this.#byPrefix.has(kind.storagePrefix)) return;
    const prefix = `${registryPrefix}${kind.storagePrefix}/`;
    this.#byPrefix.set(
      kind.storagePrefix,
      new ResourceCache(prefix, { pool: this.pool, clock: this.#clock }),
    );
  }

  of(kind: KindDeclaration): ResourceCache {
    const cache = this.#byPrefix.get(kind.storagePrefix);
    assert(cache !== undefined, `Kind ${kind.kind} is stored`);
    return cache;
  }

  /** Reads the store page by page and follows it from there. */
  async start(): Promise<void> {
    let after: string | undefined;
    let atRevision: number | undefined;
    for (;;) {
      const page = await this.#store.range(registryPrefix, { after, atRevision, limit: loadPage });
      atRevision = page.revision;
      for (const entry of page.entries) this.#resourceOf(entry.key)?.load(entry);
      after = page.entries.at(-1)?.key;
      if (!page.more || after === undefined) break;
    }
    this.#revision = atRevision;
    for (const resource of this.#byPrefix.values()) resource.history.reset(atRevision);
    this.#subscription = await this.#store.subscribe(registryPrefix, atRevision, (changes) =>
      this.#apply(changes),
    );
  }

  stop(): void {
    this.#subscription?.[Symbol.dispose]();
  }

  /** The decoded form of bytes that are about to be written: nobody will have to parse them. */
  remember(value: Uint8Array, draft: Draft<KubeObject>): void {
    this.#drafts.set(value, draft);
  }

  /** True when `revision` was reached in time. */
  async waitFor(revision: number, waitMs: number): Promise<boolean> {
    if (this.revision >= revision) return true;
    return await new Promise((resolve) => {
      const look = (): void => {
        if (this.revision < revision) return;
        cancel();
        this.#revisionWaiters.delete(look);
        resolve(true);
      };
      const cancel = this.#clock.after(waitMs, () => {
        this.#revisionWaiters.delete(look);
        resolve(false);
      });
      this.#revisionWaiters.add(look);
    });
  }

  #apply(changes: ChangeGroup): void {
    const last = changes.at(-1);
    if (last === undefined) return;
    this.#revision = Math.max(this.#revision, last.revision);
    const grouped = new Map<ResourceCache, Change[]>();
    for (const change of changes) {
      const resource = this.#resourceOf(change.key);
      if (resource === undefined) continue;
      const group = grouped.get(resource);
      if (group === undefined) grouped.set(resource, [change]);
      else group.push(change);
    }
    for (const [resource, group] of grouped) resource.apply(group, this.#drafts);
    if (this.#revisionWaiters.size > 0) for (const look of this.#revisionWaiters) look();
  }

  /** Prefixes have one segment or two: `pods`, `services/specs`. */
  #resourceOf(key: string): ResourceCache | undefined {
    const first = key.indexOf('/', registryPrefix.length);
    const second = key.indexOf('/', first + 1);
    if (second > 0) {
      const two = this.#byPrefix.get(key.slice(registryPrefix.length, second));
      if (two !== undefined) return two;
    }
    return this.#byPrefix.get(key.slice(registryPrefix.length, first));
  }
}
