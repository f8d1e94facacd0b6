import type {
  AdmissionPlugin,
  AdmissionRequest,
  Attributes,
  Authorizer,
  UserInfo,
} from '#apiserver';
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding } from '#kube/kinds';
import { type KubeObject, forbidden, notFound } from '#machinery';
import type { Rbac } from './rbac.ts';
import { ruleText, uncoveredRules } from './rules.ts';

const group = 'rbac.authorization.k8s.io';
const everything: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

/**
 * Nobody hands out rights they do not have (pkg/registry/rbac/*\/policybased): writers of roles must
 * hold every rule or may `escalate`, writers of bindings must hold the role's rules or may `bind`.
 */
export function escalationCheck(rbac: Rbac, authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'RBACEscalation',
    validate(request) {
      if (request.kind.group !== group || request.subresource !== '') return;
      if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return;
      const { object, old, user } = request;
      if (object === undefined || user.groups.includes('system:masters')) return;
      if (old !== undefined && sameRights(object, old)) return;
      if (request.kind.plural === 'roles' || request.kind.plural === 'clusterroles')
        checkRole(request, rbac, authorizer);
      else checkBinding(request, rbac, authorizer);
    },
  };
}

function checkRole(request: AdmissionRequest, rbac: Rbac, authorizer: Authorizer): void {
  const role = request.object as unknown as Role & ClusterRole;
  const old = request.old as unknown as ClusterRole | undefined;
  if (may('escalate', request, { authorizer, resource: request.kind.plural, name: request.name }))
    return;
  const held = rbac.rulesFor(request.user, request.namespace);
  const aggregates = (one: ClusterRole | undefined): boolean =>
    (one?.aggregationRule?.clusterRoleSelectors ?? []).length > 0;
  if (
    request.kind.plural === 'clusterroles' &&
    (aggregates(role) || aggregates(old)) &&
    uncoveredRules(everything, held.rules).length > 0
  )
    throw forbidden(
      request.kind,
      request.name,
      'must have cluster-admin privileges to use the aggregationRule',
    );
  checkHeld(request, role.rules ?? [], held);
}

function checkBinding(request: AdmissionRequest, rbac: Rbac, authorizer: Authorizer): void {
  const binding = request.object as unknown as RoleBinding | ClusterRoleBinding;
  const { roleRef } = binding;
  const resource = roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles';
  if (may('bind', request, { authorizer, resource, name: roleRef.name })) return;
  const rules = rbac.roleRules(roleRef, request.namespace);
  if (rules === undefined) throw notFound({ group, plural: resource }, roleRef.name);
  checkHeld(request, rules, rbac.rulesFor(request.user, request.namespace));
}

function checkHeld(
  request: AdmissionRequest,
  wanted: readonly PolicyRule[],
  held: ReturnType<Rbac['rulesFor']>,
): void {
  const missing = uncoveredRules(wanted, held.rules);
  if (missing.length === 0) return;
  const lines = missing.map(ruleText).toSorted().join('\n');
  const errors = held.errors.length === 0 ? '' : `; resolution errors: [${held.errors.join(', ')}]`;
  throw forbidden(
    request.kind,
    request.name,
    `user ${userText(request.user)} is attempting to grant RBAC permissions not currently held:\n${lines}${errors}`,
  );
}

function userText(user: UserInfo): string {
  const groups = user.groups.map((name) => JSON.stringify(name)).join(' ');
  return `${JSON.stringify(user.name)} (groups=[${groups}])`;
}

function may(
  verb: string,
  request: AdmissionRequest,
  about: { readonly authorizer: Authorizer; readonly resource: string; readonly name: string },
): boolean {
  const attributes: Attributes = {
    user: request.user,
    verb,
    isResource: true,
    group,
    version: 'v1',
    resource: about.resource,
    subresource: '',
    namespace: request.namespace,
    name: about.name,
    path: '',
  };
  return about.authorizer.authorize(attributes).decision === 'allow';
}

/** Only owners, finalizers and managed fields may differ for the check to be skipped. */
function sameRights(object: KubeObject, old: KubeObject): boolean {
  const stripped = (one: KubeObject): string => {
    const { ownerReferences, finalizers, managedFields, resourceVersion, generation, ...metadata } =
      one.metadata;
    void [ownerReferences, finalizers, managedFields, resourceVersion, generation];
    return JSON.stringify({ ...one, metadata });
  };
  return stripped(object) === stripped(old);
}
