import type { SchedulerCallAcknowledge, TaskStatus } from '#mesos/protocol';
import type { FrameworkBook, TaskBook } from './books.ts';
import type { Core } from './core.ts';
import { isTerminal } from './states.ts';

const retryMsMin = 10_000;
const retryMsMax = 600_000;

/**
 * At-least-once delivery: of each task the first unacknowledged update is sent, and sent again,
 * until it is acknowledged (mesos.md 2.8). What is unacknowledged is in the Task object.
 */
export class Updates {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** An update with a uuid, newly found in the store. */
  enqueue(task: TaskBook, status: TaskStatus): void {
    task.updates.push(status);
    if (task.updates.length === 1) this.#front(task);
  }

  /** From the master itself: no uuid, sent once, forgotten. */
  sendOnce(book: FrameworkBook, status: TaskStatus): void {
    this.#core.frameworks.send(book, { type: 'UPDATE', update: { status } });
  }

  #front(task: TaskBook): void {
    const [status] = task.updates;
    if (status === undefined) return;
    task.statusUpdateState = status.state;
    task.statusUpdateUUID = status.uuid;
    task.retryMs = retryMsMin;
    this.#send(task);
  }

  #send(task: TaskBook): void {
    task.retry?.();
    task.retry = undefined;
    const [status] = task.updates;
    const { frameworks, options } = this.#core;
    if (status === undefined || task.framework.stream === undefined) return;
    if (task.unreachableMs !== undefined) return;
    task.retry = options.clock.after(task.retryMs, () => {
      task.retryMs = Math.min(task.retryMs * 2, retryMsMax);
      this.#send(task);
    });
    frameworks.send(task.framework, { type: 'UPDATE', update: { status } });
  }

  acknowledge(book: FrameworkBook, { task_id, agent_id, uuid }: SchedulerCallAcknowledge): void {
    const { books, counters } = this.#core;
    const task = book.tasks.get(task_id.value);
    const agent = books.agents.get(agent_id.value);
    const [front] = task?.updates ?? [];
    if (
      task === undefined ||
      agent === undefined ||
      !agent.connected ||
      task.agentID !== agent.id ||
      front?.uuid !== uuid
    ) {
      counters.add('master/invalid_status_update_acknowledgements');
      return;
    }
    counters.add('master/valid_status_update_acknowledgements');
    this.#settle(task, front);
  }

  #settle(task: TaskBook, front: TaskStatus): void {
    const { tasks } = this.#core;
    task.retry?.();
    task.retry = undefined;
    task.updates.shift();
    if (front.uuid !== undefined) task.settled.add(front.uuid);
    if (isTerminal(front.state)) {
      // An update past the terminal one has no stream any more.
      for (const { uuid } of task.updates) if (uuid !== undefined) task.settled.add(uuid);
      task.updates = [];
      void tasks.complete(task);
      return;
    }
    tasks.saveSettled(task, front);
    this.#front(task);
  }

  /** The framework is there again: the first of each task at once, the back-off begins anew. */
  resume(book: FrameworkBook): void {
    for (const task of book.tasks.values()) this.resumeTask(task);
  }

  resumeTask(task: TaskBook): void {
    task.retryMs = retryMsMin;
    this.#send(task);
  }

  pause(book: FrameworkBook): void {
    for (const task of book.tasks.values()) this.pauseTask(task);
  }

  pauseTask(task: TaskBook): void {
    task.retry?.();
    task.retry = undefined;
  }
}
