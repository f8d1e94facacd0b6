import { declareKind } from '../declare.ts';
import type { ResourceClaim } from '../types/resource-v1.ts';
import type { ResourceClaim as ResourceClaimV1beta2 } from '../types/resource-v1beta2.ts';
import type { ResourceClaim as ResourceClaimV1beta1 } from '../types/resource-v1beta1.ts';

export const resourceClaims = declareKind<ResourceClaim>('resource.k8s.io/v1/ResourceClaim');
export const resourceClaimsV1beta2 = declareKind<ResourceClaimV1beta2>(
  'resource.k8s.io/v1beta2/ResourceClaim',
);
export const resourceClaimsV1beta1 = declareKind<ResourceClaimV1beta1>(
  'resource.k8s.io/v1beta1/ResourceClaim',
);
