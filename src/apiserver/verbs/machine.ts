/** What the verbs ask of the API machinery, in the terms of this part. */
import type { Draft, KindDeclaration, KubeObject, Problem } from '#machinery';
import {
  StatusError,
  applyJsonPatch,
  applyMergePatch,
  badRequest,
  metadataProblems,
  metadataUpdateProblems,
  parseFieldSelector,
  parseLabelSelector,
} from '#machinery';
import { DecodeError } from '#wire';
import type { Call, Core } from '../core.ts';
import type { PatchBody } from './patch.ts';

export interface LabelMatcher {
  readonly everything: boolean;
  matches(labels: Readonly<Record<string, string>>): boolean;
}
export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

export function labelMatcher(text: string): LabelMatcher {
  const selector = parseLabelSelector(text);
  return {
    everything: selector.requirements.length === 0 && !selector.matchesNothing,
    matches: (labels) => selector.matches(labels),
  };
}
export function fieldRequirements(text: string): readonly FieldRequirement[] {
  return parseFieldSelector(text).terms;
}

export function checkMeta(kind: KindDeclaration, object: KubeObject): readonly Problem[] {
  return metadataProblems(object.metadata, rulesOf(kind));
}
export function checkMetaUpdate(
  kind: KindDeclaration,
  object: KubeObject,
  old: KubeObject,
): readonly Problem[] {
  return metadataUpdateProblems(object.metadata, old.metadata, rulesOf(kind));
}
function rulesOf(kind: KindDeclaration) {
  return {
    namespaced: kind.namespaced,
    nameProblems:
      kind.nameProblems === undefined
        ? undefined
        : (name: string, prefix: boolean) => kind.nameProblems?.(name, prefix) ?? [],
  };
}

export function trackCreate(_core: Core, _call: Call, _draft: Draft<KubeObject>): void {}
export function trackUpdate(
  _core: Core,
  _call: Call,
  _write: { readonly draft: Draft<KubeObject>; readonly old: KubeObject },
): void {}

/** The result of a patch in canonical form, and what in it is unknown. */
export function patched(
  core: Core,
  kind: Pick<KindDeclaration, 'type'>,
  { old, patch }: { readonly old: Draft<KubeObject>; readonly patch: PatchBody },
): { value: Record<string, unknown>; strictProblems: readonly string[] } {
  let result: unknown;
  let problems: readonly string[] = [];
  if (patch.type === 'json') {
    const done = applyJsonPatch(old, patch.value);
    result = done.value;
    problems = done.strictProblems;
  } else if (patch.type === 'merge') result = applyMergePatch(old, patch.value);
  else throw badRequest('strategic');
  try {
    const { value, strictProblems } = core.codec.canonical(kind.type, result);
    return { value, strictProblems: [...problems, ...strictProblems] };
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new StatusError(
      'Invalid',
      ` "" is invalid: patch: Invalid value: ${JSON.stringify(JSON.stringify(patch.value))}: ${cause.message}`,
      { cause },
    );
  }
}
interface Apply {
  readonly patch: PatchBody;
  readonly manager: string;
  readonly subresource: string;
}
export function applyConfiguration(
  _core: Core,
  _kind: KindDeclaration,
  _request: Apply & { readonly old: KubeObject },
): Draft<KubeObject> {
  throw new StatusError('BadRequest', '');
}
export function createdByApply(
  _core: Core,
  _call: Call,
  _request: Apply & { readonly name: string },
): Draft<KubeObject> {
  throw new StatusError('BadRequest', '');
}
