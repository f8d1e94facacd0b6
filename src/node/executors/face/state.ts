import type { Task } from '#mesos/kinds';
import {
  coalesce,
  endpointResource,
  reservationRole,
  upgradeResource,
  rangesText,
} from '#mesos/protocol';
import type {
  Attribute,
  Label,
  MessageCodec,
  MessageName,
  Messages,
  Resource,
} from '#mesos/protocol';
import type { FrameworkInfo, Task as TaskMessage } from '#mesos/protocol';
import type { AgentContext } from './context.ts';
import { RawJson, double } from '#mesos/protocol';
import type { Json } from '#mesos/protocol';
import { executorsOf, heldBy, taskMessage } from './view.ts';
import type { ExecutorView } from './view.ts';

/** slave/constants.cpp, AGENT_CAPABILITIES. */
export const agentCapabilities = [
  'MULTI_ROLE',
  'HIERARCHICAL_ROLE',
  'RESERVATION_REFINEMENT',
  'RESOURCE_PROVIDER',
  'RESIZE_VOLUME',
  'AGENT_OPERATION_FEEDBACK',
  'AGENT_DRAINING',
  'TASK_RESOURCE_LIMITS',
] as const;

/** `/state` of the agent (slave/http.cpp; mesos.md 8.4). */
export async function stateJson(context: AgentContext): Promise<Json> {
  const { world, paths, options, codec } = context;
  const { info, agent } = await context.facts.read();
  const executors = executorsOf(world, paths);
  const total = info.resources ?? [];
  const held = executors.flatMap(heldBy);
  const drain = agent?.spec.drain;
  const grace = drain?.maxGracePeriodNanoseconds;
  return {
    ...versionJson(context),
    start_time: double(context.startedMs / 1000),
    id: info.id?.value ?? '',
    pid: `slave(1)@${options.nodeIp}:${options.port}`,
    hostname: info.hostname,
    capabilities: [...agentCapabilities],
    domain: messageJson(codec, 'DomainInfo', info.domain),
    drain_config:
      drain === undefined
        ? undefined
        : {
            ...(grace === undefined ? {} : { max_grace_period: { nanoseconds: grace } }),
            mark_gone: drain.markGone ?? false,
          },
    estimated_drain_start_time_seconds:
      drain === undefined ? undefined : double(Date.parse(drain.startTime) / 1000),
    resources: resourcesJson(total),
    reserved_resources: byRole(reserved(total), resourcesJson),
    unreserved_resources: resourcesJson(unreserved(total)),
    reserved_resources_full: byRole(reserved(total), fullJson(codec)),
    unreserved_resources_full: fullJson(codec)(unreserved(total)),
    reserved_resources_allocated: byRole(reserved(held), resourcesJson),
    unreserved_resources_allocated: resourcesJson(unreserved(held)),
    resource_providers: [],
    attributes: attributesJson(info.attributes ?? []),
    master_hostname: options.masterHostname,
    flags: context.flags(),
    ...frameworksJson(context, executors),
  };
}

export function versionJson({ options }: AgentContext): Record<string, Json> {
  return {
    version: options.version,
    build_date: '2026-11-21 00:00:00',
    build_time: double(1_795_219_200),
    build_user: 'tandem',
  };
}

function frameworksJson(
  context: AgentContext,
  executors: readonly ExecutorView[],
): { readonly frameworks: Json; readonly completed_frameworks: Json } {
  const frameworks: Json[] = [];
  const completed: Json[] = [];
  for (const id of new Set(executors.map(({ frameworkID }) => frameworkID))) {
    const own = executors.filter(({ frameworkID }) => frameworkID === id);
    const framework = context.world.framework(id);
    const over = own.every((executor) => executor.over);
    const json = frameworkJson(context, { id, own, info: framework?.spec.info });
    (over ? completed : frameworks).push(json);
  }
  return { frameworks, completed_frameworks: completed };
}

function frameworkJson(
  context: AgentContext,
  of: {
    readonly id: string;
    readonly own: readonly ExecutorView[];
    readonly info: FrameworkInfo | undefined;
  },
): Json {
  const { id, own, info } = of;
  const multi = info?.capabilities?.some(({ type }) => type === 'MULTI_ROLE') === true;
  const shown = (executor: ExecutorView): Json => executorJson(context, executor, info?.user);
  return {
    id,
    name: info?.name ?? '',
    user: info?.user ?? '',
    failover_timeout: double(info?.failover_timeout ?? 0),
    checkpoint: info?.checkpoint ?? false,
    hostname: info?.hostname ?? '',
    principal: info?.principal,
    ...(multi ? { roles: [...(info?.roles ?? [])] } : { role: info?.role ?? '*' }),
    executors: own.filter(({ over }) => !over).map(shown),
    completed_executors: own.filter(({ over }) => over).map(shown),
  };
}

function executorJson(
  { codec }: AgentContext,
  executor: ExecutorView,
  user: string | undefined,
): Json {
  const { info } = executor;
  const held = heldBy(executor);
  const role = held.find((one) => one.allocation_info?.role !== undefined)?.allocation_info?.role;
  const shown = (task: Task): Json => taskJson(codec, taskMessage(task, userOf(task, user)));
  return {
    id: executor.executorID,
    name: info.name ?? '',
    source: info.source ?? executor.source,
    container: executor.containerID,
    directory: executor.directory,
    resources: resourcesJson(held),
    role,
    labels: labelsJson(info.labels?.labels),
    type: info.type,
    tasks: executor.launched.map(shown),
    queued_tasks: executor.queued.map((task) => queuedJson(codec, task, user)),
    completed_tasks: [...executor.terminated, ...executor.completed].map(shown),
  };
}

