import { parseQuantity } from '#base';
import { dns1123Subdomain } from '#machinery';
import type { Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { checkAccessModes } from '../pod-spec/claim-spec.ts';
import { defaultStorageSource } from '../pod-spec/defaults.ts';
import { checkNodeSelector } from '../pod-spec/affinity.ts';
import { checkHostPath, checkNfs } from '../pod-spec/volume-sources.ts';
import { checkLegacySource } from '../pod-spec/volume-legacy.ts';
import { checkDriverName } from '../pod-spec/volumes.ts';
import { accessModesCell, ageColumn, column, nameColumn } from '../shared/columns.ts';
import { jsonDiff } from '../shared/diff.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { checkCoreMeta } from '../shared/meta.ts';
import { roundResources } from '../shared/resources.ts';
import { sameValue } from '../shared/same.ts';
import type { PersistentVolume, PersistentVolumeSpec } from '../types/core-v1.ts';
import { storageClassKey } from './persistent-volume-claim.ts';

const sources = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'local',
  'storageos',
  'csi',
] as const;

function seconds(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

export const persistentVolumes = declareKind<PersistentVolume>('v1/PersistentVolume', {
  defaults: ({ spec, status }) => {
    status.phase ||= 'Pending';
    spec.persistentVolumeReclaimPolicy ||= 'Retain';
    spec.volumeMode ??= 'Filesystem';
    roundResources(spec.capacity);
    defaultStorageSource(spec);
  },
  prepareForCreate: (volume, { nowMs }) => {
    volume.status = { phase: 'Pending', lastPhaseTransitionTime: seconds(nowMs) };
  },
  prepareForStatusUpdate: ({ status }, old, { nowMs }) => {
    const then = old.status.lastPhaseTransitionTime;
    if (status.phase === old.status.phase) {
      if (status.lastPhaseTransitionTime === undefined && then !== undefined)
        status.lastPhaseTransitionTime = then;
    } else if (
      status.lastPhaseTransitionTime === undefined ||
      status.lastPhaseTransitionTime === then
    )
      status.lastPhaseTransitionTime = seconds(nowMs);
  },
  validateCreate: validate,
  validateUpdate: (volume, old) => {
    const root = rootField();
    root.found.push(...validate(volume));
    const sourceOf = (spec: PersistentVolumeSpec) =>
      Object.fromEntries(sources.map((name) => [name, spec[name]]));
    if (!sameValue(sourceOf(volume.spec), sourceOf(old.spec)))
      root
        .at('spec.persistentvolumesource')
        .forbidden(
          `spec.persistentvolumesource is immutable after creation\n${jsonDiff(sourceOf(old.spec), sourceOf(volume.spec))}`,
        );
    if (volume.spec.volumeMode !== old.spec.volumeMode)
      root.at('volumeMode').immutable(volume.spec.volumeMode);
    return root.found;
  },
  table: {
    columns: [
      nameColumn,
      column('Capacity', ({ spec }) => spec.capacity?.['storage'] ?? '0'),
      column('Access Modes', ({ spec }) => accessModesCell(spec.accessModes)),
      column('Reclaim Policy', ({ spec }) => spec.persistentVolumeReclaimPolicy ?? ''),
      column('Status', ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined ? (status.phase ?? '') : 'Terminating',
      ),
      column('Claim', ({ spec: { claimRef } }) =>
        claimRef === undefined ? '' : `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`,
      ),
      column(
        'StorageClass',
        ({ metadata, spec }) =>
          metadata.annotations?.[storageClassKey] ?? spec.storageClassName ?? '',
      ),
      column('VolumeAttributesClass', ({ spec }) => spec.volumeAttributesClassName ?? '<unset>'),
      column('Reason', ({ status }) => status.reason ?? ''),
      ageColumn,
      column('VolumeMode', ({ spec }) => spec.volumeMode ?? '<unset>', { wide: true }),
    ],
  },
});

function validate({ metadata, spec }: PersistentVolume): readonly Problem[] {
  const root = rootField();
  checkCoreMeta(metadata, root);
  const field = root.at('spec');
  if ((spec.accessModes ?? []).length === 0) field.at('accessModes').required();
  checkAccessModes(spec.accessModes ?? [], field.at('accessModes'));
  const capacity = spec.capacity ?? {};
  const names = Object.keys(capacity);
  if (names.length === 0) field.at('capacity').required();
  if (names.length !== 1 || names[0] !== 'storage')
    field.at('capacity').notSupported(capacity, ['storage']);
  for (const name of names) {
    const amount = capacity[name] ?? '0';
    if (parseQuantity(amount).nanos <= 0n)
      field.at('capacity').key(name).invalid(amount, 'must be greater than zero');
  }
  const policies = ['Delete', 'Recycle', 'Retain'];
  const policy = spec.persistentVolumeReclaimPolicy ?? '';
  if (!policies.includes(policy))
    field.at('persistentVolumeReclaimPolicy').notSupported(policy, policies);
  const affinity = spec.nodeAffinity;
  if (affinity !== undefined) {
    const at = field.at('nodeAffinity').at('required');
    if (affinity.required === undefined) at.required('must specify required node constraints');
    else checkNodeSelector(affinity.required, at, false);
  }
  checkSource(spec, field);
  const { storageClassName, volumeMode } = spec;
  if (storageClassName)
    field.at('storageClassName').invalidAll(storageClassName, dns1123Subdomain(storageClassName));
  if (volumeMode !== 'Block' && volumeMode !== 'Filesystem')
    field.at('volumeMode').notSupported(volumeMode ?? null, ['Block', 'Filesystem']);
  return root.found;
}

function checkSource(spec: PersistentVolumeSpec, field: Field): void {
  const given = sources.filter((name) => spec[name] !== undefined);
  const [first, ...others] = given;
  if (first === undefined) return field.required('must specify a volume type');
  for (const name of others) field.at(name).forbidden('may not specify more than 1 volume type');
  const at = field.at(first);
  if (first === 'hostPath' && spec.hostPath !== undefined) {
    checkHostPath(spec.hostPath, at);
    if (spec.hostPath.path === '/' && spec.persistentVolumeReclaimPolicy === 'Recycle')
      field
        .at('persistentVolumeReclaimPolicy')
        .forbidden("may not be 'recycle' for a hostPath mount of '/'");
  } else if (first === 'nfs' && spec.nfs !== undefined) checkNfs(spec.nfs, at);
  else if (first === 'local') {
    if (!spec.local?.path) at.at('path').required();
    if (spec.nodeAffinity === undefined)
      field.at('nodeAffinity').required('Local volume requires node affinity');
  } else if (first === 'csi' && spec.csi !== undefined) {
    checkDriverName(spec.csi.driver, at.at('driver'));
    if (spec.csi.volumeHandle === '') at.at('volumeHandle').required();
  } else checkLegacySource(spec, first, field);
}
