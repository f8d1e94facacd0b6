import type { KubeObject } from '#machinery';
import { declareKind } from '../declare.ts';
import { column } from '../shared/columns.ts';
import { tableWith } from '../shared/tables.ts';
import type { ResourceClaim } from '../types/resource-v1.ts';
import type { ResourceClaim as ResourceClaimV1beta2 } from '../types/resource-v1beta2.ts';
import type { ResourceClaim as ResourceClaimV1beta1 } from '../types/resource-v1beta1.ts';

type Any = KubeObject & {
  readonly status: {
    readonly allocation?: unknown;
    readonly reservedFor?: readonly unknown[] | undefined;
  };
};
const table = tableWith<Any>(
  column('State', ({ metadata, status }) => {
    const states = metadata.deletionTimestamp === undefined ? [] : ['deleted'];
    if (status.allocation === undefined) return states[0] ?? 'pending';
    states.push('allocated');
    if ((status.reservedFor ?? []).length > 0) states.push('reserved');
    return states.join(',');
  }),
);

export const resourceClaims = declareKind<ResourceClaim>('resource.k8s.io/v1/ResourceClaim', {
  table,
});
export const resourceClaimsV1beta2 = declareKind<ResourceClaimV1beta2>(
  'resource.k8s.io/v1beta2/ResourceClaim',
  { table },
);
export const resourceClaimsV1beta1 = declareKind<ResourceClaimV1beta1>(
  'resource.k8s.io/v1beta1/ResourceClaim',
  { table },
);
