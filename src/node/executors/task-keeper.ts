import { createWorkQueue } from '#client';
import type { Again, WorkQueue } from '#client';
import { tasks as taskKind } from '#mesos/kinds';
import type { Task } from '#mesos/kinds';
import type { Pod } from '#kube/kinds';
import { isStatus } from '#machinery';
import type { Container } from '#node/runtime';
import { TaskChecks } from './checks/task-checks.ts';
import { decide } from './decide.ts';
import type { Decision, NewUpdate, TaskFacts } from './decide.ts';
import { emittedOf, type Emitted } from './emitted.ts';
import { Ending } from './ending.ts';
import type { LaunchFailure } from './launch-failure.ts';
import { containerLabels } from './names.ts';
import { statusOf } from './status-make.ts';
import { Untold } from './untold.ts';
import { keyOfTask, toldPodUid } from './world.ts';
import type { World } from './world.ts';

/** What is remembered of a task beside the store: all of it may be lost with the agent. */
interface Memory {
  readonly uid: string;
  readonly ending: Ending;
  checks: TaskChecks | undefined;
  unhealthy: boolean;
  /** What checks found, in order, not yet appended. */
  readonly found: NewUpdate[];
}

export interface KeeperHooks {
  /** Asks the kubelet to look at a Pod again. */
  wake(podUid: string): void;
  /** A container has ended: its output may be put in order. */
  ended(task: Task, pod: { readonly uid: string }, container: Container): void;
  /** A task of a custom executor changed. */
  custom(task: Task): Promise<Again>;
  /** A task is gone from the store. */
  forgotten(key: string): void;
}

interface AppendOptions {
  readonly podUid: string | undefined;
  readonly container: Container | undefined;
  /** The Task was just read from the server. */
  readonly fresh: boolean;
}

const workers = 32;
const retryMs = 1000;

/**
 * Moves what frameworks are told of command tasks and task groups toward what is so. A task is
 * looked at whenever it, its Pod, its container, its group or its checks change; what is appended
 * follows from what was appended before, so that a crash between two steps says nothing twice.
 */
export class TaskKeeper {
  readonly #world: World;
  readonly #hooks: KeeperHooks;
  readonly #queue: WorkQueue;
  readonly #memory = new Map<string, Memory>();
  /** By `<pod uid>/<container>`. */
  readonly #forbidden = new Map<string, LaunchFailure>();
  readonly #failures = new Map<string, LaunchFailure>();
  readonly #making = new Set<string>();
  readonly #untold: Untold;

