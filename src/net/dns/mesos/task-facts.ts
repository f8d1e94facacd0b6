import type { Task } from '#mesos/kinds';

type TaskStatus = NonNullable<Task['status']['statuses']>[number];
type Discovery = Task['spec']['task']['discovery'];

/** What names need to know of a running task. */
export interface TaskFacts {
  readonly frameworkID: string;
  readonly agentID: string;
  readonly taskID: string;
  readonly name: string;
  readonly discovery: DiscoveryFacts | undefined;
  /** Of the task's own network; empty: its agent's addresses count. */
  readonly ips: readonly string[];
  /** Its `ports` resources, one by one. */
  readonly ports: readonly number[];
}
export interface DiscoveryFacts {
  readonly name: string;
  readonly ports: readonly {
    readonly number: number;
    readonly protocol: string;
    readonly name: string;
  }[];
}

/** Only tasks that run have names. */
export function factsOf(task: Task): TaskFacts | undefined {
  const { spec, status } = task;
  if (status.state !== 'TASK_RUNNING' || status.unreachableTime !== undefined) return undefined;
  return {
    frameworkID: spec.frameworkID,
    agentID: spec.agentID,
    taskID: spec.taskID,
    name: spec.task.name,
    discovery: discoveryOf(spec.task.discovery),
    ips: addressesOf(newestRunning(task)),
    ports: portsOf(task),
  };
}

/** As much of a task as its names are made of: caches hold many thousands. */
export function keptOfTask(task: Task): Task {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = task.metadata;
  const { frameworkID, taskID, agentID, nodeName, executorID, execution, podName } = task.spec;
  const { name: taskName, task_id, agent_id, discovery, resources } = task.spec.task;
  const running = newestRunning(task);
  const ports = (resources ?? []).filter((resource) => resource.name === 'ports');
  return {
    apiVersion: task.apiVersion,
    kind: task.kind,
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: {
      frameworkID,
      taskID,
      agentID,
      nodeName,
      executorID,
      execution,
      podName,
      task: { name: taskName, task_id, agent_id, discovery, resources: ports },
    },
    status: {
      state: task.status.state,
      unreachableTime: task.status.unreachableTime,
      statuses: running === undefined ? [] : [addressesIn(running)],
    },
  };
}

/** Of a status what addresses are read from; its data and message are for its framework. */
function addressesIn({
  task_id,
  state,
  timestamp,
  container_status,
  labels,
}: TaskStatus): TaskStatus {
  const network_infos = container_status?.network_infos;
  return {
    task_id,
    state,
    timestamp,
    ...(network_infos !== undefined && { container_status: { network_infos } }),
    labels,
  };
}

function newestRunning({ status }: Task): TaskStatus | undefined {
  const all = [...(status.statuses ?? []), ...(status.updates ?? [])];
  return all
    .filter(({ state }) => state === 'TASK_RUNNING')
    .reduce<TaskStatus | undefined>(
      (best, one) =>
        best === undefined || (one.timestamp ?? 0) >= (best.timestamp ?? 0) ? one : best,
      undefined,
    );
}

const addressLabel = 'MesosContainerizer.NetworkSettings.IPAddress';

/** Sources `netinfo`, then `mesos` (mesos-dns records/state); the first that has any wins. */
function addressesOf(status: TaskStatus | undefined): readonly string[] {
  const ips = (status?.container_status?.network_infos ?? [])
    .flatMap((network) => network.ip_addresses ?? [])
    .flatMap(({ ip_address: ip }) => (ip === undefined || ip === '' ? [] : [ip]));
  if (ips.length > 0) return [...new Set(ips)];
  return (status?.labels?.labels ?? [])
    .filter(({ key, value }) => key === addressLabel && (value ?? '') !== '')
    .map(({ value = '' }) => value);
}

function discoveryOf(discovery: Discovery): DiscoveryFacts | undefined {
  const name = discovery?.name ?? '';
  if (name === '') return undefined;
  return {
    name,
    ports: (discovery?.ports?.ports ?? []).map((port) => ({
      number: port.number,
      protocol: port.protocol ?? '',
      name: port.name ?? '',
    })),
  };
}

const portsMax = 65_536;

function portsOf(task: Task): readonly number[] {
  const ports: number[] = [];
  for (const { name, ranges } of task.spec.task.resources ?? []) {
    if (name !== 'ports') continue;
    for (const { begin, end } of ranges?.range ?? [])
      for (let port = begin; port <= end && ports.length < portsMax; port++) ports.push(port);
  }
  return ports;
}
