import { hostname } from 'node:os';
import type { Face, FaceReply, FaceRequest, Peer } from '#base';
import type { HttpApi } from '#client';
import { socketOwner } from '#io';
import type { ClusterConfig } from '../cluster/config.ts';
import type { ClusterPlan } from '../cluster/plan.ts';
import { reviews } from './reviews.ts';

/**
 * Keeps strangers from the Mesos agent's endpoints, as the master's faces do: without credentials only
 * root and the cluster's owner come in, from this machine and never as a web page. Bearer tokens are
 * reviewed by the server. The executor API is open to the machine and its Pods: executors have no
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
  const owners = new Set(config.authenticate ? [] : [0, config.owner]);
  const hosts = new Set(['localhost', '127.0.0.1', nodeIp, plan.hostIp, hostname().toLowerCase()]);
  const known = new WeakMap<Peer, Promise<number | undefined>>();
  return async (request) => {
    if (isExecutorCall(request) || openPaths.has(request.path)) return face(request);
    const { authorization, origin, host = '' } = request.headers;
    if (authorization !== undefined)
      return (await mayUse(api, authorization, request.method)) ? face(request) : refusal(401);
    if (origin !== undefined) return refusal(403);
    if (!hosts.has(host.toLowerCase().replace(/:\d+$/, ''))) return refusal(403);
    let owner = known.get(request.peer);
    if (owner === undefined) known.set(request.peer, (owner = socketOwner(request.peer)));
    const uid = await owner;
    return uid !== undefined && owners.has(uid) ? face(request) : refusal(401);
  };
}

/** Endpoints without a realm (mesos.md section 11). */
const openPaths: ReadonlySet<string> = new Set(['/health', '/slave(1)/health', '/version']);

function isExecutorCall({ path }: FaceRequest): boolean {
  return /^(\/slave(\(1\)|%281%29))?\/api\/v1\/executor\/?$/.test(path);
}

function refusal(status: 401 | 403): FaceReply {
  const text =
    status === 401
      ? "Credentials are needed: only root and the cluster's owner come without, from this machine"
      : 'Web pages and requests to foreign hosts need credentials';
  const headers = status === 401 ? { 'WWW-Authenticate': 'Bearer realm="mesos-agent"' } : {};
  return { status, headers, body: Buffer.from(text) };
}

/** May the token's user read or change the node's Mesos agent? */
async function mayUse(api: HttpApi, authorization: string, method: string): Promise<boolean> {
  const token = /^Bearer (\S+)$/i.exec(authorization)?.[1];
  if (token === undefined) return false;
  const user = await reviews.tokenUser(api, token);
  if (user === undefined) return false;
  const verb = method === 'GET' ? 'get' : 'update';
  return reviews.allows(api, user, { verb, group: 'mesos.tandem.dev', resource: 'agents' });
}
