import { declareKind } from '../declare.ts';
import type { EndpointSlice } from '../types/discovery-v1.ts';

export const endpointSlices = declareKind<EndpointSlice>('discovery.k8s.io/v1/EndpointSlice');
