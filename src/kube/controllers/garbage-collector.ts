import { createWorkQueue, keyOf, type ClosableRecorder } from '#client';
import { customResourceDefinitions } from '#kube/kinds';
import { isStatus, type KubeObject, type OwnerReference, type ResourceName } from '#machinery';
import type { ControllerContext, Runnable } from './context.ts';
import type { NamespacedResources } from './namespace.ts';

interface GraphNode {
  readonly resource: ResourceName;
  readonly object: KubeObject;
}

const foreground = 'foregroundDeletion';
const orphan = 'orphan';
const rescanMs = 1_000;

/** Deletes what nobody owns any more, and finishes deletes that wait for dependents or orphan them. */
export function garbageCollector(
  context: ControllerContext,
  resources: NamespacedResources,
): Runnable {
  return new Collector(context, resources);
}

class Collector implements Runnable {
  readonly name = 'garbage-collector-controller';
  readonly #context: ControllerContext;
  readonly #resources: NamespacedResources;
  readonly #queue;
  readonly #recorder: ClosableRecorder;
  readonly #nodes = new Map<string, GraphNode>();
  /** Owner's uid to the uids of its dependents, whether the owner is known or not. */
  readonly #dependents = new Map<string, Set<string>>();
  readonly #followed = new Map<string, ResourceName>();

