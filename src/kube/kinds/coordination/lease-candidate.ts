import type { KubeObject } from '#machinery';
import { declareKind } from '../declare.ts';
import { column } from '../shared/columns.ts';
import { tableWith } from '../shared/tables.ts';
import type { LeaseCandidate } from '../types/coordination-v1beta1.ts';
import type { LeaseCandidate as LeaseCandidateV1alpha2 } from '../types/coordination-v1alpha2.ts';

type Any = KubeObject & Pick<LeaseCandidate, 'spec'>;
const table = tableWith<Any>(
  column('LeaseName', ({ spec }) => spec.leaseName),
  column('BinaryVersion', ({ spec }) => spec.binaryVersion),
  column('EmulationVersion', ({ spec }) => spec.emulationVersion ?? ''),
);

export const leaseCandidates = declareKind<LeaseCandidate>(
  'coordination.k8s.io/v1beta1/LeaseCandidate',
  { table },
);
export const leaseCandidatesV1alpha2 = declareKind<LeaseCandidateV1alpha2>(
  'coordination.k8s.io/v1alpha2/LeaseCandidate',
  { table },
);
