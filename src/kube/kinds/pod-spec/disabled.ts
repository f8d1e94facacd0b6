import type { Draft } from '#machinery';
import type { Container, PodSpec } from '../types/core-v1.ts';

/**
 * Drops fields whose feature is off in the release that is served (2.6 of the reference's strategies),
 * unless the stored object has them already.
 */
export function dropDisabledFields(spec: Draft<PodSpec>, old: PodSpec | undefined): void {
  if (spec.schedulingGroup !== undefined && old?.schedulingGroup === undefined)
    delete spec.schedulingGroup;
  if (spec.volumes !== undefined) dropProjections(spec, old);
  for (const list of [spec.containers, spec.initContainers])
    for (const container of list ?? [])
      if (container.lifecycle?.stopSignal !== undefined && !usesStopSignal(old)) {
        delete container.lifecycle.stopSignal;
        const { postStart, preStop } = container.lifecycle;
        if (postStart === undefined && preStop === undefined) delete container.lifecycle;
      }
}

function usesStopSignal(old: PodSpec | undefined): boolean {
  const has = ({ lifecycle }: Container) => lifecycle?.stopSignal !== undefined;
  return [...(old?.containers ?? []), ...(old?.initContainers ?? [])].some(has);
}

function dropProjections(spec: Draft<PodSpec>, old: PodSpec | undefined): void {
  for (const kind of ['clusterTrustBundle', 'podCertificate'] as const) {
    const isUsed = (old?.volumes ?? []).some(
      ({ projected }) => projected?.sources?.some((source) => source[kind] !== undefined) === true,
    );
    if (isUsed) continue;
    for (const { projected } of spec.volumes ?? [])
      for (const source of projected?.sources ?? []) delete source[kind];
  }
}
