import { declareKind } from '../declare.ts';
import type { ResourceSlice } from '../types/resource-v1.ts';
import type { ResourceSlice as ResourceSliceV1beta2 } from '../types/resource-v1beta2.ts';
import type { ResourceSlice as ResourceSliceV1beta1 } from '../types/resource-v1beta1.ts';

export const resourceSlices = declareKind<ResourceSlice>('resource.k8s.io/v1/ResourceSlice');
export const resourceSlicesV1beta2 = declareKind<ResourceSliceV1beta2>(
  'resource.k8s.io/v1beta2/ResourceSlice',
);
export const resourceSlicesV1beta1 = declareKind<ResourceSliceV1beta1>(
  'resource.k8s.io/v1beta1/ResourceSlice',
);
