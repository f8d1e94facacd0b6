import { declareKind } from '../declare.ts';
import type { PersistentVolumeClaim } from '../types/core-v1.ts';

export const persistentVolumeClaims = declareKind<PersistentVolumeClaim>(
  'v1/PersistentVolumeClaim',
);
