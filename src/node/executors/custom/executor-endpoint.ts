import type { FaceReply } from '#base';
import {
  CallRejected,
  MessageError,
  acceptedEncoding,
  emptyReply,
  mediaTypes,
  methodNotAllowed,
  textReply,
  validateExecutorCall,
} from '#mesos/protocol';
import type {
  AgentInfo,
  ExecutorCall,
  ExecutorInfo,
  HttpRequest,
  MessageCodec,
  Route,
} from '#mesos/protocol';
import { podAnnotations } from '../names.ts';
import type { World } from '../world.ts';
import type { CustomExecutor } from './custom-executor.ts';
import type { CustomExecutors } from './custom-executors.ts';

export interface EndpointOptions {
  readonly world: World;
  readonly executors: CustomExecutors;
  readonly codec: MessageCodec;
  agentInfo(): Promise<AgentInfo>;
}

/** `/api/v1/executor`: what custom executors speak (mesos.md 5.1, in its order of checks). */
export function executorRoute(options: EndpointOptions): Route {
  return {
    realm: 'mesos-agent-executor',
    handle: (request) => handle(options, request),
  };
}

async function handle(options: EndpointOptions, request: HttpRequest): Promise<FaceReply> {
  const { world, executors } = options;
  const recovered = world.tasks.hasSynced && world.pods.hasSynced && world.frameworks.hasSynced;
  if (!recovered) return textReply(503, 'Agent has not finished recovery');
  if (request.method !== 'POST') return methodNotAllowed(['POST'], request.method);
  const call = await readCall(options.codec, request);
  const problem = validateExecutorCall(call);
  if (problem !== undefined) return textReply(400, `Failed to validate Executor::Call: ${problem}`);
  const encoding = acceptedEncoding(request.headers);
  if (call.type === 'SUBSCRIBE' && encoding === undefined)
    return textReply(
      406,
      `Expecting 'Accept' to allow '${mediaTypes.protobuf}' or '${mediaTypes.json}'`,
    );
  if (call.type === 'HEARTBEAT') return emptyReply(202);
  const found = executors.find(call.framework_id.value, call.executor_id.value);
  if (found === 'framework') return textReply(400, 'Framework cannot be found');
  if (found === 'executor') return textReply(400, 'Executor cannot be found');
  if (call.type === 'SUBSCRIBE') return subscribe(options, { call, executor: found, encoding });
  if (!found.connected) return textReply(403, 'Executor is not subscribed');
  switch (call.type) {
    case 'UPDATE':
      // Taken in order and stored before the executor is told that it may forget it.
      void update(options, found, call);
      return emptyReply(202);
    case 'MESSAGE':
      await message(options, call);
      return emptyReply(202);
    default:
      return textReply(501);
  }
}

async function readCall(codec: MessageCodec, request: HttpRequest): Promise<ExecutorCall> {
  const contentType = request.headers['content-type'];
  if (contentType === undefined)
    throw new CallRejected(400, "Expecting 'Content-Type' to be present");
  if (contentType === mediaTypes.protobuf) {
    const bytes = await request.body();
    return said(
      () => codec.decodeProtobuf('executor.Call', bytes),
      () => 'Failed to parse body into Call protobuf',
    );
  }
  if (contentType !== mediaTypes.json)
    throw new CallRejected(
      415,
      `Expecting 'Content-Type' of ${mediaTypes.json} or ${mediaTypes.protobuf}`,
    );
  const text = await request.text();
  return said(
    () => codec.decodeJson('executor.Call', text),
    ({ stage, message: words }) =>
      stage === 'syntax'
        ? `Failed to parse body into JSON: ${words}`
        : `Failed to convert JSON into Call protobuf: ${words}`,
  );
}

function said<T>(read: () => T, say: (error: MessageError) => string): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof MessageError) throw new CallRejected(400, say(error));
    throw error;
  }
}

async function subscribe(
  options: EndpointOptions,
  of: {
    readonly call: ExecutorCall;
    readonly executor: CustomExecutor;
    readonly encoding: 'json' | 'protobuf' | undefined;
  },
): Promise<FaceReply> {
  const { world, executors, codec } = options;
  const { call, executor, encoding = 'json' } = of;
  const { unacknowledged_tasks: tasks = [], unacknowledged_updates: updates = [] } =
    call.subscribe ?? {};
  const framework = world.framework(executor.frameworkID);
  const stream = await executor.open(codec, encoding);
  const reply: FaceReply = {
    status: 200,
    headers: { 'Content-Type': mediaTypes[encoding] },
    body: stream.body,
  };
  if (executor.shuttingDown || framework === undefined || framework.status.phase === 'Completed') {
    executor.shutdown();
    stream.end();
    return reply;
  }
  for (const { status } of updates) await executors.update(executor, status);
  executor.send({
    type: 'SUBSCRIBED',
    subscribed: {
      executor_info: infoOf(world, executor),
      framework_info: framework.spec.info,
      agent_info: await options.agentInfo(),
      container_id: { value: executor.podUid },
    },
  });
  executor.ready = true;
  for (const { status } of updates) acknowledge(executor, status);
  const known = new Set([
    ...tasks.map(({ task_id: id }) => id.value),
    ...updates.map(({ status }) => status.task_id.value),
  ]);
  await executors.subscribed(executor, known);
  return reply;
}

function infoOf(world: World, executor: CustomExecutor): ExecutorInfo {
  const pod = world.pods.by('uid', executor.podUid)[0];
  const text = pod?.metadata.annotations?.[podAnnotations.executor];
  // Written by the master out of a decoded message.
  const written: ExecutorInfo | undefined = text === undefined ? undefined : JSON.parse(text);
  return (
    written ??
    executor.tasks()[0]?.spec.task.executor ?? { executor_id: { value: executor.executorID } }
  );
}

async function update(
  { executors, world }: EndpointOptions,
  executor: CustomExecutor,
  call: ExecutorCall,
): Promise<void> {
  const status = call.update?.status;
  if (status === undefined) return;
  try {
    await executors.update(executor, status);
    acknowledge(executor, status);
  } catch (error) {
    // Not acknowledged: the executor brings it again when it subscribes next.
    world.options.logger.warn('Cannot store a status of an executor', {
      executor: executor.executorID,
      error,
    });
  }
}

function acknowledge(
  executor: CustomExecutor,
  {
    task_id: taskID,
    uuid = '',
  }: { readonly task_id: { readonly value: string }; uuid?: string | undefined },
): void {
  executor.send({ type: 'ACKNOWLEDGED', acknowledged: { task_id: taskID, uuid } });
}

async function message({ world }: EndpointOptions, call: ExecutorCall): Promise<void> {
  const { sendToFramework, logger } = world.options;
  const executorID = call.executor_id.value;
  const frameworkID = call.framework_id.value;
  const agentID = world.tasks
    .by('framework', frameworkID)
    .find(({ spec }) => spec.executorID === executorID)?.spec.agentID;
  const known = agentID !== undefined && world.framework(frameworkID)?.status.phase !== 'Completed';
  world.counters.add(`slave/${known ? 'valid' : 'invalid'}_framework_messages`);
  if (sendToFramework === undefined || agentID === undefined) return;
  try {
    await sendToFramework({ frameworkID, executorID, agentID, data: call.message?.data ?? '' });
  } catch (error) {
    logger.info('A message of an executor was lost', { executor: executorID, error });
  }
}
