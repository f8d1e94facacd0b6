import { declareKind } from '../declare.ts';
import { age, column, nameColumn } from '../shared/columns.ts';
import { conditionOf, isConditionTrue } from '../shared/conditions.ts';
import { countColumn } from '../shared/tables.ts';
import type { ResourcePoolStatusRequest } from '../types/resource-v1alpha3.ts';

export const resourcePoolStatusRequests = declareKind<ResourcePoolStatusRequest>(
  'resource.k8s.io/v1alpha3/ResourcePoolStatusRequest',
  {
    table: {
      columns: [
        nameColumn,
        column('Driver', ({ spec }) => spec.driver),
        column(
          'Total',
          sum(({ totalDevices }) => totalDevices),
        ),
        column(
          'Available',
          sum(({ availableDevices }) => availableDevices),
        ),
        column(
          'Allocated',
          sum(({ allocatedDevices }) => allocatedDevices),
        ),
        column(
          'Unavailable',
          sum(({ unavailableDevices }) => unavailableDevices),
        ),
        column(
          'Errors',
          sum(({ validationError }) => (validationError ? 1 : 0)),
        ),
        countColumn('Pools', ({ status }) => status?.poolCount ?? 0),
        column('Status', stateCell),
        column('Completed', ({ status }, nowMs) => {
          const done = conditionOf(status?.conditions, 'Complete');
          return done === undefined ? '<none>' : age(done.lastTransitionTime, nowMs);
        }),
      ],
    },
  },
);

type Request = ResourcePoolStatusRequest;
type PoolStatus = NonNullable<NonNullable<Request['status']>['pools']>[number];

/** One number over all pools; a dash while there is nothing to count. */
function sum(count: (pool: PoolStatus) => number | undefined): (request: Request) => string {
  return ({ status }) =>
    status === undefined || isConditionTrue(status.conditions, 'Failed')
      ? '-'
      : `${(status.pools ?? []).reduce((total, pool) => total + (count(pool) ?? 0), 0)}`;
}
function stateCell({ status }: Request): string {
  const state = ['Complete', 'Failed'].find((type) => isConditionTrue(status?.conditions, type));
  const listed = (status?.pools ?? []).length;
  const known = status?.poolCount ?? 0;
  if (state === 'Complete' && listed < known) return `Complete (${listed}/${known} pools)`;
  return state ?? 'Pending';
}
