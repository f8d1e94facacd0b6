import type { Draft, PartialUpdate, Problem } from '#machinery';
import { mirrorKey } from '../pod-spec/annotations.ts';
import { isSidecar, podQosClass } from '../pod-spec/pod-facts.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { sameValue } from '../shared/same.ts';
import type { Container, Pod, PodSpec, ResourceRequirements } from '../types/core-v1.ts';
import { forbiddenPod } from './pod-ephemeral.ts';
import { checkWholePod } from './pod-update.ts';

type Lists = 'containers' | 'initContainers';
const lists: readonly Lists[] = ['containers', 'initContainers'];

/** Changes CPU and memory of a Pod that runs. */
export const podResize: PartialUpdate<Pod> = { prepare, validate };

/** Takes resources and resize policies from the request, all else from what is stored. */
function prepare(pod: Draft<Pod>, old: Pod): void {
  const countsDiffer = lists.some(
    (list) => (pod.spec[list] ?? []).length !== (old.spec[list] ?? []).length,
  );
  // Containers that came or went are left for validation to name.
  if (countsDiffer) return;
  const { spec } = pod;
  // The old Pod is frozen and shared; what follows may write into the draft.
  const rest = structuredClone(old) as Draft<Pod>;
  for (const list of lists) {
    const asked = spec[list];
    if (asked === undefined) continue;
    const kept = rest.spec[list] ?? [];
    const sameNames = asked.every((one, index) => one.name === kept[index]?.name);
    rest.spec[list] = sameNames
      ? kept.map((one, index) => resized(one, asked[index] ?? one))
      : asked;
  }
  if (spec.resources === undefined) delete rest.spec.resources;
  else rest.spec.resources = spec.resources;
  const { resourceVersion, managedFields } = pod.metadata;
  pod.metadata = rest.metadata;
  if (resourceVersion !== undefined) pod.metadata.resourceVersion = resourceVersion;
  if (managedFields !== undefined) pod.metadata.managedFields = managedFields;
  pod.status = rest.status;
  pod.spec = rest.spec;
}

function resized(kept: Draft<Container>, asked: Draft<Container>): Draft<Container> {
  const next = { ...kept, resources: asked.resources };
  if (asked.resizePolicy === undefined) delete next.resizePolicy;
  else next.resizePolicy = asked.resizePolicy;
  return next;
}

/** ValidatePodResize. */
function validate(pod: Pod, old: Pod): readonly Problem[] {
  const root = rootField();
  checkWholePod(pod, root, old);
  if (old.metadata.annotations?.[mirrorKey] !== undefined)
    return [forbiddenPod('static pods cannot be resized')];
  if (old.spec.os?.name === 'windows') return [forbiddenPod('windows pods cannot be resized')];
  const field = root.at('spec');
  const qosClass = podQosClass(pod);
  if (qosClass !== podQosClass(old))
    field.invalid(qosClass, 'Pod QOS Class may not change as a result of resizing');
  if (!isSupported(old)) field.forbidden('Pod running on node without support for resize');
  checkPodLevel(pod.spec, old.spec, field);
  if ((pod.status.nodeAllocatableResourceClaimStatuses ?? []).length > 0)
    field.forbidden('pods with node allocatable resource claims cannot be resized');
  if (!checkOrder(pod.spec, old.spec, field)) return root.found;
  checkContainers(pod.spec, old.spec, field);
  if (root.found.length === 0 && !sameValue(withOldResources(pod.spec, old.spec), old.spec))
    field.forbidden('only cpu and memory resources are mutable');
  return root.found;
}

/** A node that reports what its containers were given can change it. */
function isSupported({ status }: Pod): boolean {
  const running = (status.containerStatuses ?? []).find(({ state }) => state.running !== undefined);
  return running === undefined || running.resources !== undefined;
}

function checkPodLevel(spec: PodSpec, old: PodSpec, field: Field): void {
  if (old.resources === undefined) return;
  const at = field.at('resources');
  if (spec.resources === undefined) return at.forbidden('pod-level resources cannot be removed');
  for (const list of ['requests', 'limits'] as const)
    if (hasLost(spec.resources[list], old.resources[list]))
      at.at(list).forbidden(`pod-level resource ${list} cannot be removed`);
  if (!sameValue(immutablePart(spec.resources), immutablePart(old.resources)))
    field.forbidden('only cpu and memory resources are mutable at pod-level');
}

/** False: nothing more can be compared. */
function checkOrder(spec: PodSpec, old: PodSpec, field: Field): boolean {
  for (const list of lists) {
    const now = spec[list] ?? [];
    const then = old[list] ?? [];
    if (now.length === then.length) continue;
    field.at(list).forbidden(`${list} may not be added or removed on resize`);
    return false;
  }
  for (const list of lists)
    for (const [index, { name }] of (spec[list] ?? []).entries())
      if (name !== old[list]?.[index]?.name) {
        field
          .at(list)
          .at(index)
          .at('name')
          .forbidden(`${list} may not be renamed or reordered on resize`);
        return false;
      }
  return true;
}

function checkContainers(spec: PodSpec, old: PodSpec, field: Field): void {
  for (const list of ['initContainers', 'containers'] as const)
    for (const [index, now] of (spec[list] ?? []).entries()) {
      const then = old[list]?.[index];
      const at = field.at(list).at(index);
      if (then === undefined || sameValue(now, then)) continue;
      for (const kind of ['requests', 'limits'] as const)
        if (hasLost(now.resources[kind], then.resources[kind]))
          at.at('resources').at(kind).forbidden(`resource ${kind} cannot be removed`);
      const isOnlyResources = sameValue(
        { ...now, resources: immutablePart(now.resources) },
        { ...then, resources: immutablePart(then.resources) },
      );
      if (list === 'containers') {
        if (!isOnlyResources) field.forbidden('only cpu and memory resources are mutable');
        continue;
      }
      if (!isOnlyResources)
        at.forbidden('only cpu and memory resources for init or sidecar containers are mutable');
      if (!isSidecar(then)) checkInitPolicies(now, at);
    }
}

function checkInitPolicies({ resizePolicy }: Container, field: Field): void {
  for (const { restartPolicy } of resizePolicy ?? [])
    if (restartPolicy === 'RestartContainer')
      field.forbidden(
        'non-sidecar init containers with a resize policy of RestartContainer cannot be resized',
      );
}

type Amounts = Readonly<Record<string, string>> | undefined;

function hasLost(now: Amounts, then: Amounts): boolean {
  return Object.keys(then ?? {}).some((name) => now?.[name] === undefined);
}

function immutablePart({ requests, limits, claims }: ResourceRequirements): object {
  const others = (list: Amounts) =>
    Object.fromEntries(
      Object.entries(list ?? {}).filter(([name]) => name !== 'cpu' && name !== 'memory'),
    );
  return { requests: others(requests), limits: others(limits), claims };
}

function withOldResources(spec: PodSpec, old: PodSpec): PodSpec {
  const restored = (list: Lists): readonly Container[] | undefined =>
    spec[list]?.map((one, index) => ({
      ...one,
      resources: old[list]?.[index]?.resources ?? one.resources,
    }));
  return {
    ...spec,
    containers: restored('containers') ?? [],
    initContainers: restored('initContainers'),
    resources: old.resources === undefined ? spec.resources : old.resources,
  };
}
