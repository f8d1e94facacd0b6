import type { Attributes, Authorizer, Decision, Reader, UserInfo } from '#apiserver';
import {
  clusterRoleBindings,
  clusterRoles,
  roleBindings,
  roles,
  type ClusterRoleBinding,
  type PolicyRule,
  type RoleBinding,
  type RoleRef,
  type Subject,
} from '#kube/kinds';
import { type CompiledRules, compileRules } from './rules.ts';

/** Who may do what by Roles and bindings, from an index kept beside the watch cache. */
export interface Rbac extends Authorizer, Disposable {
  /** Every rule that holds for a user in a namespace ('' for the whole cluster), and what is broken. */
  rulesFor(
    user: UserInfo,
    namespace: string,
  ): { readonly rules: readonly PolicyRule[]; readonly errors: readonly string[] };
  /** Reads everything that is stored; changes from then on are followed. */
  load(): void;
  /** The rules of a role, or undefined when there is none. */
  roleRules(ref: RoleRef, namespace: string): readonly PolicyRule[] | undefined;
}

interface Binding {
  /** 'ClusterRoleBinding "x"' or 'RoleBinding "x/ns"'. */
  readonly title: string;
  /** '' for a ClusterRoleBinding. */
  readonly namespace: string;
  readonly subjects: readonly Subject[];
  readonly roleRef: RoleRef;
  /** Key into the compiled roles. */
  readonly role: string;
}
/** Subject key to namespace ('' for cluster-wide) to bindings. */
type SubjectIndex = Map<string, Map<string, Binding[]>>;

const noOpinion: Decision = { decision: 'noOpinion', reason: '' };

/**
 * Roles and bindings are indexed as they change; a decision looks up a handful of maps.
 */
export function createRbac(reader: Reader): Rbac {
  const index = new RbacIndex();
  const watches = [
    reader.onChange(clusterRoles, ({ key, object }) =>
      index.setRole(`ClusterRole/${key}`, object?.rules),
    ),
    reader.onChange(roles, ({ key, object }) => index.setRole(`Role/${key}`, object?.rules)),
    reader.onChange(clusterRoleBindings, ({ key, object }) =>
      index.setBinding(`ClusterRoleBinding/${key}`, bindingOf(object)),
    ),
    reader.onChange(roleBindings, ({ key, object }) =>
      index.setBinding(`RoleBinding/${key}`, bindingOf(object)),
    ),
  ];
  return {
    name: 'RBAC',
    authorize: (attributes) => index.authorize(attributes),
    rulesFor: (user, namespace) => index.rulesFor(user, namespace),
    roleRules: (ref, namespace) => index.roleRules(roleKey(ref, namespace)),
    load: () => loadAll(reader, index),
    [Symbol.dispose]() {
      for (const watch of watches) watch[Symbol.dispose]();
    },
  };
}

function loadAll(reader: Reader, index: RbacIndex): void {
  for (const role of reader.list(clusterRoles))
    index.setRole(`ClusterRole/${role.metadata.name}`, role.rules);
  for (const role of reader.list(roles))
    index.setRole(`Role/${role.metadata.namespace}/${role.metadata.name}`, role.rules);
  for (const binding of reader.list(clusterRoleBindings))
    index.setBinding(`ClusterRoleBinding/${binding.metadata.name}`, bindingOf(binding));
  for (const binding of reader.list(roleBindings)) {
    const { namespace, name } = binding.metadata;
    index.setBinding(`RoleBinding/${namespace}/${name}`, bindingOf(binding));
  }
}

class RbacIndex {
  readonly #roles = new Map<string, CompiledRules>();
  readonly #bindings = new Map<string, Binding>();
  readonly #subjects: SubjectIndex = new Map();

  setRole(key: string, rules: readonly PolicyRule[] | null | undefined): void {
    if (rules === undefined) this.#roles.delete(key);
    else this.#roles.set(key, compileRules(rules));
  }

  setBinding(key: string, binding: Binding | undefined): void {
    const earlier = this.#bindings.get(key);
    if (earlier !== undefined) this.#forget(earlier);
    if (binding === undefined) {
      this.#bindings.delete(key);
      return;
    }
    this.#bindings.set(key, binding);
    for (const subject of binding.subjects) {
      const name = subjectKey(subject, binding.namespace);
      let scopes = this.#subjects.get(name);
      if (scopes === undefined) this.#subjects.set(name, (scopes = new Map()));
      const list = scopes.get(binding.namespace);
      if (list === undefined) scopes.set(binding.namespace, [binding]);
      else if (!list.includes(binding)) list.push(binding);
    }
  }

