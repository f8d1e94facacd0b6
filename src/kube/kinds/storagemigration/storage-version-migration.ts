import { declareKind } from '../declare.ts';
import type { StorageVersionMigration } from '../types/storagemigration-v1beta1.ts';

export const storageVersionMigrations = declareKind<StorageVersionMigration>(
  'storagemigration.k8s.io/v1beta1/StorageVersionMigration',
);
