import type { Random } from '#base';
import type { Task } from '#mesos/kinds';
import type { CheckStatusInfo, ContainerStatus, NetworkInfo, TaskStatus } from '#mesos/protocol';
import type { Container } from '#node/runtime';
import type { NewUpdate } from './decide.ts';
import { nestedIDOf } from './paths.ts';

export interface StatusContext {
  readonly random: Random;
  readonly nowMs: number;
  readonly nodeIp: string;
  readonly podUid: string | undefined;
  readonly container: Container | undefined;
  /** Of its sandbox; '' on the node's own network. */
  readonly sandboxIp: string;
}

/** Sixteen random bytes in base64, as v1 JSON writes `bytes`. */
export function newUuid(random: Random): string {
  return Buffer.from(random.uuid().replaceAll('-', ''), 'hex').toString('base64');
}

/** The v1 TaskStatus of an update, whole. */
export function statusOf(
  task: Task,
  update: NewUpdate,
  context: StatusContext & { readonly last: TaskStatus | undefined },
): TaskStatus {
  const { spec } = task;
  const { last } = context;
  const healthy = update.healthy ?? (update.carries ? last?.healthy : undefined);
  const check = update.check_status ?? (update.carries ? last?.check_status : undefined);
  return {
    task_id: { value: spec.taskID },
    state: update.state,
    ...given('message', update.message),
    source: update.source,
    ...given('reason', update.reason),
    ...given('data', update.data),
    agent_id: { value: spec.agentID },
    executor_id: { value: spec.executorID },
    timestamp: context.nowMs / 1000,
    uuid: newUuid(context.random),
    ...given('healthy', healthy),
    ...given('check_status', check ?? emptyCheck(task, update)),
    ...given('container_status', containerStatusOf(task, context)),
    ...given('limitation', update.limitation),
  };
}

/** A checked task's statuses say so from the start, without a result (mesos.proto, CheckStatusInfo). */
function emptyCheck(task: Task, update: NewUpdate): CheckStatusInfo | undefined {
  const type = task.spec.task.check?.type;
  if (type === undefined || update.source !== 'SOURCE_EXECUTOR') return undefined;
  if (type === 'COMMAND') return { type, command: {} };
  if (type === 'HTTP') return { type, http: {} };
  return type === 'TCP' ? { type, tcp: {} } : undefined;
}

export function containerStatusOf(
  task: Task,
  context: Pick<StatusContext, 'podUid' | 'container' | 'sandboxIp' | 'nodeIp'>,
): ContainerStatus | undefined {
  const { podUid, container } = context;
  if (podUid === undefined) return undefined;
  const parent = { value: podUid };
  const group = task.spec.execution === 'Group';
  return {
    container_id: group ? { value: nestedIDOf(task), parent } : parent,
    network_infos: [networkOf(task, context)],
    ...given('executor_pid', container?.pid),
  };
}

/** Its own address with the network's name, or the node's (slave.cpp inserts that one). */
function networkOf(
  task: Task,
  { sandboxIp, nodeIp }: Pick<StatusContext, 'sandboxIp' | 'nodeIp'>,
): NetworkInfo {
  const container = task.spec.task.container ?? task.spec.task.executor?.container;
  const asked = sandboxIp === '' ? undefined : container?.network_infos?.[0];
  const address = sandboxIp === '' ? nodeIp : sandboxIp;
  return {
    ip_addresses: [{ protocol: address.includes(':') ? 'IPv6' : 'IPv4', ip_address: address }],
    ...given('name', asked?.name),
    ...given('groups', asked?.groups),
    ...given('labels', asked?.labels),
    ...given('port_mappings', asked?.port_mappings),
  };
}

/** Nothing for an unset field: absent and undefined differ in what is stored. */
function given<K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } {
  if (value === undefined) return {};
  const made: { [P in K]?: V } = {};
  made[name] = value;
  return made;
}
