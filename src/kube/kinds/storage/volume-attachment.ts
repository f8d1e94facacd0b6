import { declareKind } from '../declare.ts';
import type { VolumeAttachment } from '../types/storage-v1.ts';

export const volumeAttachments = declareKind<VolumeAttachment>(
  'storage.k8s.io/v1/VolumeAttachment',
);
