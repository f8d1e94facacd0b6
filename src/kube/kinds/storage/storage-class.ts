import { qualifiedName } from '#machinery';
import { declareKind } from '../declare.ts';
import { ageColumn, column } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import { sameValue } from '../shared/same.ts';
import type { StorageClass } from '../types/storage-v1.ts';

const defaultKeys = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

export const storageClasses = declareKind<StorageClass>('storage.k8s.io/v1/StorageClass', {
  defaults: (object) => {
    object.reclaimPolicy ??= 'Delete';
    object.volumeBindingMode ??= 'Immediate';
  },
  validateCreate: ({ provisioner, reclaimPolicy, volumeBindingMode }) => {
    const root = rootField();
    if (provisioner === '') root.at('provisioner').required();
    else root.at('provisioner').invalidAll(provisioner, qualifiedName(provisioner.toLowerCase()));
    if (reclaimPolicy && reclaimPolicy !== 'Delete' && reclaimPolicy !== 'Retain')
      root.at('reclaimPolicy').notSupported(reclaimPolicy, ['Delete', 'Retain']);
    root.at('volumeBindingMode').oneOf(volumeBindingMode, ['Immediate', 'WaitForFirstConsumer']);
    return root.found;
  },
  validateUpdate: (object, old) => {
    const root = rootField();
    for (const name of ['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'] as const)
      if (!sameValue(object[name], old[name])) root.at(name).immutable(object[name] ?? null);
    return root.found;
  },
  table: {
    columns: [
      column(
        'Name',
        ({ metadata }) =>
          defaultKeys.some((key) => metadata.annotations?.[key] === 'true')
            ? `${metadata.name} (default)`
            : metadata.name,
        { format: 'name' },
      ),
      column('Provisioner', ({ provisioner }) => provisioner),
      column('ReclaimPolicy', ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete'),
      column('VolumeBindingMode', ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate'),
      column('AllowVolumeExpansion', ({ allowVolumeExpansion }) => allowVolumeExpansion === true),
      ageColumn,
    ],
  },
});
