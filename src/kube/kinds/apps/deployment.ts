import { declareKind } from '../declare.ts';
import type { Deployment } from '../types/apps-v1.ts';

export const deployments = declareKind<Deployment>('apps/v1/Deployment');
