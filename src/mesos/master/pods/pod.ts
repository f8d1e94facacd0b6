import type { Container, Pod, PodSpec } from '#kube/kinds';
import type { Draft, NewObject } from '#machinery';
import type { CommandInfo, ContainerInfo, ExecutorInfo, Labels, Resource } from '#mesos/protocol';
import type { ExecutorBook, FrameworkBook, TaskBook } from '../core/books.ts';
import { agentAnnotation } from '../core/executors.ts';
import { annotations, labels as labelNames } from '../doors.ts';
import { amountsOf, heldPorts } from './amounts.ts';
import { fillContainer, isOnHostNetwork, ports } from './container.ts';
import { isLabel, type PodDraft } from './parameters.ts';

/** What a Pod is made from. */
export interface PodPlan {
  readonly tasks: readonly TaskBook[];
  /** Absent for a command task. */
  readonly executor: ExecutorBook | undefined;
}

const killGraceSeconds = 3;
const shutdownGraceSeconds = 5;
/** Of custom executors; tasks of a group have containers of their own. */
const executorContainer = 'executor';

/** The Pod of a command task, of a default executor with its first group, or of a custom executor. */
export function podOf(place: { readonly framework: FrameworkBook }, plan: PodPlan): NewObject<Pod> {
  const { framework } = place;
  const { executor, tasks } = plan;
  const [first] = tasks;
  const name = executor?.podName ?? first?.podName ?? '';
  const info = executor?.info.container ?? first?.info.container;
  const draft = emptyPod(plan, info);
  label(draft, framework, plan);
  const custom = executor !== undefined && executor.info.type !== 'DEFAULT';
  if (custom) {
    fillContainer(draft, executor.info.command, info);
    draft.container.name = executorContainer;
    runWithoutImage(draft, draft.container, executor.info.command);
    draft.container.resources = executorAmounts(executor);
    draft.spec.containers = [draft.container];
  } else {
    draft.spec.containers = containersOf(draft, tasks, executor?.info);
    const [leader] = draft.spec.containers;
    // A default executor is no process here: what it asked for belongs to the Pod as a whole.
    if (executor !== undefined) {
      const { requests } = amountsOf(executor.resources);
      if (Object.keys(requests).length > 0) draft.spec.overhead = { ...requests };
      if (leader !== undefined) Object.assign(leader, { ports: executorPorts(executor) });
    }
  }
  const held = heldPorts(resourcesOf(plan));
  if (held !== undefined) draft.annotations[annotations.heldPorts] = held;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: framework.namespace,
      labels: draft.labels,
      annotations: draft.annotations,
    },
    spec: draft.spec,
  };
}

/** Of a default executor's network, which all its tasks share; the first container stands for it. */
function executorPorts({ info }: ExecutorBook): NonNullable<Container['ports']> {
  const of: { container: Draft<Container> } = { container: { name: '', resources: {} } };
  if (info.container !== undefined) ports(of, info.container);
  return (of.container.ports ?? []).flatMap((port) => (port === undefined ? [] : [port]));
}

function resourcesOf({ tasks, executor }: PodPlan): readonly Resource[] {
  return [...(executor?.resources ?? []), ...tasks.flatMap(({ resources }) => resources)];
}

function emptyPod({ tasks, executor }: PodPlan, info: ContainerInfo | undefined): PodDraft {
  const [first] = tasks;
  const hostNetwork = isOnHostNetwork(info);
  const agentID = executor?.agentID ?? first?.agentID ?? '';
  const grace = executor === undefined ? taskGrace(tasks) : executorGrace(executor, tasks);
  const spec: Draft<PodSpec> = {
    nodeName: first?.nodeName ?? '',
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: grace,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    dnsPolicy: hostNetwork ? 'ClusterFirstWithHostNet' : 'ClusterFirst',
    // A lost node makes tasks unreachable, not evicted: they may come back.
    tolerations: [{ operator: 'Exists', effect: 'NoExecute' }],
    containers: [],
    ...(hostNetwork && { hostNetwork }),
  };
  return {
    spec,
    container: { name: '', resources: {} },
    labels: {},
    annotations: { [agentAnnotation]: agentID },
  };
}

function taskGrace(tasks: readonly TaskBook[]): number {
  const graces = tasks.map(({ info }) => info.kill_policy?.grace_period?.nanoseconds);
  return Math.max(
    ...graces.map((ns) => (ns === undefined ? killGraceSeconds : Math.ceil(ns / 1e9))),
    0,
  );
}

function executorGrace(executor: ExecutorBook, tasks: readonly TaskBook[]): number {
  const ns = executor.info.shutdown_grace_period?.nanoseconds;
  const own = ns === undefined ? shutdownGraceSeconds : Math.ceil(ns / 1e9);
  return Math.max(own, taskGrace(tasks));
}

