import { declareKind } from '../declare.ts';
import type { PodGroup } from '../types/scheduling-v1alpha2.ts';

export const podGroups = declareKind<PodGroup>('scheduling.k8s.io/v1alpha2/PodGroup');
