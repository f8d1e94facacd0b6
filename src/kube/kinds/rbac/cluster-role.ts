import { pathSegmentName } from '#machinery';
import type { Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { rootField } from '../shared/field.ts';
import { checkSelector, isSelectable } from '../shared/meta.ts';
import type { ClusterRole } from '../types/rbac-v1.ts';
import { checkRules } from './rules.ts';

export const clusterRoles = declareKind<ClusterRole>('rbac.authorization.k8s.io/v1/ClusterRole', {
  nameProblems: pathSegmentName,
  validateCreate: validate,
  validateUpdate: validate,
});

function validate({ rules, aggregationRule }: ClusterRole): readonly Problem[] {
  const root = rootField();
  checkRules(rules, root.at('rules'), false);
  if (aggregationRule === undefined) return root.found;
  const selectors = aggregationRule.clusterRoleSelectors ?? [];
  const field = root.at('aggregationRule.clusterRoleSelectors');
  if (selectors.length === 0)
    field.required('at least one clusterRoleSelector required if aggregationRule is non-nil');
  for (const [index, selector] of selectors.entries()) {
    checkSelector(selector, field.at(index));
    if (!isSelectable(selector)) field.at(index).invalid(null, 'invalid label selector.');
  }
  return root.found;
}
