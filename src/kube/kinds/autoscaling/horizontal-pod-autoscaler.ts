import { declareKind } from '../declare.ts';
import type { HorizontalPodAutoscaler } from '../types/autoscaling-v2.ts';
import type { HorizontalPodAutoscaler as HorizontalPodAutoscalerV1 } from '../types/autoscaling-v1.ts';

export const horizontalPodAutoscalers = declareKind<HorizontalPodAutoscaler>(
  'autoscaling/v2/HorizontalPodAutoscaler',
);
export const horizontalPodAutoscalersV1 = declareKind<HorizontalPodAutoscalerV1>(
  'autoscaling/v1/HorizontalPodAutoscaler',
);