  #forget(binding: Binding): void {
    for (const subject of binding.subjects) {
      const name = subjectKey(subject, binding.namespace);
      const scopes = this.#subjects.get(name);
      const left = scopes?.get(binding.namespace)?.filter((other) => other !== binding) ?? [];
      if (left.length > 0) scopes?.set(binding.namespace, left);
      else scopes?.delete(binding.namespace);
      if (scopes?.size === 0) this.#subjects.delete(name);
    }
  }

  authorize(attributes: Attributes): Decision {
    const missing: string[] = [];
    const { user, namespace } = attributes;
    for (const scope of namespace === '' ? [''] : ['', namespace]) {
      for (let at = -1; at < user.groups.length; at++) {
        const group = user.groups[at];
        const name = group === undefined ? `User/${user.name}` : `Group/${group}`;
        for (const binding of this.#subjects.get(name)?.get(scope) ?? []) {
          const role = this.#roles.get(binding.role);
          if (role === undefined) missing.push(missingText(binding.roleRef));
          else if (role.allows(attributes))
            return { decision: 'allow', reason: allowText(binding, name) };
        }
      }
    }
    if (missing.length === 0) return noOpinion;
    const text = missing.length === 1 ? missing.join('') : `[${missing.join(', ')}]`;
    return { decision: 'noOpinion', reason: `RBAC: ${text}` };
  }

  rulesFor(
    user: UserInfo,
    namespace: string,
  ): { readonly rules: readonly PolicyRule[]; readonly errors: readonly string[] } {
    const rules: PolicyRule[] = [];
    const errors: string[] = [];
    const names = [`User/${user.name}`, ...user.groups.map((group) => `Group/${group}`)];
    for (const scope of namespace === '' ? [''] : ['', namespace])
      for (const name of names)
        for (const binding of this.#subjects.get(name)?.get(scope) ?? []) {
          const role = this.#roles.get(binding.role);
          if (role === undefined) errors.push(missingText(binding.roleRef));
          else rules.push(...role.rules);
        }
    return { rules, errors };
  }

  roleRules(key: string): readonly PolicyRule[] | undefined {
    return this.#roles.get(key)?.rules;
  }
}

function roleKey(ref: RoleRef, namespace: string): string {
  return ref.kind === 'ClusterRole' ? `ClusterRole/${ref.name}` : `Role/${namespace}/${ref.name}`;
}

function bindingOf(object: ClusterRoleBinding | RoleBinding | undefined): Binding | undefined {
  if (object === undefined) return undefined;
  const { name, namespace = '' } = object.metadata;
  return {
    title: namespace === '' ? `ClusterRoleBinding "${name}"` : `RoleBinding "${name}/${namespace}"`,
    namespace,
    subjects: object.subjects ?? [],
    roleRef: object.roleRef,
    role: roleKey(object.roleRef, namespace),
  };
}

/** Service accounts are users by another name. */
function subjectKey(subject: Subject, bindingNamespace: string): string {
  if (subject.kind !== 'ServiceAccount') return `${subject.kind}/${subject.name}`;
  const namespace = subject.namespace ?? '';
  return `User/system:serviceaccount:${namespace === '' ? bindingNamespace : namespace}:${subject.name}`;
}

function allowText(binding: Binding, subject: string): string {
  const account = /^User\/system:serviceaccount:([^:]+):([^:]+)$/.exec(subject);
  const slash = subject.indexOf('/');
  const isAccount =
    account !== null &&
    binding.subjects.some((one) => one.kind === 'ServiceAccount' && one.name === account[2]);
  const who = isAccount
    ? `ServiceAccount "${account[2]}/${account[1]}"`
    : `${subject.slice(0, slash)} "${subject.slice(slash + 1)}"`;
  const { kind, name } = binding.roleRef;
  return `RBAC: allowed by ${binding.title} of ${kind} "${name}" to ${who}`;
}

function missingText(ref: RoleRef): string {
  const resource = ref.kind === 'ClusterRole' ? 'clusterrole' : 'role';
  return `${resource}.rbac.authorization.k8s.io ${JSON.stringify(ref.name)} not found`;
}

/** Group system:masters may do everything, before anyone is asked. */
export const superuserAuthorizer: Authorizer = {
  name: 'system:masters',
  authorize: ({ user }) =>
    user.groups.includes('system:masters') ? { decision: 'allow', reason: '' } : noOpinion,
};
