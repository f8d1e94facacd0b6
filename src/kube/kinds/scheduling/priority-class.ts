import { declareKind } from '../declare.ts';
import type { PriorityClass } from '../types/scheduling-v1.ts';

export const priorityClasses = declareKind<PriorityClass>('scheduling.k8s.io/v1/PriorityClass');
