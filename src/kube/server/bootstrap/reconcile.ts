import type { Logger } from '#base';
import type { Reader } from '#apiserver';
import {
  clusterRoleBindings,
  clusterRoles,
  endpointSlices,
  endpoints,
  flowSchemas,
  namespaces,
  priorityClasses,
  priorityLevelConfigurations,
  roleBindings,
  roles,
  runtimeClasses,
  secrets,
  services,
  type PolicyRule,
  type Subject,
} from '#kube/kinds';
import { type Api, type KubeObject, type NewObject, type ResourceName, isStatus } from '#machinery';
import { uncoveredRules } from '../authorizer/rules.ts';
import {
  type ClusterFacts,
  apiEndpoints,
  bootstrapTokenObject,
  priorityClassObjects,
  runtimeClassObjects,
  serviceObjects,
  systemNamespaces,
} from './objects.ts';
import { type BindingData, type RoleData, autoUpdate, bootstrapRbac } from './rbac.ts';

export interface BootstrapParts {
  readonly api: Api;
  readonly reader: Reader;
  readonly logger: Logger;
  readonly facts: ClusterFacts;
}

/** Everything a cluster has from its first moment; run at every start, it changes only what differs. */
export async function bootstrap(parts: BootstrapParts): Promise<void> {
  const { default: flow } = await import('./flowcontrol.json', { with: { type: 'json' } });
  await Promise.all(
    systemNamespaces.map((name) =>
      ensure(parts, namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }),
    ),
  );
  const { endpoints: apiEndpointsObject, slice } = apiEndpoints(parts.facts);
  const token = parts.facts.bootstrapToken;
  const flowObjects = flow as unknown as Readonly<Record<string, readonly NewObject[]>>;
  const levels = [
    ...(flowObjects['mandatoryPriorityLevelConfigurations'] ?? []),
    ...(flowObjects['suggestedPriorityLevelConfigurations'] ?? []),
  ];
  const schemas = [
    ...(flowObjects['mandatoryFlowSchemas'] ?? []),
    ...(flowObjects['suggestedFlowSchemas'] ?? []),
  ];
  await Promise.all([
    reconcileRbac(parts),
    ...priorityClassObjects.map((one) => ensure(parts, priorityClasses, one)),
    ...runtimeClassObjects.map((one) => ensure(parts, runtimeClasses, one)),
    ...serviceObjects(parts.facts).map((one) => ensure(parts, services, one)),
    ...levels.map((one) => ensure(parts, priorityLevelConfigurations, one)),
    ...schemas.map((one) => ensure(parts, flowSchemas, one)),
    keep(parts, endpoints, { wanted: apiEndpointsObject, fields: ['subsets'] }),
    keep(parts, endpointSlices, { wanted: slice, fields: ['endpoints', 'ports'] }),
    ...(token === undefined ? [] : [ensure(parts, secrets, bootstrapTokenObject(token))]),
  ]);
}

async function ensure(
  parts: BootstrapParts,
  resource: ResourceName,
  object: NewObject,
): Promise<void> {
  const { name = '', namespace } = object.metadata;
  if (parts.reader.get(resource, name, namespace) !== undefined) return;
  try {
    await parts.api.create(resource, object);
  } catch (error) {
    // Another server of the same store was first.
    if (!isStatus(error, 'AlreadyExists')) throw error;
  }
}

/** Like `ensure`, and the named fields are set again when they differ. */
async function keep(
  parts: BootstrapParts,
  resource: ResourceName,
  about: { readonly wanted: NewObject; readonly fields: readonly string[] },
): Promise<void> {
  const { name = '', namespace } = about.wanted.metadata;
  const found = parts.reader.get(resource, name, namespace);
  if (found === undefined) return ensure(parts, resource, about.wanted);
  const field = (object: object, key: string): unknown =>
    Object.entries(object).find(([k]) => k === key)?.[1];
  const changed = about.fields.filter(
    (key) => !contains(field(found, key), field(about.wanted, key)),
  );
  if (changed.length === 0) return;
  const body = Object.fromEntries(changed.map((key) => [key, field(about.wanted, key)]));
  await parts.api.patch(resource, { name, namespace }, { type: 'merge', body });
}

