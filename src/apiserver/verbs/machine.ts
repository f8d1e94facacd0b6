/** What the verbs ask of the API machinery, in the terms of this part. */
import type {
  Draft,
  FieldWrite,
  KindDeclaration,
  KubeObject,
  ManagedFieldsEntry,
  Problem,
} from '#machinery';
import {
  StatusError,
  apiVersionOf,
  applyConfiguration,
  applyJsonPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  badRequest,
  metadataProblems,
  metadataUpdateProblems,
  parseFieldSelector,
  parseLabelSelector,
  schemaOf,
  updateManagedFields,
} from '#machinery';
import { DecodeError } from '#wire';
import { type Call, type Core, draftOf } from '../core.ts';
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

/** managedFields of a write that is no apply; called when the draft is as it will be stored. */
export function track(
  core: Core,
  call: Call,
  { draft, old }: { readonly draft: Draft<KubeObject>; readonly old?: KubeObject | undefined },
): void {
  const entries = updateManagedFields(old, draft, {
    ...fieldWriteOf(core, call.kind, call),
    reset: Array.isArray(draft.metadata.managedFields) && draft.metadata.managedFields.length === 0,
  });
  draft.metadata.managedFields =
    entries === undefined ? undefined : (entries as Draft<ManagedFieldsEntry>[]);
}

const emptyObjects = new Map<string, object>();
const statusOnly = { 'f:status': {} };

function fieldWriteOf(
  core: Core,
  kind: KindDeclaration,
  by: { readonly fieldManager: string; readonly subresource: string },
): FieldWrite {
  let empty = emptyObjects.get(kind.type);
  if (empty === undefined) {
    empty = core.codec.canonical(kind.type, {}).value;
    emptyObjects.set(kind.type, empty);
  }
  const hasStatus = kind.subresources.some(({ name }) => name === 'status');
  return {
    schema: schemaOf(core.scheme.tables, kind.type),
    empty,
    manager: by.fieldManager,
    apiVersion: apiVersionOf(kind.group, kind.version),
    subresource: by.subresource,
    nowMs: core.clock.nowMs(),
    ignored: hasStatus && by.subresource === '' ? statusOnly : undefined,
  };
}

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
  else
    result = applyStrategicMergePatch(
      old as unknown as Record<string, unknown>,
      patch.value,
      schemaOf(core.scheme.tables, kind.type),
    );
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

/** Server-side apply onto what is there, or onto nothing. */
export function applied(
  core: Core,
  call: Call,
  { patch, old }: { readonly patch: PatchBody; readonly old: KubeObject | undefined },
): Draft<KubeObject> {
  const { kind } = call;
  const config = appliedConfig(kind, patch.value);
  try {
    patch.judge(core.codec.canonical(kind.type, config).strictProblems);
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw badRequest(
      `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${cause.message}`,
    );
  }
  const result = applyConfiguration(old, config, {
    ...fieldWriteOf(core, kind, call),
    force: patch.force,
  });
  if (!result.changed && old !== undefined) return draftOf(old);
  const { value } = core.codec.canonical(kind.type, result.object);
  const draft = value as unknown as Draft<KubeObject>;
  draft.kind = kind.kind;
  draft.apiVersion = apiVersionOf(kind.group, kind.version);
  draft.metadata.managedFields = result.managedFields as Draft<ManagedFieldsEntry>[];
  return draft;
}

function appliedConfig(kind: KindDeclaration, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badRequest('error decoding YAML: the applied object must be a map');
  const config = value as Readonly<Record<string, unknown>>;
  const apiVersion = apiVersionOf(kind.group, kind.version);
  if (config['kind'] !== kind.kind)
    throw badRequest(
      `invalid object type: ${String(config['apiVersion'])}, Kind=${String(config['kind'])}`,
    );
  if (config['apiVersion'] !== apiVersion)
    throw badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${String(config['apiVersion'])}, expected: ${apiVersion}`,
    );
  const { metadata } = config as { metadata?: { managedFields?: unknown } | null };
  if (metadata?.managedFields !== undefined && metadata.managedFields !== null)
    throw badRequest('metadata.managedFields must be nil');
  return config;
}
