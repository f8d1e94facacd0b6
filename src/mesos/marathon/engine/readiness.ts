import type { Cancel, Clock } from '#base';
import type { App, Instance, InstanceTask, raml } from '../model/index.ts';
import { lastConfigChangeOf } from '../model/index.ts';
import { portAddresses } from './addresses.ts';
import type { ProbeAnswer, ProbeNet } from './options.ts';
import type { Tracker } from './tracker.ts';

/** Asks new tasks of a deployment whether they are ready, until they say so once. */
export interface ReadinessChecks {
  begin(app: App): void;
  end(runSpecID: string): void;
  isReady(instance: Instance, app: App): boolean;
  resultsOf(runSpecID: string): readonly raml.TaskReadinessCheckResult[];
  /** Apps that are asked at present. */
  readonly watched: Iterable<string>;
  onChange(listener: (runSpecID: string) => void): void;
  stop(): void;
}

export interface ReadinessOptions {
  readonly clock: Clock;
  readonly net: ProbeNet;
  readonly tracker: Tracker;
}

interface Watched {
  readonly app: App;
  /** By task. */
  readonly results: Map<string, raml.TaskReadinessCheckResult>;
  readonly timers: Map<string, Cancel>;
  ended: boolean;
}

// ReadinessCheckExecutorActor.scala: what a task that cannot be asked is taken to answer.
const unreachableStatus = 504;
const bodyLengthMax = 10_000;

export function createReadinessChecks(options: ReadinessOptions): ReadinessChecks {
  return new ReadinessManager(options);
}

class ReadinessManager implements ReadinessChecks {
  readonly #options: ReadinessOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #listeners = new Set<(runSpecID: string) => void>();

  constructor(options: ReadinessOptions) {
    this.#options = options;
    options.tracker.onChange(({ now }) => {
      const watched = now === undefined ? undefined : this.#watched.get(now.runSpecID);
      if (watched !== undefined && now !== undefined) this.#look(watched, now);
    });
  }

  begin(app: App): void {
    this.end(app.id);
    if ((app.readinessChecks ?? []).length === 0) return;
    const watched: Watched = { app, results: new Map(), timers: new Map(), ended: false };
    this.#watched.set(app.id, watched);
    for (const instance of this.#options.tracker.of(app.id).values()) this.#look(watched, instance);
  }

  end(runSpecID: string): void {
    const watched = this.#watched.get(runSpecID);
    if (watched === undefined) return;
    watched.ended = true;
    this.#watched.delete(runSpecID);
    for (const cancel of watched.timers.values()) cancel();
  }

  isReady({ tasks }: Instance, app: App): boolean {
    if ((app.readinessChecks ?? []).length === 0) return true;
    const results = this.#watched.get(app.id)?.results;
    return tasks.every(({ taskID }) => results?.get(taskID)?.ready === true);
  }

  resultsOf(runSpecID: string): readonly raml.TaskReadinessCheckResult[] {
    return [...(this.#watched.get(runSpecID)?.results.values() ?? [])];
  }

  get watched(): Iterable<string> {
    return this.#watched.keys();
  }

  onChange(listener: (runSpecID: string) => void): void {
    this.#listeners.add(listener);
  }

  stop(): void {
    for (const id of this.#watched.keys()) this.end(id);
  }

  #look(watched: Watched, instance: Instance): void {
    const { app } = watched;
    if (instance.condition !== 'Running' || instance.goal !== 'Running') return;
    if (instance.runSpecVersion < lastConfigChangeOf({ kind: 'app', spec: app })) return;
    const [task] = instance.tasks;
    if (task === undefined || watched.timers.has(task.taskID)) return;
    watched.timers.set(task.taskID, () => undefined);
    void this.#ask(watched, instance, task);
  }

  async #ask(watched: Watched, instance: Instance, task: InstanceTask): Promise<void> {
    const check = watched.app.readinessChecks?.[0];
    if (check === undefined) return;
    const url = urlOf(watched.app, check, { instance, task });
    const answer = await ask(this.#options.net, url, check);
    const now = this.#options.tracker.get(instance.instanceID);
    if (watched.ended || now?.condition !== 'Running' || now.tasks[0]?.taskID !== task.taskID) {
      watched.timers.delete(task.taskID);
      return;
    }
    const ready = (check.httpStatusCodesForReady ?? [200]).includes(answer.status);
    watched.results.set(task.taskID, resultOf(check, task, { answer, ready }));
    if (!ready) {
      const again = (): void => void this.#ask(watched, now, task);
      const delayMs = check.intervalSeconds * 1000;
      watched.timers.set(task.taskID, this.#options.clock.after(Math.max(1, delayMs), again));
    }
    for (const listener of this.#listeners) listener(watched.app.id);
  }
}

function urlOf(
  app: App,
  check: raml.ReadinessCheck,
  { instance, task }: { readonly instance: Instance; readonly task: InstanceTask },
): string {
  const address = portAddresses(app, instance, task).find((one) => one?.name === check.portName);
  const { host, port } = address ?? { host: instance.agent?.host ?? '', port: 0 };
  const name = host.includes(':') ? `[${host}]` : host;
  return `${check.protocol.toLowerCase()}://${name}:${port}${check.path}`;
}

async function ask(net: ProbeNet, url: string, check: raml.ReadinessCheck): Promise<ProbeAnswer> {
  try {
    return await net.http({ url, headers: [] }, check.timeoutSeconds * 1000);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      status: unreachableStatus,
      statusText: '',
      contentType: 'text/plain',
      body: `Marathon could not query ${url}: ${reason}`,
    };
  }
}

function resultOf(
  { name, preserveLastResponse }: raml.ReadinessCheck,
  task: InstanceTask,
  { answer, ready }: { readonly answer: ProbeAnswer; readonly ready: boolean },
): raml.TaskReadinessCheckResult {
  const { status, contentType, body } = answer;
  const lastResponse = { status, contentType, body: body.slice(0, bodyLengthMax) };
  return { name, taskId: task.taskID, ready, ...(preserveLastResponse && { lastResponse }) };
}
