import { declareKind } from '../declare.ts';
import type { ResourcePoolStatusRequest } from '../types/resource-v1alpha3.ts';

export const resourcePoolStatusRequests = declareKind<ResourcePoolStatusRequest>(
  'resource.k8s.io/v1alpha3/ResourcePoolStatusRequest',
);
