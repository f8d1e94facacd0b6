import type {
  CommandInfo,
  ExecutorInfo,
  MessageCodec,
  MessageName,
  Messages,
  TaskStatus,
} from '#mesos/protocol';
import type { ExecutorRecord, OfferRecord, TaskRecord } from '../../core/records.ts';
import { RawJson, double } from './json.ts';
import type { Json } from './json.ts';
import { labelsJson, resourcesJson } from './resources.ts';

/** A message within a legacy document, as protobuf becomes JSON there. */
export function messageJson<Name extends MessageName>(
  codec: MessageCodec,
  type: Name,
  value: Messages[Name] | undefined,
): RawJson | undefined {
  return value === undefined ? undefined : new RawJson(codec.encodeJson(type, value));
}

/** common/http.cpp, `json(Task)`. */
export function taskJson(codec: MessageCodec, task: TaskRecord): Json {
  const { info } = task;
  const limits = Object.entries(info.limits ?? {});
  return {
    id: task.taskID,
    name: info.name,
    framework_id: task.frameworkID,
    executor_id: task.execution === 'Command' ? '' : task.executorID,
    slave_id: task.agentID,
    state: task.state,
    resources: resourcesJson(info.resources ?? []),
    limits:
      limits.length === 0
        ? undefined
        : Object.fromEntries(limits.map(([name, { value }]) => [name, double(value)])),
    role: task.role,
    statuses: task.statuses.map((status) => statusJson(codec, status)),
    user: info.command?.user,
    labels: labelsJson(info.labels?.labels),
    discovery: messageJson(codec, 'DiscoveryInfo', info.discovery),
    container: messageJson(codec, 'ContainerInfo', info.container),
    health_check: messageJson(codec, 'HealthCheck', info.health_check),
  };
}

function statusJson(codec: MessageCodec, status: TaskStatus): Json {
  return {
    state: status.state,
    timestamp: double(status.timestamp ?? 0),
    labels: labelsJson(status.labels?.labels),
    container_status: messageJson(codec, 'ContainerStatus', status.container_status),
    healthy: status.healthy,
  };
}

/** Of the executors page of a framework. */
export function executorJson(codec: MessageCodec, { info, agentID }: ExecutorRecord): Json {
  return {
    executor_id: info.executor_id.value,
    name: info.name ?? '',
    framework_id: info.framework_id?.value ?? '',
    command: commandJson(codec, info.command ?? {}),
    resources: resourcesJson(info.resources ?? []),
    role: roleOf(info),
    labels: labelsJson(info.labels?.labels),
    type: info.type,
    slave_id: agentID,
  };
}

function roleOf(info: ExecutorInfo): string | undefined {
  return info.resources?.find((one) => one.allocation_info !== undefined)?.allocation_info?.role;
}

function commandJson(codec: MessageCodec, command: CommandInfo): Json {
  return {
    shell: command.shell,
    value: command.value,
    argv: [...(command.arguments ?? [])],
    environment: messageJson(codec, 'Environment', command.environment),
    uris: (command.uris ?? []).map(({ value, executable }) => ({ value, executable })),
  };
}

export function offerJson(record: OfferRecord): Json {
  return {
    id: record.id,
    framework_id: record.frameworkID,
    allocation_info: { role: record.role },
    slave_id: record.agentID,
    resources: resourcesJson(record.offer.resources ?? []),
  };
}
