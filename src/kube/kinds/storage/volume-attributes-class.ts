import { declareKind } from '../declare.ts';
import { column } from '../shared/columns.ts';
import { tableWith } from '../shared/tables.ts';
import type { VolumeAttributesClass } from '../types/storage-v1.ts';
import type { VolumeAttributesClass as VolumeAttributesClassV1beta1 } from '../types/storage-v1beta1.ts';

const table = tableWith<VolumeAttributesClass>(
  column('DriverName', ({ driverName }) => driverName),
);

export const volumeAttributesClasses = declareKind<VolumeAttributesClass>(
  'storage.k8s.io/v1/VolumeAttributesClass',
  { table },
);
export const volumeAttributesClassesV1beta1 = declareKind<VolumeAttributesClassV1beta1>(
  'storage.k8s.io/v1beta1/VolumeAttributesClass',
  { table },
);
