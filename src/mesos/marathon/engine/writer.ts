import type { KubeObject, NewObject, ResourceName } from '#machinery';
import { isStatus } from '#machinery';
import type { Commit, CommitOp } from './options.ts';

/**
 * Writes the newest state of many objects in few commits: while one commit is under way, what changes
 * is gathered for the next, each object once. Nothing is acknowledged before it is in a commit.
 */
export interface ObjectWriter {
  /** Resolves when a commit that holds this state, or a newer one, is durable. */
  put(name: string, object: NewObject): Promise<void>;
  /** No error when it was never written. */
  remove(name: string): Promise<void>;
  /** Objects that the store had at start. */
  adopt(name: string): void;
  /** Resolves when nothing waits. */
  idle(): Promise<void>;
  readonly pending: number;
}

export interface ObjectWriterOptions {
  readonly resource: ResourceName;
  readonly namespace: string;
  readonly commit: Commit;
  /** An object cannot be written: its engine cannot go on as if it were. */
  failed(error: unknown): void;
  /** A commit failed; its objects are written one by one. */
  retried(error: unknown): void;
}

/** Objects of one commit; the store's group commit does not get better beyond. */
const batchMax = 512;

interface Waiting {
  object: NewObject | undefined;
  readonly done: (() => void)[];
  readonly fail: ((error: unknown) => void)[];
}

export function createObjectWriter(options: ObjectWriterOptions): ObjectWriter {
  return new GatheringWriter(options);
}

class GatheringWriter implements ObjectWriter {
  readonly #options: ObjectWriterOptions;
  readonly #stored = new Set<string>();
  readonly #waiting = new Map<string, Waiting>();
  #running: Promise<void> | undefined;

  constructor(options: ObjectWriterOptions) {
    this.#options = options;
  }

  get pending(): number {
    return this.#waiting.size;
  }

  adopt(name: string): void {
    this.#stored.add(name);
  }

  put(name: string, object: NewObject): Promise<void> {
    return this.#enqueue(name, object);
  }

  remove(name: string): Promise<void> {
    if (!this.#stored.has(name) && this.#running === undefined) {
      const waiting = this.#waiting.get(name);
      if (waiting === undefined) return Promise.resolve();
    }
    return this.#enqueue(name, undefined);
  }

  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #enqueue(name: string, object: NewObject | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting = this.#waiting.get(name);
    if (waiting === undefined) {
      this.#waiting.set(name, { object, done: [resolve], fail: [reject] });
    } else {
      waiting.object = object;
      waiting.done.push(resolve);
      waiting.fail.push(reject);
    }
    this.#running ??= this.#run();
    // Not everybody waits for it; `failed` hears of a failure in any case.
    promise.catch(() => undefined);
    return promise;
  }

  async #run(): Promise<void> {
    // Everything that the current turn of events changes goes into the first commit too.
    await Promise.resolve();
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting].slice(0, batchMax);
      for (const [name] of batch) this.#waiting.delete(name);
      try {
        await this.#commit(batch);
        for (const [, { done }] of batch) for (const resolve of done) resolve();
      } catch (error) {
        this.#options.retried(error);
        for (const one of batch) await this.#alone(one);
      }
    }
    this.#running = undefined;
  }

  /** One that cannot be written must not keep the others from it. */
  async #alone(one: readonly [string, Waiting]): Promise<void> {
    const [name, { done }] = one;
    try {
      await this.#commit([one]).catch(async (error: unknown) => {
        // Somebody else deleted or made it: what counts is what it is to be.
        if (isStatus(error, 'NotFound')) this.#stored.delete(name);
        else if (isStatus(error, 'AlreadyExists')) this.#stored.add(name);
        else throw error;
        await this.#commit([one]);
      });
      for (const resolve of done) resolve();
    } catch (error) {
      this.#refused(one, error);
    }
  }

  #refused(one: readonly [string, Waiting] | undefined, error: unknown): void {
    for (const reject of one?.[1].fail ?? []) reject(error);
    this.#options.failed(error);
  }

  async #commit(batch: readonly (readonly [string, Waiting])[]): Promise<void> {
    const { resource, namespace, commit } = this.#options;
    const ops: CommitOp[] = [];
    for (const [name, { object }] of batch) {
      const known = this.#stored.has(name);
      if (object === undefined) {
        if (known) ops.push({ op: 'delete', resource, target: { name, namespace } });
      } else ops.push({ op: known ? 'update' : 'create', resource, object });
    }
    if (ops.length === 0) return;
    await commit(ops);
    for (const [name, { object }] of batch)
      if (object === undefined) this.#stored.delete(name);
      else this.#stored.add(name);
  }
}

/** What is sent for an object of ours: the store fills in the rest of the metadata. */
export function newObject<T extends KubeObject>(
  resource: ResourceName<T>,
  metadata: { readonly name: string; readonly namespace: string },
): Pick<NewObject<T>, 'apiVersion' | 'kind' | 'metadata'> {
  return { apiVersion: `${resource.group}/${resource.version}`, kind: resource.kind, metadata };
}