  constructor(context: ControllerContext, resources: NamespacedResources) {
    this.#context = context;
    this.#resources = resources;
    this.#queue = createWorkQueue({
      clock: context.clock,
      logger: context.logger,
      name: this.name,
    });
    this.#recorder = context.recorder(this.name);
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#followAll();
    // New kinds come with definitions: what they declare is served a moment later.
    const definitions = this.#context.informers.of(customResourceDefinitions);
    definitions.onChange(() => {
      this.#context.clock.after(rescanMs, () => {
        void this.#followAll().catch((error: unknown) =>
          this.#context.logger.warn('Cannot follow new kinds', { error }),
        );
      });
    });
    await this.#queue.run((uid) => this.#examine(uid), { workers: 10, signal });
  }

  async #followAll(): Promise<void> {
    for (const resource of await this.#resources()) {
      const path = `${resource.group}/${resource.plural}`;
      if (this.#followed.has(path) || resource.plural === 'events') continue;
      this.#followed.set(path, resource);
      const informer = this.#context.informers.of(resource);
      informer.onChange(({ object, old }) => {
        if (old !== undefined && old.metadata.uid !== object?.metadata.uid) this.#forget(old);
        if (object !== undefined) this.#learn(resource, object, old);
      });
      for (const object of informer.list()) this.#learn(resource, object, undefined);
    }
  }

  #learn(resource: ResourceName, object: KubeObject, old: KubeObject | undefined): void {
    const { uid, ownerReferences = [], deletionTimestamp, finalizers = [] } = object.metadata;
    const before = this.#nodes.get(uid)?.object;
    this.#nodes.set(uid, { resource, object });
    for (const owner of before?.metadata.ownerReferences ?? [])
      if (!ownerReferences.some((one) => one.uid === owner.uid)) this.#unlink(owner.uid, uid);
    for (const owner of ownerReferences) {
      const dependents = this.#dependents.get(owner.uid) ?? new Set();
      dependents.add(uid);
      this.#dependents.set(owner.uid, dependents);
    }
    const ending =
      deletionTimestamp !== undefined &&
      (finalizers.includes(foreground) || finalizers.includes(orphan));
    const owned = ownerReferences.length > 0;
    const news =
      old === undefined ||
      JSON.stringify(old.metadata.ownerReferences) !== JSON.stringify(ownerReferences) ||
      (old.metadata.deletionTimestamp === undefined) !== (deletionTimestamp === undefined);
    if (ending || (owned && news)) this.#queue.add(uid);
    if (ending) for (const dependent of this.#dependents.get(uid) ?? []) this.#queue.add(dependent);
  }

  #forget(object: KubeObject): void {
    const { uid, ownerReferences = [] } = object.metadata;
    this.#nodes.delete(uid);
    for (const owner of ownerReferences) {
      this.#unlink(owner.uid, uid);
      this.#queue.add(owner.uid);
    }
    for (const dependent of this.#dependents.get(uid) ?? []) this.#queue.add(dependent);
  }

  #unlink(owner: string, dependent: string): void {
    const dependents = this.#dependents.get(owner);
    dependents?.delete(dependent);
    if (dependents?.size === 0) this.#dependents.delete(owner);
  }

  #dependentsOf(uid: string): readonly GraphNode[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((one) => this.#nodes.get(one) ?? []);
  }

  async #examine(uid: string) {
    const node = this.#nodes.get(uid);
    if (node === undefined) return undefined;
    const { deletionTimestamp, finalizers = [] } = node.object.metadata;
    if (deletionTimestamp !== undefined) {
      if (finalizers.includes(orphan)) await this.#orphanDependents(node);
      else if (finalizers.includes(foreground)) await this.#waitForDependents(node);
      return undefined;
    }
    await this.#judgeOwners(node);
    return undefined;
  }

  async #orphanDependents(node: GraphNode): Promise<void> {
    const { uid } = node.object.metadata;
    for (const dependent of this.#dependentsOf(uid)) await this.#dropOwners(dependent, [uid]);
    await this.#dropFinalizer(node, orphan);
  }

  async #waitForDependents(node: GraphNode): Promise<void> {
    const { uid } = node.object.metadata;
    const dependents = this.#dependentsOf(uid);
    const blocking = dependents.filter(({ object }) =>
      object.metadata.ownerReferences?.some(
        (owner) => owner.uid === uid && owner.blockOwnerDeletion === true,
      ),
    );
    if (blocking.length === 0) await this.#dropFinalizer(node, foreground);
    // One that waits for its own dependents has been told already: in a circle this would never end.
    for (const { object } of dependents)
      if (!isWaiting(object)) this.#queue.add(object.metadata.uid);
  }

  async #judgeOwners(node: GraphNode): Promise<void> {
    const { ownerReferences = [], uid, finalizers = [] } = node.object.metadata;
    if (ownerReferences.length === 0) return;
    const solid: OwnerReference[] = [];
    const absent: OwnerReference[] = [];
    const waiting: OwnerReference[] = [];
    for (const owner of ownerReferences) {
      const state = await this.#stateOf(owner, node);
      (state === 'solid' ? solid : state === 'absent' ? absent : waiting).push(owner);
    }
    if (solid.length > 0) {
      const gone = [...absent, ...waiting].map((owner) => owner.uid);
      if (gone.length > 0) await this.#dropOwners(node, gone);
      return;
    }
    const dependents = this.#dependentsOf(uid);
    const hasDependents = dependents.length > 0;
    // A dependent that waits may wait for this one's owner: a circle is opened here.
    if (waiting.length > 0 && dependents.some(({ object }) => isWaiting(object)))
      await this.#unblockOwners(node);
    const propagationPolicy = finalizers.includes(orphan)
      ? 'Orphan'
      : finalizers.includes(foreground) || (waiting.length > 0 && hasDependents)
        ? 'Foreground'
        : 'Background';
    await this.#ignoreGone(() =>
      this.#context.api.delete(node.resource, targetOf(node.object), { propagationPolicy, uid }),
    );
  }

  async #stateOf(owner: OwnerReference, node: GraphNode): Promise<'solid' | 'absent' | 'waiting'> {
    const known = this.#nodes.get(owner.uid);
    const namespace = node.object.metadata.namespace;
    if (known !== undefined) {
      const there = known.object.metadata;
      if (there.namespace !== undefined && there.namespace !== namespace) {
        this.#recorder.event(node.object, 'Warning', {
          reason: 'OwnerRefInvalidNamespace',
          message: `ownerRef [${owner.apiVersion}/${owner.kind}, namespace: ${namespace ?? ''}, name: ${owner.name}, uid: ${owner.uid}] does not exist in namespace "${namespace ?? ''}"`,
        });
        return 'absent';
      }
      return isWaiting(known.object) ? 'waiting' : 'solid';
    }
    return this.#askFor(owner, namespace);
  }

  /** The cache may be behind: only the server's word counts before something is deleted. */
  async #askFor(owner: OwnerReference, namespace: string | undefined): Promise<'solid' | 'absent'> {
    const [group = '', version = ''] = owner.apiVersion.includes('/')
      ? owner.apiVersion.split('/')
      : ['', owner.apiVersion];
    const known = [...this.#followed.values()].find(
      (one) => one.group === group && one.kind === owner.kind,
    );
    // A kind that is not served (any more, or yet) cannot be judged.
    if (known === undefined) return 'solid';
    const resource = { ...known, version };
    try {
      const target = { name: owner.name, namespace: known.namespaced ? namespace : undefined };
      if (known.namespaced && namespace === undefined) return 'absent';
      const there = await this.#context.api.get(resource, target);
      return there.metadata.uid === owner.uid ? 'solid' : 'absent';
    } catch (error) {
      if (isStatus(error, 'NotFound')) return 'absent';
      throw error;
    }
  }

  async #dropOwners({ resource, object }: GraphNode, uids: readonly string[]): Promise<void> {
    const { uid, resourceVersion, ownerReferences = [] } = object.metadata;
    const left = ownerReferences.filter((owner) => !uids.includes(owner.uid));
    const body = { metadata: { uid, resourceVersion, ownerReferences: left } };
    await this.#ignoreGone(() =>
      this.#context.api.patch(resource, targetOf(object), { type: 'merge', body }),
    );
  }

  /** The owners no longer wait for this dependent (garbagecollector.go attemptToDeleteItem). */
  async #unblockOwners({ resource, object }: GraphNode): Promise<void> {
    const ownerReferences = (object.metadata.ownerReferences ?? []).map((owner) => ({
      ...owner,
      ...(owner.blockOwnerDeletion === true ? { blockOwnerDeletion: false } : {}),
    }));
    const body = { metadata: { uid: object.metadata.uid, ownerReferences } };
    await this.#ignoreGone(() =>
      this.#context.api.patch(resource, targetOf(object), { type: 'merge', body }),
    );
  }

  async #dropFinalizer({ resource, object }: GraphNode, finalizer: string): Promise<void> {
    const { uid, resourceVersion, finalizers = [] } = object.metadata;
    const left = finalizers.filter((one) => one !== finalizer);
    const body = { metadata: { uid, resourceVersion, finalizers: left } };
    await this.#ignoreGone(() =>
      this.#context.api.patch(resource, targetOf(object), { type: 'merge', body }),
    );
  }

  async #ignoreGone(write: () => Promise<unknown>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }
}

/** Deleted in the foreground, and still there for its dependents' sake. */
function isWaiting({ metadata }: KubeObject): boolean {
  return (
    metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(foreground) === true
  );
}

function targetOf(object: KubeObject): { readonly name: string; readonly namespace?: string } {
  const { name, namespace } = object.metadata;
  return namespace === undefined || !keyOf(object).includes('/') ? { name } : { name, namespace };
}
