import type { Cancel, Clock, Logger } from '#base';
import type { Api, KubeObject, ResourceName } from '#machinery';
import { isStatus } from '#machinery';
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
  readonly api: Api;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tracker: Tracker;
  readonly namespace: string;
  readonly failures: ReadonlyMap<string, raml.TaskFailure>;
  root(): Root;
}

/** People do not read faster, and a deployment changes counts by the thousand. */
const writeDelayMs = 2_000;

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
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    const ids = [...this.#dirty];
    this.#dirty.clear();
    for (const id of ids) {
      const runSpec = runSpecOf(this.#options.root(), id);
      if (runSpec === undefined) {
        this.#written.delete(id);
        this.#failures.delete(id);
        continue;
      }
      const status = this.#statusOf(id);
      const text = JSON.stringify(status);
      if (this.#written.get(id) === text) continue;
      const resource: ResourceName = runSpec.kind === 'app' ? apps : appPods;
      await this.#write(resource, id, status);
      this.#written.set(id, text);
    }
  }

  async #write(resource: ResourceName, id: string, status: RunSpecStatus): Promise<void> {
    const { api, namespace, logger } = this.#options;
    const target = { name: objectName(id), namespace };
    try {
      await api.patch<KubeObject>(
        resource,
        { ...target, subresource: 'status' },
        { type: 'merge', body: { status } },
      );
    } catch (error) {
      // It has just been deleted, or somebody else writes it: the next change comes again.
      if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict'))
        logger.warn('Cannot write the summary of an app', { id, error });
    }
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
