import { declareKind } from '../declare.ts';
import type { RoleBinding } from '../types/rbac-v1.ts';

export const roleBindings = declareKind<RoleBinding>('rbac.authorization.k8s.io/v1/RoleBinding');
