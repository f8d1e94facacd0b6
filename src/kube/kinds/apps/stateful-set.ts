import { declareKind } from '../declare.ts';
import type { StatefulSet } from '../types/apps-v1.ts';

export const statefulSets = declareKind<StatefulSet>('apps/v1/StatefulSet');
