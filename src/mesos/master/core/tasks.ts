import { formatMicroTime, timeOr } from '#base';
import type { InformerChange } from '#client';
import { taskInfoOf } from '#mesos/kinds';
import type { Task } from '#mesos/kinds';
import type { TaskState, TaskStatus } from '#mesos/protocol';
import { TaskBook, type FrameworkBook } from './books.ts';
import type { Core } from './core.ts';
import { drainedStatus } from './drain.ts';
import { isTerminal } from './states.ts';

const completedMax = 1000;
const unreachableMax = 1000;
/** Ended tasks whose objects and Pods stay, so that people find their logs. */
const keptMax = 100;
/** Tasks of a removed framework that are ended in one turn of the event loop. */
const endedPerTurn = 200;

/** A status that the master itself makes. */
export interface MasterStatus {
  readonly state: TaskState;
  readonly reason: TaskStatus['reason'];
  readonly message: string;
}

/** Tasks in the books and in the store: what agents write comes in here, what the master decides goes out. */
export class Tasks {
  readonly #core: Core;
  /** Keys of ended tasks whose objects are still there, oldest first, by framework. */
  readonly #kept = new Map<
    string,
    { readonly key: string; readonly podKey: string | undefined }[]
  >();

  constructor(core: Core) {
    this.#core = core;
  }

  /** Into the books, with its share of the agent's room. */
  add(task: TaskBook): void {
    const { books } = this.#core;
    task.framework.tasks.set(task.taskID, task);
    books.tasks.set(task.key, task);
    this.#core.frameworks.counted(task.framework);
    const agent = books.agents.get(task.agentID);
    agent?.tasks.add(task);
    const executor = task.framework.executor(task.agentID, task.executorID);
    executor?.tasks.add(task);
    if (executor !== undefined && task.group !== undefined)
      executor.groups = Math.max(executor.groups, task.group + 1);
  }

  /** Its launch is durable: what the cache said of it meanwhile counts now. */
  stored(task: TaskBook): void {
    if (task.completed) {
      this.#overtaken(task);
      return;
    }
    this.#core.announce({ type: 'TASK_ADDED', task });
    const object = this.#core.informers.tasks.get(task.key);
    if (object !== undefined) this.#read(task, object);
  }

