import { declareKind } from '../declare.ts';
import type { PersistentVolume } from '../types/core-v1.ts';

export const persistentVolumes = declareKind<PersistentVolume>('v1/PersistentVolume');
