import { declareKind } from '../declare.ts';
import type { CSIDriver } from '../types/storage-v1.ts';

export const csiDrivers = declareKind<CSIDriver>('storage.k8s.io/v1/CSIDriver');
