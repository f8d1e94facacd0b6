import { declareKind } from '../declare.ts';
import type { NetworkPolicy } from '../types/networking-v1.ts';

export const networkPolicies = declareKind<NetworkPolicy>('networking.k8s.io/v1/NetworkPolicy');
