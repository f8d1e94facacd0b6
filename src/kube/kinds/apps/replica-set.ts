import { declareKind } from '../declare.ts';
import type { ReplicaSet } from '../types/apps-v1.ts';

export const replicaSets = declareKind<ReplicaSet>('apps/v1/ReplicaSet');
