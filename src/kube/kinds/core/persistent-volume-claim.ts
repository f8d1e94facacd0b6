import { compareQuantities } from '#base';
import type { Draft } from '#machinery';
import { declareKind } from '../declare.ts';
import { checkClaimSpec } from '../pod-spec/claim-spec.ts';
import { defaultClaimSpec } from '../pod-spec/defaults.ts';
import { accessModesCell, ageColumn, column, nameColumn } from '../shared/columns.ts';
import { jsonDiff } from '../shared/diff.ts';
import { rootField } from '../shared/field.ts';
import { checkCoreMeta, isSelectable } from '../shared/meta.ts';
import { sameValue } from '../shared/same.ts';
import type { PersistentVolumeClaim } from '../types/core-v1.ts';

export const storageClassKey = 'volume.beta.kubernetes.io/storage-class';

export const persistentVolumeClaims = declareKind<PersistentVolumeClaim>(
  'v1/PersistentVolumeClaim',
  {
    defaults: ({ spec, status }) => {
      status.phase ||= 'Pending';
      defaultClaimSpec(spec);
    },
    prepareForCreate: (claim) => {
      claim.status = { phase: 'Pending' };
      mirrorSources(claim, undefined);
    },
    prepareForUpdate: mirrorSources,
    validateCreate: ({ metadata, spec }) => {
      const root = rootField();
      checkCoreMeta(metadata, root);
      checkClaimSpec(spec, root.at('spec'));
      return root.found;
    },
    validateUpdate,
    table: {
      columns: [
        nameColumn,
        column('Status', ({ metadata, status }) =>
          metadata.deletionTimestamp === undefined ? (status.phase ?? '') : 'Terminating',
        ),
        column('Volume', ({ spec }) => spec.volumeName ?? ''),
        column('Capacity', ({ spec, status }) =>
          spec.volumeName ? (status.capacity?.['storage'] ?? '0') : '',
        ),
        column('Access Modes', ({ spec, status }) =>
          spec.volumeName ? accessModesCell(status.accessModes) : '',
        ),
        column(
          'StorageClass',
          ({ metadata, spec }) =>
            metadata.annotations?.[storageClassKey] ?? spec.storageClassName ?? '',
        ),
        column('VolumeAttributesClass', ({ spec }) => spec.volumeAttributesClassName ?? '<unset>'),
        ageColumn,
        column('VolumeMode', ({ spec }) => spec.volumeMode ?? '<unset>', { wide: true }),
      ],
    },
  },
);

/** Two fields for one thing, kept alike; a source in another namespace is off in this release. */
function mirrorSources(
  { spec }: Draft<PersistentVolumeClaim>,
  old: PersistentVolumeClaim | undefined,
): void {
  if (spec.dataSourceRef?.namespace && old?.spec.dataSourceRef === undefined)
    delete spec.dataSourceRef;
  const { dataSource, dataSourceRef } = spec;
  if (dataSource !== undefined && dataSourceRef === undefined) {
    const isKnown =
      (!dataSource.apiGroup && dataSource.kind === 'PersistentVolumeClaim') ||
      (dataSource.apiGroup === 'snapshot.storage.k8s.io' && dataSource.kind === 'VolumeSnapshot');
    const hadOne = old?.spec.dataSource !== undefined || old?.spec.dataSourceRef !== undefined;
    if (!isKnown && !hadOne) delete spec.dataSource;
    else spec.dataSourceRef = { ...dataSource };
  } else if (dataSource === undefined && dataSourceRef !== undefined && !dataSourceRef.namespace) {
    const { namespace: _namespace, ...local } = dataSourceRef;
    spec.dataSource = local;
  }
}

function validateUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim) {
  const root = rootField();
  const field = root.at('spec');
  checkCoreMeta(claim.metadata, root);
  const oldSelector = old.spec.selector;
  checkClaimSpec(claim.spec, field, {
    anySelectorValue: oldSelector !== undefined && !isSelectable(oldSelector),
    anyApiGroup: old.spec.dataSource?.apiGroup !== undefined,
  });
  const isBound = old.status.phase === 'Bound';
  const storage = claim.spec.resources.requests?.['storage'];
  const before = old.spec.resources.requests?.['storage'];
  const undone = {
    ...claim.spec,
    ...(!old.spec.volumeName && { volumeName: old.spec.volumeName }),
    ...(old.spec.storageClassName === undefined && { storageClassName: undefined }),
    ...(isBound && {
      resources: old.spec.resources,
      volumeAttributesClassName: old.spec.volumeAttributesClassName,
    }),
  };
  if (!sameValue(undone, old.spec))
    field.forbidden(
      `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${jsonDiff(old.spec, undone)}`,
    );
  const capacity = old.status.capacity?.['storage'] ?? '0';
  if (storage !== undefined && before !== undefined && compareQuantities(storage, before) < 0)
    if (compareQuantities(storage, capacity) <= 0)
      field
        .at('resources.requests.storage')
        .forbidden('field can not be less than status.capacity');
  if (claim.spec.volumeMode !== old.spec.volumeMode)
    root.at('volumeMode').immutable(claim.spec.volumeMode);
  return root.found;
}
