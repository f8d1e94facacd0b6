import { declareKind } from '../declare.ts';
import type { Role } from '../types/rbac-v1.ts';

export const roles = declareKind<Role>('rbac.authorization.k8s.io/v1/Role');
