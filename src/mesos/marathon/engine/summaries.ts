import type { Cancel, Clock, Logger } from '#base';
import type { Draft, SystemWriter, WriteGroup } from '#machinery';
import { isStatus, updating } from '#machinery';
import type { MarathonJson, RunSpecStatus } from '#mesos/kinds';
import { appPods, apps, objectName } from '#mesos/kinds';
import type { Instance, InstanceTask, Root, raml } from '../model/index.ts';
import { healthFailureOf, runSpecOf, taskFailureOf } from '../model/index.ts';
import type { Tracker } from './tracker.ts';

/** What is shown of apps and pods where their instances are not: `kubectl get apps`, `lastTaskFailure`. */
export interface Summaries {
  lastFailureOf(runSpecID: string): raml.TaskFailure | undefined;
  /** Its last update may be a failure. */
  ended(instance: Instance, task: InstanceTask): void;
  /** It is killed for its health. */
  unhealthy(instance: Instance, task: InstanceTask, reason: string): void;
  stop(): void;
}

export interface SummaryOptions {
  readonly writer: SystemWriter;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tracker: Tracker;
  readonly namespace: string;
  readonly failures: ReadonlyMap<string, raml.TaskFailure>;
  root(): Root;
}

/** People do not read faster, and a deployment changes counts by the thousand. */
const writeDelayMs = 3_000;

export function createSummaries(options: SummaryOptions): Summaries {
  return new SummaryWriter(options);
}

class SummaryWriter implements Summaries {
  readonly #options: SummaryOptions;
  readonly #failures: Map<string, raml.TaskFailure>;
  readonly #dirty = new Set<string>();
  /** As they were last written. */
  readonly #written = new Map<string, string>();
  #timer: Cancel | undefined;

  constructor(options: SummaryOptions) {
    this.#options = options;
    this.#failures = new Map(options.failures);
    options.tracker.onChange(({ old, now }) => {
      const id = (now ?? old)?.runSpecID ?? '';
      if (old?.condition !== now?.condition || old?.healthy !== now?.healthy) this.#mark(id);
    });
  }

  lastFailureOf(runSpecID: string): raml.TaskFailure | undefined {
    return this.#failures.get(runSpecID);
  }

  ended(instance: Instance, task: InstanceTask): void {
    const failure = taskFailureOf(instance, task, this.#now());
    if (failure !== undefined) this.#failed(failure);
  }

  unhealthy(instance: Instance, task: InstanceTask, reason: string): void {
    this.#failed(healthFailureOf(instance, task, { reason, timestamp: this.#now() }));
  }

  stop(): void {
    this.#timer?.();
  }

  #now(): string {
    return new Date(this.#options.clock.nowMs()).toISOString();
  }

  #failed(failure: raml.TaskFailure): void {
    this.#failures.set(failure.appId, failure);
    this.#mark(failure.appId);
  }

  #mark(id: string): void {
    this.#dirty.add(id);
    this.#timer ??= this.#options.clock.after(writeDelayMs, () => {
      this.#timer = undefined;
      this.#flush().catch((error: unknown) => {
        this.#options.logger.warn('Cannot write summaries of apps', { error });
      });
    });
  }

  async #flush(): Promise<void> {
    const { root, writer, logger, namespace } = this.#options;
    const ids = [...this.#dirty];
    this.#dirty.clear();
    const groups: WriteGroup[] = [];
    for (const id of ids) {
      const runSpec = runSpecOf(root(), id);
      if (runSpec === undefined) {
        this.#written.delete(id);
        this.#failures.delete(id);
        continue;
      }
      const status = this.#statusOf(id);
      const text = JSON.stringify(status);
      if (this.#written.get(id) === text) continue;
      this.#written.set(id, text);
      const target = { name: objectName(id), namespace };
      const set = (draft: { status: Draft<RunSpecStatus> }): void => {
        draft.status = status;
      };
      groups.push([
        runSpec.kind === 'app' ? updating(apps, target, set) : updating(appPods, target, set),
      ]);
    }
    // Each by itself: one that has just been deleted is no concern of the others.
    const results = groups.length === 0 ? [] : await writer.writeMany(groups);
    for (const result of results)
      if (!result.ok && !isStatus(result.error, 'NotFound'))
        logger.warn('Cannot write the summary of an app', { error: result.error });
  }

  #statusOf(id: string): RunSpecStatus {
    let running = 0;
    let healthy = 0;
    const instances = this.#options.tracker.of(id);
    for (const instance of instances.values()) {
      if (instance.condition !== 'Running') continue;
      running += 1;
      if (instance.healthy === true) healthy += 1;
    }
    const lastTaskFailure = this.#failures.get(id);
    return {
      instances: instances.size,
      running,
      healthy,
      ...(lastTaskFailure !== undefined && {
        lastTaskFailure: lastTaskFailure as unknown as MarathonJson,
      }),
    };
  }
}
