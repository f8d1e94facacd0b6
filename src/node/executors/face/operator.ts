import type { FaceReply } from '#base';
import {
  CallRejected,
  asciiJson,
  bytesReply,
  emptyReply,
  mediaTypes,
  textReply,
} from '#mesos/protocol';
import type {
  Action,
  AgentCall,
  AgentProcessIO,
  AgentResponse,
  ContainerID,
  Route,
} from '#mesos/protocol';
import { encodeRecord, encodeTextRecord } from '#wire';
import { EventStream } from '../custom/event-stream.ts';
import { containerMessages } from './containers.ts';
import type { AgentContext } from './context.ts';
import { metricsOf } from './metrics.ts';
import { NestedContainers } from './nested.ts';
import { readAgentCall } from './operator-read.ts';
import type { AgentRequest } from './operator-read.ts';
import { tasksResponse, executorsResponse, frameworksResponse } from './operator-state.ts';

// --http_heartbeat_interval
const heartbeatMs = 30_000;
const backlogBytesMax = 16 * 2 ** 20;

/** `/api/v1` of the agent (mesos.md 8.3). */
export function agentOperatorRoute(context: AgentContext): Route {
  const nested = new NestedContainers(context);
  return {
    realm: 'mesos-agent-readwrite',
    handle: async (http) => {
      if (!context.world.tasks.hasSynced) return textReply(503, 'Agent has not finished recovery');
      const read = await readAgentCall(context.codec, http);
      if ('status' in read) return read;
      const action = actionOf(read.call);
      if (action !== undefined && !http.caller.allows(action)) return textReply(403);
      return (
        (await containerCall(context, nested, read)) ??
        (await readingCall(context, read)) ??
        textReply(501)
      );
    },
  };
}

const actions: Readonly<Partial<Record<NonNullable<AgentCall['type']>, Action>>> = {
  GET_FLAGS: 'view_flags',
  SET_LOGGING_LEVEL: 'set_log_level',
  LIST_FILES: 'access_sandboxes',
  READ_FILE: 'access_sandboxes',
  GET_CONTAINERS: 'view_containers',
  LAUNCH_CONTAINER: 'launch_containers',
  LAUNCH_NESTED_CONTAINER: 'launch_containers',
  LAUNCH_NESTED_CONTAINER_SESSION: 'launch_containers',
  WAIT_CONTAINER: 'wait_containers',
  WAIT_NESTED_CONTAINER: 'wait_containers',
  KILL_CONTAINER: 'kill_containers',
  KILL_NESTED_CONTAINER: 'kill_containers',
  REMOVE_CONTAINER: 'remove_containers',
  REMOVE_NESTED_CONTAINER: 'remove_containers',
  ATTACH_CONTAINER_INPUT: 'attach_containers',
  ATTACH_CONTAINER_OUTPUT: 'attach_containers',
  PRUNE_IMAGES: 'prune_images',
  ADD_RESOURCE_PROVIDER_CONFIG: 'modify_resource_provider_configs',
  UPDATE_RESOURCE_PROVIDER_CONFIG: 'modify_resource_provider_configs',
  REMOVE_RESOURCE_PROVIDER_CONFIG: 'modify_resource_provider_configs',
  MARK_RESOURCE_PROVIDER_GONE: 'modify_resource_provider_configs',
};

function actionOf({ type }: AgentCall): Action | undefined {
  return type === undefined ? undefined : actions[type];
}

function answer(
  { codec }: AgentContext,
  { encoding }: AgentRequest,
  response: AgentResponse,
): FaceReply {
  const body =
    encoding === 'json'
      ? Buffer.from(asciiJson(codec.encodeJson('agent.Response', response)))
      : codec.encodeProtobuf('agent.Response', response);
  return bytesReply(body, mediaTypes[encoding]);
}

