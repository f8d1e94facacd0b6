import { declareKind } from '../declare.ts';
import type { ServiceAccount } from '../types/core-v1.ts';

export const serviceAccounts = declareKind<ServiceAccount>('v1/ServiceAccount');
