import type { KubeObject } from '#machinery';
import { declareKind } from '../declare.ts';
import { column } from '../shared/columns.ts';
import { tableWith } from '../shared/tables.ts';
import type { ResourceSlice } from '../types/resource-v1.ts';
import type { ResourceSlice as ResourceSliceV1beta2 } from '../types/resource-v1beta2.ts';
import type { ResourceSlice as ResourceSliceV1beta1 } from '../types/resource-v1beta1.ts';

type Any = KubeObject & {
  readonly spec: {
    readonly nodeName?: string | undefined;
    readonly driver: string;
    readonly pool: { readonly name: string };
  };
};
const table = tableWith<Any>(
  column('Node', ({ spec }) => spec.nodeName ?? ''),
  column('Driver', ({ spec }) => spec.driver),
  column('Pool', ({ spec }) => spec.pool.name),
);

export const resourceSlices = declareKind<ResourceSlice>('resource.k8s.io/v1/ResourceSlice', {
  table,
});
export const resourceSlicesV1beta2 = declareKind<ResourceSliceV1beta2>(
  'resource.k8s.io/v1beta2/ResourceSlice',
  { table },
);
export const resourceSlicesV1beta1 = declareKind<ResourceSliceV1beta1>(
  'resource.k8s.io/v1beta1/ResourceSlice',
  { table },
);
