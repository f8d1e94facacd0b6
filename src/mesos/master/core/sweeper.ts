import type { Logger } from '#base';
import { pods as podKind } from '#kube/kinds';
import { deletion, isStatus, type Api, type ResourceName, type SystemWriter } from '#machinery';
import { tasks as taskKind } from '#mesos/kinds';
import { targetOf } from './lane.ts';

/** Deletions under way at once: a framework of many thousand tasks must not bury everybody else. */
const parallelMax = 16;

interface Deletion {
  readonly resource: ResourceName;
  readonly key: string;
  readonly done: () => void;
}

/** Deletes Pods and Tasks, some at a time. What is gone already is fine; a failure is told and left. */
export class Sweeper {
  readonly #api: Api;
  readonly #writer: SystemWriter;
  readonly #logger: Logger;
  readonly #waiting: Deletion[] = [];
  #next = 0;
  #running = 0;

  constructor(parts: {
    readonly api: Api;
    readonly doors: SystemWriter;
    readonly logger: Logger;
  }) {
    this.#api = parts.api;
    this.#writer = parts.doors;
    this.#logger = parts.logger;
  }

  pod(key: string): Promise<void> {
    return this.#add(podKind, key);
  }

  task(key: string): Promise<void> {
    return this.#add(taskKind, key);
  }

  #add(resource: ResourceName, key: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ resource, key, done: resolve });
    this.#start();
    return promise;
  }

  #start(): void {
    while (this.#running < parallelMax) {
      const deletion = this.#waiting[this.#next];
      if (deletion === undefined) {
        this.#waiting.length = 0;
        this.#next = 0;
        return;
      }
      this.#next += 1;
      this.#running += 1;
      void this.#delete(deletion).finally(() => {
        this.#running -= 1;
        deletion.done();
        this.#start();
      });
    }
  }

  async #delete({ resource, key }: Deletion): Promise<void> {
    try {
      // Pods end in steps; Tasks are gone at once.
      if (resource === podKind) await this.#api.delete(resource, targetOf(key));
      else {
        const [result] = await this.#writer.writeMany([[deletion(resource, targetOf(key))]]);
        if (result?.ok === false) throw result.error;
      }
    } catch (error) {
      if (!isStatus(error, 'NotFound'))
        this.#logger.warn('What a framework left could not be deleted', { key, error });
    }
  }
}
