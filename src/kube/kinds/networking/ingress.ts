import { declareKind } from '../declare.ts';
import type { Ingress } from '../types/networking-v1.ts';

export const ingresses = declareKind<Ingress>('networking.k8s.io/v1/Ingress');