/** What changes or follows containers. */
async function containerCall(
  context: AgentContext,
  nested: NestedContainers,
  request: AgentRequest,
): Promise<FaceReply | undefined> {
  const { call, http } = request;
  switch (call.type) {
    case 'LAUNCH_CONTAINER':
    case 'LAUNCH_NESTED_CONTAINER': {
      const wish = member(call.launch_container ?? call.launch_nested_container);
      const done = await nested.launch(wish.container_id, wish);
      return emptyReply(done === 'already' ? 202 : 200);
    }
    case 'WAIT_CONTAINER': {
      const ended = await nested.wait(member(call.wait_container).container_id, http.signal);
      return answer(context, request, { type: 'WAIT_CONTAINER', wait_container: ended });
    }
    case 'WAIT_NESTED_CONTAINER': {
      const { container_id: id } = member(call.wait_nested_container);
      const ended = await nested.wait(id, http.signal);
      const type = 'WAIT_NESTED_CONTAINER';
      return answer(context, request, { type, wait_nested_container: ended });
    }
    case 'KILL_CONTAINER':
    case 'KILL_NESTED_CONTAINER': {
      const { container_id: id, signal = 9 } = member(
        call.kill_container ?? call.kill_nested_container,
      );
      await nested.kill(id, signal);
      return emptyReply(200);
    }
    case 'REMOVE_CONTAINER':
    case 'REMOVE_NESTED_CONTAINER':
      await nested.remove(
        member(call.remove_container ?? call.remove_nested_container).container_id,
      );
      return emptyReply(200);
    case 'LAUNCH_NESTED_CONTAINER_SESSION': {
      const wish = member(call.launch_nested_container_session);
      const { container_id: id } = wish;
      const done = await nested.launchSession(id, wish);
      if (done === 'already') return emptyReply(202);
      return outputStream(context, nested, { request, id, session: true });
    }
    case 'ATTACH_CONTAINER_OUTPUT': {
      const { container_id: id } = member(call.attach_container_output);
      nested.expect(id);
      return outputStream(context, nested, { request, id, session: false });
    }
    case 'ATTACH_CONTAINER_INPUT':
      await attachInput(nested, request);
      return emptyReply(200);
    default:
      return undefined;
  }
}

function member<T>(value: T | undefined): T {
  if (value === undefined) throw new CallRejected(400, '');
  return value;
}

/** ProcessIO records until the container ends; a session ends with its stream. */
function outputStream(
  context: AgentContext,
  nested: NestedContainers,
  of: {
    readonly request: AgentRequest;
    readonly id: ContainerID;
    readonly session: boolean;
  },
): FaceReply {
  const { codec, options } = context;
  const { encoding, records } = of.request;
  const stop = new AbortController();
  const stream = new EventStream({
    backlogBytesMax,
    gone: () => {
      stop.abort();
      if (of.session) nested.end(of.id);
    },
  });
  const write = (io: AgentProcessIO): void =>
    stream.write(
      encoding === 'json'
        ? encodeTextRecord(asciiJson(codec.encodeJson('agent.ProcessIO', io)))
        : encodeRecord(codec.encodeProtobuf('agent.ProcessIO', io)),
    );
  let cancel = (): void => undefined;
  const beat = (): void => {
    cancel = options.clock.after(heartbeatMs, () => {
      const interval = { nanoseconds: heartbeatMs * 1e6 };
      write({ type: 'CONTROL', control: { type: 'HEARTBEAT', heartbeat: { interval } } });
      beat();
    });
  };
  beat();
  nested
    .output(of.id, stop.signal, write)
    .catch((error: unknown) => {
      options.logger.info('The output of a container broke off', { error });
    })
    .finally(() => {
      cancel();
      stream.end();
    });
  return {
    status: 200,
    headers: records
      ? {
          'Content-Type': mediaTypes.recordio,
          'Message-Content-Type': mediaTypes[encoding],
        }
      : { 'Content-Type': mediaTypes[encoding] },
    body: stream.body,
  };
}

async function attachInput(nested: NestedContainers, request: AgentRequest): Promise<void> {
  const first = member(request.call.attach_container_input);
  if (first.type !== 'CONTAINER_ID' || first.container_id === undefined)
    throw new CallRejected(400, "Expecting 'attach_container_input.type' to be CONTAINER_ID");
  const { more } = request;
  if (more !== undefined) await nested.input(first.container_id, more);
}

