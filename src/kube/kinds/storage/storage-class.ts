import { declareKind } from '../declare.ts';
import type { StorageClass } from '../types/storage-v1.ts';

export const storageClasses = declareKind<StorageClass>('storage.k8s.io/v1/StorageClass');
