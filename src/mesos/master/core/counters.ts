import type { TaskStatus } from '#mesos/protocol';

/** Counts since the start, by the names of `/metrics/snapshot`. */
export class Counters {
  readonly #counts = new Map<string, number>();

  add(name: string, by = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  get(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** A terminal state or one of the partition states, with who said so and why. */
  status({ state, source, reason }: TaskStatus): void {
    const name = state.toLowerCase();
    const counted = countedStates.get(state);
    if (counted === undefined) return;
    if (counted) this.add(`master/${name.replace('task_', 'tasks_')}`);
    if (source !== undefined && reason !== undefined)
      this.add(`master/${name}/${lower('source', source)}/${lower('reason', reason)}`);
  }

  drop(prefix: string): void {
    for (const name of this.#counts.keys()) if (name.startsWith(prefix)) this.#counts.delete(name);
  }

  *entries(): IterableIterator<readonly [string, number]> {
    yield* this.#counts;
  }
}

/** States that end or lose a task; true: counted as `tasks_<state>` too, others of it are gauges. */
const countedStates: ReadonlyMap<string, boolean> = new Map([
  ['TASK_FINISHED', true],
  ['TASK_FAILED', true],
  ['TASK_KILLED', true],
  ['TASK_LOST', true],
  ['TASK_ERROR', true],
  ['TASK_DROPPED', true],
  ['TASK_GONE', true],
  ['TASK_GONE_BY_OPERATOR', true],
  ['TASK_UNREACHABLE', false],
]);

/** As the old API names it, which metrics go by: an agent is a slave there. */
function lower(kind: 'source' | 'reason', value: string): string {
  const text = value.toLowerCase().replace('_agent', '_slave');
  return text.startsWith(`${kind}_`) ? text : `${kind}_${text}`;
}
