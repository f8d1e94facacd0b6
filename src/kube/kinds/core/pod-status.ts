import { dns1123Subdomain, parseIp, qualifiedName } from '#machinery';
import type { Draft, Problem } from '#machinery';
import { checkAddress, isDualStack } from '../shared/addresses.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import type { Container, ContainerStatus, Pod, PodIP } from '../types/core-v1.ts';
import { checkAnnotationChanges } from './pod-update.ts';

const ownConditions = new Set(['PodScheduled', 'Ready', 'Initialized']);

/** What a status write takes over from the stored Pod. */
export function preparePodStatus(pod: Draft<Pod>, old: Pod): void {
  if (!pod.status.qosClass && old.status.qosClass) pod.status.qosClass = old.status.qosClass;
  if (!pod.status.observedGeneration && old.status.observedGeneration)
    pod.status.observedGeneration = old.status.observedGeneration;
  const rank = new Map<string, number>();
  for (const condition of pod.status.conditions ?? []) {
    const nth = rank.get(condition.type) ?? 0;
    rank.set(condition.type, nth + 1);
    if (condition.observedGeneration) continue;
    const before = (old.status.conditions ?? []).filter(({ type }) => type === condition.type)[nth];
    if (before?.observedGeneration) condition.observedGeneration = before.observedGeneration;
  }
}

/** ValidatePodStatusUpdate. */
export function validatePodStatus(pod: Pod, old: Pod): readonly Problem[] {
  const root = rootField();
  checkAnnotationChanges(pod, old, root);
  const field = root.at('status');
  const whole = 'must be a non-negative integer';
  for (const [index, { type, observedGeneration = 0 }] of (pod.status.conditions ?? []).entries()) {
    const at = field.at('conditions').at(index);
    if (observedGeneration < 0) at.at('observedGeneration').invalid(observedGeneration, whole);
    // The reference spells this path with a capital.
    if (!ownConditions.has(type)) at.at('Type').invalidAll(type, qualifiedName(type));
  }
  checkNominated(pod, old, field.at('nominatedNodeName'));
  if ((pod.status.observedGeneration ?? 0) < 0)
    field.at('observedGeneration').invalid(pod.status.observedGeneration, whole);
  if (old.status.qosClass && pod.status.qosClass !== old.status.qosClass)
    field.at('qosClass').immutable(pod.status.qosClass ?? '');
  checkTransitions(pod, old, field);
  checkClaims(pod, field.at('resourceClaimStatuses'));
  checkAddresses(pod.status.podIPs, old.status.podIPs, field.at('podIPs'));
  const { hostIP = '', hostIPs } = pod.status;
  if (hostIPs?.[0] !== undefined && hostIPs[0].ip !== hostIP)
    field.at('hostIPs').at(0).at('ip').invalid(hostIPs[0].ip, 'must be equal to `hostIP`');
  checkAddresses(hostIPs, old.status.hostIPs, field.at('hostIPs'));
  return root.found;
}

function checkNominated(pod: Pod, old: Pod, field: Field): void {
  const now = pod.status.nominatedNodeName;
  if (!now || now === old.status.nominatedNodeName) return;
  field.invalidAll(now, dns1123Subdomain(now));
  if (old.spec.nodeName && now !== old.spec.nodeName)
    field.forbidden('may not be set on pods that are already bound to a node');
}

function checkAddresses(
  now: readonly PodIP[] | undefined,
  then: readonly PodIP[] | undefined,
  field: Field,
): void {
  if (now === undefined) return;
  const kept = (then ?? []).map(({ ip }) => ip);
  for (const [index, { ip }] of now.entries()) checkAddress(ip, field.at(index), kept);
  if (now.length > 1 && !isDualStack(now.map(({ ip }) => parseIp(ip))))
    field.invalid(now, 'may specify no more than one IP for each IP family');
}

function checkClaims({ spec, status }: Pod, field: Field): void {
  const seen = new Set<string>();
  for (const [index, { name, resourceClaimName }] of (
    status.resourceClaimStatuses ?? []
  ).entries()) {
    const at = field.at(index);
    if (!(spec.resourceClaims ?? []).some((claim) => claim.name === name))
      at.at('name').invalid(name, 'must match the name of an entry in `spec.resourceClaims`');
    if (seen.has(name)) at.at('name').duplicate(name);
    seen.add(name);
    if (resourceClaimName !== undefined)
      at.at('resourceClaimName').invalidAll(resourceClaimName, dns1123Subdomain(resourceClaimName));
  }
}

/** What has ended runs again only where its restart policy allows. */
function checkTransitions(pod: Pod, old: Pod, field: Field): void {
  const text = 'may not be transitioned to non-terminated state';
  const all = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])];
  const anyRestart = all.some(({ restartPolicyRules }) =>
    (restartPolicyRules ?? []).some(({ action }) => action === 'RestartAllContainers'),
  );
  if (anyRestart) return;
  const byName = new Map(all.map((container) => [container.name, container]));
  for (const list of [
    'containerStatuses',
    'initContainerStatuses',
    'ephemeralContainerStatuses',
  ] as const)
    for (const [index, before] of (old.status[list] ?? []).entries()) {
      const now = pod.status[list]?.find(({ name }) => name === before.name);
      if (now === undefined || !hasRisen(before, now)) continue;
      const container = byName.get(before.name);
      const mayRestart =
        list !== 'ephemeralContainerStatuses' &&
        container !== undefined &&
        restarts(container, before, pod.spec.restartPolicy ?? 'Always');
      if (!mayRestart) field.at(list).at(index).at('state').forbidden(text);
    }
}
function hasRisen(before: ContainerStatus, now: ContainerStatus): boolean {
  return before.state.terminated !== undefined && now.state.terminated === undefined;
}
function restarts(container: Container, status: ContainerStatus, podPolicy: string): boolean {
  const exitCode = status.state.terminated?.exitCode ?? 0;
  const rule = (container.restartPolicyRules ?? []).find(({ exitCodes }) => {
    if (exitCodes === undefined) return false;
    const isIn = (exitCodes.values ?? []).includes(exitCode);
    return exitCodes.operator === 'In' ? isIn : !isIn;
  });
  if (rule !== undefined) return true;
  const policy = container.restartPolicy ?? podPolicy;
  if (policy === 'Always') return true;
  return policy === 'OnFailure' && exitCode !== 0;
}
