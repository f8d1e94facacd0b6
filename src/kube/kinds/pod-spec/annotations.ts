import type { Field } from '../shared/field.ts';
import { jsonArrayOf } from '../shared/json.ts';
import type { AppArmorProfile, PodSpec, SeccompProfile, Toleration } from '../types/core-v1.ts';
import { checkRelativePath } from './paths.ts';
import { checkTolerations } from './tolerations.ts';
import { allContainers } from './spec.ts';

type Annotations = Readonly<Record<string, string>> | undefined;

export const mirrorKey = 'kubernetes.io/config.mirror';
const tolerationsKey = 'scheduler.alpha.kubernetes.io/tolerations';
const deletionCostKey = 'controller.kubernetes.io/pod-deletion-cost';
const seccompPod = 'seccomp.security.alpha.kubernetes.io/pod';
const seccompContainer = 'container.seccomp.security.alpha.kubernetes.io/';
export const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/';

/** Annotations with a meaning: `field` is `metadata.annotations` (or `template.annotations`). */
export function checkPodAnnotations(
  annotations: Annotations,
  field: Field,
  { spec, old }: { readonly spec: PodSpec; readonly old?: Annotations },
): void {
  if (annotations === undefined) return;
  if (annotations[mirrorKey] !== undefined && !spec.nodeName)
    field
      .key(mirrorKey)
      .invalid(annotations[mirrorKey], 'must set spec.nodeName if mirror pod annotation is set');
  const tolerations = annotations[tolerationsKey];
  if (tolerations !== undefined) {
    const parsed = jsonArrayOf(tolerations);
    if (typeof parsed === 'string') field.invalid(tolerationsKey, parsed);
    // A list written by a client as text; its elements are checked like those of the spec.
    else checkTolerations(parsed as readonly Toleration[], field.at(tolerationsKey));
  }
  checkDeletionCost(annotations[deletionCostKey], field, old?.[deletionCostKey]);
  for (const key in annotations) {
    const value = annotations[key] ?? '';
    if (key === seccompPod || key.startsWith(seccompContainer)) {
      const at = field.at(key);
      if (value.startsWith('localhost/')) checkRelativePath(value.slice('localhost/'.length), at);
      else if (!['runtime/default', 'docker/default', 'unconfined'].includes(value))
        at.invalid(value, 'must be a valid seccomp profile');
    } else if (key.startsWith(appArmorPrefix)) checkAppArmorAnnotation(key, value, { field, spec });
  }
}

function checkDeletionCost(cost: string | undefined, field: Field, old: string | undefined): void {
  if (cost === undefined) return;
  const isNumber = (text: string) =>
    /^(0|-?[1-9]\d*)$/.test(text) && Number(text) >= -(2 ** 31) && Number(text) < 2 ** 31;
  if (!isNumber(cost) && (old === undefined || isNumber(old)))
    field.key(deletionCostKey).invalid(cost, 'must be a 32bit integer');
}

function checkAppArmorAnnotation(
  key: string,
  value: string,
  { field, spec }: { field: Field; spec: PodSpec },
): void {
  const name = key.slice(appArmorPrefix.length);
  const exists = [...allContainers(spec)].some(([, , one]) => one.name === name);
  if (!exists) field.key(key).invalid(name, 'container not found');
  const isKnown =
    value === '' ||
    value === 'runtime/default' ||
    value === 'unconfined' ||
    value.startsWith('localhost/');
  if (!isKnown) field.key(key).invalid(value, `invalid AppArmor profile name: "${value}"`);
}

/** Annotation and field must say the same (create only). `field` is the spec's. */
export function checkProfilesMatch(annotations: Annotations, spec: PodSpec, field: Field): void {
  if (annotations === undefined || !Object.keys(annotations).some(isProfile)) return;
  const pod = annotations[seccompPod];
  if (pod !== undefined)
    checkMatch(pod, spec.securityContext?.seccompProfile, {
      field: field.at('securityContext.seccompProfile'),
      what: 'seccomp',
    });
  for (const [list, index, { name, securityContext }] of allContainers(spec)) {
    const at = field.at(list).at(index).at('securityContext');
    const seccomp = annotations[`${seccompContainer}${name}`];
    if (seccomp !== undefined)
      checkMatch(seccomp, securityContext?.seccompProfile, {
        field: at.at('seccompProfile'),
        what: 'seccomp',
      });
    const appArmor = annotations[`${appArmorPrefix}${name}`];
    if (appArmor !== undefined && spec.os?.name !== 'windows')
      checkMatch(
        appArmor,
        securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile,
        {
          field: at.at('appArmorProfile'),
          what: 'apparmor',
        },
      );
  }
}

function isProfile(key: string): boolean {
  return key === seccompPod || key.startsWith(seccompContainer) || key.startsWith(appArmorPrefix);
}

function checkMatch(
  annotation: string,
  profile: SeccompProfile | AppArmorProfile | undefined,
  { field, what }: { field: Field; what: string },
): void {
  if (profile === undefined) return;
  const local = annotation.startsWith('localhost/');
  const type = local ? 'Localhost' : annotation === 'unconfined' ? 'Unconfined' : 'RuntimeDefault';
  if (profile.type !== type)
    field.at('type').forbidden(`${what} type in annotation and field must match`);
  else if (local && profile.localhostProfile !== annotation.slice('localhost/'.length))
    field.at('localhostProfile').forbidden(`${what} profile in annotation and field must match`);
}
