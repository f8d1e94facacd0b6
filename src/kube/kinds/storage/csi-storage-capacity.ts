import { declareKind } from '../declare.ts';
import type { CSIStorageCapacity } from '../types/storage-v1.ts';

export const csiStorageCapacities = declareKind<CSIStorageCapacity>(
  'storage.k8s.io/v1/CSIStorageCapacity',
);
