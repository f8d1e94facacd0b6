import { declareKind } from '../declare.ts';
import type { Binding } from '../types/core-v1.ts';

export const bindings = declareKind<Binding>('v1/Binding');
