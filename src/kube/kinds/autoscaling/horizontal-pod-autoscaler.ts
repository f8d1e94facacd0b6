import type { Draft, KubeObject } from '#machinery';
import { declareKind } from '../declare.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import type { HorizontalPodAutoscaler as HorizontalPodAutoscalerV1 } from '../types/autoscaling-v1.ts';
import type { HorizontalPodAutoscaler, HPAScalingRules } from '../types/autoscaling-v2.ts';
import { validateAutoscaler, validateAutoscalerStatus } from './rules.ts';
import { targetsCell } from './targets.ts';
import { fromV2, toV2 } from './versions.ts';

export const horizontalPodAutoscalers = declareKind<HorizontalPodAutoscaler>(
  'autoscaling/v2/HorizontalPodAutoscaler',
  {
    defaults: ({ spec }) => {
      spec.minReplicas ??= 1;
      if ((spec.metrics ?? []).length === 0)
        spec.metrics = [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
          },
        ];
      if (spec.behavior === undefined) return;
      spec.behavior.scaleUp = defaultScaling(spec.behavior.scaleUp, true);
      spec.behavior.scaleDown = defaultScaling(spec.behavior.scaleDown, false);
    },
    validateCreate: (object) => validateAutoscaler(object),
    validateUpdate: validateAutoscaler,
    validateStatusUpdate: validateAutoscalerStatus,
    table: {
      columns: [
        nameColumn,
        column(
          'Reference',
          ({ spec: { scaleTargetRef } }) => `${scaleTargetRef.kind}/${scaleTargetRef.name}`,
        ),
        column('Targets', targetsCell),
        column('MinPods', ({ spec }) => `${spec.minReplicas ?? '<unset>'}`),
        column('MaxPods', ({ spec }) => spec.maxReplicas),
        column('Replicas', ({ status }) => status.currentReplicas ?? 0),
        ageColumn,
      ],
    },
  },
);

export const horizontalPodAutoscalersV1 = declareKind<HorizontalPodAutoscalerV1>(
  'autoscaling/v1/HorizontalPodAutoscaler',
  {
    defaults: ({ spec }) => {
      spec.minReplicas ??= 1;
      spec.targetCPUUtilizationPercentage ??= 80;
    },
    validateCreate: (object) => validateAutoscaler(toV2(object)),
    validateUpdate: (object, old) => validateAutoscaler(toV2(object), toV2(old)),
    validateStatusUpdate: (object) => validateAutoscalerStatus(toV2(object)),
    table: {
      columns: (horizontalPodAutoscalers.table?.columns ?? []).map((one) => ({
        ...one,
        cell: (object: HorizontalPodAutoscalerV1, nowMs: number) => one.cell(toV2(object), nowMs),
      })),
    },
    storedAs: {
      kind: horizontalPodAutoscalers,
      // The server hands each function objects of the kind that it names.
      toStored: (object: KubeObject) => toV2(object as HorizontalPodAutoscalerV1),
      fromStored: (object: KubeObject) => fromV2(object as HorizontalPodAutoscaler),
    },
  },
);

function defaultScaling(
  rules: Draft<HPAScalingRules> | undefined,
  isUp: boolean,
): Draft<HPAScalingRules> {
  const all = { type: 'Percent', value: 100, periodSeconds: 15 };
  const policies = isUp ? [{ type: 'Pods', value: 4, periodSeconds: 15 }, all] : [all];
  return {
    ...(isUp && { stabilizationWindowSeconds: 0 }),
    selectPolicy: 'Max',
    policies,
    ...rules,
  };
}
