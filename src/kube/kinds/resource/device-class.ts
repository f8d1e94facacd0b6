import { declareKind } from '../declare.ts';
import { nameAndAge } from '../shared/tables.ts';
import type { DeviceClass } from '../types/resource-v1.ts';
import type { DeviceClass as DeviceClassV1beta2 } from '../types/resource-v1beta2.ts';
import type { DeviceClass as DeviceClassV1beta1 } from '../types/resource-v1beta1.ts';

export const deviceClasses = declareKind<DeviceClass>('resource.k8s.io/v1/DeviceClass', {
  table: nameAndAge,
});
export const deviceClassesV1beta2 = declareKind<DeviceClassV1beta2>(
  'resource.k8s.io/v1beta2/DeviceClass',
  { table: nameAndAge },
);
export const deviceClassesV1beta1 = declareKind<DeviceClassV1beta1>(
  'resource.k8s.io/v1beta1/DeviceClass',
  { table: nameAndAge },
);
