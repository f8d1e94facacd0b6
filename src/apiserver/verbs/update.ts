import type { Draft, KindDeclaration, KubeObject, PartialUpdate } from '#machinery';
import { conflict, invalid, methodNotSupported, notFound, problem } from '#machinery';
import { type Call, type Core, type Outcome, keyOf, outcomeOf, viewOf } from '../core.ts';
import type { StoredObject } from '../cache/stored-object.ts';
import { Admission } from './admit.ts';
import { commitDelete, commitDraft, encodeDraft, isSame, modified, retryMsMax } from './commit.ts';
import { createObject } from './create.ts';
import { checkMetaUpdate, track } from './machine.ts';
import { checkUpdateName, dedupOwners, keepForUpdate } from './metadata.ts';

/** How a new object is made from what is there; called again when somebody else wrote first. */
export type Change = (old: KubeObject) => Draft<KubeObject> | Promise<Draft<KubeObject>>;

export interface UpdateOptions {
  /** PUT makes the resourceVersion of the body a condition, also when it is absent on some kinds. */
  readonly put?: boolean;
  /** Managed fields were settled by a server-side apply. */
  readonly tracked?: boolean;
  /** What a write to a missing object does. */
  readonly create?: (() => Draft<KubeObject>) | undefined;
}

/** PUT, PATCH and writes to `status` and its like: everything that replaces an object in place. */
export async function updateObject(
  core: Core,
  call: Call,
  { change, ...options }: UpdateOptions & { readonly change: Change },
): Promise<Outcome> {
  const key = keyOf(call.kind, call.name, call.namespace);
  const resource = core.cache.of(call.kind);
  const untilMs = core.clock.monotonicMs() + retryMsMax;
  for (;;) {
    const current = resource.get(key);
    if (current === undefined) {
      if (options.create === undefined) throw notFound(call.kind, call.name);
      return await createObject(core, call, options.create(), {
        tracked: options.tracked === true,
      });
    }
    const old = viewOf(call.kind, current);
    const draft = await change(old);
    const sentVersion = draft.metadata.resourceVersion;
    checkConditions(core, call, { draft, old, key, put: options.put === true });
    const attempt = { draft, old, current, key, tracked: options.tracked === true };
    const outcome = await writeOnce(core, call, attempt);
    if (outcome !== undefined) return outcome;
    // A version that the caller named will not come back; without one it is tried on fresh state.
    const conditional =
      options.put === true
        ? (sentVersion ?? '') !== ''
        : sentVersion !== old.metadata.resourceVersion;
    if (conditional || core.clock.monotonicMs() > untilMs) throw modified(call);
  }
}

function checkConditions(
  core: Core,
  call: Call,
  facts: { draft: Draft<KubeObject>; old: KubeObject; key: string; put: boolean },
): void {
  const { draft, old, key } = facts;
  const { kind } = call;
  checkUpdateName(call, draft);
  const sentUid = draft.metadata.uid ?? '';
  if (sentUid !== '' && sentUid !== old.metadata.uid)
    throw conflict(
      kind,
      call.name,
      `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${sentUid}, UID in object meta: ${old.metadata.uid}`,
    );
  const sentVersion = draft.metadata.resourceVersion ?? '';
  if (sentVersion === '') {
    if (facts.put && kind.allowUnconditionalUpdate === false)
      throw invalid(kind, call.name, [
        problem.invalid('metadata.resourceVersion', 0, 'must be specified for an update'),
      ]);
  } else if (sentVersion !== old.metadata.resourceVersion) throw modified(call);
}

interface Attempt {
  readonly draft: Draft<KubeObject>;
  readonly old: KubeObject;
  readonly current: StoredObject;
  readonly key: string;
  readonly tracked: boolean;
}

/** Undefined: somebody else wrote first. */
async function writeOnce(core: Core, call: Call, attempt: Attempt): Promise<Outcome | undefined> {
  const { draft, old } = attempt;
  const { kind } = call;
  kind.defaults?.(draft);
  keepForUpdate(draft, old);
  const admission = new Admission(core, call, { operation: 'UPDATE', object: draft, old });
  let committed = false;
  try {
    await admission.mutate();
    dedupOwners(draft, (text) => call.warn(text));
    prepare(core, call, attempt);
    if (!attempt.tracked) track(core, call, { draft, old });
    await admission.validate();
    const outcome = await store(core, call, attempt);
    committed = outcome !== undefined;
    return outcome;
  } finally {
    admission.settle(committed);
  }
}

function prepare(core: Core, call: Call, { draft, old }: Attempt): void {
  const { kind, subresource } = call;
  const context = { nowMs: core.clock.nowMs(), namespace: call.namespace, subresource };
  const part = partOf(kind, subresource);
  part.prepare?.(draft, old, context);
  const object = draft as KubeObject;
  const problems = [...checkMetaUpdate(kind, object, old), ...(part.validate?.(object, old) ?? [])];
  if (problems.length > 0) throw invalid(kind, call.name, problems);
  for (const text of kind.warnings?.(object, old) ?? []) call.warn(text);
}

/** What a write through this door may change and has to obey. */
function partOf(kind: KindDeclaration, subresource: string): Partial<PartialUpdate> {
  const own = kind.partialUpdates?.[subresource];
  if (own !== undefined) return own;
  if (subresource === 'status')
    return {
      prepare: (draft, old, context) => kind.prepareForStatusUpdate?.(draft, old, context),
      validate: (object, old) => kind.validateStatusUpdate?.(object, old) ?? [],
    };
  // Accepting a write that changes nothing would be a lie. `finalize` is the kind's own matter.
  if (!['', 'scale', 'finalize'].includes(subresource)) throw methodNotSupported(kind, 'update');
  return {
    prepare: (draft, old, context) => kind.prepareForUpdate?.(draft, old, context),
    validate: (object, old) => kind.validateUpdate?.(object, old) ?? [],
  };
}

async function store(core: Core, call: Call, attempt: Attempt): Promise<Outcome | undefined> {
  const { draft, current, key } = attempt;
  const encoded = encodeDraft(core, call, key, draft);
  if (call.dryRun) {
    draft.metadata.resourceVersion = attempt.old.metadata.resourceVersion;
    return { object: draft as KubeObject, stored: undefined, created: false };
  }
  if (endsDeletion(draft)) {
    const revision = current.revision;
    if (!(await commitDelete(core, key, revision))) return undefined;
    draft.metadata.resourceVersion = attempt.old.metadata.resourceVersion;
    return { object: draft as KubeObject, stored: undefined, created: false };
  }
  if (isSame(encoded, current)) return outcomeOf(call, current, false);
  const result = await commitDraft(core, call, { ...encoded, expected: current.revision });
  return 'stored' in result ? outcomeOf(call, result.stored, false) : undefined;
}

/** The last finalizer is gone and no grace is left: this write is the deletion (ShouldDeleteDuringUpdate). */
export function endsDeletion(object: Draft<KubeObject>): boolean {
  const { deletionTimestamp, finalizers, deletionGracePeriodSeconds } = object.metadata;
  if (deletionTimestamp === undefined || deletionTimestamp === null) return false;
  if (finalizers !== undefined && finalizers !== null && finalizers.length > 0) return false;
  if ((deletionGracePeriodSeconds ?? 0) !== 0) return false;
  return !heldBySpec(object);
}

/** Namespaces have finalizers of their own, in `spec`. */
export function heldBySpec(object: unknown): boolean {
  const { spec } = object as { spec?: { finalizers?: unknown } | null };
  return Array.isArray(spec?.finalizers) && spec.finalizers.length > 0;
}
