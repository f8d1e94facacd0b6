import { declareKind } from '../declare.ts';
import { column } from '../shared/columns.ts';
import { boolColumn, tableWith } from '../shared/tables.ts';
import type { VolumeAttachment } from '../types/storage-v1.ts';

export const volumeAttachments = declareKind<VolumeAttachment>(
  'storage.k8s.io/v1/VolumeAttachment',
  {
    table: tableWith<VolumeAttachment>(
      column('Attacher', ({ spec }) => spec.attacher, { format: 'name' }),
      column('PV', ({ spec }) => spec.source.persistentVolumeName ?? ''),
      column('Node', ({ spec }) => spec.nodeName),
      boolColumn('Attached', ({ status }) => status.attached),
    ),
  },
);
