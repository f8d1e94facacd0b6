import type { Face, FaceReply } from '#base';
import {
  LoggingLevel,
  createRouterFace,
  filesRoutes,
  loadCodec,
  loggingRoutes,
  openAccess,
  textReply,
  withCommonProcesses,
} from '#mesos/protocol';
import type { Route, Routes } from '#mesos/protocol';
import { faceLimits } from './options.ts';
import type { FaceContext, Leader, Leadership, MasterFaceOptions, Processes } from './options.ts';
import { RegistrySize, registryRoute } from './registry.ts';
import { EventStreams } from './operator/events.ts';
import { operatorRoute } from './operator/operator.ts';
import { schedulerRoute } from './scheduler.ts';

/**
 * Everything that a Mesos master answers over HTTP: `/api/v1/scheduler` for frameworks, `/api/v1` for
 * operators, and the endpoints that `routes` brings. Nothing is loaded before the first request.
 */
export function createMasterFace(options: MasterFaceOptions): Face {
  let making: Promise<Face> | undefined;
  return async (request) => {
    making ??= make(options).catch((error: unknown) => {
      // The next request tries again.
      making = undefined;
      throw error;
    });
    return await (await making)(request);
  };
}

async function make(options: MasterFaceOptions): Promise<Face> {
  const limits = { ...faceLimits, ...options.limits };
  const streams = new EventStreams(limits);
  const registry = new RegistrySize();
  const context: FaceContext = {
    options,
    master: options.master,
    codec: await loadCodec(),
    clock: options.clock,
    leader: leadership(options),
    logging: new LoggingLevel(options.clock, options.logLevel),
    metrics: async () => ({
      ...options.master.metrics(),
      'master/operator_event_stream_subscribers': streams.count,
      'registrar/registry_size_bytes': await registry.measure(context),
      ...systemMetrics(options),
    }),
  };
  const own: Routes = {
    'api/v1': operatorRoute(context, streams),
    'api/v1/scheduler': schedulerRoute(context, limits),
    redirect: redirectRoute(context),
  };
  const further = (await options.routes?.(context)) ?? {};
  const { master: legacy = {}, ...others } = further;
  const processes: Processes = {
    logging: loggingRoutes(context.logging, 'mesos-master-readwrite'),
    ...filesProcess(options),
    'registrar(1)': { registry: registryRoute(context) },
    ...others,
    master: { ...redirecting(context, legacy), ...own },
  };
  return createRouterFace({
    delegate: 'master',
    access: options.access ?? openAccess,
    bodyBytesMax: limits.bodyBytesMax,
    processes: withCommonProcesses(processes, {
      delegate: 'master',
      realm: 'mesos-master-readwrite',
    }),
  });
}

/** `avg_load_1min` of `/system/stats.json` is `load_1min` among the metrics. */
function systemMetrics({ systemStats }: MasterFaceOptions): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(systemStats?.() ?? {}).map(([name, value]) => [
      `system/${name.replace(/^avg_/, '')}`,
      value,
    ]),
  );
}

function filesProcess({ files }: MasterFaceOptions): Processes {
  if (files === undefined) return {};
  const rights = { realm: 'mesos-master-readonly', action: 'access_mesos_logs' } as const;
  return { files: filesRoutes(files, rights) };
}

/** Endpoints that every master answers by itself (mesos.md 1.3). */
const answeredByAll = new Set(['health', 'flags', 'redirect']);

function redirecting({ leader }: FaceContext, routes: Routes): Routes {
  const redirected = Object.entries(routes).map(([name, route]): [string, Route] => [
    name,
    answeredByAll.has(name)
      ? route
      : { ...route, handle: async (request) => leader.redirect(request) ?? route.handle(request) },
  ]);
  return Object.fromEntries(redirected);
}

/** `/redirect`, and nothing below it. */
function redirectRoute({ leader }: FaceContext): Route {
  return {
    handle: async (request) =>
      request.path === '/master/redirect' ? leader.location(request) : textReply(404),
  };
}

function leadership({ leader, address }: MasterFaceOptions): Leadership {
  const now = (): Leader => leader?.() ?? { kind: 'self' };
  return {
    redirect(request) {
      const current = now();
      if (current.kind === 'self') return undefined;
      if (current.kind === 'none') return textReply(503, 'No leader elected');
      const query = request.search === '' ? '' : `?${request.search}`;
      return movedTo(`//${current.hostname}:${current.port}${request.path}${query}`);
    },
    location(request) {
      const current = now();
      if (current.kind === 'none') return textReply(503, 'No leader elected');
      if (current.kind === 'other') return movedTo(`//${current.hostname}:${current.port}`);
      // The name by which the client got here is one that it can reach.
      const host = request.headers['host'] ?? '';
      if (/^([\w.-]+|\[[\da-fA-F:.]+\])(:\d{1,5})?$/.test(host)) return movedTo(`//${host}`);
      return movedTo(`//${address.hostname}:${address.port}`);
    },
  };
}

function movedTo(location: string): FaceReply {
  return { status: 307, headers: { Location: location } };
}
