import { dns1123Subdomain, pathSegmentName } from '#machinery';
import type { Draft, Problem, TableDeclaration } from '#machinery';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { sameValue } from '../shared/same.ts';
import type {
  ClusterRoleBinding,
  PolicyRule,
  RoleBinding,
  RoleRef,
  Subject,
} from '../types/rbac-v1.ts';

export const rbacGroup = 'rbac.authorization.k8s.io';

/** ValidatePolicyRule for each. */
export function checkRules(
  rules: readonly PolicyRule[] | null,
  field: Field,
  isNamespaced: boolean,
): void {
  for (const [index, rule] of (rules ?? []).entries()) {
    const at = field.at(index);
    const {
      verbs,
      apiGroups = [],
      resources = [],
      resourceNames = [],
      nonResourceURLs = [],
    } = rule;
    if ((verbs ?? []).length === 0)
      at.at('verbs').required('verbs must contain at least one value');
    if (nonResourceURLs.length > 0) {
      if (isNamespaced)
        at.at('nonResourceURLs').invalid(
          nonResourceURLs,
          'namespaced rules cannot apply to non-resource URLs',
        );
      if (apiGroups.length + resources.length + resourceNames.length > 0)
        at.at('nonResourceURLs').invalid(
          nonResourceURLs,
          'rules cannot apply to both regular resources and non-resource URLs',
        );
      continue;
    }
    if (apiGroups.length === 0)
      at.at('apiGroups').required('resource rules must supply at least one api group');
    if (resources.length === 0)
      at.at('resources').required('resource rules must supply at least one resource');
  }
}

type AnyBinding = RoleBinding | ClusterRoleBinding;

export function defaultBinding(binding: Draft<AnyBinding>): void {
  binding.roleRef.apiGroup ||= rbacGroup;
  for (const subject of binding.subjects ?? [])
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= rbacGroup;
}

export function validateBinding(
  { roleRef, subjects }: AnyBinding,
  isNamespaced: boolean,
): readonly Problem[] {
  const root = rootField();
  const field = root.at('roleRef');
  const kinds = isNamespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  if (roleRef.apiGroup !== rbacGroup)
    field.at('apiGroup').notSupported(roleRef.apiGroup, [rbacGroup]);
  if (!kinds.includes(roleRef.kind)) field.at('kind').notSupported(roleRef.kind, kinds);
  if (roleRef.name === '') field.at('name').required();
  else field.at('name').invalidAll(roleRef.name, pathSegmentName(roleRef.name));
  for (const [index, subject] of (subjects ?? []).entries())
    checkSubject(subject, root.at('subjects').at(index), isNamespaced);
  return root.found;
}

function checkSubject(
  { kind, name, namespace, apiGroup = '' }: Subject,
  field: Field,
  isNamespaced: boolean,
): void {
  if (name === '') field.at('name').required();
  if (kind === 'ServiceAccount') {
    if (name !== '') field.at('name').invalidAll(name, dns1123Subdomain(name));
    if (apiGroup !== '') field.at('apiGroup').notSupported(apiGroup, ['']);
    if (!isNamespaced && !namespace) field.at('namespace').required();
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== rbacGroup) field.at('apiGroup').notSupported(apiGroup, [rbacGroup]);
  } else field.at('kind').notSupported(kind, ['ServiceAccount', 'User', 'Group']);
}

/** What a binding binds to is settled once it exists. */
export function roleRefProblems(now: RoleRef, then: RoleRef): readonly Problem[] {
  const root = rootField();
  if (!sameValue(now, then))
    root
      .at('roleRef')
      .invalid({ APIGroup: now.apiGroup, Kind: now.kind, Name: now.name }, 'cannot change roleRef');
  return root.found;
}

function names(kind: string, text: (subject: Subject) => string) {
  return ({ subjects }: AnyBinding): string =>
    (subjects ?? [])
      .filter((subject) => subject.kind === kind)
      .map(text)
      .join(', ');
}
export const bindingTable: TableDeclaration<AnyBinding> = {
  columns: [
    nameColumn,
    column('Role', ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
    ageColumn,
    column(
      'Users',
      names('User', ({ name }) => name),
      { wide: true },
    ),
    column(
      'Groups',
      names('Group', ({ name }) => name),
      { wide: true },
    ),
    column(
      'ServiceAccounts',
      names('ServiceAccount', ({ namespace, name }) => `${namespace ?? ''}/${name}`),
      { wide: true },
    ),
  ],
};
