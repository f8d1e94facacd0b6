import { declareKind } from '../declare.ts';
import type { CSINode } from '../types/storage-v1.ts';

export const csiNodes = declareKind<CSINode>('storage.k8s.io/v1/CSINode');
