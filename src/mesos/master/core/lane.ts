import type { Cancel, Clock, Logger } from '#base';
import {
  isStatus,
  updating,
  type Draft,
  type KubeObject,
  type ResourceName,
  type SystemWriter,
} from '#machinery';

/** Makes the object as it should be; undefined when it is so already. Asked again after a conflict. */
export type Change<T> = (object: T) => T | undefined;

export interface LaneOptions<T extends KubeObject> {
  readonly writer: SystemWriter;
  readonly resource: ResourceName<T>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a call to the store took. */
  readonly took?: ((ms: number) => void) | undefined;
}

interface Work<T> {
  readonly key: string;
  readonly changes: Change<T>[];
  /** Resolves with whether the object was there to be changed. */
  readonly done: PromiseWithResolvers<boolean>;
}

const retryMsMin = 50;
const retryMsMax = 10_000;
/** Objects per call, and calls under way: enough to fill the store's groups, little per turn. */
const batchMax = 32;
const callsMax = 4;

/**
 * Writes changes of many objects of one kind, one write per object at a time. Changes that come
 * while one is under way go together into the next; a failing store is tried until it takes them,
 * since what was decided is already so in memory.
 */
export class Lane<T extends KubeObject> implements Disposable {
  readonly #options: LaneOptions<T>;
  /** In the order they came. */
  readonly #waiting = new Map<string, Work<T>>();
  readonly #busy = new Set<string>();
  readonly #timers = new Set<Cancel>();
  #calls = 0;
  #scheduled = false;
  #closed = false;

  constructor(options: LaneOptions<T>) {
    this.#options = options;
  }

  get pending(): number {
    return this.#waiting.size + this.#busy.size;
  }

  /** Nothing of this object is waiting or being written. */
  isIdle(key: string): boolean {
    return !this.#waiting.has(key) && !this.#busy.has(key);
  }

  change(key: string, change: Change<T>): Promise<boolean> {
    let work = this.#waiting.get(key);
    if (work === undefined) {
      work = { key, changes: [], done: Promise.withResolvers() };
      this.#waiting.set(key, work);
    }
    work.changes.push(change);
    this.#soon();
    return work.done.promise;
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  /** What one turn decides goes into one call. */
  #soon(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#start();
    });
  }

  #start(): void {
    while (this.#calls < callsMax && !this.#closed) {
      const batch: Work<T>[] = [];
      for (const [key, work] of this.#waiting) {
        if (batch.length >= batchMax) break;
        if (this.#busy.has(key)) continue;
        this.#waiting.delete(key);
        this.#busy.add(key);
        batch.push(work);
      }
      if (batch.length === 0) return;
      this.#calls += 1;
      void this.#write(batch).finally(() => {
        this.#calls -= 1;
        this.#start();
      });
    }
  }

  async #write(batch: readonly Work<T>[]): Promise<void> {
    let open = batch;
    let delayMs = retryMsMin;
    while (open.length > 0 && !this.#closed) {
      open = await this.#attempt(open);
      if (open.length === 0) return;
      await this.#pause(delayMs);
      delayMs = Math.min(delayMs * 2, retryMsMax);
    }
  }

  /** Those that must be tried again. */
  async #attempt(batch: readonly Work<T>[]): Promise<readonly Work<T>[]> {
    const { writer, resource, clock, logger, took } = this.#options;
    const startMs = clock.monotonicMs();
    const groups = batch.map(({ key, changes }) => [
      updating(resource, targetOf(key), (draft) => apply(draft, changes)),
    ]);
    let error: unknown;
    try {
      const results = await writer.writeMany(groups);
      took?.(clock.monotonicMs() - startMs);
      return batch.filter((work, at) => {
        const result = results[at];
        const gone = result?.ok === false && isStatus(result.error, 'NotFound');
        if (result?.ok !== true && !gone) {
          error = result?.error;
          logger.warn('Write of the Mesos master failed', { key: work.key, error });
          return true;
        }
        this.#busy.delete(work.key);
        work.done.resolve(!gone);
        return false;
      });
    } catch (failure) {
      logger.warn('Writes of the Mesos master failed', { error: failure });
      return batch;
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

/** Changes see and make whole objects; of these spec and status are taken over. */
function apply<T extends KubeObject>(draft: Draft<T>, changes: readonly Change<T>[]): void {
  // A draft is an object that may be changed; changes do not, they make another.
  const before = draft as unknown as T;
  let after = before;
  for (const change of changes) after = change(after) ?? after;
  if (after !== before) Object.assign(draft, structuredClone(partsOf(after)));
}

function partsOf(object: object): Readonly<Record<string, unknown>> {
  const { spec, status } = object as { readonly spec?: unknown; readonly status?: unknown };
  return { spec, ...(status !== undefined && { status }) };
}

export function targetOf(key: string): { readonly name: string; readonly namespace?: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
