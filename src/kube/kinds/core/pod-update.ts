import type { Problem } from '#machinery';
import { appArmorPrefix, checkPodAnnotations, mirrorKey } from '../pod-spec/annotations.ts';
import { checkImageSpace } from '../pod-spec/containers.ts';
import { checkPodSpec, leniencyOf } from '../pod-spec/spec.ts';
import { checkTolerations } from '../pod-spec/tolerations.ts';
import { jsonDiff } from '../shared/diff.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { checkCoreMeta } from '../shared/meta.ts';
import { sameValue } from '../shared/same.ts';
import type { Container, Pod, PodSpec, Toleration } from '../types/core-v1.ts';
import { allowGatedChanges } from './pod-gated.ts';

/** Metadata and spec of the new Pod, as on create but with what the old one may keep. */
export function checkWholePod(pod: Pod, root: Field, old: Pod | undefined): void {
  checkCoreMeta(pod.metadata, root);
  const { annotations } = pod.metadata;
  checkPodAnnotations(annotations, root.at('metadata.annotations'), {
    spec: pod.spec,
    ...(old !== undefined && { old: old.metadata.annotations }),
  });
  checkPodSpec(pod.spec, root.at('spec'), {
    podName: pod.metadata.name,
    isTemplate: false,
    isMirror: annotations?.[mirrorKey] !== undefined,
    ...(old !== undefined && { leniency: leniencyOf(old.spec) }),
  });
  if (pod.spec.serviceAccountName) return;
  for (const [index, { projected }] of (pod.spec.volumes ?? []).entries())
    for (const [number, { serviceAccountToken }] of (projected?.sources ?? []).entries())
      if (serviceAccountToken !== undefined)
        root
          .at('spec.volumes')
          .at(index)
          .at('projected.sources')
          .at(number)
          .at('serviceAccountToken')
          .forbidden('must not be specified when serviceAccountName is not set');
}

/** Annotations that are settled once the Pod exists. */
export function checkAnnotationChanges(pod: Pod, old: Pod, root: Field): void {
  const now = pod.metadata.annotations ?? {};
  const then = old.metadata.annotations ?? {};
  const field = root.at('metadata.annotations');
  for (const key of Object.keys(then)) {
    if (then[key] === now[key]) continue;
    if (key.startsWith(appArmorPrefix))
      field.key(key).forbidden('may not remove or update AppArmor annotations');
    if (key === mirrorKey)
      field.key(key).forbidden('may not remove or update mirror pod annotation');
  }
  for (const key of Object.keys(now)) {
    if (then[key] !== undefined) continue;
    if (key.startsWith(appArmorPrefix))
      field.key(key).forbidden('may not add AppArmor annotations');
    if (key === mirrorKey) field.key(key).forbidden('may not add mirror pod annotation');
  }
}

const unchangeable =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** ValidatePodUpdate. */
export function validatePodUpdate(pod: Pod, old: Pod): readonly Problem[] {
  const root = rootField();
  checkWholePod(pod, root, old);
  checkAnnotationChanges(pod, old, root);
  const field = root.at('spec');
  for (const list of ['containers', 'initContainers'] as const) {
    const now = pod.spec[list] ?? [];
    if (now.length !== (old.spec[list] ?? []).length) {
      field.at(list).forbidden('pod updates may not add or remove containers');
      return root.found;
    }
  }
  for (const list of ['containers', 'initContainers'] as const)
    for (const [index, { image }] of (pod.spec[list] ?? []).entries())
      checkImageSpace(image, field.at(list).at(index).at('image'));
  if (!checkDeadline(pod.spec, old.spec, field.at('activeDeadlineSeconds'))) return root.found;
  if (!keepsTolerations(pod.spec, old.spec, field)) return root.found;
  for (const [index, { name }] of (pod.spec.schedulingGates ?? []).entries())
    if (!(old.spec.schedulingGates ?? []).some((gate) => gate.name === name))
      field
        .at('schedulingGates')
        .at(index)
        .at('name')
        .forbidden(`only deletion is allowed, but found new scheduling gate '${name}'`);
  if (sameValue(pod.spec, old.spec)) return root.found;
  const undone = undoAllowed(pod.spec, old.spec, field);
  if (!sameValue(undone, old.spec))
    field.forbidden(`${unchangeable}\n${jsonDiff(old.spec, undone)}`);
  return root.found;
}

/** False: nothing more is to be said. */
function checkDeadline(spec: PodSpec, old: PodSpec, field: Field): boolean {
  const now = spec.activeDeadlineSeconds;
  const then = old.activeDeadlineSeconds;
  if (now !== undefined) {
    if (now < 0 || now > 2_147_483_647) {
      field.invalid(now, 'must be between 0 and 2147483647, inclusive');
      return false;
    }
    if (then !== undefined && then < now) {
      field.invalid(now, 'must be less than or equal to previous value');
      return false;
    }
  } else if (then !== undefined)
    field.invalid(null, 'must not update from a positive integer to nil value');
  return true;
}

function keepsTolerations(spec: PodSpec, old: PodSpec, root: Field): boolean {
  const field = root.at('tolerations');
  const isKept = (then: Toleration) =>
    (spec.tolerations ?? []).some(
      (now) =>
        now.key === then.key &&
        now.operator === then.operator &&
        now.value === then.value &&
        now.effect === then.effect,
    );
  if (!(old.tolerations ?? []).every(isKept)) {
    field.forbidden('existing toleration can not be modified except its tolerationSeconds');
    return false;
  }
  if (!sameValue(spec.tolerations, old.tolerations)) checkTolerations(spec.tolerations, field);
  return true;
}

/** The new spec with everything put back that may change. */
function undoAllowed(spec: PodSpec, old: PodSpec, field: Field): PodSpec {
  const withOldImages = (list: 'containers' | 'initContainers'): readonly Container[] =>
    (spec[list] ?? []).map((one, index) => {
      const image = old[list]?.[index]?.image;
      return { ...one, image };
    });
  const isMended =
    (old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1;
  const undone: PodSpec = {
    ...spec,
    containers: withOldImages('containers'),
    ...(spec.initContainers !== undefined && { initContainers: withOldImages('initContainers') }),
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    tolerations: old.tolerations,
    schedulingGates: old.schedulingGates,
    ...(isMended && { terminationGracePeriodSeconds: old.terminationGracePeriodSeconds }),
  };
  return allowGatedChanges(undone, old, field);
}
