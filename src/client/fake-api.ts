import type { Clock, Random } from '#base';
import {
  alreadyExists,
  badRequest,
  conflict,
  expired,
  notFound,
  objectModifiedText,
  StatusError,
  type Api,
  type DeleteOptions,
  type Draft,
  type KubeObject,
  type ListOptions,
  type ListResult,
  type NewObject,
  type Patch,
  type ResourceName,
  type Target,
  type WatchEvent,
  type WatchOptions,
  type WriteOptions,
} from '#machinery';
import { applyFakePatch } from './fake-patch.ts';
import { fieldFilter, labelFilter } from './fake-selectors.ts';
import { deepFreeze } from './freeze.ts';
import { keyOf } from './informer.ts';
import { seconds } from './recorder.ts';

export interface FakeApiOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Called before each call; throws to make it fail. For tests of failures. */
  readonly before?: (verb: string, resource: ResourceName, object: unknown) => void;
}

/** An API server of one process's memory: versions, conflicts, watches, finalizers, grace, status. */
export interface FakeApi extends Api {
  /** Everything stored of a resource, in the order of keys. */
  all<T extends KubeObject>(resource: ResourceName<T>): readonly T[];
  /** The number of writes so far: a loop that is done makes no more. */
  readonly writes: number;
  /** Forgets the history: a watch from before is told 410. */
  compact(): void;
}

interface Stored {
  readonly resource: ResourceName;
  readonly key: string;
  readonly object: KubeObject | undefined;
  readonly old: KubeObject | undefined;
  readonly version: number;
}
type Body = Draft<KubeObject> & {
  spec?: Record<string, unknown> | undefined;
  status?: Record<string, unknown> | undefined;
};

const safeLetters = 'bcdfghjklmnpqrstvwxz2456789';

export function createFakeApi(options: FakeApiOptions): FakeApi {
  return new Fake(options);
}

class Fake implements FakeApi {
  readonly #options: FakeApiOptions;
  readonly #tables = new Map<string, Map<string, KubeObject>>();
  readonly #watchers = new Set<(change: Stored) => void>();
  #history: Stored[] = [];
  #compacted = 0;
  #version = 0;

  constructor(options: FakeApiOptions) {
    this.#options = options;
  }

  get writes(): number {
    return this.#version;
  }

  compact(): void {
    this.#history = [];
    this.#compacted = this.#version;
  }

  all<T extends KubeObject>(resource: ResourceName<T>): readonly T[] {
    const table = this.#table(resource);
    return [...table.keys()].toSorted().map((key) => table.get(key) as T);
  }

  async get<T extends KubeObject>(resource: ResourceName<T>, target: Target): Promise<T> {
    this.#before('get', resource, target);
    return this.#find(resource, target);
  }

