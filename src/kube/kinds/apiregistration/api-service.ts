import { pathSegmentName } from '#machinery';
import { declareKind } from '../declare.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { conditionOf } from '../shared/conditions.ts';
import type { APIService } from '../types/apiregistration-v1.ts';

export const apiServices = declareKind<APIService>('apiregistration.k8s.io/v1/APIService', {
  nameProblems: pathSegmentName,
  defaults: ({ spec }) => {
    if (spec.service !== undefined) spec.service.port ??= 443;
  },
  prepareForCreate: (object, { nowMs }) => {
    if (object.spec.service !== undefined) return;
    object.status.conditions = [
      {
        type: 'Available',
        status: 'True',
        lastTransitionTime: new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z'),
        reason: 'Local',
        message: 'Local APIServices are always available',
      },
    ];
  },
  table: {
    columns: [
      nameColumn,
      column('Service', ({ spec: { service } }) =>
        service === undefined ? 'Local' : `${service.namespace ?? ''}/${service.name ?? ''}`,
      ),
      column('Available', ({ status }) => {
        const condition = conditionOf(status.conditions, 'Available');
        if (condition === undefined) return 'Unknown';
        if (condition.status === 'True' || !condition.reason) return condition.status;
        return `${condition.status} (${condition.reason})`;
      }),
      ageColumn,
    ],
  },
});
