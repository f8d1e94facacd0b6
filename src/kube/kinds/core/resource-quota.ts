import { declareKind } from '../declare.ts';
import type { ResourceQuota } from '../types/core-v1.ts';

export const resourceQuotas = declareKind<ResourceQuota>('v1/ResourceQuota');