export function userOf({ spec }: Task, user: string | undefined): string | undefined {
  return spec.task.command?.user ?? spec.task.executor?.command?.user ?? user;
}

/** A TaskInfo that was not handed over yet has less to say. */
function queuedJson(codec: MessageCodec, task: Task, user: string | undefined): Json {
  const {
    state: _state,
    statuses: _statuses,
    ...rest
  } = taskMembers(codec, taskMessage(task, userOf(task, user)));
  return rest;
}

function taskJson(codec: MessageCodec, task: TaskMessage): Json {
  return taskMembers(codec, task);
}

/** common/http.cpp, `json(Task)`. */
function taskMembers(codec: MessageCodec, task: TaskMessage): Record<string, Json | undefined> {
  const limits = Object.entries(task.limits ?? {});
  const role = task.resources?.find(({ allocation_info: one }) => one?.role !== undefined);
  return {
    id: task.task_id.value,
    name: task.name,
    framework_id: task.framework_id.value,
    executor_id: task.executor_id?.value ?? '',
    slave_id: task.agent_id.value,
    state: task.state,
    resources: resourcesJson(task.resources ?? []),
    limits:
      limits.length === 0
        ? undefined
        : Object.fromEntries(limits.map(([name, { value }]) => [name, double(value)])),
    role: role?.allocation_info?.role,
    statuses: (task.statuses ?? []).map((status) => ({
      state: status.state,
      timestamp: double(status.timestamp ?? 0),
      labels: labelsJson(status.labels?.labels),
      container_status: messageJson(codec, 'ContainerStatus', status.container_status),
      healthy: status.healthy,
    })),
    user: task.user,
    labels: labelsJson(task.labels?.labels),
    discovery: messageJson(codec, 'DiscoveryInfo', task.discovery),
    container: messageJson(codec, 'ContainerInfo', task.container),
    health_check: messageJson(codec, 'HealthCheck', task.health_check),
  };
}

export function messageJson<Name extends MessageName>(
  codec: MessageCodec,
  type: Name,
  value: Messages[Name] | undefined,
): RawJson | undefined {
  return value === undefined ? undefined : new RawJson(codec.encodeJson(type, value));
}

function labelsJson(labels: readonly Label[] | undefined): Json | undefined {
  return labels?.map(({ key, value }) => ({ key, ...(value === undefined ? {} : { value }) }));
}

function reserved(resources: readonly Resource[]): readonly Resource[] {
  return resources.filter((one) => (reservationRole(upgradeResource(one)) ?? '*') !== '*');
}
function unreserved(resources: readonly Resource[]): readonly Resource[] {
  return resources.filter((one) => (reservationRole(upgradeResource(one)) ?? '*') === '*');
}

function byRole(
  resources: readonly Resource[],
  show: (resources: readonly Resource[]) => Json,
): Json {
  const roles = new Map<string, Resource[]>();
  for (const resource of resources) {
    const role = reservationRole(upgradeResource(resource)) ?? '*';
    roles.set(role, [...(roles.get(role) ?? []), resource]);
  }
  return Object.fromEntries([...roles].map(([role, list]) => [role, show(list)]));
}

function fullJson(codec: MessageCodec): (resources: readonly Resource[]) => Json {
  return (resources) =>
    resources.map(
      (one) => new RawJson(codec.encodeJson('Resource', endpointResource(upgradeResource(one)))),
    );
}

/** Sums over roles and disks; the four of every agent are always there (common/http.cpp). */
export function resourcesJson(resources: readonly Resource[]): Record<string, Json> {
  const scalars: Record<string, number> = { cpus: 0, gpus: 0, mem: 0, disk: 0 };
  const ranges = new Map<string, { begin: number; end: number }[]>();
  const sets = new Map<string, Set<string>>();
  for (const resource of resources) {
    const name = resource.revocable === undefined ? resource.name : `${resource.name}_revocable`;
    if (resource.scalar !== undefined)
      scalars[name] = Math.round(((scalars[name] ?? 0) + resource.scalar.value) * 1000) / 1000;
    else if (resource.ranges !== undefined)
      ranges.set(name, [...(ranges.get(name) ?? []), ...(resource.ranges.range ?? [])]);
    else if (resource.set !== undefined)
      sets.set(name, new Set([...(sets.get(name) ?? []), ...(resource.set.item ?? [])]));
  }
  const json: Record<string, Json> = {};
  for (const [name, value] of Object.entries(scalars)) json[name] = double(value);
  for (const [name, range] of ranges) json[name] = rangesText({ range: coalesce(range) });
  for (const [name, items] of sets) json[name] = `{${[...items].join(', ')}}`;
  return json;
}

function attributesJson(attributes: readonly Attribute[]): Record<string, Json> {
  const json: Record<string, Json> = {};
  for (const { name, scalar, ranges, text } of attributes) {
    if (scalar !== undefined) json[name] = double(scalar.value);
    else if (ranges !== undefined) json[name] = rangesText(ranges);
    else json[name] = text?.value ?? '';
  }
  return json;
}
