import type { Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { checkProfilesMatch } from '../pod-spec/annotations.ts';
import { checkImageSpace } from '../pod-spec/containers.ts';
import { defaultPodOnly, defaultPodSpec, defaultPodStatus } from '../pod-spec/defaults.ts';
import { dropDisabledFields } from '../pod-spec/disabled.ts';
import { isPodTerminal } from '../pod-spec/pod-facts.ts';
import { podSpecWarnings } from '../pod-spec/warnings.ts';
import { rootField } from '../shared/field.ts';
import { nameWarnings } from '../shared/warnings.ts';
import type { Pod } from '../types/core-v1.ts';
import { podTable } from './pod-columns.ts';
import { ephemeralContainers } from './pod-ephemeral.ts';
import { podResize } from './pod-resize.ts';
import { preparePodStatus, validatePodStatus } from './pod-status.ts';
import { preparePodCreate } from './pod-strategy.ts';
import { checkWholePod, validatePodUpdate } from './pod-update.ts';

export const pods = declareKind<Pod>('v1/Pod', {
  defaults: (pod) => {
    defaultPodOnly(pod.spec);
    defaultPodSpec(pod.spec);
    // A negative grace period always meant the shortest one (conversion of the reference).
    if ((pod.spec.terminationGracePeriodSeconds ?? 0) < 0)
      pod.spec.terminationGracePeriodSeconds = 1;
    defaultPodStatus(pod.status);
  },
  prepareForCreate: preparePodCreate,
  prepareForUpdate: (pod, old) => dropDisabledFields(pod.spec, old.spec),
  prepareForStatusUpdate: preparePodStatus,
  validateCreate,
  validateUpdate: validatePodUpdate,
  validateStatusUpdate: validatePodStatus,
  partialUpdates: { ephemeralcontainers: ephemeralContainers, resize: podResize },
  warnings: (pod, old) =>
    old === undefined
      ? [...nameWarnings(pod.metadata.name, "the Pod's hostname"), ...podSpecWarnings(pod, '')]
      : [],
  gracePeriodSeconds: (pod, asked) => {
    const seconds = asked ?? pod.spec.terminationGracePeriodSeconds ?? 0;
    if (!pod.spec.nodeName || isPodTerminal(pod)) return 0;
    return seconds < 0 ? 1 : seconds;
  },
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
    'spec.host': ({ spec }) => spec.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec.restartPolicy ?? '',
    'spec.schedulerName': ({ spec }) => spec.schedulerName ?? '',
    'spec.serviceAccountName': ({ spec }) => spec.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => String(spec.hostNetwork === true),
    'status.phase': ({ status }) => status.phase ?? '',
    'status.podIP': ({ status }) => status.podIPs?.[0]?.ip ?? '',
    'status.podIPs': () => '',
    'status.nominatedNodeName': ({ status }) => status.nominatedNodeName ?? '',
  },
  table: podTable,
});

/** ValidatePodCreate. */
function validateCreate(pod: Pod): readonly Problem[] {
  const root = rootField();
  checkWholePod(pod, root, undefined);
  const { spec } = pod;
  const field = root.at('spec');
  for (const list of ['containers', 'initContainers'] as const)
    for (const [index, { image }] of (spec[list] ?? []).entries())
      checkImageSpace(image, field.at(list).at(index).at('image'));
  if ((spec.ephemeralContainers ?? []).length > 0)
    field.at('ephemeralContainers').forbidden('cannot be set on create');
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0)
    field.at('nodeName').forbidden('cannot be set until all schedulingGates have been cleared');
  checkProfilesMatch(pod.metadata.annotations, spec, field);
  return root.found;
}
