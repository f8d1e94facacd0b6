import { mesosStateOf } from '../conditions.ts';
import { type Instance, type InstanceTask, isActive, isTerminal } from '../instance.ts';
import { localVolumesJson } from '../json/task.ts';
import type { PodDefinition } from '../root.ts';
import type {
  ContainerEndpointStatus,
  ContainerStatus,
  NetworkStatus,
  PodContainer,
  PodInstanceState,
  PodInstanceStatus,
  PodState,
  PodStatus,
  Resources,
  StatusCondition,
} from '../types.ts';

export interface PodStatusOptions {
  readonly instances: readonly Instance[];
  /** The definition an instance was made from; the present one if that is not known. */
  readonly definitionOf: (instance: Instance) => PodDefinition | undefined;
  /** A running deployment removes it. */
  readonly isDeleted: boolean;
  readonly now: string;
}

/** `GET /v2/pods/{id}::status`. Instances that never had an agent are not listed. */
export function podStatus(pod: PodDefinition, options: PodStatusOptions): PodStatus {
  const { instances, definitionOf, isDeleted, now } = options;
  const listed = instances
    .filter((instance) => instance.agent !== undefined)
    .map((instance) => podInstanceStatus(definitionOf(instance) ?? pod, instance));
  const stable = listed.filter(({ status }) => status === 'STABLE').length;
  const wanted = pod.scaling?.instances ?? 1;
  const reached: PodState = stable >= wanted ? 'STABLE' : 'DEGRADED';
  const since = listed.reduce(
    (latest, { statusSince }) => (statusSince > latest ? statusSince : latest),
    pod.version ?? now,
  );
  return {
    id: pod.id,
    spec: pod,
    status: isDeleted ? 'TERMINAL' : reached,
    statusSince: since,
    instances: listed,
    terminationHistory: [],
    lastUpdated: now,
    lastChanged: since,
  };
}

const executorOwn: Resources = { cpus: 0.1, mem: 32, disk: 10, gpus: 0 };

/** One instance of a pod, as status and kills answer it. */
export function podInstanceStatus(pod: PodDefinition, instance: Instance): PodInstanceStatus {
  const { agent, since, tasks } = instance;
  const containers = tasks.map((task) => containerStatus(pod, instance, task));
  const { status, message } = stateOf(instance, containers);
  const resources = containers
    .flatMap((container) => container.resources ?? [])
    .reduce(
      (sum, one) => ({
        cpus: sum.cpus + one.cpus,
        mem: sum.mem + one.mem,
        disk: sum.disk + one.disk,
        gpus: sum.gpus + one.gpus,
      }),
      executorOwn,
    );
  return {
    id: instance.instanceID,
    status,
    statusSince: since,
    message,
    conditions: [],
    agentHostname: agent?.host,
    agentId: agent?.agentID,
    agentRegion: agent?.region,
    agentZone: agent?.zone,
    resources,
    networks: networksOf(tasks),
    containers,
    specReference: `/v2/pods${pod.id}::versions/${instance.runSpecVersion}`,
    localVolumes: localVolumesJson(instance),
    lastUpdated: since,
    lastChanged: since,
    role: instance.role,
  };
}

interface State {
  readonly status: PodInstanceState;
  readonly message?: string | undefined;
}

function stateOf(instance: Instance, containers: readonly ContainerStatus[]): State {
  const { condition, goal } = instance;
  if (condition === 'Scheduled' || condition === 'Provisioned')
    return { status: goal === 'Running' ? 'PENDING' : 'TERMINAL' };
  if (condition === 'Staging' || condition === 'Starting') return { status: 'STAGING' };
  if (condition === 'Unreachable' || condition === 'UnreachableInactive')
    return { status: 'DEGRADED', message: 'pod instance has become unreachable' };
  if (condition !== 'Running') return { status: 'TERMINAL' };
  const unhealthy = containers.some(({ conditions }) =>
    conditions.some(({ name, value }) => name === 'healthy' && value === 'false'),
  );
  return unhealthy
    ? { status: 'DEGRADED', message: 'at least one container is not healthy' }
    : { status: 'STABLE' };
}

const holding: readonly string[] = ['Staging', 'Starting', 'Running', 'Unreachable', 'Killing'];

function containerStatus(
  pod: PodDefinition,
  instance: Instance,
  task: InstanceTask,
): ContainerStatus {
  const container = pod.containers.find(({ name }) => name === task.container);
  const since = task.startedAt ?? task.stagedAt;
  const endpoints = container === undefined ? [] : endpointStatuses(container, task);
  const holds = holding.includes(task.condition) || instance.reservation !== undefined;
  return {
    name: task.container ?? task.taskID,
    status: mesosStateOf(task.condition),
    statusSince: since,
    conditions: container === undefined ? [] : conditionsOf(container, { instance, task, since }),
    containerId: task.mesosState === undefined ? undefined : task.taskID,
    endpoints,
    resources: holds ? container?.resources : undefined,
    termination: terminationOf(task),
    lastUpdated: since,
    lastChanged: since,
  };
}

function terminationOf({ condition, status }: InstanceTask): ContainerStatus['termination'] {
  if (!isTerminal(condition) || status?.message === undefined) return undefined;
  return { message: status.message };
}

function checkedEndpoint({ healthCheck }: PodContainer): string | undefined {
  return healthCheck?.http?.endpoint ?? healthCheck?.tcp?.endpoint;
}

/** Endpoints with a port of the host come in the order in which ports were given out. */
function endpointStatuses(container: PodContainer, task: InstanceTask): ContainerEndpointStatus[] {
  if (!isActive(task.condition)) return [];
  const ports = [...task.hostPorts];
  const checked = checkedEndpoint(container);
  return (container.endpoints ?? []).map(({ name, hostPort }) => ({
    name,
    allocatedHostPort: hostPort === undefined ? undefined : ports.shift(),
    healthy: name === checked ? task.status?.healthy : undefined,
  }));
}

function conditionsOf(
  container: PodContainer,
  options: { readonly instance: Instance; readonly task: InstanceTask; readonly since: string },
): StatusCondition[] {
  const { instance, task, since } = options;
  if (container.healthCheck === undefined) return [];
  if (isTerminal(task.condition) && instance.reservation !== undefined) return [];
  if (['Staging', 'Starting', 'Scheduled', 'Provisioned'].includes(task.condition)) return [];
  const healthy = task.status?.healthy;
  return [
    {
      name: 'healthy',
      lastChanged: since,
      lastUpdated: since,
      value: String(healthy ?? false),
      reason: healthy === undefined ? 'health-unreported-by-mesos' : 'health-reported-by-mesos',
    },
  ];
}

/** The networks of all containers, which share them, by name. */
function networksOf(tasks: readonly InstanceTask[]): NetworkStatus[] {
  const byName = new Map<string | undefined, Set<string>>();
  for (const { status } of tasks)
    for (const { name, ip_addresses: addresses = [] } of status?.container_status?.network_infos ??
      []) {
      const known = byName.get(name) ?? new Set<string>();
      for (const { ip_address: address } of addresses)
        if (address !== undefined) known.add(address);
      byName.set(name, known);
    }
  return Array.from(byName, ([name, addresses]) => ({ name, addresses: [...addresses] }));
}
