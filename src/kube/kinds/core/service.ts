import { declareKind } from '../declare.ts';
import type { Service } from '../types/core-v1.ts';

export const services = declareKind<Service>('v1/Service');
