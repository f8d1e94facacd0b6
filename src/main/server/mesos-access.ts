import { socketOwner } from '#io';
import { createFaceAccess } from '#kube/server';
import type { FaceAccess, KubeServer, WantedAccess } from '#kube/server';
import type { AccessIdentity, MarathonAccess, WantedMarathonAccess } from '#mesos/marathon';
import type { Access, Action, ActionObject } from '#mesos/protocol';
import type { UserInfo } from '#apiserver';
import { hostname } from 'node:os';
import type { ClusterConfig } from '../cluster/config.ts';
import type { ClusterPlan } from '../cluster/plan.ts';

const mesos = 'mesos.tandem.dev';
/** Names that lead here and that nobody else can give a meaning. */
const ownNames = ['localhost', '127.0.0.1', '[::1]', 'leader.mesos', 'master.mesos'];

/** What an action of Mesos' ACLs is to RBAC: a verb on one of the kinds that it is about. */
const actions: Readonly<Record<Action, readonly [verb: string, resource: string]>> = {
  register_frameworks: ['create', 'frameworks'],
  run_tasks: ['create', 'tasks'],
  teardown_frameworks: ['delete', 'frameworks'],
  reserve_resources: ['update', 'agents'],
  unreserve_resources: ['update', 'agents'],
  create_volumes: ['update', 'agents'],
  destroy_volumes: ['update', 'agents'],
  resize_volumes: ['update', 'agents'],
  get_quotas: ['list', 'resourceroles'],
  update_quotas: ['update', 'resourceroles'],
  update_weights: ['update', 'resourceroles'],
  view_roles: ['list', 'resourceroles'],
  get_endpoints: ['list', 'agents'],
  view_frameworks: ['list', 'frameworks'],
  view_tasks: ['list', 'tasks'],
  view_executors: ['list', 'tasks'],
  view_containers: ['list', 'tasks'],
  access_sandboxes: ['get', 'tasks'],
  access_mesos_logs: ['get', 'agents'],
  view_flags: ['get', 'agents'],
  set_log_level: ['update', 'agents'],
  get_maintenance_schedules: ['get', 'maintenanceschedules'],
  update_maintenance_schedules: ['update', 'maintenanceschedules'],
  start_maintenances: ['update', 'maintenanceschedules'],
  stop_maintenances: ['update', 'maintenanceschedules'],
  get_maintenance_statuses: ['get', 'maintenanceschedules'],
  drain_agents: ['update', 'agents'],
  deactivate_agents: ['update', 'agents'],
  reactivate_agents: ['update', 'agents'],
  mark_agents_gone: ['update', 'agents'],
  launch_containers: ['create', 'tasks'],
  attach_containers: ['create', 'tasks'],
  wait_containers: ['get', 'tasks'],
  kill_containers: ['delete', 'tasks'],
  remove_containers: ['delete', 'tasks'],
  modify_resource_provider_configs: ['update', 'agents'],
  prune_images: ['update', 'agents'],
  run_executors: ['create', 'tasks'],
};

export interface MesosAccess {
  readonly master: Access;
  readonly marathon: MarathonAccess;
}

export interface AccessParts {
  readonly config: ClusterConfig;
  readonly plan: ClusterPlan;
  readonly kube: KubeServer;
  /** Of tokens, which is their audience too. */
  readonly issuer: string;
}

/** The users and roles of the API server for the faces of Mesos and Marathon. */
export function mesosAccess({ config, plan, kube, issuer }: AccessParts): MesosAccess {
  const access = createFaceAccess({
    reader: kube.reader,
    authorizer: kube.authorizer,
    tokenVerifiers: kube.tokenVerifiers,
    issuer,
    socketOwner,
    owners: new Set(config.authenticate ? [] : [0, config.owner]),
    hosts: new Set([...ownNames, plan.hostIp, hostname().toLowerCase()]),
  });
  return {
    master: masterAccess(access, config.authenticate),
    marathon: marathonAccess(access),
  };
}

function masterAccess(access: FaceAccess, authenticates: boolean): Access {
  return {
    async authenticate(request, realm) {
      const verdict = await access.authenticate(request);
      if (!verdict.ok) {
        const { status, message } = verdict;
        const challenge = `Basic realm="${realm}", Bearer realm="${realm}"`;
        const headers = status === 401 ? { 'WWW-Authenticate': challenge } : {};
        // Where credentials are asked for, in Mesos' own words.
        const text = status === 401 && authenticates ? '401 Unauthorized.' : message;
        return { refusal: { status, headers, body: Buffer.from(text) } };
      }
      const { user, principal } = verdict;
      return {
        principal,
        allows: (action, object = {}) => mayDo(access, user, { action, object }),
      };
    },
  };
}

function mayDo(
  access: FaceAccess,
  user: UserInfo,
  { action, object }: { readonly action: Action; readonly object: ActionObject },
): boolean {
  const [verb, resource] = actions[action];
  const namespace = resource === 'tasks' ? object.namespace : undefined;
  if (!access.allows(user, { verb, group: mesos, resource, namespace })) return false;
  const runs = action === 'run_tasks' || action === 'launch_containers';
  return !runs || mayRunAs(access, user, object.user);
}

/** Tasks are plain processes or containers that may become anybody: root needs the right to it. */
function mayRunAs(access: FaceAccess, user: UserInfo, as: string | undefined): boolean {
  const name = as === 'root' || as === '0' ? 'process-root' : 'process';
  return access.allows(user, {
    verb: 'use',
    group: 'node.k8s.io',
    resource: 'runtimeclasses',
    name,
  });
}

const marathonKinds = {
  app: 'apps',
  pod: 'apppods',
  group: 'appgroups',
  system: 'appdeployments',
} as const;
const marathonVerbs = {
  create: 'create',
  update: 'update',
  delete: 'delete',
  view: 'get',
} as const;

function marathonAccess(access: FaceAccess): MarathonAccess {
  return {
    async authenticate(request) {
      const verdict = await access.authenticate(request);
      if (verdict.ok)
        return { ok: true, identity: identityOf(access, verdict.user, verdict.principal) };
      const headers = { 'WWW-Authenticate': 'Basic realm="Mesosphere"' };
      return { ...verdict, ...(verdict.status === 401 && { headers }) };
    },
  };
}

function identityOf(
  access: FaceAccess,
  user: UserInfo,
  principal: string | undefined,
): AccessIdentity {
  return {
    name: principal ?? user.name,
    allows(wanted: WantedMarathonAccess) {
      const rbac: WantedAccess = {
        verb: marathonVerbs[wanted.action],
        group: 'marathon.tandem.dev',
        resource: marathonKinds[wanted.on],
        namespace: 'mesos-marathon',
      };
      if (!access.allows(user, rbac)) return false;
      const runs = wanted.action !== 'view' && wanted.action !== 'delete' && wanted.on !== 'system';
      return !runs || wanted.user === undefined || mayRunAs(access, user, wanted.user);
    },
  };
}
