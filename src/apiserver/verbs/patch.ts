import type { Draft, KindDeclaration, KubeObject } from '#machinery';
import { badRequest, conflict } from '#machinery';
import { type Call, type Core, type Outcome, draftOf } from '../core.ts';
import { applied, patched } from './machine.ts';
import { checkUpdateName } from './metadata.ts';
import { updateObject } from './update.ts';

export interface PatchBody {
  readonly type: 'json' | 'merge' | 'strategic' | 'apply';
  /** A JSON value; for apply the applied object. */
  readonly value: unknown;
  readonly force: boolean;
  /** Judges what strict validation finds in the result. */
  judge(problems: readonly string[]): void;
}

/** PATCH: made again on fresh state when somebody else wrote first. */
export async function patchObject(
  core: Core,
  call: Call,
  patch: PatchBody,
  mayCreate: () => void,
): Promise<Outcome> {
  if (patch.type === 'apply') return await applyObject(core, call, { patch, mayCreate });
  const change = (old: KubeObject): Draft<KubeObject> => {
    const { value, strictProblems } = patched(core, call.kind, { old: draftOf(old), patch });
    patch.judge(strictProblems);
    return asObject(call.kind, value, old);
  };
  return await updateObject(core, call, { change });
}

/** A patch may not make another kind of object out of this one. */
function asObject(
  kind: KindDeclaration,
  value: Record<string, unknown>,
  old: KubeObject,
): Draft<KubeObject> {
  const object = value as unknown as Draft<KubeObject>;
  if (object.apiVersion !== old.apiVersion || object.kind !== old.kind)
    throw badRequest(
      `the ${kind.kind} in the patch (${object.apiVersion}, ${object.kind}) does not match the object (${old.apiVersion}, ${old.kind})`,
    );
  return object;
}

async function applyObject(
  core: Core,
  call: Call,
  { patch, mayCreate }: { readonly patch: PatchBody; readonly mayCreate: () => void },
): Promise<Outcome> {
  const change = (old: KubeObject): Draft<KubeObject> => applied(core, call, { patch, old });
  const create = (): Draft<KubeObject> => {
    const uid = uidOf(patch.value);
    if (uid !== '')
      throw conflict(
        call.kind,
        call.name,
        `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
      );
    mayCreate();
    const draft = applied(core, call, { patch, old: undefined });
    checkUpdateName(call, draft);
    return draft;
  };
  const creates = call.subresource === '';
  return await updateObject(core, call, {
    change,
    tracked: true,
    create: creates ? create : undefined,
  });
}

function uidOf(value: unknown): string {
  const { metadata } = (value ?? {}) as { metadata?: { uid?: unknown } | null };
  return typeof metadata?.uid === 'string' ? metadata.uid : '';
}
