import type { Cancel, Clock, Logger } from '#base';
import type { Informer } from '#client';
import { isStatus, type Api, type KubeObject, type NewObject, type ResourceName } from '#machinery';

/** Makes the object as it should be; undefined when it is so already. Asked again after a conflict. */
export type Change<T> = (object: T) => T | undefined;

export interface LaneOptions<T extends KubeObject> {
  readonly api: Api;
  readonly resource: ResourceName<T>;
  readonly informer: Informer<T>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly subresource?: 'status' | undefined;
}

interface Work<T> {
  changes: Change<T>[];
  /** Resolves with whether the object was there to be changed. */
  done: PromiseWithResolvers<boolean>;
  running: boolean;
}

const retryMsMin = 50;
const retryMsMax = 10_000;
/** Writes of different objects under way at once: enough to fill the store's groups. */
const parallelMax = 128;

/**
 * Writes changes of many objects of one kind, one write per object at a time. Changes that come
 * while one is under way go together into the next; a conflict reads again; a failing store is tried
 * until it takes the change, since what was decided is already so in memory.
 */
export class Lane<T extends KubeObject> implements Disposable {
  readonly #options: LaneOptions<T>;
  readonly #work = new Map<string, Work<T>>();
  readonly #waiting: string[] = [];
  readonly #timers = new Set<Cancel>();
  #running = 0;
  #closed = false;

  constructor(options: LaneOptions<T>) {
    this.#options = options;
  }

  get pending(): number {
    return this.#work.size;
  }

  change(key: string, change: Change<T>): Promise<boolean> {
    let work = this.#work.get(key);
    if (work === undefined) {
      work = { changes: [], done: Promise.withResolvers(), running: false };
      this.#work.set(key, work);
      this.#waiting.push(key);
    }
    work.changes.push(change);
    const { promise } = work.done;
    this.#start();
    return promise;
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  #start(): void {
    while (!this.#closed && this.#running < parallelMax) {
      const key = this.#waiting.shift();
      if (key === undefined) return;
      this.#running += 1;
      void this.#drain(key).finally(() => {
        this.#running -= 1;
        this.#start();
      });
    }
  }

  async #drain(key: string): Promise<void> {
    const work = this.#work.get(key);
    if (work === undefined) return;
    let newest: T | undefined = this.#options.informer.get(key);
    let delayMs = retryMsMin;
    while (work.changes.length > 0 && !this.#closed) {
      const { changes, done } = work;
      work.changes = [];
      work.done = Promise.withResolvers();
      for (;;) {
        try {
          newest = await this.#write(key, newest, changes);
          done.resolve(newest !== undefined);
          break;
        } catch (error) {
          if (this.#closed) return;
          newest = undefined;
          if (isStatus(error, 'Conflict')) continue;
          this.#options.logger.warn('Write of the Mesos master failed', { key, error });
          await this.#pause(delayMs);
          delayMs = Math.min(delayMs * 2, retryMsMax);
        }
      }
    }
    this.#work.delete(key);
  }

  /** The object as stored, or undefined when it is gone. */
  async #write(
    key: string,
    known: T | undefined,
    changes: readonly Change<T>[],
  ): Promise<T | undefined> {
    const { api, resource, subresource } = this.#options;
    try {
      const before = known ?? (await api.get(resource, targetOf(key)));
      let after: T = before;
      for (const change of changes) after = change(after) ?? after;
      if (after === before) return before;
      const options = subresource === undefined ? {} : { subresource };
      return await api.update(resource, asNew(after), options);
    } catch (error) {
      if (isStatus(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  #pause(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(cancel);
      resolve();
    });
    this.#timers.add(cancel);
    return promise;
  }
}

export function targetOf(key: string): { readonly name: string; readonly namespace?: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** A whole object is one that may be sent: only the types of optional fields differ. */
function asNew<T extends KubeObject>(object: T): NewObject<T> {
  return object as unknown as NewObject<T>;
}
