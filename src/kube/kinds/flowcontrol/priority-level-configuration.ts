import { declareKind } from '../declare.ts';
import type { PriorityLevelConfiguration } from '../types/flowcontrol-v1.ts';

export const priorityLevelConfigurations = declareKind<PriorityLevelConfiguration>(
  'flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration',
);
