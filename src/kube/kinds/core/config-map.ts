import { declareKind } from '../declare.ts';
import type { ConfigMap } from '../types/core-v1.ts';

export const configMaps = declareKind<ConfigMap>('v1/ConfigMap');
