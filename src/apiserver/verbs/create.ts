import type { Draft, KubeObject } from '#machinery';
import { StatusError, alreadyExists, generateNameConflict, invalid } from '#machinery';
import { type Call, type Core, type Outcome, draftOf, keyOf, outcomeOf } from '../core.ts';
import { Admission } from './admit.ts';
import { commitDraft, encodeDraft } from './commit.ts';
import { checkMeta, track } from './machine.ts';
import {
  dedupOwners,
  fillForCreate,
  generatedName,
  settleNamespace,
  wipeForCreate,
} from './metadata.ts';

const generateAttempts = 8;

/** POST. `draft` is ours from now on. */
export async function createObject(
  core: Core,
  call: Call,
  draft: Draft<KubeObject>,
  options: { readonly tracked?: boolean } = {},
): Promise<Outcome> {
  const tracked = options.tracked === true;
  const generated =
    (draft.metadata.name ?? '') === '' && (draft.metadata.generateName ?? '') !== '';
  if (!generated) return await createOnce(core, call, { draft, tracked });
  for (let attempt = 1; ; attempt++) {
    try {
      const own = attempt === generateAttempts ? draft : draftOf(draft);
      return await createOnce(core, call, { draft: own, tracked });
    } catch (error) {
      if (!(error instanceof StatusError && error.reason === 'AlreadyExists')) throw error;
      if (attempt === generateAttempts)
        throw generateNameConflict(call.kind, error.details?.name ?? '');
    }
  }
}

async function createOnce(
  core: Core,
  call: Call,
  { draft, tracked }: { readonly draft: Draft<KubeObject>; readonly tracked: boolean },
): Promise<Outcome> {
  const { kind } = call;
  wipeForCreate(draft);
  settleNamespace(call, draft);
  if ((draft.metadata.resourceVersion ?? '') !== '')
    throw new StatusError('', 'resourceVersion should not be set on objects to be created');
  kind.defaults?.(draft);
  // Admission speaks of the object by its name, or by what it will be made from.
  const name =
    draft.metadata.name === '' ? (draft.metadata.generateName ?? '') : draft.metadata.name;
  const admission = new Admission(core, call, { operation: 'CREATE', object: draft, name });
  let committed = false;
  try {
    // Fields that admission or the storage adds (volumes of tokens, addresses) are nobody's.
    dedupOwners(draft, (text) => call.warn(text));
    if (!tracked) track(core, call, { draft });
    await admission.mutate();
    dedupOwners(draft, (text) => call.warn(text));
    prepare(core, call, draft);
    await admission.validate();
    const outcome = await write(core, call, draft);
    committed = true;
    return outcome;
  } finally {
    admission.settle(committed);
  }
}

function prepare(core: Core, call: Call, draft: Draft<KubeObject>): void {
  const { kind } = call;
  fillForCreate(core, draft);
  const { metadata } = draft;
  if ((metadata.name ?? '') === '' && (metadata.generateName ?? '') !== '')
    metadata.name = generatedName(metadata.generateName ?? '', core.random);
  kind.prepareForCreate?.(draft, {
    nowMs: core.clock.nowMs(),
    namespace: call.namespace,
    subresource: call.subresource,
  });
  const object = draft as KubeObject;
  const problems = [...checkMeta(kind, object), ...(kind.validateCreate?.(object) ?? [])];
  if (problems.length > 0) throw invalid(kind, metadata.name ?? '', problems);
  for (const text of kind.warnings?.(object, undefined) ?? []) call.warn(text);
}

async function write(core: Core, call: Call, draft: Draft<KubeObject>): Promise<Outcome> {
  const name = draft.metadata.name;
  const key = keyOf(call.kind, name, call.namespace);
  const encoded = encodeDraft(core, call, key, draft);
  if (call.dryRun) {
    if (core.cache.of(call.kind).get(key) !== undefined) throw alreadyExists(call.kind, name);
    return { object: draft as KubeObject, stored: undefined, created: true };
  }
  const result = await commitDraft(core, call, { ...encoded, expected: 0 });
  if ('stored' in result) return outcomeOf(call, result.stored, true);
  const existing = core.cache.of(call.kind).get(key);
  const error = alreadyExists(call.kind, name);
  if (existing?.object.metadata.deletionTimestamp === undefined) throw error;
  const details = error.details ?? {};
  throw new StatusError('AlreadyExists', `object is being deleted: ${error.message}`, { details });
}
