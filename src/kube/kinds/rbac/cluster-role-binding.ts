import { pathSegmentName } from '#machinery';
import { declareKind } from '../declare.ts';
import type { ClusterRoleBinding } from '../types/rbac-v1.ts';
import { bindingTable, defaultBinding, roleRefProblems, validateBinding } from './rules.ts';

export const clusterRoleBindings = declareKind<ClusterRoleBinding>(
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding',
  {
    nameProblems: pathSegmentName,
    defaults: defaultBinding,
    validateCreate: (binding) => validateBinding(binding, false),
    validateUpdate: (binding, old) => [
      ...validateBinding(binding, false),
      ...roleRefProblems(binding.roleRef, old.roleRef),
    ],
    table: bindingTable,
  },
);
