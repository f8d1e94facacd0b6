import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  Subject,
} from '#kube/kinds';
import data from './rbac.json' with { type: 'json' };

/** What the reference ships (bootstrappolicy), and what Tandem needs beside it. */
export type RoleData = Pick<Role, 'metadata' | 'rules'> & Pick<ClusterRole, 'aggregationRule'>;
export type BindingData = Pick<RoleBinding, 'metadata' | 'roleRef' | 'subjects'>;
export interface BootstrapRbac {
  readonly clusterRoles: readonly RoleData[];
  readonly clusterRoleBindings: readonly BindingData[];
  readonly roles: readonly RoleData[];
  readonly roleBindings: readonly BindingData[];
}

const bootstrapLabels = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
export const autoUpdate = 'rbac.authorization.kubernetes.io/autoupdate';

const rbacGroup = 'rbac.authorization.k8s.io';

/** Who may see a namespace sees what other dialects have there; apps are changed like Deployments. */
const viewRules: readonly PolicyRule[] = [
  { verbs: ['get', 'list', 'watch'], apiGroups: ['mesos.tandem.dev'], resources: ['tasks'] },
  {
    verbs: ['get', 'list', 'watch'],
    apiGroups: ['marathon.tandem.dev'],
    resources: ['appdeployments', 'appgroups', 'appinstances', 'apppods', 'apps', 'appversions'],
  },
];
const editRules: readonly PolicyRule[] = [
  {
    verbs: ['create', 'delete', 'deletecollection', 'patch', 'update'],
    apiGroups: ['marathon.tandem.dev'],
    resources: ['appgroups', 'apppods', 'apps'],
  },
];

/** Agents run the service proxy and the cluster's DNS under their node's name. */
const ownClusterRoles: readonly Partial<RoleData>[] = [
  role('tandem:node-network', [
    {
      verbs: ['get', 'list', 'watch'],
      apiGroups: [''],
      resources: ['services', 'endpoints', 'namespaces', 'nodes'],
    },
    {
      verbs: ['get', 'list', 'watch'],
      apiGroups: ['discovery.k8s.io'],
      resources: ['endpointslices'],
    },
    {
      verbs: ['get', 'list', 'watch'],
      apiGroups: ['networking.k8s.io'],
      resources: ['networkpolicies'],
    },
  ]),
  role('tandem:node-mesos', [
    {
      verbs: ['get', 'list', 'watch'],
      apiGroups: ['mesos.tandem.dev'],
      resources: ['frameworks', 'agents'],
    },
    { verbs: ['patch', 'update'], apiGroups: ['mesos.tandem.dev'], resources: ['tasks/status'] },
    { verbs: ['create'], apiGroups: ['mesos.tandem.dev'], resources: ['agents/messages'] },
    { verbs: ['get'], apiGroups: ['mesos.tandem.dev'], resources: ['agents/names'] },
  ]),
  role('tandem:mesos-viewer', mesosRules(['get', 'list', 'watch'])),
  role('tandem:mesos-user', [
    ...mesosRules(['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']),
    use('process'),
  ]),
  role('tandem:aggregate-to-view', viewRules, 'view'),
  role('tandem:aggregate-to-edit', editRules, 'edit'),
  role('tandem:process-user', [use('process')]),
  role('tandem:process-root-user', [use('process'), use('process-root')]),
];

const ownClusterRoleBindings: readonly Partial<BindingData>[] = [
  binding('tandem:node-network', 'tandem:node-network', 'system:nodes'),
  binding('tandem:node-mesos', 'tandem:node-mesos', 'system:nodes'),
  binding('tandem:node-proxier', 'system:node-proxier', 'system:nodes'),
  binding('tandem:node-bootstrapper', 'system:node-bootstrapper', 'system:bootstrappers'),
];

/** Frameworks and their tasks, Marathon's apps; what operators do to agents and roles is not in it. */
function mesosRules(verbs: readonly string[]): readonly PolicyRule[] {
  return [
    { verbs, apiGroups: ['mesos.tandem.dev'], resources: ['frameworks', 'tasks'] },
    { verbs, apiGroups: ['marathon.tandem.dev'], resources: ['*'] },
    {
      verbs: ['get', 'list', 'watch'],
      apiGroups: ['mesos.tandem.dev'],
      resources: ['agents', 'resourceroles', 'maintenanceschedules'],
    },
  ];
}

