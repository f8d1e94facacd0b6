import { hostname } from 'node:os';
import type { Face, FaceReply, FaceRequest } from '#base';
import type { HttpApi } from '#client';
import { localCallers, socketOwner } from '#io';
import type { Access, Action } from '#mesos/protocol';
import type { ClusterConfig } from '../cluster/config.ts';
import type { ClusterPlan } from '../cluster/plan.ts';
import { reviews } from './reviews.ts';
import type { ReviewedUser } from './reviews.ts';

/**
 * Keeps strangers from the Mesos agent's endpoints, as the master's faces do: without credentials only
 * root and the cluster's owner come in, from this machine and never as a web page. Passwords
 * and tokens are reviewed by the server. The executor API is open to the machine and its Pods: executors have no
 * credentials, and an executor that the agent did not start is unknown to it.
 */
export function guarded(
  face: Face,
  parts: {
    readonly config: ClusterConfig;
    readonly plan: ClusterPlan;
    readonly nodeIp: string;
    readonly api: HttpApi;
  },
): Face {
  const { config, plan, nodeIp, api } = parts;
  const local = localCallers({
    owners: new Set(config.authenticate ? [] : [0, config.owner]),
    hosts: new Set(['localhost', '127.0.0.1', nodeIp, plan.hostIp, hostname().toLowerCase()]),
    socketOwner,
  });
  const as = (request: FaceRequest, rights: Rights): ReturnType<Face> => {
    known.set(request, rights);
    return face(request);
  };
  return async (request) => {
    if (isExecutorCall(request) || openPaths.has(request.path)) return as(request, 'changes');
    const { authorization } = request.headers;
    if (authorization !== undefined) {
      const user = await userOf(api, authorization);
      // Tools bring a principal because they are set so. Where nobody needs one, it is ignored.
      if (user === undefined && !local.open) return refusal(401, unknown);
      if (user === 'wrong') return refusal(401, unknown);
      if (user !== undefined) {
        const rights = await rightsOf(api, user);
        return rights === undefined ? refusal(403, '') : as(request, rights);
      }
    }
    const refused = await local.refusal(request);
    return refused === undefined
      ? as(request, 'changes')
      : refusal(refused.status, refused.message);
  };
}

/** What somebody may do with an agent: look, or change what it runs and says. */
type Rights = 'looks' | 'changes';

/** Of requests that were let in. */
const known = new WeakMap<FaceRequest, Rights>();

const looking: ReadonlySet<Action> = new Set([
  'get_endpoints',
  'view_frameworks',
  'view_tasks',
  'view_executors',
  'view_containers',
  'view_roles',
  'view_flags',
  'access_sandboxes',
  'access_mesos_logs',
  'wait_containers',
]);

/** Says to the agent's endpoints what `guarded` found out: calls of one path differ in what they do. */
export const agentAccess: Access = {
  async authenticate(request) {
    const rights = known.get(request);
    return {
      principal: undefined,
      allows: (action) => rights === 'changes' || (rights === 'looks' && looking.has(action)),
    };
  },
};

/** Endpoints without a realm (mesos.md section 11). */
const openPaths: ReadonlySet<string> = new Set(['/health', '/slave(1)/health', '/version']);

function isExecutorCall({ path }: FaceRequest): boolean {
  return /^(\/slave(\(1\)|%281%29))?\/api\/v1\/executor\/?$/.test(path);
}

function refusal(status: 401 | 403, message: string): FaceReply {
  const headers =
    status === 401
      ? { 'WWW-Authenticate': 'Basic realm="mesos-agent", Bearer realm="mesos-agent"' }
      : {};
  return { status, headers, body: Buffer.from(message) };
}

const unknown = 'Unknown user, wrong password or expired token';

/** Whose credentials these are; undefined when they name nobody of this cluster. */
async function userOf(
  api: HttpApi,
  authorization: string,
): Promise<ReviewedUser | 'wrong' | undefined> {
  const [, scheme = '', rest = ''] = /^(\S+) +(\S+)$/.exec(authorization) ?? [];
  const kind = scheme.toLowerCase();
  if (kind !== 'bearer' && kind !== 'basic') return undefined;
  const reviewed = await reviews.credentials(api, kind === 'bearer' ? rest : `Basic ${rest}`);
  if ('username' in reviewed) return reviewed;
  return kind === 'basic' && reviewed.error.includes('there is no user of that name')
    ? undefined
    : 'wrong';
}

/** RBAC on agents: `get` lets somebody look, `update` change. */
async function rightsOf(api: HttpApi, user: ReviewedUser): Promise<Rights | undefined> {
  const may = (verb: string): Promise<boolean> =>
    reviews.allows(api, user, { verb, group: 'mesos.tandem.dev', resource: 'agents' });
  const [looks, changes] = await Promise.all([may('get'), may('update')]);
  return changes ? 'changes' : looks ? 'looks' : undefined;
}
