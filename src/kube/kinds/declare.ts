import type { Draft, KindDeclaration, KubeObject, PartialUpdate, WriteContext } from '#machinery';
import { emptyStruct, kindFact, rootFields, strategyFact, structField } from './facts.ts';
import type { KindFact, StrategyFact } from './facts.ts';
import { sameValue } from './shared/same.ts';
import { scaleTable } from './shared/scale.ts';

/**
 * What a kind adds by hand to its facts. The `prepare` functions run after the common part (status
 * dropped or restored, generation) and `prepareForUpdate` before the generation is decided.
 */
export type Behaviour<T extends KubeObject> = Partial<
  Pick<
    KindDeclaration<T>,
    | 'nameProblems'
    | 'defaults'
    | 'prepareForCreate'
    | 'prepareForUpdate'
    | 'prepareForStatusUpdate'
    | 'validateCreate'
    | 'validateUpdate'
    | 'validateStatusUpdate'
    | 'partialUpdates'
    | 'warnings'
    | 'selectableFields'
    | 'table'
    | 'scale'
    | 'gracePeriodSeconds'
    | 'prepareForDelete'
    | 'ttlMs'
    | 'storedAs'
  >
> & {
  /** Node keeps what a create says of its status. */
  readonly keepsStatusOnCreate?: boolean;
};

// Stores with ReturnDeletedObject (k8s registry).
const returnDeleted: ReadonlySet<string> = new Set([
  'Namespace',
  'Pod',
  'PodTemplate',
  'Service',
  'ServiceAccount',
  'ResourceQuota',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'StorageClass',
  'VolumeAttachment',
  'VolumeAttributesClass',
  'CSIDriver',
  'CSINode',
]);

/** Joins facts and behaviour. `name` is `apps/v1/Deployment` or `v1/Pod`. */
export function declareKind<T extends KubeObject>(
  name: string,
  behaviour: Behaviour<T> = {},
): KindDeclaration<T> {
  const fact = kindFact(name);
  const strategy = strategyFact(fact);
  const { keepsStatusOnCreate, ...answers } = behaviour;
  const hasStatus =
    rootFields(fact.type).includes('status') && strategy.statusMetadata !== undefined;
  return {
    ...identity(fact),
    allowCreateOnUpdate: strategy.createOnUpdate,
    allowUnconditionalUpdate: strategy.unconditionalUpdate,
    defaultPropagation: strategy.gc === 'orphan' ? 'Orphan' : 'Background',
    deleteReturnsObject: fact.group === 'resource.k8s.io' || returnDeleted.has(fact.kind),
    ...answers,
    ...(behaviour.scale && { scale: { table: scaleTable, ...behaviour.scale } }),
    prepareForCreate: (object, context) => {
      if (hasStatus && keepsStatusOnCreate !== true) resetStatus(object, fact.type);
      startGeneration(object, strategy);
      behaviour.prepareForCreate?.(object, context);
    },
    prepareForUpdate: (object, old, context) => {
      if (hasStatus) copyRoot(object, old, ['status']);
      behaviour.prepareForUpdate?.(object, old, context);
      bumpGeneration(object, old, strategy);
    },
    ...(behaviour.partialUpdates !== undefined && {
      partialUpdates: withGeneration(behaviour.partialUpdates, strategy),
    }),
    ...(hasStatus && {
      prepareForStatusUpdate: (object: Draft<T>, old: T, context: WriteContext) => {
        copyRoot(
          object,
          old,
          rootFields(fact.type).filter((field) => field !== 'status'),
        );
        restoreMetadata(object, old, strategy.statusMetadata ?? '');
        behaviour.prepareForStatusUpdate?.(object, old, context);
      },
    }),
  };
}

function withGeneration<T extends KubeObject>(
  parts: Readonly<Record<string, PartialUpdate<T>>>,
  strategy: StrategyFact,
): Readonly<Record<string, PartialUpdate<T>>> {
  return Object.fromEntries(
    Object.entries(parts).map(([name, part]) => [
      name,
      {
        prepare: (object: Draft<T>, old: T, context: WriteContext) => {
          part.prepare(object, old, context);
          bumpGeneration(object, old, strategy);
        },
        validate: (object: T, old: T) => part.validate(object, old),
      },
    ]),
  );
}

