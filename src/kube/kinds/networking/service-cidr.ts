import { declareKind } from '../declare.ts';
import type { ServiceCIDR } from '../types/networking-v1.ts';
import type { ServiceCIDR as ServiceCIDRV1beta1 } from '../types/networking-v1beta1.ts';

export const serviceCidrs = declareKind<ServiceCIDR>('networking.k8s.io/v1/ServiceCIDR');
export const serviceCidrsV1beta1 = declareKind<ServiceCIDRV1beta1>(
  'networking.k8s.io/v1beta1/ServiceCIDR',
);
