import type { Draft, KubeObject, Problem } from '#machinery';
import { conflict, invalid, notFound } from '#machinery';
import { type Call, type Core, draftOf, keyOf, timeText, viewOf } from '../core.ts';
import { Admission } from './admit.ts';
import { commitDelete, commitDraft, encodeDraft, modified, retryMsMax } from './commit.ts';
import { endsDeletion, heldBySpec } from './update.ts';

/** metav1.DeleteOptions, decoded. */
export interface DeleteRequest {
  readonly gracePeriodSeconds?: number | undefined;
  readonly orphanDependents?: boolean | undefined;
  readonly propagationPolicy?: string | undefined;
  readonly preconditions?:
    | { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined }
    | undefined;
}
export interface Deletion {
  /** As it was last. */
  readonly object: KubeObject;
  /** False: finalizers or grace hold it. */
  readonly gone: boolean;
}

const orphan = 'orphan';
const foreground = 'foregroundDeletion';

export async function deleteObject(
  core: Core,
  call: Call,
  options: DeleteRequest,
): Promise<Deletion> {
  checkOptions(options);
  const key = keyOf(call.kind, call.name, call.namespace);
  const untilMs = core.clock.monotonicMs() + retryMsMax;
  for (;;) {
    const current = core.cache.of(call.kind).get(key);
    if (current === undefined) throw notFound(call.kind, call.name);
    const old = viewOf(call.kind, current);
    checkPreconditions(call, old, options);
    const done = await deleteOnce(core, call, { old, revision: current.revision, key, options });
    if (done !== undefined) return done;
    if (core.clock.monotonicMs() > untilMs) throw modified(call);
  }
}

interface Attempt {
  readonly old: KubeObject;
  readonly revision: number;
  readonly key: string;
  readonly options: DeleteRequest;
}

async function deleteOnce(core: Core, call: Call, attempt: Attempt): Promise<Deletion | undefined> {
  const { old, revision, key, options } = attempt;
  const admission = new Admission(core, call, { operation: 'DELETE', object: undefined, old });
  let committed = false;
  try {
    await admission.mutate();
    await admission.validate();
    const next = afterDelete(call, old, { options, nowMs: core.clock.nowMs() });
    if (next === 'pending') {
      committed = true;
      return { object: old, gone: false };
    }
    if (next === 'gone') {
      if (!call.dryRun && !(await commitDelete(core, key, revision))) return undefined;
      committed = true;
      return { object: old, gone: true };
    }
    call.kind.prepareForDelete?.(next);
    const encoded = encodeDraft(core, call, key, next);
    if (call.dryRun) return { object: next as KubeObject, gone: false };
    const result = await commitDraft(core, call, { ...encoded, expected: revision });
    if (!('stored' in result)) return undefined;
    committed = true;
    return { object: viewOf(call.kind, result.stored), gone: false };
  } finally {
    admission.settle(committed);
  }
}

/**
 * What a delete makes of an object: a draft to write, nothing more to do, or gone
 * (registry/rest BeforeDelete and registry/generic updateForGracefulDeletionAndFinalizers).
 */
function afterDelete(
  call: Call,
  old: KubeObject,
  { options, nowMs }: { options: DeleteRequest; nowMs: number },
): Draft<KubeObject> | 'pending' | 'gone' {
  const draft = draftOf(old);
  const { metadata } = draft;
  const asked =
    options.gracePeriodSeconds === undefined ? undefined : Math.max(options.gracePeriodSeconds, -1);
  const wanted = asked === -1 ? 1 : asked;
  const grace = call.kind.gracePeriodSeconds?.(old, wanted);
  if (grace !== undefined && old.metadata.deletionTimestamp !== undefined) {
    const given = old.metadata.deletionGracePeriodSeconds;
    if (given !== undefined) {
      if (wanted === undefined || wanted >= given) return endsDeletion(draft) ? 'gone' : 'pending';
      const beginMs = Date.parse(old.metadata.deletionTimestamp) - given * 1000;
      metadata.deletionTimestamp = timeText(beginMs + wanted * 1000);
      metadata.deletionGracePeriodSeconds = wanted;
      return endsDeletion(draft) ? 'gone' : draft;
    }
  }
  metadata.finalizers = finalizersFor(call, old, options);
  const held = metadata.finalizers.length > 0 || heldBySpec(draft);
  if (grace === undefined || grace === 0) {
    if (!held) return 'gone';
    return marked(draft, old, { nowMs, grace: 0 });
  }
  return marked(draft, old, { nowMs, grace });
}

