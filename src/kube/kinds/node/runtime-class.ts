import { declareKind } from '../declare.ts';
import type { RuntimeClass } from '../types/node-v1.ts';

export const runtimeClasses = declareKind<RuntimeClass>('node.k8s.io/v1/RuntimeClass');
