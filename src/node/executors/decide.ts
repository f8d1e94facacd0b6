import type { Pod } from '#kube/kinds';
import type { Task } from '#mesos/kinds';
import type { Resource, TaskState, TaskStatus } from '#mesos/protocol';
import type { Container } from '#node/runtime';
import { emittedOf, type Emitted } from './emitted.ts';
import { launchFailureOf, type LaunchFailure } from './launch-failure.ts';
import { succeeded, waitStatusOf, waitText } from './wait-status.ts';

/** What is known of one task of ours when it is looked at. */
export interface TaskFacts {
  readonly task: Task;
  /** `unseen`: the caches may be behind; gone: it was asked for and is not there. */
  readonly pod: Pod | 'unseen' | 'gone';
  readonly container: Container | undefined;
  /** The kubelet was given this container's settings: it is about to be made. */
  readonly making: boolean;
  /** Capabilities of its framework. */
  readonly capabilities: ReadonlySet<string>;
  /** The framework was removed: everything of it is shut down. */
  readonly frameworkGone: boolean;
  /** Another task of its group has failed or was killed. */
  readonly groupFailed: boolean;
  /** A health check asked for its end. */
  readonly unhealthy: boolean;
  /** Its files could not be fetched and the like. */
  readonly failure: LaunchFailure | undefined;
  readonly nowMs: number;
}

/** A status to be, without what the agent adds to each. */
export interface NewUpdate
  extends Pick<
    TaskStatus,
    'reason' | 'message' | 'healthy' | 'check_status' | 'limitation' | 'data'
  > {
  readonly state: TaskState;
  readonly source: 'SOURCE_AGENT' | 'SOURCE_EXECUTOR';
  /** Health and checks of the status before stay true. */
  readonly carries: boolean;
}

export interface Decision {
  readonly updates: readonly NewUpdate[];
  /** SIGTERM now, SIGKILL after the grace. */
  readonly stop?: { readonly graceMs: number } | undefined;
  /** Its container must never be made (again). */
  readonly forbidden?: LaunchFailure | undefined;
  /** Its checks go on. */
  readonly alive: boolean;
  readonly againAtMs?: number | undefined;
}

/** Grace where nobody says anything else (checks.proto, KillPolicy; both built-in executors). */
export const killGraceMs = 3000;

/** Compares what was told of a task with what is so. Pure. Tasks of custom executors are not its. */
export function decide(facts: TaskFacts): Decision {
  const emitted = emittedOf(facts.task);
  const { container } = facts;
  if (emitted.terminal) return afterEnd(facts);
  if (container === undefined || container.state === 'created' || container.state === 'unknown')
    return beforeStart(facts, emitted);
  if (container.state === 'exited') {
    if (container.startedMs === undefined)
      return failed({ message: container.message, reason: 'StartError' });
    return {
      updates: [...launched(emitted), endOf(facts, container, emitted)],
      alive: false,
      forbidden: over,
    };
  }
  return whileRunning(facts, container, emitted);
}

const over: LaunchFailure = { reason: 'TaskEnded', message: 'The task has ended' };

function afterEnd({ container }: TaskFacts): Decision {
  const runs = container !== undefined && container.state !== 'exited';
  return {
    updates: [],
    alive: false,
    forbidden: over,
    stop: runs ? { graceMs: killGraceMs } : undefined,
  };
}

function launched(emitted: Emitted): readonly NewUpdate[] {
  const made: NewUpdate[] = [];
  const base = { source: 'SOURCE_EXECUTOR', carries: true } as const;
  if (!emitted.starting) made.push({ ...base, state: 'TASK_STARTING' });
  if (!emitted.running) made.push({ ...base, state: 'TASK_RUNNING' });
  return made;
}

function beforeStart(facts: TaskFacts, emitted: Emitted): Decision {
  const { task, pod, container, making } = facts;
  const failure =
    facts.failure ?? (typeof pod === 'string' ? undefined : launchFailureOf(task, pod));
  if (pod === 'gone' && container === undefined) return podGone(emitted);
  if (container === undefined && typeof pod !== 'string') {
    const ended = endOfLost(facts, pod, emitted);
    if (ended !== undefined) return ended;
  }
  const wish = killOf(facts, undefined);
  if (wish === undefined) {
    if (failure !== undefined && container === undefined) return failed(failure);
    return { updates: [], alive: false };
  }
  // What is about to run is ended once it runs, unless it turns out that it never will.
  const comes = container !== undefined || (making && failure === undefined);
  if (comes) return { updates: [], alive: false, forbidden: killed };
  return {
    updates: [
      {
        state: 'TASK_KILLED',
        source: 'SOURCE_AGENT',
        reason: reasonOf(facts) ?? 'REASON_TASK_KILLED_DURING_LAUNCH',
        message:
          task.spec.execution === 'Group'
            ? 'A task within the task group was killed before delivery to the executor'
            : 'Killed before delivery to the executor',
        carries: false,
      },
    ],
    alive: false,
    forbidden: killed,
  };
}