/** True when everything of `wanted` is in `found`; lists must be of one length. */
function contains(found: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return found === wanted;
  if (typeof found !== 'object' || found === null) return false;
  if (Array.isArray(wanted))
    return (
      Array.isArray(found) &&
      found.length === wanted.length &&
      wanted.every((item, index) => contains(found[index], item))
    );
  const have: Readonly<Record<string, unknown>> = { ...found };
  return Object.entries(wanted).every(([key, value]) => contains(have[key], value));
}

type RbacObject = KubeObject & {
  readonly rules?: readonly PolicyRule[] | null;
  readonly subjects?: readonly Subject[] | undefined;
  readonly roleRef?: BindingData['roleRef'];
};

async function reconcileRbac(parts: BootstrapParts): Promise<void> {
  const data = bootstrapRbac();
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const role = (resource: ResourceName, wanted: RoleData): Promise<void> =>
    reconcile(parts, resource, { ...wanted, apiVersion, kind: resource.kind });
  const binding = (resource: ResourceName, wanted: BindingData): Promise<void> =>
    reconcile(parts, resource, { ...wanted, apiVersion, kind: resource.kind });
  await Promise.all([
    ...data.clusterRoles.map((one) => role(clusterRoles, one)),
    ...data.clusterRoleBindings.map((one) => binding(clusterRoleBindings, one)),
    ...data.roles.map((one) => role(roles, one)),
    ...data.roleBindings.map((one) => binding(roleBindings, one)),
  ]);
}

/**
 * What is missing is added, what is more stays (rbac/bootstrap-roles hook). An object that says
 * `autoupdate: "false"` is its owner's; a binding to another role is made anew.
 */
async function reconcile(
  parts: BootstrapParts,
  resource: ResourceName,
  wanted: RbacObject & { readonly aggregationRule?: unknown },
): Promise<void> {
  const { name, namespace, labels, annotations } = wanted.metadata;
  const target = { name, namespace };
  const create = (): Promise<void> =>
    ensure(parts, resource, {
      ...wanted,
      metadata: { name, ...(namespace === undefined ? {} : { namespace }), labels, annotations },
    } as NewObject);
  const found = parts.reader.get(resource, name, namespace) as RbacObject | undefined;
  if (found === undefined) return create();
  if (found.metadata.annotations?.[autoUpdate] === 'false') return;
  if (wanted.roleRef !== undefined && !contains(found.roleRef, wanted.roleRef)) {
    await parts.api.delete(resource, target, { uid: found.metadata.uid });
    await parts.api.create(resource, {
      ...wanted,
      metadata: { name, namespace, labels, annotations },
    } as NewObject);
    return;
  }
  const body: Record<string, unknown> = {};
  // Aggregated roles are filled by their own loop.
  const missing =
    wanted.aggregationRule === undefined
      ? uncoveredRules(wanted.rules ?? [], found.rules ?? [])
      : [];
  if (missing.length > 0) body['rules'] = [...(found.rules ?? []), ...missing];
  const absent = (wanted.subjects ?? []).filter(
    (one) => !(found.subjects ?? []).some((other) => sameSubject(one, other)),
  );
  if (absent.length > 0) body['subjects'] = [...(found.subjects ?? []), ...absent];
  if (
    !contains(found.metadata.labels ?? {}, labels ?? {}) ||
    !contains(found.metadata.annotations ?? {}, annotations ?? {})
  )
    body['metadata'] = { labels, annotations };
  if (Object.keys(body).length > 0)
    await parts.api.patch(resource, target, { type: 'merge', body });
}

function sameSubject(a: Subject, b: Subject): boolean {
  return a.kind === b.kind && a.name === b.name && (a.namespace ?? '') === (b.namespace ?? '');
}
