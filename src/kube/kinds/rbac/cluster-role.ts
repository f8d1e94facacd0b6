import { declareKind } from '../declare.ts';
import type { ClusterRole } from '../types/rbac-v1.ts';

export const clusterRoles = declareKind<ClusterRole>('rbac.authorization.k8s.io/v1/ClusterRole');
