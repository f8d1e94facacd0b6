import { declareKind } from '../declare.ts';
import type { Pod } from '../types/core-v1.ts';

export const pods = declareKind<Pod>('v1/Pod');
