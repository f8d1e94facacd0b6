import { declareKind } from '../declare.ts';
import { nameAndAge } from '../shared/tables.ts';
import type { Workload } from '../types/scheduling-v1alpha2.ts';

export const workloads = declareKind<Workload>('scheduling.k8s.io/v1alpha2/Workload', {
  table: nameAndAge,
});
