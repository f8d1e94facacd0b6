import type { InformerChange } from '#client';
import type { Pod } from '#kube/kinds';
import type { ExecutorInfo } from '#mesos/protocol';
import { annotations, labels } from '../doors.ts';
import { ExecutorBook, type AgentBook, type FrameworkBook, type TaskBook } from './books.ts';
import type { Core } from './core.ts';

/** Ended executors whose Pods stay, so that people find their logs; by framework. */
const keptMax = 100;

/** Custom and default executors: each is a Pod, alive while that has not ended. */
export class Executors {
  readonly #core: Core;
  /** Of agents that are not registered. */
  readonly #away = new Map<string, Set<ExecutorBook>>();
  readonly #kept = new Map<string, string[]>();

  constructor(core: Core) {
    this.#core = core;
  }

  /** Into the books; its resources are held already. */
  add(executor: ExecutorBook): void {
    const { books, cycle } = this.#core;
    const { framework, agentID } = executor;
    const onAgent = framework.executors.get(agentID) ?? new Map<string, ExecutorBook>();
    framework.executors.set(agentID, onAgent);
    onAgent.set(executor.id, executor);
    books.executors.set(executor.podKey, executor);
    const agent = books.agents.get(agentID);
    agent?.executors.add(executor);
    const { role, resources } = executor;
    if (agent !== undefined) cycle.held(framework, agent, { role, resources, sign: 1 });
  }

  /** It ended, or was never stored. */
  remove(executor: ExecutorBook): void {
    const { books, cycle } = this.#core;
    const { framework, agentID } = executor;
    const onAgent = framework.executors.get(agentID);
    if (onAgent?.get(executor.id) === executor) onAgent.delete(executor.id);
    if (onAgent?.size === 0) framework.executors.delete(agentID);
    books.executors.delete(executor.podKey);
    this.#away.get(agentID)?.delete(executor);
    const agent = books.agents.get(agentID);
    if (agent === undefined || !agent.executors.delete(executor)) return;
    agent.busy.remove(executor.resources);
    const { role, resources } = executor;
    cycle.held(framework, agent, { role, resources, sign: -1 });
    cycle.freed(agent);
  }

  changed({ key, object }: InformerChange<Pod>): void {
    const executor = this.#core.books.executors.get(key);
    if (executor === undefined) return;
    if (object !== undefined) executor.podUID = object.metadata.uid;
    const phase = object?.status?.phase;
    const over = phase === 'Succeeded' || phase === 'Failed';
    if (over || (object === undefined && executor.podUID !== '')) this.#ended(executor, object);
  }

