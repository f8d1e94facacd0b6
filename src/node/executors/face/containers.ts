import type { FaceReply } from '#base';
import { jsonReply, textReply } from '#mesos/protocol';
import type {
  AgentResponseGetContainersContainer,
  ContainerID,
  ContainerStatus,
  HttpRequest,
  ResourceStatistics,
} from '#mesos/protocol';
import type { Task } from '#mesos/kinds';
import type { Container } from '#node/runtime';
import { rootOf } from '../nested/ids.ts';
import { containerStatusOf } from '../status-make.ts';
import type { AgentContext } from './context.ts';
import { RawJson, jsonText } from '#mesos/protocol';
import type { Json } from '#mesos/protocol';
import { executorsOf, limitOf } from './view.ts';
import type { ExecutorView } from './view.ts';

/** One container: an executor's own, or one within it, or one that stands alone. */
export interface ContainerView {
  /** Absent: nobody's but the operator's who launched it. */
  readonly executor: ExecutorView | undefined;
  readonly id: string;
  /** It is the executor's own. */
  readonly own: boolean;
  readonly status: ContainerStatus | undefined;
  readonly running: readonly Container[];
}

/** What the kernel counts, in Mesos' words; summed over the containers of an executor. */
export async function statisticsOf(
  context: AgentContext,
  executor: ExecutorView | undefined,
  containers: readonly Container[],
): Promise<ResourceStatistics> {
  const { runtime, clock } = context.options;
  const found = await Promise.all(containers.map(({ id }) => runtime.containerStats(id)));
  const stats = found.flatMap((one) => one ?? []);
  const sum = (of: (one: (typeof stats)[number]) => number): number =>
    stats.reduce((total, one) => total + of(one), 0);
  const limit = (name: 'cpus' | 'mem' | 'disk'): number =>
    executor === undefined ? Number.POSITIVE_INFINITY : limitOf(executor, name);
  const cpus = limit('cpus');
  const memory = limit('mem');
  const disk = limit('disk');
  return {
    timestamp: clock.nowMs() / 1000,
    processes: sum(({ pids }) => pids),
    threads: sum(({ pids }) => pids),
    cpus_user_time_secs: seconds(sum(({ cpuUserNanos }) => cpuUserNanos)),
    cpus_system_time_secs: seconds(sum(({ cpuSystemNanos }) => cpuSystemNanos)),
    ...(Number.isFinite(cpus) && { cpus_limit: Math.round(cpus * 1000) / 1000 }),
    mem_total_bytes: sum(({ memoryUsageBytes }) => memoryUsageBytes),
    ...(Number.isFinite(memory) && { mem_limit_bytes: Math.round(memory * 2 ** 20) }),
    mem_rss_bytes: sum(({ memoryRssBytes }) => memoryRssBytes),
    mem_anon_bytes: sum(({ memoryRssBytes }) => memoryRssBytes),
    ...(Number.isFinite(disk) && { disk_limit_bytes: Math.round(disk * 2 ** 20) }),
    disk_used_bytes: sum(({ rootfsUsedBytes, logsUsedBytes }) => rootfsUsedBytes + logsUsedBytes),
  };
}

/** In hundredths, as the kernel's ticks are. */
function seconds(nanoseconds: number): number {
  return Math.round(nanoseconds / 1e7) / 100;
}

/** Which containers besides those of executors. */
interface Shown {
  readonly nested: boolean;
  readonly standalone: boolean;
}
const executorsAlone: Shown = { nested: false, standalone: false };

export function containersOf(context: AgentContext, options: Shown): readonly ContainerView[] {
  const { world, launched } = context;
  const all = executorsOf(world, context.paths)
    .filter(({ over, containerID }) => !over && containerID !== '')
    .flatMap((executor) => {
      const inside = launched
        .list()
        .flatMap(({ id, container }) =>
          rootOf(id).value === executor.containerID ? [container] : [],
        );
      const running = executor.containers.filter(({ container }) => container.state === 'running');
      const [first] = executor.containers;
      const anyTask = executor.launched[0] ?? executor.queued[0] ?? first?.task;
      const all: ContainerView[] = [
        {
          executor,
          id: executor.containerID,
          own: true,
          status: statusOf(context, executor, { task: anyTask, container: first?.container }),
          running: [...running.map(({ container }) => container), ...inside],
        },
      ];
      if (!options.nested) return all;
      for (const { task, container } of running) {
        if (task?.spec.execution !== 'Group') continue;
        const status = statusOf(context, executor, { task, container });
        const id = task.metadata.uid;
        all.push({ executor, id, own: false, status, running: [container] });
      }
      return all;
    });
  return [...all, ...launchedOf(context, options, all)];
}

