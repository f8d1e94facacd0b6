import type { Task } from '#mesos/kinds';
import type { ContainerInfo, FrameworkInfo } from '#mesos/protocol';

/** What the environment of a container is made of. */
export interface EnvironmentFacts {
  readonly task: Task;
  readonly framework: FrameworkInfo | undefined;
  readonly containerID: string;
  /** The sandbox on this machine and as the container sees it. */
  readonly directory: string;
  readonly sandbox: string;
  readonly nodeIp: string;
  readonly port: number;
  /** '' on the node's own network. */
  readonly containerIp: string;
  readonly process: boolean;
}

export interface Variable {
  readonly name: string;
  readonly value: string;
}

/** Of programs, for processes without an image. */
export const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * What only the agent can tell a task or executor (slave.cpp, executorEnvironment). The task's own
 * words win: this is added where a name is not yet taken.
 */
export function agentEnvironment(facts: EnvironmentFacts): readonly Variable[] {
  const { task, containerIp, nodeIp } = facts;
  const role = (task.spec.task.resources ?? task.spec.task.executor?.resources ?? []).find(
    ({ allocation_info: info }) => info?.role !== undefined,
  )?.allocation_info?.role;
  const common: Variable[] = [{ name: 'MESOS_SANDBOX', value: facts.sandbox }];
  if (role !== undefined) common.push({ name: 'MESOS_ALLOCATION_ROLE', value: role });
  if (facts.process) common.push({ name: 'PATH', value: systemPath });
  if (task.spec.execution === 'Group')
    return [
      ...common,
      { name: 'MESOS_CONTAINER_IP', value: containerIp === '' ? nodeIp : containerIp },
    ];
  return [...executorEnvironment(facts), ...common];
}

function executorEnvironment(facts: EnvironmentFacts): readonly Variable[] {
  const { task, framework, nodeIp, port } = facts;
  const { frameworkID, executorID, agentID } = task.spec;
  const checkpoint = framework?.checkpoint === true;
  const shutdown = task.spec.task.executor?.shutdown_grace_period?.nanoseconds;
  const docker = containerTypeOf(task) === 'DOCKER';
  const made: Record<string, string> = {
    MESOS_FRAMEWORK_ID: frameworkID,
    MESOS_EXECUTOR_ID: executorID,
    MESOS_DIRECTORY: facts.directory,
    MESOS_SLAVE_ID: agentID,
    MESOS_SLAVE_PID: `slave(1)@${nodeIp}:${port}`,
    MESOS_AGENT_ENDPOINT: `${nodeIp}:${port}`,
    MESOS_CHECKPOINT: checkpoint ? '1' : '0',
    MESOS_HTTP_COMMAND_EXECUTOR: '0',
    MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: shutdown === undefined ? '5secs' : durationText(shutdown),
    LIBPROCESS_PORT: '0',
    ...(checkpoint
      ? { MESOS_RECOVERY_TIMEOUT: '15mins', MESOS_SUBSCRIPTION_BACKOFF_MAX: '2secs' }
      : {}),
    ...(docker ? { MESOS_CONTAINER_NAME: `mesos-${facts.containerID}` } : {}),
  };
  return Object.entries(made).map(([name, value]) => ({ name, value }));
}

export function containerTypeOf(task: Task): 'DOCKER' | 'MESOS' | undefined {
  return containerInfoOf(task)?.type;
}

/** Of the task, or of the custom executor that holds it. */
export function containerInfoOf({ spec }: Task): ContainerInfo | undefined {
  const { task: info, execution } = spec;
  return execution === 'Custom' ? info.executor?.container : info.container;
}

const units: readonly (readonly [string, number])[] = [
  ['weeks', 604_800e9],
  ['days', 86_400e9],
  ['hrs', 3_600e9],
  ['mins', 60e9],
  ['secs', 1e9],
  ['ms', 1e6],
  ['us', 1e3],
  ['ns', 1],
];

/** As stout's Duration prints: the largest unit that it fills if that is a whole number, else the next. */
export function durationText(nanoseconds: number): string {
  const at = units.findIndex(([, size]) => Math.abs(nanoseconds) >= size);
  const [name, size] = units[at] ?? ['ns', 1];
  const [smaller, part] = units[at + 1] ?? ['ns', 1];
  return nanoseconds % size === 0
    ? `${nanoseconds / size}${name}`
    : `${nanoseconds / part}${smaller}`;
}
