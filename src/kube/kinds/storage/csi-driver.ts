import { declareKind } from '../declare.ts';
import { column } from '../shared/columns.ts';
import { boolColumn, tableWith } from '../shared/tables.ts';
import type { CSIDriver } from '../types/storage-v1.ts';

export const csiDrivers = declareKind<CSIDriver>('storage.k8s.io/v1/CSIDriver', {
  defaults: ({ spec }) => {
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
    if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ['Persistent'];
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
  },
  table: tableWith<CSIDriver>(
    boolColumn('AttachRequired', ({ spec }) => spec.attachRequired !== false),
    boolColumn('PodInfoOnMount', ({ spec }) => spec.podInfoOnMount === true),
    boolColumn('StorageCapacity', ({ spec }) => spec.storageCapacity === true),
    column('TokenRequests', ({ spec: { tokenRequests } }) =>
      tokenRequests === undefined
        ? '<unset>'
        : tokenRequests.map(({ audience }) => audience).join(','),
    ),
    boolColumn('RequiresRepublish', ({ spec }) => spec.requiresRepublish === true),
    column('Modes', ({ spec }) => (spec.volumeLifecycleModes ?? []).join(',') || '<none>'),
  ),
});
