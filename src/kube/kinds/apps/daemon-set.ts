import { declareKind } from '../declare.ts';
import type { DaemonSet } from '../types/apps-v1.ts';

export const daemonSets = declareKind<DaemonSet>('apps/v1/DaemonSet');
