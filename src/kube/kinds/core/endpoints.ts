import { declareKind } from '../declare.ts';
import type { Endpoints } from '../types/core-v1.ts';

export const endpoints = declareKind<Endpoints>('v1/Endpoints');