function label(draft: PodDraft, framework: FrameworkBook, { tasks, executor }: PodPlan): void {
  const { labels, annotations: notes } = draft;
  const [first] = tasks;
  for (const task of tasks) addLabels(labels, task.info.labels);
  addLabels(labels, executor?.info.labels);
  const id = (key: string, value: string, otherwise: string): void => {
    const fits = isLabel(key, value);
    labels[key] = fits ? value : otherwise;
    // The raw id has its place where a label cannot hold it.
    if (!fits) notes[key] = value;
  };
  id(labelNames.frameworkID, framework.id, framework.objectName);
  if (executor === undefined && first !== undefined)
    id(labelNames.taskID, first.taskID, first.podName);
  const executorID = executor?.id ?? first?.taskID ?? '';
  id(labelNames.executorID, executorID, executor?.podName ?? first?.podName ?? '');
  const role = executor?.role ?? first?.role ?? '*';
  notes[annotations.role] = role;
  if (executor !== undefined) notes[annotations.executor] = JSON.stringify(executor.info);
  const command = executor?.info.command ?? first?.info.command;
  notes[annotations.user] = command?.user ?? framework.info.user;
}

function addLabels(to: Record<string, string>, labels: Labels | undefined): void {
  for (const { key, value = '' } of labels?.labels ?? [])
    if (isLabel(key, value) && !key.includes('tandem.dev/')) to[key] = value;
}

/** Tasks as containers; volumes and settings of the whole Pod go into the draft. */
function containersOf(
  draft: PodDraft,
  tasks: readonly TaskBook[],
  executor: ExecutorInfo | undefined,
): Draft<Container>[] {
  if (executor !== undefined) shareWithHost(draft, executor);
  return tasks.map((task) => {
    const container: Draft<Container> = { name: task.container ?? 'task', resources: {} };
    const one = { ...draft, container };
    const { command, container: info } = task.info;
    fillContainer(one, command, executor === undefined ? info : withinExecutor(draft, info));
    container.resources = copyOf(amountsOf(task.resources, task.info.limits));
    runWithoutImage(draft, container, task.info.command);
    return container;
  });
}

/** Only the executor itself stands next to the machine: what it shares, it shares with it. */
function shareWithHost({ spec }: PodDraft, { container }: ExecutorInfo): void {
  const { share_pid_namespace: pid, ipc_mode: ipc } = container?.linux_info ?? {};
  if (pid === true) spec.hostPID = true;
  if (ipc === 'SHARE_PARENT') spec.hostIPC = true;
}

/** Tasks of a group share with their executor, which is their Pod. */
function withinExecutor(
  { spec }: PodDraft,
  info: ContainerInfo | undefined,
): ContainerInfo | undefined {
  if (info?.linux_info === undefined) return info;
  const { share_pid_namespace: pid, ipc_mode: _pod, ...linux } = info.linux_info;
  if (pid === true && spec.hostPID !== true) spec.shareProcessNamespace = true;
  return { ...info, linux_info: linux };
}

function copyOf(amounts: ReturnType<typeof amountsOf>): Draft<Container>['resources'] {
  return { requests: { ...amounts.requests }, limits: { ...amounts.limits } };
}

/** Plain processes: on the host's own file system, as a class of runtime. */
function runWithoutImage(
  { spec, annotations: notes }: PodDraft,
  container: Draft<Container>,
  command: CommandInfo | undefined,
): void {
  if (container.image !== undefined) return;
  const user = command?.user ?? notes[annotations.user];
  if (user === 'root' || user === '0') spec.runtimeClassName = 'process-root';
  else spec.runtimeClassName ??= 'process';
}

/** A custom executor's container: its own resources and those of its tasks that have not ended. */
function executorAmounts(executor: ExecutorBook): Draft<Container>['resources'] {
  return copyOf(amountsOf(heldBy(executor)));
}

function heldBy(executor: ExecutorBook): readonly Resource[] {
  const tasks = [...executor.tasks].filter(({ released }) => !released);
  return [...executor.resources, ...tasks.flatMap(({ resources }) => resources)];
}

/** The whole new size of an executor's Pod, as the doors want it. */
export function podSize(executor: ExecutorBook): {
  readonly requests?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, string>>;
  readonly heldPorts: string;
  readonly ports?: NonNullable<Container['ports']>;
} {
  const held = heldBy(executor);
  const size = { heldPorts: heldPorts(held) ?? '' };
  if (executor.info.type !== 'DEFAULT') return { ...amountsOf(held), ...size };
  const own = executorPorts(executor);
  return own.length === 0 ? size : { ...size, ports: own };
}

/** What a further group of a default executor adds to its Pod. */
export function groupParts(
  place: { readonly framework: FrameworkBook },
  tasks: readonly TaskBook[],
): {
  readonly containers: readonly Container[];
  readonly volumes?: NonNullable<PodSpec['volumes']>;
  readonly annotations?: Readonly<Record<string, string>>;
} {
  const draft: PodDraft = {
    spec: { containers: [] },
    container: { name: '', resources: {} },
    labels: {},
    annotations: { [annotations.user]: place.framework.info.user },
    volumePrefix: `${tasks[0]?.group ?? 0}-`,
  };
  const containers = containersOf(draft, tasks, tasks[0]?.info.executor);
  const { [annotations.user]: _user, ...notes } = draft.annotations;
  const volumes = draft.spec.volumes as PodSpec['volumes'];
  return {
    containers,
    ...(volumes !== undefined && { volumes }),
    ...(Object.keys(notes).length > 0 && { annotations: notes }),
  };
}
