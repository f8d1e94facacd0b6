import { declareKind } from '../declare.ts';
import type { LimitRange } from '../types/core-v1.ts';

export const limitRanges = declareKind<LimitRange>('v1/LimitRange');