/** Those that calls launched, sessions among them; nested ones are shown where their root is. */
function launchedOf(
  { launched, sessions, options: { nodeIp }, world }: AgentContext,
  shown: Shown,
  roots: readonly ContainerView[],
): readonly ContainerView[] {
  const executors = new Map(
    roots.flatMap(({ own, id, executor }) => (own ? [[id, executor]] : [])),
  );
  const all: readonly { readonly id: ContainerID; readonly container?: Container }[] = [
    ...launched.list(),
    ...sessions.list().map((id) => ({ id })),
  ];
  return all
    .filter(({ id }) => (id.parent === undefined ? shown.standalone : shown.nested))
    .map(({ id, container }) => {
      const executor = executors.get(rootOf(id).value);
      const address = world.sandboxIp(container, rootOf(id).value) || nodeIp;
      const protocol = address.includes(':') ? 'IPv6' : 'IPv4';
      return {
        executor,
        id: id.value,
        own: false,
        status: {
          container_id: id,
          network_infos: [{ ip_addresses: [{ protocol, ip_address: address }] }],
          ...(container?.pid === undefined ? {} : { executor_pid: container.pid }),
        },
        running: container === undefined ? [] : [container],
      };
    });
}

function statusOf(
  { world, options }: AgentContext,
  executor: ExecutorView,
  of: { readonly task: Task | undefined; readonly container: Container | undefined },
): ContainerStatus | undefined {
  const { task, container } = of;
  if (task === undefined) return { container_id: { value: executor.containerID } };
  return containerStatusOf(task, {
    podUid: executor.containerID,
    container,
    sandboxIp: world.sandboxIp(container, executor.containerID),
    nodeIp: options.nodeIp,
  });
}

export async function containerMessages(
  context: AgentContext,
  options: Shown,
): Promise<readonly AgentResponseGetContainersContainer[]> {
  const made: AgentResponseGetContainersContainer[] = [];
  for (const { executor, id, own, status, running } of containersOf(context, options))
    made.push({
      // Only executors' own containers are said to be theirs (slave/http.cpp, __containers).
      ...(executor === undefined || !own
        ? {}
        : {
            framework_id: { value: executor.frameworkID },
            executor_id: { value: executor.executorID },
            executor_name: executor.info.name ?? '',
          }),
      container_id: { value: id },
      ...(status === undefined ? {} : { container_status: status }),
      resource_statistics: await statisticsOf(context, executor, running),
    });
  return made;
}

/** `/containers` of the agent: by container, framework, or framework and executor. */
export async function containersReply(
  context: AgentContext,
  request: HttpRequest,
): Promise<FaceReply> {
  const { query } = request;
  const wanted = {
    container: query.get('container_id'),
    framework: query.get('framework_id'),
    executor: query.get('executor_id'),
  };
  const bad =
    wanted.container === undefined
      ? wanted.executor !== undefined && wanted.framework === undefined
      : wanted.framework !== undefined || wanted.executor !== undefined;
  if (bad)
    return textReply(
      400,
      'Supported query parameters are container_id only, framework_id only, ' +
        'or executor_id and framework_id only',
    );
  const shown: Json[] = [];
  for (const { executor, id, status, running } of containersOf(context, executorsAlone)) {
    if (executor === undefined) continue;
    const { frameworkID, executorID } = executor;
    if ((wanted.container ?? id) !== id) continue;
    if ((wanted.framework ?? frameworkID) !== frameworkID) continue;
    if ((wanted.executor ?? executorID) !== executorID) continue;
    const statistics = await statisticsOf(context, executor, running);
    shown.push({
      ...namesJson(executor),
      container_id: id,
      status: new RawJson(context.codec.encodeJson('ContainerStatus', status ?? {})),
      statistics: new RawJson(context.codec.encodeJson('ResourceStatistics', statistics)),
    });
  }
  return jsonReply(jsonText(shown), query.get('jsonp'));
}

function namesJson({ info, executorID, frameworkID, source }: ExecutorView): Record<string, Json> {
  return {
    executor_id: executorID,
    executor_name: info.name ?? '',
    framework_id: frameworkID,
    source: info.source ?? source,
  };
}

/** `/monitor/statistics`: one entry for each executor that runs. */
export async function statisticsReply(
  context: AgentContext,
  request: HttpRequest,
): Promise<FaceReply> {
  const shown: Json[] = [];
  for (const { executor, running } of containersOf(context, executorsAlone)) {
    if (executor === undefined) continue;
    const statistics = await statisticsOf(context, executor, running);
    shown.push({
      ...namesJson(executor),
      statistics: new RawJson(context.codec.encodeJson('ResourceStatistics', statistics)),
    });
  }
  return jsonReply(jsonText(shown), request.query.get('jsonp'));
}
