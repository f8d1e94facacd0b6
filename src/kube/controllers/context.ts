import type { Clock, Logger, Random } from '#base';
import {
  createInformer,
  createRecorder,
  createWorkQueue,
  type ClosableRecorder,
  type Informer,
  type Reconcile,
  type WorkQueue,
} from '#client';
import type { Api, KubeObject, OwnerReference, ResourceName } from '#machinery';

/** Something that runs until its signal aborts. */
export interface Runnable {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

/** What every controller is given. */
export interface ControllerContext {
  readonly api: Api;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly informers: InformerSet;
  recorder(component: string): ClosableRecorder;
}

/** One informer for each resource, shared by all controllers, with the indexes they all use. */
export interface InformerSet {
  of<T extends KubeObject>(resource: ResourceName<T>): Informer<T>;
  run(signal: AbortSignal): Promise<void>;
}

/** Indexes of every informer: by namespace, by the controlling owner's uid, orphans by namespace. */
const indexes: Readonly<Record<string, (object: KubeObject) => readonly string[]>> = {
  namespace: ({ metadata }) => (metadata.namespace === undefined ? [] : [metadata.namespace]),
  controller: (object) => {
    const owner = controllerOf(object);
    return owner === undefined ? [] : [owner.uid];
  },
  orphan: (object) =>
    controllerOf(object) === undefined && object.metadata.namespace !== undefined
      ? [object.metadata.namespace]
      : [],
  node: (object) => {
    const name = nodeNameOf(object);
    return name === '' ? [] : [name];
  },
  service: ({ metadata }) => {
    const service = metadata.labels?.['kubernetes.io/service-name'];
    return service === undefined ? [] : [`${metadata.namespace}/${service}`];
  },
};

export function createInformers(api: Api, clock: Clock, logger: Logger): InformerSet {
  const made = new Map<string, Informer<KubeObject>>();
  let running: { readonly signal: AbortSignal; readonly runs: Promise<void>[] } | undefined;
  return {
    of: <T extends KubeObject>(resource: ResourceName<T>): Informer<T> => {
      const path = `${resource.group}/${resource.plural}`;
      let informer = made.get(path);
      if (informer === undefined) {
        informer = createInformer<KubeObject>(api, resource, { clock, logger, indexes });
        made.set(path, informer);
        running?.runs.push(informer.run(running.signal));
      }
      // The map holds for each path what was made for its resource's type.
      return informer as Informer<KubeObject> as Informer<T>;
    },
    run: async (signal) => {
      const runs = [...made.values()].map((informer) => informer.run(signal));
      running = { signal, runs };
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      await Promise.all(runs);
    },
  };
}

export interface LoopOptions {
  readonly name: string;
  readonly workers?: number;
  /** Waited for before the first key is looked at. */
  readonly needs: readonly Informer<KubeObject>[];
  /** Wires events to keys; called once. */
  readonly setup: (queue: WorkQueue) => void;
  readonly reconcile: Reconcile;
}

/** A controller: a queue of keys, filled by informers, worked off by a reconciler. */
export function createLoop(context: ControllerContext, options: LoopOptions): Runnable {
  const { name, workers = 5, needs, setup, reconcile } = options;
  const logger = context.logger.with({ controller: name });
  const queue = createWorkQueue({ clock: context.clock, logger, name });
  setup(queue);
  return {
    name,
    run: async (signal) => {
      await synced(needs, signal);
      if (!signal.aborted) await queue.run(reconcile, { workers, signal });
    },
  };
}

export async function synced(
  needs: readonly Informer<KubeObject>[],
  signal: AbortSignal,
): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([Promise.all(needs.map((informer) => informer.synced)), stopped]);
}

export function createContext(parts: {
  readonly api: Api;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}): ControllerContext {
  const { api, clock, logger } = parts;
  return {
    ...parts,
    informers: createInformers(api, clock, logger),
    recorder: (component) => createRecorder({ api, clock, component, logger }),
  };
}

export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}

export function controllerReference(owner: KubeObject): OwnerReference {
  const { name, uid } = owner.metadata;
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const at = key.indexOf('/');
  return at < 0
    ? { namespace: '', name: key }
    : { namespace: key.slice(0, at), name: key.slice(at + 1) };
}

/** Runs `action` for all, at most `limit` at once; the first error is thrown after all have ended. */
export async function forEachLimited<T>(
  items: readonly T[],
  limit: number,
  action: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const errors: unknown[] = [];
  const work = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) {
      try {
        await action(items[at] as T);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  if (errors.length > 0) throw errors[0];
}

/** True when two JSON values say the same, whatever the order of keys; 0, '' and absent are one. */
export function sameValue(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) => {
    if (typeof one !== 'object' || one === null || Array.isArray(one)) return one;
    return Object.fromEntries(
      Object.entries(one)
        .filter(([, field]) => field !== undefined && field !== 0 && field !== '' && field !== null)
        .toSorted(([x], [y]) => (x < y ? -1 : 1)),
    );
  });
}

function nodeNameOf(object: KubeObject): string {
  if (object.kind !== 'Pod' || !('spec' in object)) return '';
  const { spec } = object;
  if (typeof spec !== 'object' || spec === null || !('nodeName' in spec)) return '';
  return typeof spec.nodeName === 'string' ? spec.nodeName : '';
}