function marked(
  draft: Draft<KubeObject>,
  old: KubeObject,
  { nowMs, grace }: { nowMs: number; grace: number },
): Draft<KubeObject> | 'pending' {
  const { metadata } = draft;
  const since = old.metadata.deletionTimestamp;
  if (since === undefined && (metadata.generation ?? 0) > 0)
    metadata.generation = (metadata.generation ?? 0) + 1;
  if (since === undefined || (grace === 0 && Date.parse(since) > nowMs))
    metadata.deletionTimestamp = timeText(nowMs + grace * 1000);
  metadata.deletionGracePeriodSeconds = grace;
  const before = old.metadata.finalizers ?? [];
  const after = metadata.finalizers ?? [];
  const same = before.length === after.length && before.every((one, at) => one === after[at]);
  const untouched =
    same &&
    metadata.deletionTimestamp === since &&
    old.metadata.deletionGracePeriodSeconds === grace;
  return untouched ? 'pending' : draft;
}

/** Who is to care for dependents is said by a finalizer (deletionFinalizersForGarbageCollection). */
function finalizersFor(call: Call, old: KubeObject, options: DeleteRequest): string[] {
  const before = old.metadata.finalizers ?? [];
  const kept = before.filter((one) => one !== orphan && one !== foreground);
  const { orphanDependents, propagationPolicy } = options;
  if (orphanDependents !== undefined) return orphanDependents ? [...kept, orphan] : kept;
  if (propagationPolicy === 'Orphan') return [...kept, orphan];
  if (propagationPolicy === 'Foreground') return [...kept, foreground];
  if (propagationPolicy === 'Background') return kept;
  if (before.includes(orphan)) return [...kept, orphan];
  if (before.includes(foreground)) return [...kept, foreground];
  return call.kind.defaultPropagation === 'Orphan' ? [...kept, orphan] : kept;
}

function checkOptions(options: DeleteRequest): void {
  const problems: Problem[] = [];
  const { orphanDependents, propagationPolicy } = options;
  if (orphanDependents !== undefined && propagationPolicy !== undefined)
    problems.push({
      type: 'FieldValueInvalid',
      path: 'propagationPolicy',
      value: propagationPolicy,
      detail: 'orphanDependents and deletionPropagation cannot be both set',
    });
  else if (
    propagationPolicy !== undefined &&
    !['Foreground', 'Background', 'Orphan'].includes(propagationPolicy)
  )
    problems.push({
      type: 'FieldValueNotSupported',
      path: 'propagationPolicy',
      value: propagationPolicy,
      detail: '',
      supported: ['Foreground', 'Background', 'Orphan', 'nil'],
    });
  if (problems.length > 0)
    throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', problems);
}

function checkPreconditions(call: Call, old: KubeObject, { preconditions }: DeleteRequest): void {
  if (preconditions === undefined) return;
  const { uid, resourceVersion } = preconditions;
  const id = { group: call.kind.group, plural: call.kind.kind };
  if (uid !== undefined && uid !== old.metadata.uid)
    throw conflict(
      id,
      call.name,
      `the UID in the precondition (${uid}) does not match the UID in record (${old.metadata.uid}). The object might have been deleted and then recreated`,
    );
  if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion)
    throw conflict(
      id,
      call.name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${old.metadata.resourceVersion}). The object might have been modified`,
    );
}
