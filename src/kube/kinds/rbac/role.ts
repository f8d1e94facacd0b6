import { pathSegmentName } from '#machinery';
import type { Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { rootField } from '../shared/field.ts';
import type { Role } from '../types/rbac-v1.ts';
import { checkRules } from './rules.ts';

export const roles = declareKind<Role>('rbac.authorization.k8s.io/v1/Role', {
  nameProblems: pathSegmentName,
  validateCreate: validate,
  validateUpdate: validate,
});

function validate({ rules }: Role): readonly Problem[] {
  const root = rootField();
  checkRules(rules, root.at('rules'), true);
  return root.found;
}