function use(name: string): PolicyRule {
  return {
    verbs: ['use'],
    apiGroups: ['node.k8s.io'],
    resources: ['runtimeclasses'],
    resourceNames: [name],
  };
}

/** `partOf` names the role that gets these rules too: `view` or `edit`. */
function role(name: string, rules: readonly PolicyRule[], partOf?: string): Partial<RoleData> {
  const labels =
    partOf === undefined ? {} : { [`rbac.authorization.k8s.io/aggregate-to-${partOf}`]: 'true' };
  return { metadata: metadata({ name, labels }), rules };
}

function binding(name: string, roleName: string, group: string): Partial<BindingData> {
  const subjects: readonly Subject[] = [{ kind: 'Group', apiGroup: rbacGroup, name: group }];
  return {
    metadata: metadata({ name }),
    roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name: roleName },
    subjects,
  };
}

function metadata(own: {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly labels?: Readonly<Record<string, string | undefined>> | undefined;
}): Role['metadata'] {
  const given = Object.entries(own.labels ?? {}).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return {
    name: own.name,
    ...(own.namespace === undefined ? {} : { namespace: own.namespace }),
    uid: '',
    resourceVersion: '',
    creationTimestamp: '',
    labels: { ...bootstrapLabels, ...Object.fromEntries(given) },
    annotations: { [autoUpdate]: 'true' },
  };
}

/** All bootstrap roles and bindings; aggregated roles come with their rules filled in. */
export function bootstrapRbac(): BootstrapRbac {
  const complete = <T extends { readonly metadata: Parameters<typeof metadata>[0] }>(
    list: readonly T[],
  ): readonly (T & { readonly metadata: Role['metadata'] })[] =>
    list.map((one) => ({ ...one, metadata: metadata(one.metadata) }));
  const shipped = data as unknown as BootstrapRbac;
  const own = ownClusterRoles as readonly RoleData[];
  const ownBindings = ownClusterRoleBindings as readonly BindingData[];
  return {
    clusterRoles: fillAggregated([...complete(shipped.clusterRoles), ...own]),
    clusterRoleBindings: [...complete(shipped.clusterRoleBindings), ...ownBindings],
    roles: complete(shipped.roles),
    roleBindings: complete(shipped.roleBindings),
  };
}

/** `edit` is part of `admin`, and `view` of `edit`: filled until nothing changes. */
function fillAggregated(roles: readonly RoleData[]): readonly RoleData[] {
  let current = roles;
  for (let round = 0; round < 4; round++) {
    current = current.map((one) =>
      one.aggregationRule === undefined ? one : { ...one, rules: aggregatedRules(one, current) },
    );
  }
  return current;
}

/** The union of the rules of every role that the selectors choose, each rule once. */
export function aggregatedRules(
  target: Pick<RoleData, 'metadata' | 'aggregationRule'>,
  all: readonly Pick<RoleData, 'metadata' | 'rules'>[],
): readonly PolicyRule[] {
  const selectors = target.aggregationRule?.clusterRoleSelectors ?? [];
  const rules = new Map<string, PolicyRule>();
  const chosen = all
    .filter((one) => one.metadata.name !== target.metadata.name)
    .filter((one) => selectors.some((selector) => matches(selector, one.metadata.labels ?? {})))
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  for (const one of chosen)
    for (const rule of one.rules ?? []) rules.set(JSON.stringify(rule), rule);
  return [...rules.values()];
}

function matches(
  selector: NonNullable<
    NonNullable<ClusterRole['aggregationRule']>['clusterRoleSelectors']
  >[number],
  labels: Readonly<Record<string, string>>,
): boolean {
  return (
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    (selector.matchExpressions ?? []).every(({ key, operator, values }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      const listed = value !== undefined && (values ?? []).includes(value);
      return operator === 'In' ? listed : !listed;
    })
  );
}

export type { ClusterRoleBinding };
