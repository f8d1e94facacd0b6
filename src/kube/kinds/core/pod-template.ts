import { declareKind } from '../declare.ts';
import type { PodTemplate } from '../types/core-v1.ts';

export const podTemplates = declareKind<PodTemplate>('v1/PodTemplate');