  /** Its framework was removed while it was being stored. */
  #overtaken(task: TaskBook): void {
    const { executors, lanes, options } = this.#core;
    executors.deletePodOf(task);
    const completedTime = formatMicroTime(options.clock.nowMs());
    const { state } = task;
    void lanes.tasks.change(task.key, (object) => ({
      ...object,
      status: { ...bare(object.status), state, updateState: state, completedTime },
    }));
  }

  /** Of a framework that nobody knows any more. */
  discard(object: Task): void {
    const { namespace = '', name } = object.metadata;
    this.#drop({ key: `${namespace}/${name}`, podKey: `${namespace}/${object.spec.podName}` });
  }

  /** A launch that came to nothing. */
  withdraw(task: TaskBook): void {
    this.#core.books.tasks.delete(task.key);
    task.framework.tasks.delete(task.taskID);
    this.release(task);
    this.#leave(task);
  }

  #leave(task: TaskBook): void {
    const { books } = this.#core;
    books.agents.get(task.agentID)?.tasks.delete(task);
    task.framework.executor(task.agentID, task.executorID)?.tasks.delete(task);
  }

  /** Its room is free again: once, by the terminal update's arrival or by the master's word. */
  release(task: TaskBook): void {
    if (task.released) return;
    task.released = true;
    const { books, cycle, executors } = this.#core;
    const agent = books.agents.get(task.agentID);
    if (agent === undefined) return;
    agent.busy.remove(task.resources);
    cycle.held(task.framework, agent, { role: task.role, resources: task.resources, sign: -1 });
    cycle.freed(agent);
    if (task.execution !== 'Command') executors.shrunk(task);
  }

  changed({ key, object }: InformerChange<Task>): void {
    const task = this.#core.books.tasks.get(key);
    if (task === undefined) return;
    // What is written while the agent is away is read when it is back.
    if (task.unreachableMs !== undefined && object !== undefined) return;
    // The launch's own answer comes first; then what was seen meanwhile is read.
    if (task.launching !== undefined) return;
    if (object !== undefined) this.#read(task, object);
    else if (!task.completed) this.#vanished(task);
  }

  #read(task: TaskBook, object: Task): void {
    const updates = object.status.updates ?? [];
    const present = new Set<string>();
    for (const status of updates) {
      const { uuid } = status;
      if (uuid === undefined) continue;
      present.add(uuid);
      if (task.settled.has(uuid) || task.updates.some((one) => one.uuid === uuid)) continue;
      this.#arrive(task, status);
    }
    for (const uuid of task.settled) if (!present.has(uuid)) task.settled.delete(uuid);
  }

  /** An update of the agent's that the master sees for the first time. */
  #arrive(task: TaskBook, reported: TaskStatus): void {
    const { counters, updates, books } = this.#core;
    const { partitionAware } = task.framework;
    const drain = books.agents.get(task.agentID)?.drain;
    const status = drainedStatus(reported, { drain, partitionAware });
    counters.add('master/messages_status_update');
    counters.add('master/valid_status_updates');
    this.#note(task, status);
    if (task.framework.removed) return;
    updates.enqueue(task, status);
  }

  /** The newest state, its history, its room. */
  #note(task: TaskBook, status: TaskStatus): void {
    const { counters } = this.#core;
    const before = task.state;
    if (!isTerminal(before)) {
      task.state = status.state;
      counters.status(status);
    }
    task.healthy = status.healthy ?? task.healthy;
    task.statuses = withStatus(task.statuses, status);
    if (isTerminal(task.state)) this.release(task);
    const told =
      before !== task.state ||
      status.reason === 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED' ||
      status.reason === 'REASON_TASK_CHECK_STATUS_UPDATED';
    if (told) this.#core.announce({ type: 'TASK_UPDATED', task, status });
  }

  /** Somebody deleted the object: nobody can report the task any more. */
  #vanished(task: TaskBook): void {
    if (task.execution === 'Command')
      this.#deletePod(`${task.framework.namespace}/${task.podName}`);
    void this.end(task, {
      state: 'TASK_KILLED',
      reason: undefined,
      message: 'The Task object was deleted',
    });
  }

  /** The master itself says that a task has ended, and it is over with that. */
  end(task: TaskBook, said: MasterStatus, more: Partial<TaskStatus> = {}): Promise<boolean> {
    const status = this.#statusOf(task, said, more);
    this.#note(task, status);
    this.#core.updates.pauseTask(task);
    this.#core.updates.sendOnce(task.framework, status);
    task.updates = [];
    return this.complete(task);
  }

  #statusOf(task: TaskBook, said: MasterStatus, more: Partial<TaskStatus>): TaskStatus {
    return {
      task_id: task.info.task_id,
      state: said.state,
      message: said.message,
      source: 'SOURCE_MASTER',
      ...(said.reason !== undefined && { reason: said.reason }),
      agent_id: { value: task.agentID },
      ...(task.execution !== 'Command' && { executor_id: { value: task.executorID } }),
      timestamp: this.#core.options.clock.nowMs() / 1000,
      ...more,
    };
  }

  /**
   * Of a framework that is removed: in the books only, nobody is told. Of many tasks most leave the
   * store at once, since only the newest would be kept.
   */
  async endAll(framework: FrameworkBook): Promise<void> {
    const tasks = [...framework.tasks.values(), ...framework.unreachableTasks.values()];
    const writes: Promise<boolean>[] = [];
    for (const [at, task] of tasks.entries()) {
      if (at > 0 && at % endedPerTurn === 0) await this.#core.options.clock.sleep(0);
      if (task.completed) continue;
      writes.push(this.#endWithFramework(task, at >= tasks.length - keptMax));
    }
    await Promise.all(writes);
  }

  #endWithFramework(task: TaskBook, kept: boolean): Promise<boolean> {
    const { books } = this.#core;
    if (!isTerminal(task.state)) {
      const message = `Framework ${task.frameworkID} removed`;
      const said = { state: 'TASK_KILLED', reason: 'REASON_FRAMEWORK_REMOVED', message } as const;
      this.#note(task, this.#statusOf(task, said, {}));
      if (task.execution === 'Command')
        this.#deletePod(`${task.framework.namespace}/${task.podName}`);
    }
    task.framework.unreachableTasks.delete(task.taskID);
    books.tasks.delete(task.key);
    return this.complete(task, kept);
  }

  /** Acknowledged, or nothing to acknowledge: the task is history. */
  complete(task: TaskBook, kept = true): Promise<boolean> {
    const { books, lanes, options } = this.#core;
    const { framework } = task;
    task.completed = true;
    this.#core.updates.pauseTask(task);
    framework.tasks.delete(task.taskID);
    framework.unreachableTasks.delete(task.taskID);
    books.tasks.delete(task.key);
    this.release(task);
    this.#core.executors.pruned(task);
    this.#leave(task);
    this.#remember(task);
    this.#core.frameworks.counted(framework);
    const podKey =
      task.execution === 'Command' ? `${framework.namespace}/${task.podName}` : undefined;
    this.#core.agents.taskLeft(task.agentID);
    if (!kept) {
      this.#drop({ key: task.key, podKey });
      return Promise.resolve(true);
    }
    const completedTime = formatMicroTime(options.clock.nowMs());
    const { state, statuses } = task;
    const written = lanes.tasks.change(task.key, (object) => ({
      ...object,
      status: { ...bare(object.status), state, statuses, updateState: state, completedTime },
    }));
    this.#keep(framework.id, { key: task.key, podKey });
    return written;
  }

  #remember(task: TaskBook): void {
    const { completedTasks } = task.framework;
    completedTasks.push(task);
    if (completedTasks.length > completedMax) completedTasks.shift();
  }

  #keep(frameworkID: string, entry: { key: string; podKey: string | undefined }): void {
    const kept = this.#kept.get(frameworkID) ?? [];
    this.#kept.set(frameworkID, kept);
    kept.push(entry);
    while (kept.length > keptMax) this.#drop(kept.shift());
  }

  #drop(entry: { readonly key: string; readonly podKey: string | undefined } | undefined): void {
    if (entry === undefined) return;
    void this.#core.sweeper.task(entry.key);
    if (entry.podKey !== undefined) this.#deletePod(entry.podKey);
  }

  #deletePod(key: string): void {
    void this.#core.sweeper.pod(key);
  }

  /** It left the list of completed frameworks. */
  forgetFramework(book: FrameworkBook): void {
    const kept = this.#kept.get(book.id) ?? [];
    this.#kept.delete(book.id);
    for (const entry of kept) this.#drop(entry);
  }

  /** What was acknowledged leaves the store; the newest of it is what the framework knows. */
  saveSettled(task: TaskBook, front: TaskStatus): void {
    void this.#core.lanes.tasks.change(task.key, (object) => {
      const updates = object.status.updates ?? [];
      // This one only: those after it, acknowledged meanwhile, leave with their own words.
      const left = updates.filter(({ uuid }) => uuid === undefined || uuid !== front.uuid);
      if (left.length === updates.length) return undefined;
      return {
        ...object,
        status: {
          ...bare(object.status),
          // Also when it is empty: the agent appends to what is there.
          updates: left,
          updateState: front.state,
          updateUUID: front.uuid,
          statuses: withStatus(object.status.statuses ?? [], front),
        },
      };
    });
  }

  /** The agent is unreachable: neither running nor ended as far as anybody knows. */
  unreachable(task: TaskBook, sinceMs: number): void {
    const { framework } = task;
    const { updates, lanes, counters } = this.#core;
    const aware = framework.partitionAware;
    const status = this.#statusOf(
      task,
      {
        state: aware ? 'TASK_UNREACHABLE' : 'TASK_LOST',
        reason: 'REASON_AGENT_REMOVED',
        message: 'health check timed out',
      },
      aware ? { unreachable_time: { nanoseconds: sinceMs * 1e6 } } : {},
    );
    updates.pauseTask(task);
    task.unreachableMs = sinceMs;
    framework.tasks.delete(task.taskID);
    framework.unreachableTasks.set(task.taskID, task);
    if (framework.unreachableTasks.size > unreachableMax) {
      const [oldest] = framework.unreachableTasks.keys();
      if (oldest !== undefined) framework.unreachableTasks.delete(oldest);
    }
    // One that has ended without being acknowledged has ended all the same.
    if (!isTerminal(task.state)) {
      task.state = status.state;
      counters.status(status);
    }
    task.statusUpdateState = status.state;
    task.statuses = withStatus(task.statuses, status);
    this.#core.announce({ type: 'TASK_UPDATED', task, status });
    updates.sendOnce(framework, status);
    const unreachableTime = formatMicroTime(sinceMs);
    // The state stays as the agent knows it: what ended for the framework may run there yet.
    void lanes.tasks.change(task.key, (object) => ({
      ...object,
      status: { ...object.status, unreachableTime },
    }));
  }

  /** The agent is back, and the task with it. */
  reachable(task: TaskBook): void {
    const { framework } = task;
    const { informers, updates } = this.#core;
    const object = informers.tasks.get(task.key);
    task.unreachableMs = undefined;
    framework.unreachableTasks.delete(task.taskID);
    task.state = object?.status.state ?? 'TASK_STAGING';
    task.statusUpdateState = object?.status.updateState ?? task.state;
    // Its history is what the agent knows of it.
    task.statuses = task.statuses.filter(({ source }) => source !== 'SOURCE_MASTER');
    this.add(task);
    this.#hold(task);
    const status = this.#statusOf(
      task,
      {
        state: task.updates[0]?.state ?? task.state,
        reason: 'REASON_AGENT_REREGISTERED',
        message: 'Unreachable agent re-reregistered',
      },
      latestOf(task),
    );
    updates.sendOnce(framework, status);
    this.#core.announce({ type: 'TASK_ADDED', task });
    this.#saveReachable(task);
    if (object !== undefined) this.#read(task, object);
    updates.resumeTask(task);
  }

  #saveReachable(task: TaskBook): void {
    void this.#core.lanes.tasks.change(task.key, (stored) => {
      const { unreachableTime, ...rest } = stored.status;
      return unreachableTime === undefined ? undefined : { ...stored, status: rest };
    });
  }

  /** Recovered, and its agent has come. */
  attach(task: TaskBook): void {
    this.add(task);
    this.#hold(task);
    this.#core.updates.resumeTask(task);
  }

  /** A task of the books holds its room on an agent that has just been registered. */
  #hold(task: TaskBook): void {
    const { books, cycle } = this.#core;
    const agent = books.agents.get(task.agentID);
    task.released = isTerminal(task.state);
    if (agent === undefined || task.released) return;
    agent.busy.add(task.resources);
    cycle.held(task.framework, agent, { role: task.role, resources: task.resources, sign: 1 });
  }

  /** From the store, at start; agents are in the books already. */
  recover(object: Task, framework: FrameworkBook): void {
    const { spec, status, metadata } = object;
    const key = `${metadata.namespace ?? ''}/${metadata.name}`;
    const task = new TaskBook(framework, {
      agentID: spec.agentID,
      nodeName: spec.nodeName,
      executorID: spec.executorID,
      execution: spec.execution,
      info: taskInfoOf(spec),
      podName: spec.podName,
      container: spec.container,
      group: spec.group,
      key,
    });
    task.state = status.state;
    task.statuses = status.statuses ?? [];
    task.statusUpdateState = status.updateState;
    task.statusUpdateUUID = status.updateUUID;
    task.healthy = task.statuses.at(-1)?.healthy;
    if (status.completedTime !== undefined) {
      task.completed = true;
      task.released = true;
      this.#remember(task);
      this.#core.executors.recoverEnded(task);
      const podKey =
        task.execution === 'Command' ? `${framework.namespace}/${task.podName}` : undefined;
      this.#keep(framework.id, { key, podKey });
      return;
    }
    if (framework.removed) {
      void this.#endWithFramework(task, true);
      return;
    }
    if (status.unreachableTime !== undefined && !this.#core.books.agents.has(spec.agentID)) {
      task.unreachableMs = timeOr(status.unreachableTime, 0);
      task.state = framework.partitionAware ? 'TASK_UNREACHABLE' : 'TASK_LOST';
      task.released = true;
      this.#core.books.tasks.set(key, task);
      framework.unreachableTasks.set(task.taskID, task);
      this.#core.agents.away(task);
    } else {
      if (status.unreachableTime !== undefined) this.#saveReachable(task);
      this.add(task);
      this.#hold(task);
      if (!this.#core.books.agents.has(task.agentID)) this.#core.agents.away(task);
    }
    if (task.unreachableMs === undefined) this.#read(task, object);
  }
}

/** What was told of its health and its container last. */
export function latestOf({ healthy, statuses }: TaskBook): Partial<TaskStatus> {
  const latest = statuses.at(-1);
  return {
    ...(healthy !== undefined && { healthy }),
    ...(latest?.check_status !== undefined && { check_status: latest.check_status }),
    ...(latest?.container_status !== undefined && { container_status: latest.container_status }),
  };
}

/** Equal states replace one another; `data` is not kept (master.cpp, updateTask). */
export function withStatus(
  statuses: readonly TaskStatus[],
  status: TaskStatus,
): readonly TaskStatus[] {
  const { data: _, ...kept } = status;
  const earlier = statuses.at(-1)?.state === status.state ? statuses.slice(0, -1) : statuses;
  return [...earlier, kept];
}

/** Without what is about to be written anew. */
function bare(status: Task['status']): Omit<Task['status'], 'updates'> {
  const { updates: _, ...rest } = status;
  return rest;
}

export function orderByCompletion(tasks: readonly Task[]): readonly Task[] {
  return tasks.toSorted((a, b) =>
    (a.status.completedTime ?? '').localeCompare(b.status.completedTime ?? ''),
  );
}
