/**
 * Running tasks as far as their names need them, from the server to agents that are asked for names:
 * an agent may see its own tasks only, and those of others carry what is nobody's business.
 *
 * One JSON text a line: `{"key","task"}` for a task that runs, `{"key"}` for one that does so no more,
 * `{"synced":true}` once all were told.
 */
import type { Clock, Logger, Sink, StreamBody } from '#base';
import type { Task } from '#mesos/kinds';
import { keptOfTask } from './task-facts.ts';

/** The server's tasks as `Reader` of the API server has them. */
export interface TaskReader {
  list(): readonly Task[];
  onChange(listener: (key: string, task: Task | undefined) => void): Disposable;
}

const backlogBytesMax = 16 * 1024 * 1024;
const tasksPerTurn = 250;

/** Serves any number of agents; a task is encoded once for all of them. */
export class TaskFeed {
  readonly #reader: TaskReader;
  readonly #clock: Clock;
  readonly #lines = new WeakMap<Task, Uint8Array>();

  constructor(reader: TaskReader, clock: Clock) {
    this.#reader = reader;
    this.#clock = clock;
  }

  /** For one agent, until it leaves. */
  readonly body: StreamBody = async (sink, signal) => {
    const told = new Set<string>();
    // What changes while the first ones are told comes after them.
    let held: Map<string, Task | undefined> | undefined = new Map();
    let failed: ((error: Error) => void) | undefined;
    using _changes = this.#reader.onChange((key, task) => {
      if (held !== undefined) held.set(key, task);
      else this.#tell(sink, told, { key, task });
      if (sink.backlogBytes > backlogBytesMax) failed?.(new Error('The agent does not read'));
    });
    let count = 0;
    for (const task of this.#reader.list()) {
      this.#tell(sink, told, { key: keyOf(task), task });
      if (++count % tasksPerTurn === 0) await this.#pause(sink);
      if (signal.aborted) return;
    }
    for (const [key, task] of held) this.#tell(sink, told, { key, task });
    held = undefined;
    sink.write(Buffer.from('{"synced":true}\n'));
    await new Promise<void>((resolve, reject) => {
      failed = reject;
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
  };

  /** Others get their turn, and the agent its time to read. */
  async #pause(sink: Sink): Promise<void> {
    await sink.drained();
    await new Promise<void>((resolve) => void this.#clock.after(0, resolve));
  }

  #tell(
    sink: Sink,
    told: Set<string>,
    { key, task }: { readonly key: string; readonly task: Task | undefined },
  ): void {
    if (task?.status.state === 'TASK_RUNNING') {
      told.add(key);
      sink.write(this.#lineOf(key, task));
    } else if (told.delete(key)) sink.write(Buffer.from(`${JSON.stringify({ key })}\n`));
  }

  #lineOf(key: string, task: Task): Uint8Array {
    const known = this.#lines.get(task);
    if (known !== undefined) return known;
    const line = Buffer.from(`${JSON.stringify({ key, task: keptOfTask(task) })}\n`);
    this.#lines.set(task, line);
    return line;
  }
}

function keyOf({ metadata }: Task): string {
  return `${metadata.namespace}/${metadata.name}`;
}

interface FollowOptions {
  /** Opens the stream anew; rejects when the server is not there. */
  readonly open: (signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;
  readonly changed: (key: string, task: Task | undefined) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

const retryMs = 1000;
const lineBytesMax = 4 * 1024 * 1024;

/** The agent's end: what was known stays known while the server is away. */
export class TaskFollower {
  readonly #options: FollowOptions;
  readonly #known = new Set<string>();
  readonly #synced = Promise.withResolvers<void>();

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  /** When all that runs is known for the first time. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { open, clock, logger } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#read(await open(signal));
      } catch (error) {
        if (!signal.aborted) logger.debug('Names of tasks are not heard of for now', { error });
      }
      await clock.sleep(retryMs, signal).catch(() => undefined);
    }
  }

  async #read(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    let before: Set<string> | undefined = new Set(this.#known);
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of chunks) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > lineBytesMax) throw new Error('A line of the stream does not end');
      for (const line of lines) {
        const { key, task, synced } = JSON.parse(line) as FeedLine;
        if (key !== undefined) {
          before?.delete(key);
          this.#change(key, task);
        } else if (synced === true) {
          // What was known and is not told of again has ended meanwhile.
          for (const gone of before ?? []) this.#change(gone, undefined);
          before = undefined;
          this.#synced.resolve();
        }
      }
    }
  }

  #change(key: string, task: Task | undefined): void {
    if (task === undefined) this.#known.delete(key);
    else this.#known.add(key);
    this.#options.changed(key, task);
  }
}

interface FeedLine {
  readonly key?: string;
  readonly task?: Task;
  readonly synced?: boolean;
}
