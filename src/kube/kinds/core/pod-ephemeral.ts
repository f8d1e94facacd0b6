import type { Draft, PartialUpdate, Problem } from '#machinery';
import { mirrorKey } from '../pod-spec/annotations.ts';
import { jsonDiff } from '../shared/diff.ts';
import { rootField } from '../shared/field.ts';
import { sameValue } from '../shared/same.ts';
import type { Pod } from '../types/core-v1.ts';
import { checkAnnotationChanges, checkWholePod } from './pod-update.ts';

/** What `kubectl debug` writes: containers that join a running Pod and never leave it. */
export const ephemeralContainers: PartialUpdate<Pod> = {
  prepare(pod, old) {
    const wanted = pod.spec.ephemeralContainers;
    const { resourceVersion, managedFields } = pod.metadata;
    // The old Pod is frozen and shared; what follows may write into the draft.
    const rest = structuredClone(old) as Draft<Pod>;
    pod.metadata = rest.metadata;
    if (resourceVersion !== undefined) pod.metadata.resourceVersion = resourceVersion;
    if (managedFields !== undefined) pod.metadata.managedFields = managedFields;
    pod.status = rest.status;
    pod.spec = rest.spec;
    if (wanted === undefined) delete pod.spec.ephemeralContainers;
    else pod.spec.ephemeralContainers = wanted;
  },
  validate,
};

/** ValidatePodEphemeralContainersUpdate. */
function validate(pod: Pod, old: Pod): readonly Problem[] {
  const root = rootField();
  if (pod.metadata.annotations?.[mirrorKey] !== undefined)
    return [forbiddenPod('static pods do not support ephemeral containers')];
  checkWholePod(pod, root, old);
  checkAnnotationChanges(pod, old, root);
  const field = root.at('spec.ephemeralContainers');
  const now = new Map((pod.spec.ephemeralContainers ?? []).map((one) => [one.name, one]));
  for (const before of old.spec.ephemeralContainers ?? []) {
    const text = `existing ephemeral containers ${JSON.stringify(before.name)} may not be`;
    const after = now.get(before.name);
    if (after === undefined) field.forbidden(`${text} removed\n`);
    else if (!sameValue(after, before))
      field.forbidden(`${text} changed\n${jsonDiff(before, after)}`);
  }
  return root.found;
}

/** A refusal of the Pod as a whole: the reference prints an empty path as `[]`. */
export function forbiddenPod(detail: string): Problem {
  return { type: 'FieldValueForbidden', path: '[]', detail };
}
