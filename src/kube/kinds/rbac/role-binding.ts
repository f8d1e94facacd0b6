import { pathSegmentName } from '#machinery';
import { declareKind } from '../declare.ts';
import type { RoleBinding } from '../types/rbac-v1.ts';
import { bindingTable, defaultBinding, roleRefProblems, validateBinding } from './rules.ts';

export const roleBindings = declareKind<RoleBinding>('rbac.authorization.k8s.io/v1/RoleBinding', {
  nameProblems: pathSegmentName,
  defaults: defaultBinding,
  validateCreate: (binding) => validateBinding(binding, true),
  validateUpdate: (binding, old) => [
    ...validateBinding(binding, true),
    ...roleRefProblems(binding.roleRef, old.roleRef),
  ],
  table: bindingTable,
});