  constructor(world: World, hooks: KeeperHooks) {
    this.#world = world;
    this.#hooks = hooks;
    const { clock, logger } = world.options;
    this.#queue = createWorkQueue({ clock, logger, name: 'mesos-tasks' });
    this.#untold = new Untold(clock);
    world.tasks.onChange(({ key, object }) => {
      this.#queue.add(key);
      const task = object;
      // A group's fate is shared: its other tasks may have to end.
      if (task?.spec.group !== undefined && emittedOf(task).terminal) this.#lookAtPod(task);
    });
    world.pods.onChange(({ key }) => this.#addPod(key));
    world.frameworks.onChange(({ object }) => {
      if (object?.status.phase !== 'Completed') return;
      for (const task of world.tasks.by('framework', object.spec.frameworkID))
        this.#queue.add(keyOfTask(task));
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#queue.run((key, within) => this.#look(key, within), { workers, signal });
    for (const { checks, ending } of this.#memory.values()) {
      checks?.stop();
      ending.stop();
    }
    this.#untold.stop();
  }

  /** The runtime tells of a container. */
  containerChanged(container: Container): void {
    const { labels } = container.spec;
    const namespace = labels[containerLabels.namespace] ?? '';
    const key = `${labels[containerLabels.uid]}/${container.spec.name}`;
    this.#making.delete(key);
    for (const task of this.#world.tasksOf(namespace, labels[containerLabels.name] ?? ''))
      if (task.spec.container === container.spec.name || task.spec.execution === 'Custom') {
        const own = container.state === 'exited' && task.spec.execution !== 'Custom';
        if (own && !emittedOf(task).terminal) this.#untold.add(keyOfTask(task));
        this.#queue.add(keyOfTask(task));
      }
  }

  /** Resolves when the store knows of all ends, or soon. */
  told(): Promise<void> {
    return this.#untold.none();
  }

  look(task: Task): void {
    this.#queue.add(keyOfTask(task));
  }

  forbids(podUid: string, name: string): LaunchFailure | undefined {
    return this.#forbidden.get(`${podUid}/${name}`);
  }

  /** From here on the container is as good as there. */
  making(podUid: string, name: string): void {
    this.#making.add(`${podUid}/${name}`);
  }

  /** A task's files cannot be had. */
  fail(pod: Pod, name: string, failure: LaunchFailure): void {
    const key = `${pod.metadata.uid}/${name}`;
    this.#failures.set(key, failure);
    this.#forbidden.set(key, failure);
    for (const task of this.#world.tasksOfPod(pod))
      if (task.spec.container === name || task.spec.execution === 'Custom') this.look(task);
  }

  released(podUid: string): void {
    for (const kept of [this.#forbidden, this.#failures, this.#making])
      for (const key of kept.keys()) if (key.startsWith(`${podUid}/`)) kept.delete(key);
  }

  #addPod(key: string): void {
    for (const task of this.#world.tasks.by('pod', key)) this.#queue.add(keyOfTask(task));
  }
  #lookAtPod(task: Task): void {
    this.#addPod(`${task.metadata.namespace}/${task.spec.podName}`);
  }

  async #look(key: string, signal: AbortSignal): Promise<Again> {
    using _telling = this.#untold.telling(key);
    const task = this.#world.task(key);
    if (task === undefined || task.metadata.deletionTimestamp !== undefined) {
      this.#forget(key);
      return undefined;
    }
    try {
      if (task.spec.execution === 'Custom') return await this.#hooks.custom(task);
      return await this.#bring(key, task, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      if (isStatus(error, 'NotFound')) {
        this.#forget(key);
        return undefined;
      }
      this.#world.options.logger.warn('Cannot bring a task forward', { task: key, error });
      return { afterMs: retryMs };
    }
  }

  async #bring(key: string, first: Task, signal: AbortSignal): Promise<Again> {
    let task = first;
    let fresh = false;
    const { clock } = this.#world.options;
    for (;;) {
      signal.throwIfAborted();
      const { facts, podUid } = await this.#factsOf(task);
      const { container } = facts;
      const decision = decide(facts);
      const memory = this.#memoryOf(key, task);
      using _after = this.#act(task, { facts, decision, memory, podUid });
      const found = memory.found.splice(0);
      const updates = inOrder(decision.updates, emittedOf(task), found);
      if (updates.length === 0) return againOf(decision, clock.nowMs());
      try {
        const written = await this.append(task, updates, { podUid, container, fresh });
        this.#world.wrote(key, written);
        if (emittedOf(written).terminal) this.#over(written, podUid);
        return againOf(decision, clock.nowMs());
      } catch (error) {
        memory.found.unshift(...found);
        if (!isStatus(error, 'Conflict') && !(isStatus(error, 'Invalid') && !fresh)) throw error;
        // The master acknowledged something meanwhile, or an append of ours went through unseen.
        const { namespace, name } = task.metadata;
        task = await this.#world.options.api.get(taskKind, { namespace, name });
        fresh = true;
        this.#world.wrote(key, task);
      }
    }
  }

  /**
   * Puts statuses after those that wait for acknowledgement; durable when it resolves. What is not
   * just read from the server goes as a patch that holds whatever was acknowledged meanwhile: only
   * the state must be the known one, or else an append of ours went through unseen.
   */
  async append(
    task: Task,
    updates: readonly NewUpdate[],
    { fresh, ...of }: AppendOptions,
  ): Promise<Task> {
    const { api, random, clock, nodeIp } = this.#world.options;
    const sandboxIp = this.#world.sandboxIp(of.container, of.podUid);
    let { last } = emittedOf(task);
    const made = updates.map((update) => {
      const nowMs = clock.nowMs();
      last = statusOf(task, update, { random, nowMs, nodeIp, sandboxIp, ...of, last });
      return last;
    });
    const { state: before, updates: waiting } = task.status;
    const state = made.at(-1)?.state ?? before;
    if (fresh || state === before) {
      const status = { ...task.status, state, updates: [...(waiting ?? []), ...made] };
      const written = await api.update(taskKind, { ...task, status }, { subresource: 'status' });
      this.#world.counters.told(task, made);
      return written;
    }
    const { namespace, name, uid } = task.metadata;
    const path = '/status/updates';
    const body = [
      { op: 'test', path: '/metadata/uid', value: uid },
      { op: 'test', path: '/status/state', value: before },
      { op: 'replace', path: '/status/state', value: state },
      ...(waiting === undefined
        ? [{ op: 'add', path, value: made }]
        : made.map((value) => ({ op: 'add', path: `${path}/-`, value }))),
    ];
    const target = { namespace, name, subresource: 'status' };
    const patched = await api.patch(taskKind, target, { type: 'json', body });
    this.#world.counters.told(task, made);
    return patched;
  }

  #over(task: Task, podUid: string | undefined): void {
    if (task.spec.group !== undefined) this.#lookAtPod(task);
    if (podUid !== undefined) void this.told().then(() => this.#hooks.wake(podUid));
  }

  async #factsOf(task: Task): Promise<{ facts: TaskFacts; podUid: string | undefined }> {
    const world = this.#world;
    const known = world.pod(task)?.metadata.uid ?? toldPodUid(task);
    const early = world.containerOf(task, known);
    // An end is told at once; whether the Pod still exists matters only where nothing else tells.
    const pod = early === undefined ? await world.podOf(task) : (world.pod(task) ?? 'unseen');
    const podUid = typeof pod === 'string' ? known : pod.metadata.uid;
    const container = world.containerOf(task, podUid);
    const framework = world.framework(task.spec.frameworkID);
    const slot = `${podUid}/${task.spec.container}`;
    const facts: TaskFacts = {
      task,
      pod,
      container,
      making: this.#making.has(slot),
      capabilities: new Set(
        (framework?.spec.info.capabilities ?? []).flatMap(({ type }) => type ?? []),
      ),
      frameworkGone: framework?.status.phase === 'Completed',
      groupFailed: this.#groupFailed(task),
      unhealthy: this.#memory.get(keyOfTask(task))?.unhealthy ?? false,
      failure: this.#failures.get(slot),
      nowMs: world.options.clock.nowMs(),
    };
    return { facts, podUid };
  }

  #groupFailed(task: Task): boolean {
    if (task.spec.execution !== 'Group') return false;
    const { namespace, name } = task.metadata;
    return this.#world.tasksOf(namespace ?? '', task.spec.podName).some((other) => {
      if (other.metadata.name === name || other.spec.group !== task.spec.group) return false;
      const states = [other.status.state, other.status.updates?.at(-1)?.state];
      return states.includes('TASK_FAILED') || states.includes('TASK_KILLED');
    });
  }

  /** To be disposed when the framework has been told. */
  #act(
    task: Task,
    of: {
      readonly facts: TaskFacts;
      readonly decision: Decision;
      readonly memory: Memory;
      readonly podUid: string | undefined;
    },
  ): Disposable {
    const { facts, decision, memory, podUid } = of;
    const { container } = facts;
    let fresh = false;
    if (decision.forbidden !== undefined && podUid !== undefined) {
      const slot = `${podUid}/${task.spec.container}`;
      fresh = !this.#forbidden.has(slot);
      this.#forbidden.set(slot, decision.forbidden);
    }
    if (decision.stop !== undefined && container !== undefined)
      memory.ending.stopWithin(container.id, {
        graceMs: decision.stop.graceMs,
        // The default executor ignores a second KILL, the command executor heeds a shorter grace.
        shortens: task.spec.execution === 'Command',
      });
    if (container?.state === 'exited') memory.ending.stop();
    if (!decision.alive) {
      memory.checks?.stop();
      memory.checks = undefined;
    } else if (container !== undefined && memory.checks === undefined) {
      memory.checks = this.#checksOf(task, container, memory);
    }
    return {
      // What nobody waits for comes after what is told.
      [Symbol.dispose]: () => {
        if (podUid === undefined) return;
        if (fresh && container?.state !== 'exited') this.#hooks.wake(podUid);
        if (container?.state !== 'exited') return;
        void this.told().then(() => this.#hooks.ended(task, { uid: podUid }, container));
      },
    };
  }

  #checksOf(task: Task, container: Container, memory: Memory): TaskChecks | undefined {
    const { health_check: health, check } = task.spec.task;
    if (health === undefined && check === undefined) return undefined;
    const key = keyOfTask(task);
    return new TaskChecks(this.#world, {
      task,
      container,
      last: emittedOf(task).last,
      found: (update) => {
        memory.found.push(update);
        this.#queue.add(key);
      },
      unhealthy: () => {
        memory.unhealthy = true;
        this.#queue.add(key);
      },
    });
  }

  #memoryOf(key: string, task: Task): Memory {
    const known = this.#memory.get(key);
    if (known?.uid === task.metadata.uid) return known;
    if (known !== undefined) this.#forget(key);
    const made: Memory = {
      uid: task.metadata.uid,
      ending: new Ending(this.#world.options),
      checks: undefined,
      unhealthy: false,
      found: [],
    };
    this.#memory.set(key, made);
    return made;
  }

  #forget(key: string): void {
    const memory = this.#memory.get(key);
    memory?.checks?.stop();
    memory?.ending.stop();
    this.#memory.delete(key);
    this.#hooks.forgotten(key);
  }

  /** Throws when what was told cannot be true of the containers that are there. */
  check(): void {
    for (const seen of this.#world.tasks.list()) {
      const task = this.#world.task(keyOfTask(seen)) ?? seen;
      const states = (task.status.updates ?? []).map(({ state }) => state);
      const ends = states.filter((state) => emittedEnd.has(state));
      if (ends.length > 1)
        throw new Error(`Task ${keyOfTask(task)} ended twice: ${states.join(', ')}`);
      if (ends.length === 1 && !emittedEnd.has(states.at(-1) ?? ''))
        throw new Error(`Task ${keyOfTask(task)} was told of after its end: ${states.join(', ')}`);
      const uuids = new Set((task.status.updates ?? []).map(({ uuid }) => uuid));
      if (uuids.size !== states.length)
        throw new Error(`Task ${keyOfTask(task)} has updates of one uuid`);
    }
  }
}

const emittedEnd: ReadonlySet<string> = new Set(['TASK_FINISHED', 'TASK_FAILED', 'TASK_KILLED']);

/** What checks found is told between the start and the end, and not while a task is being killed. */
function inOrder(
  decided: readonly NewUpdate[],
  emitted: Emitted,
  found: readonly NewUpdate[],
): readonly NewUpdate[] {
  if (emitted.killing || emitted.terminal) return decided;
  return emitted.running ? [...found, ...decided] : decided;
}

function againOf(decision: Decision, nowMs: number): Again {
  return decision.againAtMs === undefined
    ? undefined
    : { afterMs: Math.max(1, decision.againAtMs - nowMs) };
}
