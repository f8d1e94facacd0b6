import { taskInfoOf } from '#mesos/kinds';
import type { Task } from '#mesos/kinds';
import type { ExecutorInfo, Resource, Task as TaskMessage } from '#mesos/protocol';
import type { Container } from '#node/runtime';
import { emittedOf } from '../emitted.ts';
import { podAnnotations } from '../names.ts';
import { runNamesOf } from '../paths.ts';
import type { WorkPaths } from '../paths.ts';
import { keyOfTask, toldPodUid } from '../world.ts';
import type { World } from '../world.ts';
import { commandExecutorName } from './executor-name.ts';

/** An executor of this node as tools see it: command tasks have one each, groups share one. */
export interface ExecutorView {
  readonly frameworkID: string;
  readonly executorID: string;
  readonly agentID: string;
  readonly info: ExecutorInfo;
  /** The Pod's uid; '' before it is known. */
  readonly containerID: string;
  readonly directory: string;
  readonly source: string;
  readonly command: boolean;
  /** Its containers, with the task of each; custom executors' have none. */
  readonly containers: readonly {
    readonly container: Container;
    readonly task: Task | undefined;
  }[];
  readonly queued: readonly Task[];
  readonly launched: readonly Task[];
  readonly terminated: readonly Task[];
  readonly completed: readonly Task[];
  /** Nothing of it runs or is to run any more. */
  readonly over: boolean;
}

/** Executors by framework, out of the Tasks of this node. */
export function executorsOf(world: World, paths: WorkPaths): readonly ExecutorView[] {
  const groups = new Map<string, Task[]>();
  for (const seen of world.tasks.list()) {
    const task = world.task(keyOfTask(seen)) ?? seen;
    const key = `${task.metadata.namespace}/${task.spec.podName}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [task]);
    else group.push(task);
  }
  return [...groups.values()].map((tasks) => executorOf(world, paths, tasks));
}

function executorOf(world: World, paths: WorkPaths, tasks: readonly Task[]): ExecutorView {
  const [first] = tasks;
  if (first === undefined) throw new Error('An executor has at least one task');
  const pod = world.pod(first);
  const containerID = pod?.metadata.uid ?? tasks.map(toldPodUid).find(Boolean) ?? '';
  const names = (pod?.spec.containers ?? tasks.map(({ spec }) => ({ name: spec.container ?? '' })))
    .map(({ name }) => name)
    .filter((name) => name !== '');
  const containers = names.flatMap((name) => {
    const container = containerID === '' ? undefined : world.containers.newest(containerID, name);
    const task = tasks.find(({ spec }) => spec.container === name);
    return container === undefined ? [] : [{ container, task }];
  });
  const { frameworkID, executorID, agentID, execution } = first.spec;
  const active = tasks.filter((task) => !emittedOf(task).terminal);
  const ended = tasks.filter((task) => emittedOf(task).terminal);
  const started = active.filter((task) => emittedOf(task).starting);
  return {
    frameworkID,
    executorID,
    agentID,
    info: infoOf(first, pod?.metadata.annotations?.[podAnnotations.executor]),
    containerID,
    directory: containerID === '' ? '' : paths.run(runNamesOf(first, containerID)),
    source: execution === 'Command' ? first.spec.taskID : (first.spec.task.executor?.source ?? ''),
    command: execution === 'Command',
    containers,
    queued: active.filter((task) => !started.includes(task)),
    launched: started,
    terminated: ended.filter(({ status }) => (status.updates ?? []).length > 0),
    completed: ended.filter(({ status }) => (status.updates ?? []).length === 0),
    over: active.length === 0 && containers.every(({ container }) => container.state === 'exited'),
  };
}

/** Command tasks have an executor of the agent's making (slave.cpp, getExecutorInfo). */
function infoOf(task: Task, annotation: string | undefined): ExecutorInfo {
  // Written by the master out of a decoded message.
  const written: ExecutorInfo | undefined =
    annotation === undefined ? undefined : JSON.parse(annotation);
  const { task: info, executorID, frameworkID, taskID, execution } = task.spec;
  if (written !== undefined) return written;
  if (execution !== 'Command' && info.executor !== undefined) return info.executor;
  return {
    executor_id: { value: executorID },
    framework_id: { value: frameworkID },
    name: commandExecutorName(info),
    source: taskID,
    command: info.command ?? {},
    resources: [],
  };
}

/** What an executor and its live tasks hold. */
export function heldBy(executor: ExecutorView): readonly Resource[] {
  const live = [...executor.queued, ...executor.launched];
  const own = executor.over ? [] : (executor.info.resources ?? []);
  return [...own, ...live.flatMap(({ spec }) => spec.task.resources ?? [])];
}

/** How much of it an executor may use: more than it holds where its tasks have limits; may be infinite. */
export function limitOf(executor: ExecutorView, name: 'cpus' | 'mem' | 'disk'): number {
  const own = executor.over ? 0 : amountOf(executor.info.resources, name);
  return [...executor.queued, ...executor.launched].reduce((total, { spec }) => {
    const task = taskInfoOf(spec);
    return total + (task.limits?.[name]?.value ?? amountOf(task.resources, name));
  }, own);
}

function amountOf(resources: readonly Resource[] = [], name: string): number {
  return resources
    .filter((one) => one.name === name)
    .reduce((total, one) => total + (one.scalar?.value ?? 0), 0);
}

/** As GET_TASKS shows it. */
export function taskMessage(task: Task, user: string | undefined): TaskMessage {
  const { spec, status } = task;
  const info = taskInfoOf(spec);
  const emitted = emittedOf(task);
  const statuses = [...(status.statuses ?? [])];
  for (const update of status.updates ?? []) {
    const { data: _data, ...kept } = update;
    if (statuses.at(-1)?.state === kept.state) statuses.pop();
    statuses.push(kept);
  }
  return {
    name: info.name,
    task_id: info.task_id,
    framework_id: { value: spec.frameworkID },
    ...(spec.execution === 'Command' ? {} : { executor_id: { value: spec.executorID } }),
    agent_id: { value: spec.agentID },
    state: emitted.last?.state ?? status.state,
    resources: info.resources ?? [],
    statuses,
    ...(status.updateState === undefined ? {} : { status_update_state: status.updateState }),
    ...(status.updateUUID === undefined ? {} : { status_update_uuid: status.updateUUID }),
    ...(info.labels === undefined ? {} : { labels: info.labels }),
    ...(info.discovery === undefined ? {} : { discovery: info.discovery }),
    ...(info.container === undefined ? {} : { container: info.container }),
    ...(info.health_check === undefined ? {} : { health_check: info.health_check }),
    ...(info.kill_policy === undefined ? {} : { kill_policy: info.kill_policy }),
    ...(user === undefined ? {} : { user }),
    ...(info.limits === undefined ? {} : { limits: info.limits }),
  };
}
