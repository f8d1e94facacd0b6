import type { Draft, WriteContext } from '#machinery';
import { appArmorPrefix } from '../pod-spec/annotations.ts';
import { dropDisabledFields } from '../pod-spec/disabled.ts';
import { podQosClass } from '../pod-spec/pod-facts.ts';
import type { Pod, PodAffinityTerm } from '../types/core-v1.ts';
import type { LabelSelector } from '../types/meta-v1.ts';

/** PrepareForCreate of the Pod strategy. */
export function preparePodCreate(pod: Draft<Pod>, { nowMs }: WriteContext): void {
  dropDisabledFields(pod.spec, undefined);
  pod.status = { phase: 'Pending', qosClass: podQosClass(pod) };
  if ((pod.spec.schedulingGates ?? []).length > 0)
    pod.status.conditions = [
      {
        type: 'PodScheduled',
        status: 'False',
        lastTransitionTime: new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z'),
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ];
  mergeLabelKeys(pod);
  adoptAppArmor(pod);
}

/** The values of keys to match are known now: they become part of the selectors. */
function mergeLabelKeys({ metadata, spec }: Draft<Pod>): void {
  if (spec.affinity === undefined && spec.topologySpreadConstraints === undefined) return;
  const labels = metadata.labels ?? {};
  const extend = (
    selector: Draft<LabelSelector> | undefined,
    keys: readonly string[] | undefined,
    operator: 'In' | 'NotIn',
  ): void => {
    if (selector === undefined) return;
    for (const key of keys ?? []) {
      const value = labels[key];
      if (value === undefined) continue;
      selector.matchExpressions = [
        ...(selector.matchExpressions ?? []),
        { key, operator, values: [value] },
      ];
    }
  };
  for (const affinity of [spec.affinity?.podAffinity, spec.affinity?.podAntiAffinity]) {
    const terms: Draft<PodAffinityTerm>[] = [
      ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
        ({ podAffinityTerm }) => podAffinityTerm,
      ),
    ];
    for (const { labelSelector, matchLabelKeys, mismatchLabelKeys } of terms) {
      extend(labelSelector, matchLabelKeys, 'In');
      extend(labelSelector, mismatchLabelKeys, 'NotIn');
    }
  }
  for (const { labelSelector, matchLabelKeys } of spec.topologySpreadConstraints ?? [])
    extend(labelSelector, matchLabelKeys, 'In');
}

/** Profiles that still come as annotations become fields. */
function adoptAppArmor({ metadata, spec }: Draft<Pod>): void {
  const profiles = Object.keys(metadata.annotations ?? {}).some((key) =>
    key.startsWith(appArmorPrefix),
  );
  if (!profiles || metadata.annotations === undefined || spec.os?.name === 'windows') return;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    const value = metadata.annotations[`${appArmorPrefix}${container.name}`];
    if (value === undefined || container.securityContext?.appArmorProfile !== undefined) continue;
    const profile = appArmorProfile(value);
    const own = spec.securityContext?.appArmorProfile;
    const isPods =
      own?.type === profile?.type && own?.localhostProfile === profile?.localhostProfile;
    if (profile !== undefined && !isPods)
      container.securityContext = { ...container.securityContext, appArmorProfile: profile };
  }
}
function appArmorProfile(value: string): { type: string; localhostProfile?: string } | undefined {
  if (value === 'unconfined') return { type: 'Unconfined' };
  if (value === 'runtime/default') return { type: 'RuntimeDefault' };
  return value.startsWith('localhost/')
    ? { type: 'Localhost', localhostProfile: value.slice('localhost/'.length) }
    : undefined;
}