/** What only tells. */
async function readingCall(
  context: AgentContext,
  request: AgentRequest,
): Promise<FaceReply | undefined> {
  const { call } = request;
  const tell = (response: AgentResponse): FaceReply => answer(context, request, response);
  const { type } = call;
  switch (type) {
    case 'GET_HEALTH':
      return tell({ type, get_health: { healthy: true } });
    case 'GET_FLAGS': {
      const flags = Object.entries(context.flags()).map(([name, value]) => ({ name, value }));
      return tell({ type, get_flags: { flags } });
    }
    case 'GET_VERSION': {
      const { version } = context.options;
      const build = { build_date: '2026-11-21 00:00:00', build_time: 1_795_219_200 };
      return tell({
        type,
        get_version: { version_info: { version, ...build, build_user: 'tandem' } },
      });
    }
    case 'GET_METRICS': {
      const metrics = Object.entries(await metricsOf(context));
      return tell({
        type,
        get_metrics: { metrics: metrics.map(([name, value]) => ({ name, value })) },
      });
    }
    case 'GET_LOGGING_LEVEL':
      return tell({ type, get_logging_level: { level: context.logging.level } });
    case 'SET_LOGGING_LEVEL': {
      const asked = member(call.set_logging_level);
      context.logging.set(asked.level, asked.duration.nanoseconds / 1e6);
      return emptyReply(200);
    }
    case 'LIST_FILES': {
      const files = await context.files.browse(member(call.list_files).path);
      return tell({ type, list_files: { file_infos: files } });
    }
    case 'READ_FILE': {
      const { path, offset, length } = member(call.read_file);
      const { data, size } = await context.files.read(path, { offset, length });
      const text = Buffer.from(data).toString('base64');
      return tell({ type, read_file: { size, data: text } });
    }
    default:
      return await stateCall(context, call, tell);
  }
}

async function agentResponse(
  context: AgentContext,
): Promise<NonNullable<AgentResponse['get_agent']>> {
  const { info, agent } = await context.facts.read();
  const drain = agent?.spec.drain;
  if (drain === undefined) return { agent_info: info };
  const grace = drain.maxGracePeriodNanoseconds;
  return {
    agent_info: info,
    drain_config: {
      mark_gone: drain.markGone ?? false,
      ...(grace === undefined ? {} : { max_grace_period: { nanoseconds: grace } }),
    },
    estimated_drain_start_time: { nanoseconds: Date.parse(drain.startTime) * 1e6 },
  };
}

async function stateCall(
  context: AgentContext,
  call: AgentCall,
  tell: (response: AgentResponse) => FaceReply,
): Promise<FaceReply | undefined> {
  const { type } = call;
  switch (type) {
    case 'GET_STATE':
      return tell({
        type,
        get_state: {
          get_tasks: tasksResponse(context),
          get_executors: executorsResponse(context),
          get_frameworks: frameworksResponse(context),
        },
      });
    case 'GET_TASKS':
      return tell({ type, get_tasks: tasksResponse(context) });
    case 'GET_EXECUTORS':
      return tell({ type, get_executors: executorsResponse(context) });
    case 'GET_FRAMEWORKS':
      return tell({ type, get_frameworks: frameworksResponse(context) });
    case 'GET_CONTAINERS': {
      const { show_nested, show_standalone } = call.get_containers ?? {};
      const containers = await containerMessages(context, {
        nested: show_nested === true,
        standalone: show_standalone === true,
      });
      return tell({ type, get_containers: { containers } });
    }
    case 'GET_OPERATIONS': {
      const { agent } = await context.facts.read();
      return tell({ type, get_operations: { operations: agent?.status.operations ?? [] } });
    }
    case 'GET_RESOURCE_PROVIDERS':
      return tell({ type, get_resource_providers: { resource_providers: [] } });
    case 'GET_AGENT':
      return tell({ type, get_agent: await agentResponse(context) });
    case 'REMOVE_RESOURCE_PROVIDER_CONFIG': {
      const { type: kind, name } = member(call.remove_resource_provider_config);
      throw new CallRejected(
        409,
        `Resource provider with type '${kind}' and name '${name}' does not exist`,
      );
    }
    case 'ADD_RESOURCE_PROVIDER_CONFIG':
    case 'UPDATE_RESOURCE_PROVIDER_CONFIG':
    case 'MARK_RESOURCE_PROVIDER_GONE':
      throw new CallRejected(400, 'This agent has no resource providers: it runs no CSI plugins');
    case 'PRUNE_IMAGES':
      await pruneImages(context, call.prune_images?.excluded_images ?? []);
      return emptyReply(200);
    default:
      return undefined;
  }
}

async function pruneImages(
  { options }: AgentContext,
  excluded: readonly { readonly docker?: { readonly name: string } | undefined }[],
): Promise<void> {
  const { runtime } = options;
  const kept = new Set(excluded.flatMap(({ docker }) => docker?.name ?? []));
  const used = new Set(runtime.containers().map(({ spec }) => spec.imageId));
  for (const image of await runtime.images.list()) {
    if (image.loaded || used.has(image.id) || image.names.some((name) => kept.has(name))) continue;
    await runtime.images.remove(image.id);
  }
}
