import { declareKind } from '../declare.ts';
import type { Namespace } from '../types/core-v1.ts';

export const namespaces = declareKind<Namespace>('v1/Namespace');
