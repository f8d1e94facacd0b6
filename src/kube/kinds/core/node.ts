import { declareKind } from '../declare.ts';
import type { Node } from '../types/core-v1.ts';

export const nodes = declareKind<Node>('v1/Node');
