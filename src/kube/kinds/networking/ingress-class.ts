import { declareKind } from '../declare.ts';
import type { IngressClass } from '../types/networking-v1.ts';

export const ingressClasses = declareKind<IngressClass>('networking.k8s.io/v1/IngressClass');