  async list<T extends KubeObject>(
    resource: ResourceName<T>,
    options: ListOptions = {},
  ): Promise<ListResult<T>> {
    this.#before('list', resource, options);
    const wanted = filterOf(options);
    const all = this.all(resource).filter(wanted);
    const from = options.continue === undefined ? 0 : Number(options.continue);
    const to = from + (options.limit ?? all.length);
    return {
      items: all.slice(from, to),
      resourceVersion: String(this.#version),
      continue: to < all.length ? String(to) : undefined,
    };
  }

  async *watch<T extends KubeObject>(
    resource: ResourceName<T>,
    options: WatchOptions,
  ): AsyncIterable<readonly WatchEvent<T>[]> {
    this.#before('watch', resource, options);
    const after = Number(options.resourceVersion);
    if (after < this.#compacted)
      throw expired(`too old resource version: ${after} (${this.#compacted})`);
    const wanted = filterOf(options);
    const plural = pathOf(resource);
    const waiting: WatchEvent<T>[] = [];
    let wake = (): void => undefined;
    const take = (change: Stored): void => {
      if (pathOf(change.resource) !== plural) return;
      const event = eventOf<T>(change, wanted);
      if (event !== undefined) waiting.push(event);
      wake();
    };
    for (const change of this.#history) if (change.version > after) take(change);
    this.#watchers.add(take);
    const onAbort = (): void => wake();
    options.signal.addEventListener('abort', onAbort);
    try {
      while (!options.signal.aborted) {
        if (waiting.length > 0) yield waiting.splice(0);
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      this.#watchers.delete(take);
      options.signal.removeEventListener('abort', onAbort);
    }
  }

  async create<T extends KubeObject>(
    resource: ResourceName<T>,
    object: NewObject<T>,
    _options?: WriteOptions,
  ): Promise<T> {
    this.#before('create', resource, object);
    const body = clone(object);
    const meta = body.metadata;
    if (resource.namespaced && !meta.namespace) meta.namespace = 'default';
    if (!meta.name && meta.generateName) meta.name = meta.generateName + this.#suffix();
    if (!meta.name)
      throw new StatusError('Invalid', 'metadata.name: Required value: name or generateName');
    if (this.#table(resource).has(keyOf(body))) throw alreadyExists(resource, meta.name);
    meta.uid = this.#options.random.uuid();
    meta.creationTimestamp = seconds(this.#options.clock.nowMs());
    if (body.spec !== undefined) {
      meta.generation = 1;
      // As on the wire: a struct is there even when nothing is in it.
      body.status ??= {};
    }
    return this.#write(resource, keyOf(body), body) as T;
  }

  async update<T extends KubeObject>(
    resource: ResourceName<T>,
    object: NewObject<T>,
    options: WriteOptions & { readonly subresource?: string } = {},
  ): Promise<T> {
    this.#before('update', resource, object);
    const { name = '', namespace } = object.metadata;
    const old = this.#find(resource, { name, namespace });
    return this.#replace(resource, old, { body: clone(object), subresource: options.subresource });
  }

  async patch<T extends KubeObject>(
    resource: ResourceName<T>,
    target: Target,
    patch: Patch,
  ): Promise<T> {
    this.#before('patch', resource, patch);
    const old = this.#find(resource, target);
    const body = clone(applyFakePatch(old, patch));
    return this.#replace(resource, old, { body, subresource: target.subresource });
  }

  async delete<T extends KubeObject>(
    resource: ResourceName<T>,
    target: Target,
    options: DeleteOptions = {},
  ): Promise<T | undefined> {
    this.#before('delete', resource, target);
    const old = this.#find(resource, target);
    const { uid, resourceVersion, propagationPolicy } = options;
    if (uid !== undefined && uid !== old.metadata.uid)
      throw conflict(resource, target.name, `the UID in the precondition (${uid}) does not match`);
    if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion)
      throw conflict(
        resource,
        target.name,
        'the ResourceVersion in the precondition does not match',
      );
    const body = clone(old);
    const meta = body.metadata;
    const marks: readonly string[] =
      propagationPolicy === 'Foreground'
        ? ['foregroundDeletion']
        : propagationPolicy === 'Orphan'
          ? ['orphan']
          : [];
    const others = (meta.finalizers ?? []).filter(
      (one) =>
        propagationPolicy === undefined || (one !== 'foregroundDeletion' && one !== 'orphan'),
    );
    const finalizers = [...others, ...marks];
    const graceSeconds = graceOf(resource, body, options.gracePeriodSeconds);
    const kept = resource.plural === 'namespaces' && listLength(body.spec?.['finalizers']) > 0;
    if (finalizers.length === 0 && graceSeconds === 0 && !kept) {
      this.#write(resource, keyOf(old), undefined);
      return undefined;
    }
    if (finalizers.length > 0) meta.finalizers = finalizers;
    else delete meta.finalizers;
    const dueMs = this.#options.clock.nowMs() + graceSeconds * 1000;
    meta.deletionTimestamp ??= seconds(dueMs);
    meta.deletionGracePeriodSeconds = Math.min(
      graceSeconds,
      meta.deletionGracePeriodSeconds ?? graceSeconds,
    );
    if (kept) body.status = { ...body.status, phase: 'Terminating' };
    return this.#write(resource, keyOf(old), body) as T;
  }

  async post<R>(
    resource: ResourceName,
    target: Target & { readonly subresource: string },
    body: unknown,
  ): Promise<R> {
    this.#before(`post ${target.subresource}`, resource, body);
    if (resource.plural !== 'pods' || target.subresource !== 'binding')
      throw badRequest(`the fake API has no ${resource.plural}/${target.subresource}`);
    const old = this.#find(resource, target);
    const pod = clone(old);
    const { target: node } = body as { target: { name: string } };
    if (pod.spec?.['nodeName'])
      throw conflict(
        resource,
        target.name,
        `pod ${target.name} is already assigned to node "${String(pod.spec['nodeName'])}"`,
      );
    pod.spec = { ...pod.spec, nodeName: node.name };
    this.#write(resource, keyOf(old), pod);
    return { kind: 'Status', status: 'Success' } as R;
  }

  #before(verb: string, resource: ResourceName, object: unknown): void {
    this.#options.before?.(verb, resource, object);
  }

  #find<T extends KubeObject>(resource: ResourceName<T>, target: Target): T {
    const key =
      resource.namespaced && target.namespace ? `${target.namespace}/${target.name}` : target.name;
    const found = this.#table(resource).get(key);
    if (found === undefined) throw notFound(resource, target.name);
    return found as T;
  }

  #replace<T extends KubeObject>(
    resource: ResourceName<T>,
    old: T,
    change: { body: Body; subresource: string | undefined },
  ): T {
    const { body, subresource } = change;
    const before = clone(old);
    const asked = body.metadata.resourceVersion;
    if (asked && asked !== old.metadata.resourceVersion)
      throw conflict(resource, old.metadata.name, objectModifiedText);
    if (body.metadata.uid && body.metadata.uid !== old.metadata.uid)
      throw conflict(resource, old.metadata.name, 'Precondition failed: UID in precondition');
    if (subresource === 'status') {
      restore(body, before, 'spec');
    } else if (before.status !== undefined && subresource === undefined) {
      restore(body, before, 'status');
    }
    const { creationTimestamp, uid, deletionTimestamp, deletionGracePeriodSeconds } = old.metadata;
    Object.assign(body.metadata, { creationTimestamp, uid });
    if (deletionTimestamp !== undefined)
      Object.assign(body.metadata, { deletionTimestamp, deletionGracePeriodSeconds });
    if (old.metadata.generation !== undefined)
      body.metadata.generation = old.metadata.generation + (same(body.spec, before.spec) ? 0 : 1);
    body.metadata.resourceVersion = old.metadata.resourceVersion;
    if (same(body, before)) return old;
    const done =
      body.metadata.deletionTimestamp !== undefined &&
      (body.metadata.finalizers ?? []).length === 0 &&
      (body.metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
      !(resource.plural === 'namespaces' && listLength(body.spec?.['finalizers']) > 0);
    if (!done) return this.#write(resource, keyOf(old), body) as T;
    this.#write(resource, keyOf(old), undefined);
    return deepFreeze(body) as KubeObject as T;
  }

  #write(resource: ResourceName, key: string, body: Body | undefined): KubeObject {
    const version = ++this.#version;
    const table = this.#table(resource);
    const old = table.get(key);
    if (body !== undefined) body.metadata.resourceVersion = String(version);
    const object: KubeObject | undefined =
      body === undefined ? undefined : (deepFreeze(body) as KubeObject);
    if (object === undefined) table.delete(key);
    else table.set(key, object);
    const change: Stored = { resource, key, object, old, version };
    this.#history.push(change);
    for (const take of this.#watchers) take(change);
    return object ?? (old as KubeObject);
  }

  #table(resource: ResourceName): Map<string, KubeObject> {
    const path = pathOf(resource);
    let table = this.#tables.get(path);
    if (table === undefined) {
      table = new Map();
      this.#tables.set(path, table);
    }
    return table;
  }

  #suffix(): string {
    const letter = (): string => safeLetters[this.#options.random.below(safeLetters.length)] ?? 'x';
    return Array.from({ length: 5 }, letter).join('');
  }
}

function pathOf(resource: ResourceName): string {
  return `${resource.group}/${resource.plural}`;
}

function filterOf(options: ListOptions | WatchOptions): (object: KubeObject) => boolean {
  const labels = labelFilter(options.labelSelector);
  const fields = fieldFilter(options.fieldSelector);
  const { namespace } = options;
  return (object) =>
    (!namespace || object.metadata.namespace === namespace) && labels(object) && fields(object);
}

/** Leaving the selection is a delete, entering it an add, as in the reference. */
function eventOf<T extends KubeObject>(
  change: Stored,
  wanted: (object: KubeObject) => boolean,
): WatchEvent<T> | undefined {
  const { object, old, version } = change;
  const is = object !== undefined && wanted(object);
  const was = old !== undefined && wanted(old);
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object: object as T };
  if (!was) return undefined;
  const metadata = { ...old.metadata, resourceVersion: String(version) };
  return { type: 'DELETED', object: deepFreeze({ ...(old as T), metadata }) };
}

function graceOf(resource: ResourceName, body: Body, asked: number | undefined): number {
  if (resource.group !== '' || resource.plural !== 'pods') return 0;
  const phase = body.status?.['phase'];
  if (!body.spec?.['nodeName'] || phase === 'Succeeded' || phase === 'Failed') return 0;
  const own = body.spec['terminationGracePeriodSeconds'];
  return asked ?? (typeof own === 'number' ? own : 30);
}

function restore(body: Body, before: Body, field: 'spec' | 'status'): void {
  if (before[field] === undefined) delete body[field];
  else body[field] = before[field];
}

function listLength(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}

/** A JSON copy, as the wire would make one: `undefined` fields are gone. */
function clone(object: unknown): Body {
  return JSON.parse(JSON.stringify(object)) as Body;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)]),
  );
}
