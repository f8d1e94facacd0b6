import { seconds } from '#client';
import {
  namespaces as namespaceKind,
  pods as podKind,
  type Namespace,
  type NamespaceCondition,
} from '#kube/kinds';
import { isStatus, type KubeObject, type ResourceName } from '#machinery';
import { withCondition } from './conditions.ts';
import {
  createLoop,
  forEachLimited,
  sameValue,
  type ControllerContext,
  type Runnable,
} from './context.ts';

/** Which resources may hold objects in a namespace right now, custom ones included. */
export type NamespacedResources = () => readonly ResourceName[] | Promise<readonly ResourceName[]>;

const deletesAtOnce = 16;
const retryMs = 1_000;

/** Empties a namespace that is being deleted, Pods first, and then lets it go. */
export function namespaceController(
  context: ControllerContext,
  resources: NamespacedResources,
): Runnable {
  const { informers } = context;
  const namespaces = informers.of<Namespace>(namespaceKind);
  return createLoop(context, {
    name: 'namespace-controller',
    workers: 10,
    needs: [namespaces],
    setup: (queue) => {
      namespaces.onChange(({ key, object }) => {
        if (object?.metadata.deletionTimestamp !== undefined) queue.add(key);
      });
    },
    reconcile: async (name) => {
      const namespace = namespaces.get(name);
      if (namespace?.metadata.deletionTimestamp === undefined) return undefined;
      const finalizers = namespace.spec.finalizers ?? [];
      if (!finalizers.includes('kubernetes')) return undefined;
      const all = (await resources()).filter((one) => one.namespaced);
      const left = await empty(context, name, all);
      await writeConditions(context, namespace, left);
      if (left.objects.size > 0) return { afterMs: left.waitMs };
      await finalize(context, namespace);
      return undefined;
    },
  });
}

interface Left {
  /** How many objects of each resource are still there. */
  readonly objects: ReadonlyMap<string, number>;
  readonly finalizers: ReadonlyMap<string, number>;
  readonly problems: readonly string[];
  readonly waitMs: number;
}

/** Deletes what is there and tells what remains. Pods go before all else (OrderedNamespaceDeletion). */
async function empty(
  context: ControllerContext,
  namespace: string,
  resources: readonly ResourceName[],
): Promise<Left> {
  const objects = new Map<string, number>();
  const finalizers = new Map<string, number>();
  const problems: string[] = [];
  let waitMs = retryMs;
  const sweep = async (resource: ResourceName): Promise<void> => {
    try {
      const items = await deleteAll(context, resource, namespace);
      for (const { metadata } of items) {
        for (const one of metadata.finalizers ?? [])
          finalizers.set(one, (finalizers.get(one) ?? 0) + 1);
        const graceMs = (metadata.deletionGracePeriodSeconds ?? 0) * 1000;
        waitMs = Math.max(waitMs, Math.min(graceMs / 2, 15_000));
      }
      const label = `${resource.plural}.${resource.group}`;
      if (items.length > 0) objects.set(label, (objects.get(label) ?? 0) + items.length);
    } catch (error) {
      if (isStatus(error, 'NotFound') || isStatus(error, 'MethodNotAllowed')) return;
      problems.push(error instanceof Error ? error.message : String(error));
    }
  };
  await sweep(podKind);
  // Objects of several versions are the same objects: one version of each is enough.
  const once = new Map(resources.map((one) => [`${one.group}/${one.plural}`, one]));
  once.delete('/pods');
  if (objects.size === 0) for (const resource of once.values()) await sweep(resource);
  if (problems.length > 0) objects.set('', problems.length);
  return { objects, finalizers, problems, waitMs: objects.has('pods.') ? 500 : waitMs };
}

/** Deletes every object of a resource; gives those that are still there afterwards. */
async function deleteAll(
  { api }: ControllerContext,
  resource: ResourceName,
  namespace: string,
): Promise<readonly KubeObject[]> {
  const { items } = await api.list(resource, { namespace });
  if (items.length === 0) return [];
  await forEachLimited(items, deletesAtOnce, async ({ metadata }) => {
    if (metadata.deletionTimestamp !== undefined) return;
    try {
      await api.delete(
        resource,
        { namespace, name: metadata.name },
        { propagationPolicy: 'Background', uid: metadata.uid },
      );
    } catch (error) {
      if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error;
    }
  });
  return (await api.list(resource, { namespace })).items;
}

async function writeConditions(
  context: ControllerContext,
  namespace: Namespace,
  left: Left,
): Promise<void> {
  const now = seconds(context.clock.nowMs());
  let conditions: readonly NamespaceCondition[] = namespace.status.conditions ?? [];
  for (const fresh of conditionsOf(left))
    conditions = withCondition(conditions, { ...fresh, lastTransitionTime: now });
  if (sameValue(conditions, namespace.status.conditions ?? [])) return;
  const { name } = namespace.metadata;
  try {
    await context.api.patch(
      namespaceKind,
      { name, subresource: 'status' },
      { type: 'merge', body: { status: { conditions } } },
    );
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
  }
}

function conditionsOf(left: Left): readonly NamespaceCondition[] {
  const count = (entries: ReadonlyMap<string, number>, word: string): string =>
    [...entries]
      .filter(([name]) => name !== '')
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, number]) => `${name} ${word} ${number} resource instances`)
      .join(', ');
  const remain = [...left.objects.keys()].some((name) => name !== '');
  const failed = left.problems.length > 0;
  const held = left.finalizers.size > 0;
  return [
    {
      type: 'NamespaceDeletionDiscoveryFailure',
      status: 'False',
      reason: 'ResourcesDiscovered',
      message: 'All resources successfully discovered',
    },
    {
      type: 'NamespaceDeletionGroupVersionParsingFailure',
      status: 'False',
      reason: 'ParsedGroupVersions',
      message: 'All legacy kube types successfully parsed',
    },
    {
      type: 'NamespaceDeletionContentFailure',
      status: failed ? 'True' : 'False',
      reason: failed ? 'ContentDeletionFailed' : 'ContentDeleted',
      message: failed
        ? `Failed to delete all resource types, ${left.problems.length} remaining: ${left.problems.join(', ')}`
        : 'All content successfully deleted, may be waiting on finalization',
    },
    {
      type: 'NamespaceContentRemaining',
      status: remain ? 'True' : 'False',
      reason: remain ? 'SomeResourcesRemain' : 'ContentRemoved',
      message: remain
        ? `Some resources are remaining: ${count(left.objects, 'has')}`
        : 'All content successfully removed',
    },
    {
      type: 'NamespaceFinalizersRemaining',
      status: held ? 'True' : 'False',
      reason: held ? 'SomeFinalizersRemain' : 'ContentHasNoFinalizers',
      message: held
        ? `Some content in the namespace has finalizers remaining: ${count(left.finalizers, 'in')}`
        : 'All content-preserving finalizers finished',
    },
  ];
}

async function finalize({ api }: ControllerContext, namespace: Namespace): Promise<void> {
  const { name } = namespace.metadata;
  try {
    const now = await api.get<Namespace>(namespaceKind, { name });
    if (now.metadata.uid !== namespace.metadata.uid) return;
    const finalizers = (now.spec.finalizers ?? []).filter((one) => one !== 'kubernetes');
    await api.update<Namespace>(
      namespaceKind,
      { ...now, spec: { ...now.spec, finalizers } },
      { subresource: 'finalize' },
    );
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
  }
}
