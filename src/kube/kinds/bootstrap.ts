import type { NewObject } from '#machinery';
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from './types/rbac-v1.ts';
import type { FlowSchema, PriorityLevelConfiguration } from './types/flowcontrol-v1.ts';
import type { PriorityClass } from './types/scheduling-v1.ts';

/** Roles and bindings that every cluster has. Existing ones are only added to, never cut down. */
export interface BootstrapRbac {
  readonly clusterRoles: readonly NewObject<ClusterRole>[];
  readonly clusterRoleBindings: readonly NewObject<ClusterRoleBinding>[];
  /** `system:controller:<name>`, bound to the service account `kube-system/<name>`. */
  readonly controllerRoles: readonly NewObject<ClusterRole>[];
  readonly controllerRoleBindings: readonly NewObject<ClusterRoleBinding>[];
  readonly namespaceRoles: readonly NewObject<Role>[];
  readonly namespaceRoleBindings: readonly NewObject<RoleBinding>[];
}
/** Everything else that a server creates when it is absent. */
export interface BootstrapObjects {
  readonly flowSchemas: readonly NewObject<FlowSchema>[];
  readonly priorityLevels: readonly NewObject<PriorityLevelConfiguration>[];
  readonly priorityClasses: readonly NewObject<PriorityClass>[];
  /** Names, in the order they are made. */
  readonly namespaces: readonly string[];
}

// The two files are large and needed once per start: read when asked for. Their shape is what the
// interfaces say; a test decodes each object.
export async function bootstrapRbac(): Promise<BootstrapRbac> {
  const data = await import('./facts/bootstrap-rbac.json', { with: { type: 'json' } });
  return data.default as unknown as BootstrapRbac;
}
export async function bootstrapObjects(): Promise<BootstrapObjects> {
  const data = await import('./facts/bootstrap-objects.json', { with: { type: 'json' } });
  return data.default as unknown as BootstrapObjects;
}
