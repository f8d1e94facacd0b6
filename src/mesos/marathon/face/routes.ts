import {
  createApp,
  deleteApp,
  getApp,
  getAppVersion,
  listApps,
  listAppVersions,
  restartApp,
  updateApp,
  updateApps,
} from './apps.ts';
import { deleteDeployment, listDeployments } from './deployments.ts';
import { listAppEndpoints, listEndpoints } from './endpoints.ts';
import { streamEvents } from './events.ts';
import { createGroup, deleteGroup, getGroup, patchGroup, updateGroup } from './groups.ts';
import type { Handler } from './http.ts';
import {
  createPod,
  deletePod,
  getPod,
  getPodStatus,
  getPodVersion,
  killPodInstance,
  killPodInstances,
  listPods,
  listPodStatus,
  listPodVersions,
  probePods,
  updatePod,
} from './pods.ts';
import { listQueue, resetDelay } from './queue.ts';
import {
  abdicate,
  config,
  info,
  leader,
  logging,
  metrics,
  ping,
  plugin,
  plugins,
  prometheus,
  setLogging,
} from './system.ts';
import { page, toUI } from './ui.ts';
import { deleteAppTask, deleteAppTasks, deleteTasks, listAppTasks, listTasks } from './tasks.ts';

export interface Route {
  /** Matches the whole path; its groups are what the handler gets. */
  readonly pattern: RegExp;
  readonly handlers: Readonly<Record<string, Handler>>;
  /** Answers in other forms than JSON too. */
  readonly anyType?: boolean;
  /** What those get who take text and not JSON. */
  readonly asText?: Handler;
  /** Needs no credentials. */
  readonly isOpen?: boolean;
}

/** In the order in which they are tried: the more specific first (JAX-RS takes the longest literal). */
const routes: readonly Route[] = [
  { pattern: /^\/?$/, handlers: { GET: toUI }, anyType: true, isOpen: true },
  { pattern: /^\/ui\/?$/, handlers: { GET: page }, anyType: true },
  { pattern: /^\/ping\/?$/, handlers: { GET: ping }, anyType: true, isOpen: true },
  { pattern: /^\/metrics\/?$/, handlers: { GET: metrics }, anyType: true },
  { pattern: /^\/metrics\/prometheus\/?$/, handlers: { GET: prometheus }, anyType: true },
  { pattern: /^\/config\/?$/, handlers: { GET: config } },
  { pattern: /^\/logging\/?$/, handlers: { GET: logging, POST: setLogging } },
  { pattern: /^\/v2\/info\/?$/, handlers: { GET: info } },
  { pattern: /^\/v2\/leader\/?$/, handlers: { GET: leader, DELETE: abdicate } },
  { pattern: /^\/v2\/events\/?$/, handlers: { GET: streamEvents }, anyType: true },
  { pattern: /^\/v2\/plugins\/?$/, handlers: { GET: plugins } },
  {
    pattern: /^\/v2\/plugins\/(.+)$/,
    handlers: { GET: plugin, HEAD: plugin, PUT: plugin, POST: plugin, DELETE: plugin },
    anyType: true,
  },
  { pattern: /^\/v2\/deployments\/?$/, handlers: { GET: listDeployments } },
  { pattern: /^\/v2\/deployments\/([^/]+)$/, handlers: { DELETE: deleteDeployment } },
  { pattern: /^\/v2\/queue\/?$/, handlers: { GET: listQueue } },
  { pattern: /^\/v2\/queue\/(.+)\/delay\/?$/, handlers: { DELETE: resetDelay } },
  { pattern: /^\/v2\/tasks\/?$/, handlers: { GET: listTasks }, asText: listEndpoints },
  { pattern: /^\/v2\/tasks\/delete\/?$/, handlers: { POST: deleteTasks } },
  {
    pattern: /^\/v2\/apps\/?$/,
    handlers: { GET: listApps, POST: createApp, PUT: updateApps, PATCH: updateApps },
  },
  {
    pattern: /^\/v2\/apps\/(.+)\/restart\/?$/,
    handlers: {
      POST: restartApp,
      DELETE: (call, [id = '']) => deleteApp(call, [`${id}/restart`]),
    },
  },
  {
    pattern: /^\/v2\/apps\/(.+)\/tasks\/?$/,
    handlers: { GET: listAppTasks, DELETE: deleteAppTasks },
    asText: listAppEndpoints,
  },
  { pattern: /^\/v2\/apps\/(.+)\/tasks\/([^/]+)\/?$/, handlers: { DELETE: deleteAppTask } },
  { pattern: /^\/v2\/apps\/(.+)\/versions\/?$/, handlers: { GET: listAppVersions } },
  { pattern: /^\/v2\/apps\/(.+)\/versions\/([^/]+)\/?$/, handlers: { GET: getAppVersion } },
  {
    pattern: /^\/v2\/apps\/(.+)$/,
    handlers: { GET: getApp, PUT: updateApp, PATCH: updateApp, DELETE: deleteApp },
  },
  {
    pattern: /^\/v2\/groups\/?$/,
    handlers: { GET: getGroup, POST: createGroup, PUT: updateGroup, DELETE: deleteGroup },
  },
  {
    pattern: /^\/v2\/groups\/(.+)$/,
    handlers: {
      GET: getGroup,
      POST: createGroup,
      PUT: updateGroup,
      PATCH: patchGroup,
      DELETE: deleteGroup,
    },
  },
  {
    pattern: /^\/v2\/pods\/?$/,
    handlers: { HEAD: probePods, GET: listPods, POST: createPod },
  },
  { pattern: /^\/v2\/pods\/?::status\/?$/, handlers: { GET: listPodStatus } },
  { pattern: /^\/v2\/pods\/(.+)::status\/?$/, handlers: { GET: getPodStatus } },
  { pattern: /^\/v2\/pods\/(.+)::versions\/?$/, handlers: { GET: listPodVersions } },
  { pattern: /^\/v2\/pods\/(.+)::versions\/([^/]+)\/?$/, handlers: { GET: getPodVersion } },
  { pattern: /^\/v2\/pods\/(.+)::instances\/?$/, handlers: { DELETE: killPodInstances } },
  { pattern: /^\/v2\/pods\/(.+)::instances\/([^/]+)\/?$/, handlers: { DELETE: killPodInstance } },
  {
    pattern: /^\/v2\/pods\/(.+)$/,
    handlers: { GET: getPod, PUT: updatePod, DELETE: deletePod },
  },
];

export function routeOf(
  path: string,
): { readonly route: Route; readonly rest: readonly string[] } | undefined {
  for (const route of routes) {
    const match = route.pattern.exec(path);
    if (match !== null) return { route, rest: match.slice(1) };
  }
  return undefined;
}

export function methodsOf({ handlers }: Route): string {
  const methods = new Set(Object.keys(handlers));
  if (methods.has('GET')) methods.add('HEAD');
  methods.add('OPTIONS');
  return [...methods].join(', ');
}
