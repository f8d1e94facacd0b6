import type { Random } from '#base';
import type { Draft, KindDeclaration, KubeObject } from '#machinery';
import { badRequest } from '#machinery';
import { type Call, type Core, timeText } from '../core.ts';

// apiserver storage/names: no vowels, no 0, 1, 3, so that no words come out.
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
const baseLengthMax = 63 - suffixLength;

export function generatedName(base: string, random: Random): string {
  let name = base.slice(0, baseLengthMax);
  for (let count = 0; count < suffixLength; count++)
    name += alphabet[random.below(alphabet.length)];
  return name;
}

/** Names in a URL become parts of keys (path.IsValidPathSegmentName). */
export function checkPathName(name: string): void {
  const problem =
    name === '.' || name === '..'
      ? `may not be '${name}'`
      : name.includes('/')
        ? "may not contain '/'"
        : name.includes('%')
          ? "may not contain '%'"
          : undefined;
  if (problem !== undefined)
    throw badRequest(`Name parameter invalid: ${JSON.stringify(name)}: ${problem}`);
}

/** What only the server sets is taken out of a body that is to be created. */
export function wipeForCreate(draft: Draft<KubeObject>): void {
  const { metadata } = draft;
  metadata.uid = '';
  metadata.creationTimestamp = '';
  metadata.deletionTimestamp = undefined;
  metadata.deletionGracePeriodSeconds = undefined;
  if ('selfLink' in metadata) metadata.selfLink = undefined;
}

/** The namespace of the request holds; one in the body must agree with it. */
export function settleNamespace(call: Call, draft: Draft<KubeObject>): void {
  const { metadata } = draft;
  if (!call.kind.namespaced) {
    metadata.namespace = undefined;
    return;
  }
  if (metadata.namespace === undefined || metadata.namespace === '')
    metadata.namespace = call.namespace;
  if (metadata.namespace !== call.namespace)
    throw badRequest(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
}

export function fillForCreate(core: Core, draft: Draft<KubeObject>): void {
  draft.metadata.creationTimestamp = timeText(core.clock.nowMs());
  draft.metadata.uid = core.random.uuid();
}

/** Equal owner references are kept once (rest.dedupOwnerReferences). */
export function dedupOwners(draft: Draft<KubeObject>, warn: (text: string) => void): void {
  const owners = draft.metadata.ownerReferences;
  if (owners === undefined || owners === null || owners.length < 2) return;
  const seen = new Set<string>();
  const doubled = new Set<string>();
  draft.metadata.ownerReferences = owners.filter((owner) => {
    const key = JSON.stringify([
      owner.apiVersion,
      owner.kind,
      owner.name,
      owner.uid,
      owner.controller,
      owner.blockOwnerDeletion,
    ]);
    if (seen.has(key)) doubled.add(owner.uid);
    return seen.has(key) ? false : seen.add(key) !== undefined;
  });
  if (doubled.size > 0)
    warn(
      `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${[...doubled].join(', ')}`,
    );
}

/** What a PUT may not change is taken from what is there (rest.BeforeUpdate). */
export function keepForUpdate(draft: Draft<KubeObject>, old: KubeObject): void {
  const { metadata } = draft;
  // Without a version of its own it replaces whatever is there.
  metadata.resourceVersion = old.metadata.resourceVersion;
  metadata.generation = old.metadata.generation;
  metadata.creationTimestamp = old.metadata.creationTimestamp;
  metadata.deletionTimestamp = old.metadata.deletionTimestamp;
  metadata.deletionGracePeriodSeconds = old.metadata.deletionGracePeriodSeconds;
  if (metadata.uid === undefined || metadata.uid === '') metadata.uid = old.metadata.uid;
  if ('selfLink' in metadata) metadata.selfLink = undefined;
}

export function checkUpdateName(call: Call, draft: Draft<KubeObject>): void {
  const { metadata } = draft;
  if (metadata.name === undefined || metadata.name === '')
    throw badRequest(
      `the name of the object (${call.name} based on URL) was undeterminable: name must be provided`,
    );
  if (metadata.name !== call.name)
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${call.name})`,
    );
  if (call.kind.namespaced && metadata.namespace !== undefined && metadata.namespace !== '') {
    if (metadata.namespace !== call.namespace)
      throw badRequest(
        `the namespace of the object (${metadata.namespace}) does not match the namespace on the request (${call.namespace})`,
      );
  }
  settleNamespace(call, draft);
}

export function checkApiVersion(kind: KindDeclaration, object: { apiVersion?: unknown }): void {
  const expected = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
  if (object.apiVersion === expected) return;
  throw badRequest(
    `the API version in the data (${String(object.apiVersion)}) does not match the expected API version (${expected})`,
  );
}
