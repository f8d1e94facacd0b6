import type { Again } from '#client';
import { tasks as taskKind } from '#mesos/kinds';
import type { Task } from '#mesos/kinds';
import type { Pod } from '#kube/kinds';
import { StatusError, isStatus } from '#machinery';
import type { TaskStatus } from '#mesos/protocol';
import type { Container } from '#node/runtime';
import type { NewUpdate } from '../decide.ts';
import { emittedOf } from '../emitted.ts';
import { launchFailureOf, type LaunchFailure } from '../launch-failure.ts';
import type { WorkPaths } from '../paths.ts';
import { containerStatusOf } from '../status-make.ts';
import type { TaskKeeper } from '../task-keeper.ts';
import { keyOfTask, toldPodUid } from '../world.ts';
import type { World } from '../world.ts';
import { CustomExecutor } from './custom-executor.ts';

// --executor_registration_timeout
const registrationMs = 60_000;
/** The most that `--executor_reregistration_timeout` may be: the face is up some time after we are. */
const reregistrationMs = 15_000;
// --executor_shutdown_grace_period
const shutdownGraceMs = 5_000;
const takenMax = 10_000;
const retryMsMin = 100;
const retryMsMax = 5_000;

/**
 * Custom executors of this node: hands tasks to them, takes their statuses, ends what they leave.
 * Tasks of theirs are records in the store; whatever is not told there follows from the executor's
 * container and from the notes on disk.
 */
export class CustomExecutors {
  readonly #world: World;
  readonly #paths: WorkPaths;
  readonly #keeper: TaskKeeper;
  readonly #executors = new Map<string, CustomExecutor>();
  /** Appends of one task come one after the other. */
  readonly #lanes = new Map<string, Promise<void>>();
  /** Uuids of executors' statuses that are in the store, of this incarnation. */
  readonly #taken = new Set<string>();
  readonly #startedMs: number;
  #stopped = false;

  constructor(world: World, of: { readonly paths: WorkPaths; readonly keeper: TaskKeeper }) {
    this.#world = world;
    this.#paths = of.paths;
    this.#keeper = of.keeper;
    this.#startedMs = world.options.clock.nowMs();
  }

