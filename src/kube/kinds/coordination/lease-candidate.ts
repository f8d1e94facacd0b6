import { declareKind } from '../declare.ts';
import type { LeaseCandidate } from '../types/coordination-v1beta1.ts';
import type { LeaseCandidate as LeaseCandidateV1alpha2 } from '../types/coordination-v1alpha2.ts';

export const leaseCandidates = declareKind<LeaseCandidate>(
  'coordination.k8s.io/v1beta1/LeaseCandidate',
);
export const leaseCandidatesV1alpha2 = declareKind<LeaseCandidateV1alpha2>(
  'coordination.k8s.io/v1alpha2/LeaseCandidate',
);
