import { declareKind } from '../declare.ts';
import type { Lease } from '../types/coordination-v1.ts';

export const leases = declareKind<Lease>('coordination.k8s.io/v1/Lease');