  /** Called by the keeper whenever something of the task changed. */
  async look(task: Task): Promise<Again> {
    const world = this.#world;
    const podUid = world.pod(task)?.metadata.uid ?? toldPodUid(task);
    const emitted = emittedOf(task);
    const known = podUid === undefined ? undefined : this.#of(task, podUid);
    if (emitted.terminal) {
      await known?.forget(task);
      return undefined;
    }
    const container = this.#containerOf(task, podUid);
    const end = await this.#endOf(task, { podUid, container, executor: known });
    if (end !== undefined) {
      await this.append(task, end);
      return undefined;
    }
    if (known === undefined || container?.state !== 'running') return undefined;
    const { kill } = task.spec;
    const sent = await known.wasSent(task);
    if (!sent && kill !== undefined) {
      await this.append(task, killedBefore);
      return undefined;
    }
    if (this.#frameworkGone(task)) this.#shutdown(known);
    if (known.connected) {
      // Once it is subscribed it is looked at again.
      if (!known.ready) return undefined;
      if (!sent) await this.#launch(known, task);
      else if (kill !== undefined) known.kill(task);
      return undefined;
    }
    return this.#await(known, container);
  }

  #of(task: Task, podUid: string): CustomExecutor {
    const found = this.#executors.get(podUid);
    if (found !== undefined) return found;
    const { frameworkID, executorID } = task.spec;
    const made = new CustomExecutor(this.#world, {
      podUid,
      frameworkID,
      executorID,
      notesDir: this.#paths.notes(podUid),
    });
    this.#executors.set(podUid, made);
    return made;
  }

  #containerOf(task: Task, podUid: string | undefined): Container | undefined {
    const name = this.#world.pod(task)?.spec.containers[0]?.name;
    return podUid === undefined || name === undefined
      ? undefined
      : this.#world.containers.newest(podUid, name);
  }

  /** Groups go together, once all of one are here; single tasks as they come. */
  async #launch(executor: CustomExecutor, task: Task): Promise<void> {
    if (executor.shuttingDown) return;
    if (task.spec.group === undefined) {
      await executor.launch([task]);
      return;
    }
    const group: Task[] = [];
    for (const other of executor.tasks())
      if (other.spec.group === task.spec.group && !(await executor.wasSent(other)))
        group.push(other);
    await executor.launch(group);
  }

  /** An executor without a stream has so long to (re)subscribe; then its container ends. */
  async #await(executor: CustomExecutor, container: Container): Promise<Again> {
    const { clock } = this.#world.options;
    const subscribed = (await executor.notes()).subscribed;
    // One that hung up while we live may come back for as long as it lives.
    if (subscribed && executor.lostMs > this.#startedMs) return undefined;
    const startedMs = container.startedMs ?? clock.nowMs();
    const untilMs = subscribed
      ? this.#startedMs + reregistrationMs
      : Math.max(startedMs + registrationMs, this.#startedMs + reregistrationMs);
    const leftMs = untilMs - clock.nowMs();
    if (leftMs > 0) return { afterMs: leftMs };
    executor.timedOut = subscribed ? 'reregistration' : 'registration';
    await this.#world.options.runtime.stopContainer(container.id, { graceMs: 0 });
    return { afterMs: 1000 };
  }

  async #endOf(
    task: Task,
    of: {
      readonly podUid: string | undefined;
      readonly container: Container | undefined;
      readonly executor: CustomExecutor | undefined;
    },
  ): Promise<NewUpdate | undefined> {
    const { container, executor, podUid } = of;
    if (container?.state === 'exited') return this.#executorEnd(task, container, executor);
    if (container !== undefined) return undefined;
    const pod = await this.#world.podOf(task);
    if (pod === 'unseen') return undefined;
    if (pod === 'gone') return podUid === undefined ? killedBefore : terminated;
    const name = pod.spec.containers[0]?.name ?? '';
    const refused =
      this.#keeper.forbids(pod.metadata.uid, name) ??
      launchFailureOf({ ...task, spec: { ...task.spec, container: name } }, pod);
    if (refused !== undefined) return launchFailed(refused);
    return task.spec.kill === undefined ? undefined : killedBefore;
  }

  #executorEnd(task: Task, container: Container, executor: CustomExecutor | undefined): NewUpdate {
    const agent = { source: 'SOURCE_AGENT', carries: false } as const;
    if (container.startedMs === undefined)
      return launchFailed({ reason: 'StartError', message: container.message });
    if (executor?.timedOut === 'registration')
      return {
        ...agent,
        state: 'TASK_FAILED',
        reason: 'REASON_EXECUTOR_REGISTRATION_TIMEOUT',
        message: 'Executor did not register within 1mins',
      };
    if (executor?.timedOut === 'reregistration')
      return {
        ...agent,
        state: this.#lostState(task, 'TASK_GONE'),
        reason: 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT',
        message: `Executor did not reregister within ${reregistrationMs / 1000}secs`,
      };
    if (container.oomKilled && container.exitCode !== 0) {
      const megabytes = Math.round((container.spec.resources.memoryBytes ?? 0) / 2 ** 20);
      return {
        ...agent,
        state: 'TASK_FAILED',
        reason: 'REASON_CONTAINER_LIMITATION_MEMORY',
        message: `Memory limit exceeded: Requested: ${megabytes}MB Maximum Used: ${megabytes}MB\n`,
        limitation: {
          resources: [{ name: 'mem', type: 'SCALAR', scalar: { value: megabytes }, role: '*' }],
        },
      };
    }
    return terminated;
  }

  #lostState(task: Task, aware: 'TASK_GONE' | 'TASK_DROPPED'): TaskStatus['state'] {
    const info = this.#world.framework(task.spec.frameworkID)?.spec.info;
    const isAware = info?.capabilities?.some(({ type }) => type === 'PARTITION_AWARE') === true;
    return isAware ? aware : 'TASK_LOST';
  }

  #frameworkGone(task: Task): boolean {
    return this.#world.framework(task.spec.frameworkID)?.status.phase === 'Completed';
  }

  /** The executor that a call names; tells what of it is unknown. */
  find(frameworkID: string, executorID: string): CustomExecutor | 'framework' | 'executor' {
    const tasks = this.#world.tasks.by('framework', frameworkID);
    for (const task of tasks) {
      if (task.spec.execution !== 'Custom' || task.spec.executorID !== executorID) continue;
      const pod = this.#world.pod(task);
      if (pod === undefined) continue;
      const { uid } = pod.metadata;
      const container = this.#containerOf(task, uid);
      // One that is quick asks before the runtime has told that it runs.
      if (container !== undefined && container.state !== 'exited') return this.#of(task, uid);
    }
    const framework = this.#world.framework(frameworkID);
    return tasks.length === 0 || framework === undefined ? 'framework' : 'executor';
  }

  /** After SUBSCRIBED was sent: what was handed over before and is unknown to it is dropped. */
  async subscribed(executor: CustomExecutor, known: ReadonlySet<string>): Promise<void> {
    let any = false;
    for (const task of executor.tasks()) {
      any = true;
      const staging = !emittedOf(task).starting;
      if (staging && (await executor.wasSent(task)) && !known.has(task.spec.taskID))
        await this.append(task, {
          state: this.#lostState(task, 'TASK_DROPPED'),
          source: 'SOURCE_AGENT',
          reason: 'REASON_AGENT_RESTARTED',
          message: 'Task launched during agent restart',
          carries: false,
        });
      else this.#keeper.look(task);
    }
    if (!any && !(await executor.notes()).used) this.#shutdown(executor);
  }

  /** An executor's UPDATE. Resolves when it is durable, or known to be superfluous. */
  async update(executor: CustomExecutor, status: TaskStatus): Promise<void> {
    const task = executor.tasks().find(({ spec }) => spec.taskID === status.task_id.value);
    const uuid = status.uuid ?? '';
    if (task === undefined) this.#world.counters.add('slave/invalid_status_updates');
    if (task === undefined || this.#taken.has(uuid)) return;
    await this.#inLane(task, async () => {
      await this.#until(executor, () =>
        this.#write(task, (fresh) => {
          if (emittedOf(fresh).terminal || knows(fresh, uuid)) return undefined;
          return { ...status, ...this.#added(fresh, status) };
        }),
      );
      this.#taken.add(uuid);
      const [oldest] = this.#taken;
      if (this.#taken.size > takenMax && oldest !== undefined) this.#taken.delete(oldest);
    });
  }

  /** The executor brings nothing again while its stream stands: the server is asked until it answers. */
  async #until(executor: CustomExecutor, write: () => Promise<void>): Promise<void> {
    const { clock, logger } = this.#world.options;
    for (let delayMs = retryMsMin; ; delayMs = Math.min(2 * delayMs, retryMsMax))
      try {
        await write();
        return;
      } catch (error) {
        // What the server refuses for good it will refuse again.
        const refused = error instanceof StatusError && error.code < 500 && error.code !== 429;
        if (refused || this.#stopped) throw error;
        logger.warn('Cannot store a status yet', { executor: executor.executorID, error });
        await clock.sleep(delayMs);
      }
  }

  /** What the agent says of every status of an executor (slave.cpp, statusUpdate). */
  #added(task: Task, status: TaskStatus): Partial<TaskStatus> {
    const { clock, nodeIp } = this.#world.options;
    const podUid = this.#world.pod(task)?.metadata.uid ?? toldPodUid(task);
    const container = this.#containerOf(task, podUid);
    const sandboxIp = this.#world.sandboxIp(container, podUid);
    const made = containerStatusOf(task, { podUid, container, sandboxIp, nodeIp });
    const told = status.container_status;
    return {
      source: 'SOURCE_EXECUTOR',
      agent_id: { value: task.spec.agentID },
      executor_id: { value: task.spec.executorID },
      timestamp: status.timestamp ?? clock.nowMs() / 1000,
      // What an executor says of its own network stands.
      ...(made === undefined ? {} : { container_status: { ...made, ...told } }),
    };
  }

  async append(task: Task, update: NewUpdate): Promise<void> {
    await this.#inLane(task, async () => {
      const podUid = this.#world.pod(task)?.metadata.uid ?? toldPodUid(task);
      const container = this.#containerOf(task, podUid);
      await this.#retried(task, async (fresh) => {
        if (emittedOf(fresh).terminal) return undefined;
        return this.#keeper.append(fresh, [update], { podUid, container, fresh: true });
      });
    });
  }

  async #write(task: Task, make: (fresh: Task) => TaskStatus | undefined): Promise<void> {
    await this.#retried(task, async (fresh) => {
      const status = make(fresh);
      if (status === undefined) return undefined;
      const updates = [...(fresh.status.updates ?? []), status];
      const next = { ...fresh.status, state: status.state, updates };
      const { api } = this.#world.options;
      const changed = { ...fresh, status: next };
      const written = await api.update(taskKind, changed, { subresource: 'status' });
      this.#world.counters.told(fresh, [status]);
      return written;
    });
  }

  async #retried(task: Task, write: (fresh: Task) => Promise<Task | undefined>): Promise<void> {
    const { namespace, name } = task.metadata;
    const key = keyOfTask(task);
    let fresh = this.#world.task(key) ?? task;
    for (;;) {
      try {
        const written = await write(fresh);
        if (written !== undefined) this.#world.wrote(key, written);
        return;
      } catch (error) {
        if (isStatus(error, 'NotFound')) return;
        if (!isStatus(error, 'Conflict')) throw error;
        fresh = await this.#world.options.api.get(taskKind, { namespace, name });
        this.#world.wrote(key, fresh);
      }
    }
  }

  async #inLane(task: Task, action: () => Promise<void>): Promise<void> {
    const { uid } = task.metadata;
    const before = this.#lanes.get(uid) ?? Promise.resolve();
    const turn = before.then(action);
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#lanes.set(uid, settled);
    try {
      await turn;
    } finally {
      if (this.#lanes.get(uid) === settled) this.#lanes.delete(uid);
    }
  }

  /** SHUTDOWN, then its grace, then the end of its container. */
  #shutdown(executor: CustomExecutor): void {
    if (executor.shuttingDown) return;
    executor.shutdown();
    const { clock, runtime, logger } = this.#world.options;
    const graceMs = this.#graceOf(executor);
    clock.after(graceMs, () => {
      for (const { id } of this.#containersOf(executor))
        runtime.stopContainer(id, { graceMs: 0 }).catch((error: unknown) => {
          logger.warn('Cannot end an executor', { executor: executor.executorID, error });
        });
    });
  }

  #graceOf(executor: CustomExecutor): number {
    const info = executor.tasks()[0]?.spec.task.executor;
    const asked = info?.shutdown_grace_period?.nanoseconds;
    return asked === undefined ? shutdownGraceMs : asked / 1e6;
  }

  #containersOf({ podUid }: CustomExecutor): readonly Container[] {
    const pod = this.#world.pods.by('uid', podUid)[0];
    const all = (pod?.spec.containers ?? []).map(({ name }) =>
      this.#world.containers.newest(podUid, name),
    );
    return all.filter((container) => container?.state === 'running').flatMap((one) => one ?? []);
  }

  shutdown(frameworkID: string, executorID: string): boolean {
    const executor = this.find(frameworkID, executorID);
    if (typeof executor === 'string') return false;
    this.#shutdown(executor);
    return true;
  }

  /** Before the kubelet's SIGTERM: an executor is asked first, and waited for. */
  async beforeStop(pod: Pod, graceMs: number): Promise<void> {
    const executor = this.#executors.get(pod.metadata.uid);
    if (executor?.connected !== true) return;
    if (!executor.shuttingDown) executor.shutdown();
    const { clock } = this.#world.options;
    const untilMs = clock.monotonicMs() + Math.min(graceMs, this.#graceOf(executor));
    while (this.#containersOf(executor).length > 0 && clock.monotonicMs() < untilMs)
      await clock.sleep(20);
  }

  released(podUid: string): void {
    this.#executors.get(podUid)?.stop();
    this.#executors.delete(podUid);
  }

  stop(): void {
    this.#stopped = true;
    for (const executor of this.#executors.values()) executor.stop();
  }

  /** Something of an executor's container changed: those without a task that would notice. */
  containerEnded(podUid: string): void {
    const executor = this.#executors.get(podUid);
    if (executor !== undefined) executor.close();
  }
}

/** Also when its Pod was deleted, which is a SHUTDOWN: it could have told of its tasks itself. */
const terminated: NewUpdate = {
  state: 'TASK_FAILED',
  source: 'SOURCE_AGENT',
  reason: 'REASON_EXECUTOR_TERMINATED',
  message: 'Executor terminated',
  carries: false,
};

const killedBefore: NewUpdate = {
  state: 'TASK_KILLED',
  source: 'SOURCE_AGENT',
  reason: 'REASON_TASK_KILLED_DURING_LAUNCH',
  message: 'Killed before delivery to the executor',
  carries: false,
};

function launchFailed(failure: LaunchFailure): NewUpdate {
  return {
    state: 'TASK_FAILED',
    source: 'SOURCE_AGENT',
    reason: 'REASON_CONTAINER_LAUNCH_FAILED',
    message: `Failed to launch container: ${failure.message}`,
    carries: false,
  };
}

function knows(task: Task, uuid: string): boolean {
  const { updates = [], statuses = [], updateUUID } = task.status;
  return updateUUID === uuid || [...updates, ...statuses].some((status) => status.uuid === uuid);
}