const killed: LaunchFailure = { reason: 'TaskKilled', message: 'The task was killed' };

function failed(failure: LaunchFailure): Decision {
  return {
    updates: [
      {
        state: failure.state ?? 'TASK_FAILED',
        source: 'SOURCE_AGENT',
        reason: failure.taskReason ?? 'REASON_CONTAINER_LAUNCH_FAILED',
        message:
          failure.taskReason === undefined
            ? `Failed to launch container: ${failure.message}`
            : failure.message,
        carries: false,
      },
    ],
    alive: false,
    forbidden: failure,
  };
}

/** Nothing is left of it: whoever deletes a task's Pod by force has killed the task. */
function podGone(emitted: Emitted): Decision {
  const killedBefore = {
    reason: 'REASON_TASK_KILLED_DURING_LAUNCH',
    message: 'Killed before delivery to the executor',
  } as const;
  return {
    updates: [
      {
        state: 'TASK_KILLED',
        source: 'SOURCE_AGENT',
        carries: false,
        ...(emitted.running ? { message: 'The Pod of the task was deleted' } : killedBefore),
      },
    ],
    alive: false,
    forbidden: over,
  };
}

/** It ran here, and the runtime knows it no more: the Pod's status may. */
function endOfLost(facts: TaskFacts, pod: Pod, emitted: Emitted): Decision | undefined {
  const name = facts.task.spec.container;
  const status = pod.status.containerStatuses?.find((one) => one.name === name);
  const { terminated } = status?.state ?? {};
  const code = terminated?.containerID === undefined ? undefined : terminated.exitCode;
  const podOver = ['Failed', 'Succeeded'].includes(pod.status.phase ?? '');
  if (code === undefined && !(podOver && emitted.running)) return undefined;
  const wish = killOf(facts, undefined);
  const state = wish !== undefined ? 'TASK_KILLED' : code === 0 ? 'TASK_FINISHED' : 'TASK_FAILED';
  const known = code === undefined ? undefined : waitText({ kind: 'exited', code });
  const update: NewUpdate = {
    state,
    source: 'SOURCE_AGENT',
    carries: false,
    ...(known === undefined
      ? {
          reason: 'REASON_EXECUTOR_TERMINATED',
          message: 'Abnormal executor termination: unknown container',
        }
      : { message: `Command ${known}` }),
  };
  return { updates: [...launched(emitted), update], alive: false, forbidden: over };
}

function whileRunning(facts: TaskFacts, container: Container, emitted: Emitted): Decision {
  const updates = [...launched(emitted)];
  const wish = killOf(facts, container);
  if (wish === undefined) {
    return { updates, alive: true, againAtMs: completionAtMs(facts.task, container) };
  }
  const tells = facts.capabilities.has('TASK_KILLING_STATE') && wish.cause !== 'completion';
  if (tells && !emitted.killing)
    updates.push({
      state: 'TASK_KILLING',
      source: 'SOURCE_EXECUTOR',
      carries: true,
      reason: reasonOf(facts),
    });
  // Who deletes a Pod has the kubelet end it, with the Pod's own grace.
  const stop = wish.cause === 'deleted' ? undefined : { graceMs: wish.graceMs };
  return { updates, alive: false, stop };
}

interface KillWish {
  readonly cause: 'kill' | 'deleted' | 'unhealthy' | 'group' | 'completion' | 'shutdown';
  readonly graceMs: number;
}

/** Why a task must end, if it must. What cannot be taken back is in the store, or in its times. */
function killOf(facts: TaskFacts, container: Container | undefined): KillWish | undefined {
  const { task, pod } = facts;
  const policy = task.spec.task.kill_policy?.grace_period?.nanoseconds;
  const own = policy === undefined ? killGraceMs : policy / 1e6;
  if (completed(facts, container)) return { cause: 'completion', graceMs: 0 };
  const { kill } = task.spec;
  if (kill !== undefined) {
    const asked = kill.gracePeriodNanoseconds;
    return { cause: 'kill', graceMs: asked === undefined ? own : asked / 1e6 };
  }
  if (typeof pod !== 'string' && pod.metadata.deletionTimestamp !== undefined)
    return { cause: 'deleted', graceMs: own };
  if (facts.unhealthy) return { cause: 'unhealthy', graceMs: own };
  if (facts.groupFailed) return { cause: 'group', graceMs: killGraceMs };
  if (facts.frameworkGone) return { cause: 'shutdown', graceMs: killGraceMs };
  return undefined;
}

