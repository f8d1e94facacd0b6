import { declareKind } from '../declare.ts';
import { column } from '../shared/columns.ts';
import { conditionOf } from '../shared/conditions.ts';
import { tableWith } from '../shared/tables.ts';
import type { PodGroup } from '../types/scheduling-v1alpha2.ts';

export const podGroups = declareKind<PodGroup>('scheduling.k8s.io/v1alpha2/PodGroup', {
  table: tableWith<PodGroup>(
    column('Policy', ({ spec }) => (spec.schedulingPolicy?.gang === undefined ? 'Basic' : 'Gang')),
    column('Workload', ({ spec }) => spec.podGroupTemplateRef?.workload?.workloadName ?? '<none>'),
    column('Status', ({ status: { conditions } }) => {
      const disrupted = conditionOf(conditions, 'DisruptionTarget');
      if (disrupted !== undefined) return disrupted.reason;
      const scheduled = conditionOf(conditions, 'PodGroupScheduled');
      if (scheduled === undefined) return 'Pending';
      return scheduled.status === 'True' ? 'Scheduled' : 'Unschedulable';
    }),
  ),
});
