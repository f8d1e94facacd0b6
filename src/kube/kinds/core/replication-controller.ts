import { declareKind } from '../declare.ts';
import type { ReplicationController } from '../types/core-v1.ts';

export const replicationControllers = declareKind<ReplicationController>(
  'v1/ReplicationController',
);