  #ended(executor: ExecutorBook, pod: Pod | undefined): void {
    const { framework, agentID } = executor;
    this.remove(executor);
    if (pod !== undefined) this.#keep(framework.id, executor.podKey);
    if (framework.removed) return;
    this.#core.counters.add('master/messages_exited_executor');
    this.#core.frameworks.send(framework, {
      type: 'FAILURE',
      failure: {
        agent_id: { value: agentID },
        executor_id: { value: executor.id },
        status: waitStatusOf(pod, executor.info),
      },
    });
  }

  #keep(frameworkID: string, podKey: string): void {
    const kept = this.#kept.get(frameworkID) ?? [];
    this.#kept.set(frameworkID, kept);
    kept.push(podKey);
    while (kept.length > keptMax) void this.#deleteKey(kept.shift() ?? '');
  }

  /** One of its tasks ended: a custom executor's Pod gives that room back. */
  shrunk(task: TaskBook): void {
    const executor = task.framework.executor(task.agentID, task.executorID);
    if (executor !== undefined && task.execution === 'Custom') this.#core.launcher.resize(executor);
  }

  /** A group's task is done with: its container leaves the Pod, so that others find the room. */
  pruned(task: TaskBook): void {
    const executor = task.framework.executor(task.agentID, task.executorID);
    if (executor === undefined || task.container === undefined || task.execution !== 'Group')
      return;
    executor.finished.push(task.container);
    this.#core.launcher.resize(executor);
  }

  /** From the store, at start: its container may still hold room in its Pod, or only be shown there. */
  recoverEnded(task: TaskBook): void {
    const { books, informers } = this.#core;
    const executor = books.executors.get(`${task.framework.namespace}/${task.podName}`);
    if (executor === undefined || task.execution !== 'Group') return;
    const pod = informers.pods.get(executor.podKey);
    const container = pod?.spec.containers.find(({ name }) => name === task.container);
    if (container === undefined) return;
    const requests = Object.values(container.resources.requests ?? {});
    if (requests.every((amount) => amount === '0')) executor.shown.push(container.name);
    else this.pruned(task);
  }

  /** The agent is registered again: its executors are back in the account. */
  attach(agent: AgentBook): void {
    for (const executor of this.#away.get(agent.id) ?? []) {
      if (executor.framework.removed) {
        void this.deletePod(executor);
        continue;
      }
      agent.busy.add(executor.resources);
      this.add(executor);
    }
    this.#away.delete(agent.id);
  }

  /** Agents that are not registered, and had executors. */
  get awayAgents(): Iterable<string> {
    return this.#away.keys();
  }

  /** The agent may not come back with them. */
  shutDown(agentID: string): void {
    for (const executor of this.#away.get(agentID) ?? []) {
      void this.deletePod(executor);
      this.remove(executor);
    }
    this.#away.delete(agentID);
  }

  detach(agent: AgentBook): void {
    const away = this.#away.get(agent.id) ?? new Set<ExecutorBook>();
    for (const executor of agent.executors) {
      away.add(executor);
      executor.framework.executors.get(agent.id)?.delete(executor.id);
    }
    agent.executors.clear();
    if (away.size > 0) this.#away.set(agent.id, away);
  }

  /** Pods of all executors of a framework that is removed; resolves when the deletions are stored. */
  shutdownAll(framework: FrameworkBook): Promise<boolean>[] {
    const deletions: Promise<boolean>[] = [];
    for (const executors of framework.executors.values())
      for (const executor of executors.values())
        deletions.push(this.deletePod(executor).then(() => true));
    return deletions;
  }

  deletePod(executor: ExecutorBook): Promise<void> {
    return this.#deleteKey(executor.podKey);
  }

  deletePodOf(task: TaskBook): void {
    void this.#deleteKey(`${task.framework.namespace}/${task.podName}`);
  }

  #deleteKey(key: string): Promise<void> {
    return this.#core.sweeper.pod(key);
  }

  /** Its framework was removed, and a crash came between that and the deletion. */
  #orphan({ metadata, status }: Pod): void {
    const over = status?.phase === 'Succeeded' || status?.phase === 'Failed';
    if (over || metadata.deletionTimestamp !== undefined) return;
    void this.#deleteKey(`${metadata.namespace ?? ''}/${metadata.name}`);
  }

  /** From the store, at start: before its tasks. */
  recover(pod: Pod): void {
    const { books } = this.#core;
    const { annotations: notes, labels: marks } = pod.metadata;
    const frameworkID = notes?.[labels.frameworkID] ?? marks?.[labels.frameworkID];
    // A label may be anybody's; who made the Pod is told by what only the master writes.
    if (frameworkID === undefined || notes?.[agentAnnotation] === undefined) return;
    const framework = books.frameworks.get(frameworkID);
    if (framework === undefined) {
      this.#orphan(pod);
      return;
    }
    const info = executorInfoOf(pod);
    const podKey = `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`;
    const agentID = agentOf(books, pod);
    if (info === undefined || agentID === undefined) return;
    const phase = pod.status?.phase;
    if (phase === 'Succeeded' || phase === 'Failed') {
      this.#keep(framework.id, podKey);
      return;
    }
    const podName = pod.metadata.name;
    const executor = new ExecutorBook(framework, { info, agentID, podName, podKey });
    executor.podUID = pod.metadata.uid;
    const agent = books.agents.get(agentID);
    if (agent === undefined) {
      books.executors.set(podKey, executor);
      const away = this.#away.get(agentID) ?? new Set<ExecutorBook>();
      this.#away.set(agentID, away);
      away.add(executor);
      return;
    }
    agent.busy.add(executor.resources);
    this.add(executor);
  }
}

/** The agent's id, on every Pod of ours. */
export const agentAnnotation = 'mesos.tandem.dev/agent-id';

function agentOf(books: Core['books'], pod: Pod): string | undefined {
  return (
    pod.metadata.annotations?.[agentAnnotation] ?? books.byNode.get(pod.spec.nodeName ?? '')?.id
  );
}

function executorInfoOf(pod: Pod): ExecutorInfo | undefined {
  const text = pod.metadata.annotations?.[annotations.executor];
  // Written by this master; command tasks have none.
  return text === undefined ? undefined : (JSON.parse(text) as ExecutorInfo);
}

/**
 * As wait(2) gives it; -1 when nobody knows. A default executor ends by itself once its tasks have,
 * whatever became of them: how they ended is told by their updates.
 */
function waitStatusOf(pod: Pod | undefined, { type }: ExecutorInfo): number {
  if (type === 'DEFAULT') return pod === undefined ? -1 : 0;
  const statuses = pod?.status?.containerStatuses ?? [];
  const ended = statuses[0]?.state?.terminated;
  if (ended === undefined) return -1;
  if (ended.signal !== undefined && ended.signal > 0) return ended.signal;
  return ended.exitCode > 128 ? ended.exitCode - 128 : ended.exitCode << 8;
}
