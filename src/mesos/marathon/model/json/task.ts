import { mesosStateOf } from '../conditions.ts';
import { type Instance, type InstanceTask, isActive } from '../instance.ts';
import type { CheckStatus, Health, IpAddr, LocalVolumeId, Task, TaskFailure } from '../types.ts';

export interface TaskJsonOptions {
  readonly health: readonly Health[];
  /** For `/v2/tasks` only. */
  readonly servicePorts: readonly number[];
}

/** A task as answers show it. */
export function taskJson(instance: Instance, task: InstanceTask, options: TaskJsonOptions): Task {
  const { agent } = instance;
  const active = isActive(task.condition);
  return {
    appId: instance.runSpecID,
    healthCheckResults: options.health,
    checkResult: checkResultOf(task),
    host: agent?.host ?? '',
    id: task.taskID,
    ipAddresses: task.ipAddresses.map(
      ({ ipAddress, protocol }): IpAddr => ({
        ipAddress,
        protocol: protocol === 'IPv6' ? 'IPv6' : 'IPv4',
      }),
    ),
    ports: active ? task.hostPorts : [],
    servicePorts: options.servicePorts,
    slaveId: agent?.agentID,
    state: mesosStateOf(task.condition),
    stagedAt: active ? task.stagedAt : undefined,
    startedAt: active ? task.startedAt : undefined,
    version: active ? task.runSpecVersion : undefined,
    localVolumes: localVolumesJson(instance),
    region: agent?.region,
    zone: agent?.zone,
    role: instance.role,
  };
}

export function localVolumesJson({ reservation }: Instance): LocalVolumeId[] {
  return (reservation?.volumes ?? []).map((volume) => ({
    runSpecId: volume.runSpecID,
    containerPath: volume.containerPath,
    uuid: volume.uuid,
    persistenceId: volume.persistenceID,
  }));
}

function checkResultOf({ status }: InstanceTask): CheckStatus | undefined {
  const { http, tcp, command } = status?.check_status ?? {};
  const result = {
    ...(http?.status_code === undefined ? {} : { http: { statusCode: http.status_code } }),
    ...(tcp?.succeeded === undefined ? {} : { tcp: { succeeded: tcp.succeeded } }),
    ...(command?.exit_code === undefined ? {} : { command: { exitCode: command.exit_code } }),
  };
  return Object.keys(result).length === 0 ? undefined : result;
}

const failureStates: readonly string[] = [
  'TASK_FAILED',
  'TASK_ERROR',
  'TASK_LOST',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
  'TASK_UNKNOWN',
];

/** What `lastTaskFailure` becomes by the last update of a task; undefined when it is no failure. */
export function taskFailureOf(
  instance: Instance,
  task: InstanceTask,
  timestamp: string,
): TaskFailure | undefined {
  const { status, runSpecVersion: version } = task;
  if (status === undefined || !failureStates.includes(status.state)) return undefined;
  return failureJson(instance, {
    message: status.message ?? '',
    state: status.state,
    taskId: task.taskID,
    timestamp,
    version,
  });
}

/** What `lastTaskFailure` becomes when an instance is killed for its health. */
export function healthFailureOf(
  instance: Instance,
  task: InstanceTask,
  { reason, timestamp }: { readonly reason: string; readonly timestamp: string },
): TaskFailure {
  return failureJson(instance, {
    message: `Task was killed since health check failed. Reason: ${reason}`,
    state: 'TASK_KILLED',
    taskId: task.taskID,
    timestamp,
    version: task.runSpecVersion,
  });
}

type FailureFields = Pick<TaskFailure, 'message' | 'state' | 'taskId' | 'timestamp' | 'version'>;

function failureJson({ runSpecID, agent }: Instance, fields: FailureFields): TaskFailure {
  return { appId: runSpecID, host: agent?.host ?? '', ...fields, slaveId: agent?.agentID };
}
