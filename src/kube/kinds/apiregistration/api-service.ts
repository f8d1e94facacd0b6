import { declareKind } from '../declare.ts';
import type { APIService } from '../types/apiregistration-v1.ts';

export const apiServices = declareKind<APIService>('apiregistration.k8s.io/v1/APIService');
