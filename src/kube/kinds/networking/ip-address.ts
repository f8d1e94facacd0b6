import { pathSegmentName } from '#machinery';
import { declareKind } from '../declare.ts';
import type { IPAddress } from '../types/networking-v1.ts';
import type { IPAddress as IPAddressV1beta1 } from '../types/networking-v1beta1.ts';

// IPv6 addresses are names too: no subdomains.
const rules = { nameProblems: pathSegmentName };

export const ipAddresses = declareKind<IPAddress>('networking.k8s.io/v1/IPAddress', rules);
export const ipAddressesV1beta1 = declareKind<IPAddressV1beta1>(
  'networking.k8s.io/v1beta1/IPAddress',
  rules,
);