function completionAtMs(task: Task, container: Container): number | undefined {
  const nanoseconds = task.spec.task.max_completion_time?.nanoseconds;
  if (nanoseconds === undefined || container.startedMs === undefined) return undefined;
  return container.startedMs + nanoseconds / 1e6;
}

function completed(facts: TaskFacts, container: Container | undefined): boolean {
  if (container === undefined) return false;
  const atMs = completionAtMs(facts.task, container);
  return atMs !== undefined && (container.finishedMs ?? facts.nowMs) >= atMs;
}

/** Reasons the master asks for (a drained agent) win over the usual ones. */
function reasonOf(facts: TaskFacts): TaskStatus['reason'] {
  // The master wrote it, out of the same list.
  return facts.task.spec.kill?.reason as TaskStatus['reason'];
}

function endOf(facts: TaskFacts, container: Container, emitted: Emitted): NewUpdate {
  const { task } = facts;
  const status = waitStatusOf(container);
  const docker = task.spec.task.container?.type === 'DOCKER';
  const text =
    docker && container.exitCode !== undefined
      ? `Container exited with status ${container.exitCode}`
      : `Command ${waitText(status)}`;
  const wish = killOf(facts, container);
  const base = { source: 'SOURCE_EXECUTOR', message: text, carries: false } as const;
  if (wish?.cause === 'completion' && !succeeded(status))
    return { ...base, state: 'TASK_FAILED', reason: 'REASON_MAX_COMPLETION_TIME_REACHED' };
  const evicted = evictionOf(facts);
  if (evicted !== undefined) return evicted;
  if (container.oomKilled && !succeeded(status)) return memoryLimit(facts, container, text);
  // Without the capability nothing durable says that we ended an unhealthy task, but its health.
  const sick = facts.unhealthy || (emitted.last?.healthy === false && status.kind === 'signalled');
  if (wish !== undefined && wish.cause !== 'completion')
    return {
      ...base,
      state: 'TASK_KILLED',
      reason: reasonOf(facts),
      ...(wish.cause === 'unhealthy' ? { healthy: false } : {}),
    };
  if (sick || emitted.killing)
    return { ...base, state: 'TASK_KILLED', ...(sick ? { healthy: false } : {}) };
  return { ...base, state: succeeded(status) ? 'TASK_FINISHED' : 'TASK_FAILED' };
}

const megabyte = 2 ** 20;

function memoryLimit(facts: TaskFacts, container: Container, text: string): NewUpdate {
  const bytes = container.spec.resources.memoryBytes ?? 0;
  const megabytes = Math.round(bytes / megabyte);
  const told = `Memory limit exceeded: Requested: ${megabytes}MB Maximum Used: ${megabytes}MB\n`;
  const group = facts.task.spec.execution === 'Group';
  const mem: Resource = { name: 'mem', type: 'SCALAR', scalar: { value: megabytes }, role: '*' };
  return {
    state: 'TASK_FAILED',
    source: group ? 'SOURCE_EXECUTOR' : 'SOURCE_AGENT',
    reason: 'REASON_CONTAINER_LIMITATION_MEMORY',
    message: group ? `${text}: ${told}` : told,
    limitation: { resources: [mem] },
    carries: false,
  };
}

/** The kubelet ended the Pod: it wrote too much, or the machine ran short. */
function evictionOf({ pod, task }: TaskFacts): NewUpdate | undefined {
  if (typeof pod === 'string' || pod.status.reason !== 'Evicted') return undefined;
  const message = pod.status.message ?? '';
  if (!/ephemeral/i.test(message) || /low on resource/i.test(message)) {
    return {
      state: 'TASK_FAILED',
      source: 'SOURCE_AGENT',
      reason: 'REASON_CONTAINER_PREEMPTED',
      message: 'Container preempted by QoS correction',
      carries: false,
    };
  }
  const disk = (task.spec.task.resources ?? []).filter(({ name }) => name === 'disk');
  return {
    state: 'TASK_FAILED',
    source: 'SOURCE_AGENT',
    reason: 'REASON_CONTAINER_LIMITATION_DISK',
    message,
    limitation: { resources: disk },
    carries: false,
  };
}