function identity(fact: KindFact) {
  return {
    group: fact.group,
    version: fact.version,
    kind: fact.kind,
    plural: fact.plural,
    namespaced: fact.namespaced,
    listKind: fact.listKind ?? '',
    singular: fact.singular,
    shortNames: fact.shortNames ?? [],
    categories: fact.categories ?? [],
    verbs: fact.verbs,
    subresources: fact.subresources ?? [],
    type: fact.type,
    listType: fact.listType ?? '',
    ...(fact.storageVersionHash !== undefined && { storageVersionHash: fact.storageVersionHash }),
    storagePrefix: storagePrefix(fact.storageKey ?? ''),
    enabledByDefault: fact.enabledByDefault ?? false,
    level: fact.level,
  };
}

function storagePrefix(key: string): string {
  return key.replace(/^\/registry\//, '').replace(/(\/\{\w+\})+$/, '');
}

type Root = Record<string, unknown>;

// A kind's roots are known by name only from its facts, so these four see objects as plain maps.
function resetStatus(object: object, type: string): void {
  const struct = structField(type, 'status');
  if (struct === undefined) delete (object as Root)['status'];
  else (object as Root)['status'] = emptyStruct(struct);
}

function copyRoot(object: object, old: object, fields: readonly string[]): void {
  for (const field of fields) {
    const value = (old as Root)[field];
    if (value === undefined) delete (object as Root)[field];
    // The old object is frozen and shared; what follows may write into the draft.
    else (object as Root)[field] = structuredClone(value);
  }
}

function startGeneration(object: Draft<KubeObject>, { generation }: StrategyFact): void {
  if (generation === 'none') return;
  if (generation.includes('noInitial')) delete object.metadata.generation;
  else object.metadata.generation = 1;
}

function bumpGeneration(object: Draft<KubeObject>, old: KubeObject, strategy: StrategyFact): void {
  const before = old.metadata.generation;
  if (before === undefined) delete object.metadata.generation;
  else object.metadata.generation = before;
  if (strategy.generation === 'none' || strategy.generation === 'never') return;
  if (differs(object, old, strategy.generation)) object.metadata.generation = (before ?? 0) + 1;
}

function differs(object: Draft<KubeObject>, old: KubeObject, generation: string): boolean {
  const parts = generation.split(',');
  const now: Root = { ...object };
  const then: Root = { ...old };
  return parts.some((part) => {
    if (part === 'annotations')
      return !sameValue(object.metadata.annotations, old.metadata.annotations);
    if (part === 'labels') return !sameValue(object.metadata.labels, old.metadata.labels);
    if (part === 'nonMetadata')
      return !sameValue({ ...now, metadata: undefined }, { ...then, metadata: undefined });
    return part !== 'noInitial' && !sameValue(now[part], then[part]);
  });
}

const restored: Readonly<Record<string, readonly (keyof KubeObject['metadata'])[]>> = {
  request: [],
  oldLabels: ['labels'],
  oldOwnerReferences: ['ownerReferences', 'deletionTimestamp'],
  oldLabelsAnnotationsFinalizersOwners: [
    'labels',
    'annotations',
    'finalizers',
    'ownerReferences',
    'deletionTimestamp',
    'generation',
  ],
};

function restoreMetadata(object: Draft<KubeObject>, old: KubeObject, rule: string): void {
  const metadata = object.metadata as Root;
  if (rule === 'oldMetadata') {
    const { managedFields } = object.metadata;
    object.metadata = structuredClone(old.metadata) as Draft<KubeObject>['metadata'];
    if (managedFields !== undefined) object.metadata.managedFields = managedFields;
    return;
  }
  for (const field of restored[rule] ?? []) {
    const value = old.metadata[field];
    if (value === undefined) delete metadata[field];
    else metadata[field] = structuredClone(value);
  }
}
