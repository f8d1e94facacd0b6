import { declareKind } from '../declare.ts';
import type { ClusterRoleBinding } from '../types/rbac-v1.ts';

export const clusterRoleBindings = declareKind<ClusterRoleBinding>(
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding',
);
