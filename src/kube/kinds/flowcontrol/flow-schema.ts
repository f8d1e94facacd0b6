import { declareKind } from '../declare.ts';
import type { FlowSchema } from '../types/flowcontrol-v1.ts';

export const flowSchemas = declareKind<FlowSchema>('flowcontrol.apiserver.k8s.io/v1/FlowSchema');
