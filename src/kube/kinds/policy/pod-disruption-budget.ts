import { declareKind } from '../declare.ts';
import type { PodDisruptionBudget } from '../types/policy-v1.ts';

export const podDisruptionBudgets = declareKind<PodDisruptionBudget>(
  'policy/v1/PodDisruptionBudget',
);
