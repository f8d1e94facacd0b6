import { declareKind } from '../declare.ts';
import type { Secret } from '../types/core-v1.ts';

export const secrets = declareKind<Secret>('v1/Secret');
