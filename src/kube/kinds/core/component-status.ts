import { declareKind } from '../declare.ts';
import type { ComponentStatus } from '../types/core-v1.ts';

export const componentStatuses = declareKind<ComponentStatus>('v1/ComponentStatus');
