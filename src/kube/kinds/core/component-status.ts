import { declareKind } from '../declare.ts';
import { column, nameColumn } from '../shared/columns.ts';
import type { ComponentStatus } from '../types/core-v1.ts';

function healthOf({ conditions }: ComponentStatus) {
  return (conditions ?? []).find(({ type }) => type === 'Healthy');
}

export const componentStatuses = declareKind<ComponentStatus>('v1/ComponentStatus', {
  table: {
    columns: [
      nameColumn,
      column('Status', (object) => {
        const health = healthOf(object);
        if (health === undefined) return 'Unknown';
        return health.status === 'True' ? 'Healthy' : 'Unhealthy';
      }),
      column('Message', (object) => healthOf(object)?.message ?? ''),
      column('Error', (object) => healthOf(object)?.error ?? ''),
    ],
  },
});
