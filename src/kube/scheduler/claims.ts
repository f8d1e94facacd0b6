import type { PersistentVolumeClaim, Pod } from '#kube/kinds';

/** Names of the claims a Pod needs; those of ephemeral volumes carry the Pod's own name. */
export function claimNames({ metadata, spec }: Pod): readonly string[] {
  return (spec.volumes ?? []).flatMap((volume) => {
    if (volume.persistentVolumeClaim !== undefined) return [volume.persistentVolumeClaim.claimName];
    return volume.ephemeral === undefined ? [] : [`${metadata.name}-${volume.name}`];
  });
}

/**
 * Why the volumes of a Pod keep it from every node, in the words of the reference's VolumeBinding
 * plugin (PreFilter); undefined when all its claims are bound.
 */
export function claimProblem(
  pod: Pod,
  claimOf: (key: string) => PersistentVolumeClaim | undefined,
): string | undefined {
  const ephemeral = new Set(
    (pod.spec.volumes ?? [])
      .filter((volume) => volume.ephemeral !== undefined)
      .map(({ name }) => `${pod.metadata.name}-${name}`),
  );
  let unbound = false;
  for (const name of claimNames(pod)) {
    const claim = claimOf(`${pod.metadata.namespace ?? ''}/${name}`);
    if (claim === undefined)
      return ephemeral.has(name)
        ? `waiting for ephemeral volume controller to create the persistentvolumeclaim ${JSON.stringify(name)}`
        : `persistentvolumeclaim ${JSON.stringify(name)} not found`;
    if (claim.metadata.deletionTimestamp !== undefined)
      return `persistentvolumeclaim ${JSON.stringify(name)} is being deleted`;
    if (claim.status.phase === 'Lost')
      return `persistentvolumeclaim ${JSON.stringify(name)} bound to non-existent persistentvolume ${JSON.stringify(claim.spec.volumeName ?? '')}`;
    unbound ||= claim.status.phase !== 'Bound';
  }
  return unbound ? 'pod has unbound immediate PersistentVolumeClaims' : undefined;
}
