import type { Clock, Face } from '#base';
import {
  LoggingLevel,
  createRouterFace,
  emptyReply,
  filesRoutes,
  jsonReply,
  loadCodec,
  loggingRoutes,
  openAccess,
  textReply,
  withCommonProcesses,
} from '#mesos/protocol';
import type { HttpRequest, Route, Routes } from '#mesos/protocol';
import { executorRoute } from '../custom/executor-endpoint.ts';
import { containersReply, statisticsReply } from './containers.ts';
import type { AgentContext } from './context.ts';
import { double, jsonText } from '#mesos/protocol';
import type { Json } from '#mesos/protocol';
import { metricsOf } from './metrics.ts';
import { agentOperatorRoute } from './operator.ts';
import { stateJson, versionJson } from './state.ts';

const readOnly = 'mesos-agent-readonly';
const bodyBytesMax = 16 * 2 ** 20;

/** Everything that a Mesos agent answers on its port. */
export async function createAgentFace(of: Omit<AgentContext, 'codec' | 'logging'>): Promise<Face> {
  const logging = new LoggingLevel(of.options.clock, of.options.logLevel);
  const context: AgentContext = { ...of, codec: await loadCodec(), logging };
  const { options } = context;
  return createRouterFace({
    delegate: 'slave(1)',
    access: options.access ?? openAccess,
    bodyBytesMax,
    processes: withCommonProcesses(
      {
        'slave(1)': agentRoutes(context),
        files: filesRoutes(context.files, { realm: readOnly, action: 'access_sandboxes' }),
        metrics: { snapshot: metricsRoute(context) },
        version: { '': { handle: async (request) => json(request, versionJson(context)) } },
        system: {
          'stats.json': {
            handle: async (request) => json(request, { ...options.systemStats?.() }),
          },
        },
        logging: loggingRoutes(logging, 'mesos-agent-readwrite'),
      },
      { delegate: 'slave(1)', realm: 'mesos-agent-readwrite' },
    ),
  });
}

function agentRoutes(context: AgentContext): Routes {
  const { world, custom, codec, facts, options } = context;
  const limited = pace(options.clock);
  return {
    'api/v1': agentOperatorRoute(context),
    'api/v1/executor': executorRoute({
      world,
      executors: custom,
      codec,
      agentInfo: async () => (await facts.read()).info,
    }),
    state: {
      realm: readOnly,
      handle: async (request) =>
        world.tasks.hasSynced
          ? json(request, await stateJson(context))
          : textReply(503, 'Agent has not finished recovery'),
    },
    containers: allowed(readOnly, 'view_containers', (request) =>
      containersReply(context, request),
    ),
    'monitor/statistics': {
      realm: readOnly,
      handle: async (request) => {
        await limited(request);
        return statisticsReply(context, request);
      },
    },
    'monitor/statistics.json': {
      realm: readOnly,
      handle: async (request) => {
        await limited(request);
        return statisticsReply(context, request);
      },
    },
    'containerizer/debug': {
      realm: readOnly,
      handle: async (request) => json(request, { pending: [] }),
    },
    flags: allowed(readOnly, 'view_flags', async (request) =>
      json(request, { flags: { ...context.flags() } }),
    ),
    health: { handle: async () => emptyReply(200) },
  };
}

function allowed(
  realm: string,
  action: 'view_flags' | 'view_containers',
  handle: Route['handle'],
): Route {
  return {
    realm,
    handle: async (request) => (request.caller.allows(action) ? handle(request) : textReply(403)),
  };
}

async function json(request: HttpRequest, value: Json): Promise<ReturnType<typeof jsonReply>> {
  return jsonReply(jsonText(value), request.query.get('jsonp'));
}

const requestsPerSecond = 2;

/** Two a second; more wait for their turn, as the reference's rate limiters let them. */
function pace(clock: Clock): (request: HttpRequest) => Promise<void> {
  const turns: number[] = [];
  return async ({ signal }) => {
    const now = clock.monotonicMs();
    while (turns.length > 0 && (turns[0] ?? 0) <= now - 1000) turns.shift();
    const before = turns.at(-requestsPerSecond);
    const at = before === undefined ? now : Math.max(now, before + 1000);
    turns.push(at);
    if (at > now) await clock.sleep(at - now, signal);
  };
}

function metricsRoute(context: AgentContext): Route {
  const limited = pace(context.options.clock);
  return {
    realm: readOnly,
    handle: async (request) => {
      const timeout = request.query.get('timeout');
      if (
        timeout !== undefined &&
        !/^\d+(\.\d+)?(ns|us|ms|secs|mins|hrs|days|weeks)$/.test(timeout)
      )
        return textReply(400, `Invalid timeout '${timeout}': Invalid duration '${timeout}'`);
      await limited(request);
      const values = Object.entries(await metricsOf(context));
      return json(
        request,
        Object.fromEntries(values.map(([name, value]) => [name, double(value)])),
      );
    },
  };
}
