import type { Draft, KubeObject, ScaleDeclaration, ScaleView } from '#machinery';
import { conflict, invalid, notFound, problem } from '#machinery';
import { type Call, type Core, draftOf, keyOf, viewOf } from '../core.ts';
import { patched } from './machine.ts';
import type { PatchBody } from './patch.ts';
import { updateObject } from './update.ts';

interface Scale {
  readonly metadata?: { readonly resourceVersion?: string; readonly uid?: string };
  readonly spec?: { readonly replicas?: number };
}

/** The autoscaling/v1 Scale of an object. */
export function readScale(core: Core, call: Call): ScaleView {
  const stored = core.cache.of(call.kind).get(keyOf(call.kind, call.name, call.namespace));
  if (stored === undefined) throw notFound(call.kind, call.name);
  return scaleOf(scaleDeclaration(call), viewOf(call.kind, stored));
}

function scaleDeclaration(call: Call): ScaleDeclaration<KubeObject> {
  const { scale } = call.kind;
  if (scale === undefined) throw notFound(call.kind, call.name);
  return scale;
}

function scaleOf(scale: ScaleDeclaration<KubeObject>, object: KubeObject): ScaleView {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: scale.replicas(object) },
    status: { replicas: scale.statusReplicas(object), selector: scale.selector(object) },
  };
}

/** PUT or PATCH of the scale: only `spec.replicas` goes through to the object. */
export async function writeScale(
  core: Core,
  call: Call,
  body: PatchBody | Record<string, unknown>,
): Promise<ScaleView> {
  const declared = scaleDeclaration(call);
  const change = (old: KubeObject): Draft<KubeObject> => {
    const wanted = isPatch(body)
      ? patchedScale(core, scaleOf(declared, old), body)
      : (body as Scale);
    const version = wanted.metadata?.resourceVersion ?? '';
    if (version !== '' && version !== old.metadata.resourceVersion)
      throw conflict(call.kind, call.name);
    const replicas = wanted.spec?.replicas ?? 0;
    if (replicas < 0)
      throw invalid({ group: 'autoscaling', kind: 'Scale' }, call.name, [
        problem.invalid('spec.replicas', replicas, 'must be greater than or equal to 0'),
      ]);
    const draft = draftOf(old);
    declared.setReplicas(draft, replicas);
    return draft;
  };
  const { object } = await updateObject(core, call, { change });
  return scaleOf(declared, object);
}

function isPatch(body: PatchBody | Record<string, unknown>): body is PatchBody {
  return typeof (body as { judge?: unknown }).judge === 'function';
}

function patchedScale(core: Core, scale: ScaleView, patch: PatchBody): Scale {
  return patched(
    core,
    { type: 'k8s.io.api.autoscaling.v1.Scale' },
    {
      old: scale as Draft<KubeObject>,
      patch,
    },
  ).value as Scale;
}
