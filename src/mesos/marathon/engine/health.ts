import type { Cancel, Clock, Logger } from '#base';
import type { App, Instance, InstanceTask, raml } from '../model/index.ts';
import { hostOf, portAddresses } from './addresses.ts';
import type { EventBus } from './events.ts';
import type { Killer } from './killer.ts';
import type { MarathonSettings, ProbeNet } from './options.ts';
import type { Tracker } from './tracker.ts';

/** Health of instances: checks that Marathon makes itself, and what agents report of theirs. */
export interface HealthChecks {
  /** Watches the instances of this definition; those of an older one keep being watched by it. */
  add(app: App): void;
  remove(appID: string): void;
  /** One per check that has a result. */
  resultsOf(instance: Instance): readonly raml.Health[];
  /** What was reported before this process began. */
  load(): void;
  stop(): void;
}

export interface HealthOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly net: ProbeNet;
  readonly events: EventBus;
  readonly tracker: Tracker;
  readonly killer: Killer;
  readonly settings: MarathonSettings;
  /** An instance is killed because it is unhealthy. */
  killed(instance: Instance, task: InstanceTask, reason: string): void;
}

type Check = raml.AppHealthCheck;

interface Watched {
  readonly app: App;
  /** Since when this definition is in force. */
  readonly since: string;
  /** By the index of the check; checks that agents make have none. */
  readonly timers: Map<number, Cancel>;
}

interface Result {
  readonly instanceID: string;
  readonly taskID: string;
  /** The last that counted was good. */
  isAlive: boolean;
  consecutiveFailures: number;
  firstSuccessMs: number | undefined;
  lastSuccessMs: number | undefined;
  lastFailureMs: number | undefined;
  lastFailureCause: string | undefined;
}

type Outcome = { readonly healthy: true } | { readonly healthy: false; readonly cause: string };

// HealthCheckActor.scala: the first check comes no later.
const firstDelayMsMax = 5_000;

export function createHealthChecks(options: HealthOptions): HealthChecks {
  return new HealthCheckManager(options);
}

class HealthCheckManager implements HealthChecks {
  readonly #options: HealthOptions;
  /** By app; oldest definition first. */
  readonly #watched = new Map<string, Watched[]>();
  /** By instance, then by the index of the check. */
  readonly #results = new Map<string, Map<number, Result>>();
  #underWay = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: HealthOptions) {
    this.#options = options;
    options.tracker.onChange(({ id, old, now }) => {
      if (now === undefined || (old !== undefined && now.tasks[0]?.taskID !== old.tasks[0]?.taskID))
        this.#results.delete(id);
      if (now !== undefined) this.#noteReported(now);
    });
  }

  add(app: App): void {
    const { healthChecks = [], id } = app;
    const since = app.versionInfo?.lastConfigChangeAt ?? app.version ?? '';
    const others = this.#watched.get(id) ?? [];
    if (others.at(-1)?.since === since) return;
    if (healthChecks.length === 0 && others.length === 0) return;
    const watched: Watched = { app, since, timers: new Map() };
    this.#watched.set(id, [...others, watched]);
    this.#prune(id);
    for (const [index, check] of healthChecks.entries()) {
      this.#options.events.publish('add_health_check_event', () => ({
        appId: id,
        healthCheck: check,
        version: app.version,
      }));
      if (isOurs(check)) this.#schedule(watched, index, firstDelayMsMax);
    }
  }

  remove(appID: string): void {
    const list = this.#watched.get(appID);
    if (list === undefined) return;
    this.#watched.delete(appID);
    for (const watched of list) {
      endChecks(watched);
      for (const _check of watched.app.healthChecks ?? [])
        this.#options.events.publish('remove_health_check_event', () => ({ appId: appID }));
    }
  }

  resultsOf(instance: Instance): readonly raml.Health[] {
    const results = this.#results.get(instance.instanceID);
    if (results === undefined) return [];
    return [...results.entries()].toSorted(([a], [b]) => a - b).map(([, one]) => healthJson(one));
  }

  load(): void {
    for (const instance of this.#options.tracker.all()) this.#noteReported(instance);
  }

  stop(): void {
    for (const list of this.#watched.values()) for (const watched of list) endChecks(watched);
    this.#watched.clear();
  }

  /** Definitions that no instance has any more need no checks. */
  #prune(id: string): void {
    const list = this.#watched.get(id) ?? [];
    const versions = [...this.#options.tracker.of(id).values()].map((one) => one.runSpecVersion);
    const kept = list.filter((watched, at) => {
      const next = list[at + 1];
      if (next === undefined) return true;
      return versions.some((version) => version >= watched.since && version < next.since);
    });
    for (const watched of list) if (!kept.includes(watched)) endChecks(watched);
    this.#watched.set(id, kept);
  }

  #schedule(watched: Watched, index: number, delayMsMax: number): void {
    const check = watched.app.healthChecks?.[index];
    if (check === undefined) return;
    const delayMs = Math.min(check.intervalSeconds * 1000, delayMsMax);
    const cancel = this.#options.clock.after(Math.max(1, delayMs), () => {
      this.#schedule(watched, index, Number.POSITIVE_INFINITY);
      for (const instance of this.#instancesOf(watched))
        void this.#probe(watched, { index, check, instance });
    });
    watched.timers.set(index, cancel);
  }

  #instancesOf(watched: Watched): Instance[] {
    const list = this.#watched.get(watched.app.id) ?? [];
    const next = list[list.indexOf(watched) + 1];
    return [...this.#options.tracker.of(watched.app.id).values()].filter(
      ({ condition, goal, runSpecVersion }) =>
        condition === 'Running' &&
        goal === 'Running' &&
        runSpecVersion >= watched.since &&
        (next === undefined || runSpecVersion < next.since),
    );
  }

  async #probe(
    watched: Watched,
    target: { readonly index: number; readonly check: Check; readonly instance: Instance },
  ): Promise<void> {
    const { index, check, instance } = target;
    const [task] = instance.tasks;
    const address =
      task === undefined ? undefined : addressOf(watched.app, check, { instance, task });
    if (task === undefined || address === undefined) return;
    await this.#slot();
    let outcome: Outcome | undefined;
    try {
      outcome = await probe(this.#options.net, check, address);
    } catch (error) {
      outcome = { healthy: false, cause: causeOf(error) };
    } finally {
      this.#underWay -= 1;
      this.#waiting.shift()?.();
    }
    const now = this.#options.tracker.get(instance.instanceID);
    if (now?.condition !== 'Running' || now.tasks[0]?.taskID !== task.taskID) return;
    this.#note(watched.app, { index, check, instance: now }, outcome);
  }

  async #slot(): Promise<void> {
    const max = this.#options.settings.max_concurrent_marathon_health_checks;
    while (this.#underWay >= max)
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    this.#underWay += 1;
  }

  /** What agents say of their checks comes with status updates. */
  #noteReported(instance: Instance): void {
    const watched = this.#watched
      .get(instance.runSpecID)
      ?.findLast(({ since }) => instance.runSpecVersion >= since);
    const [task] = instance.tasks;
    const healthy = task?.status?.healthy;
    if (watched === undefined || healthy === undefined || instance.condition !== 'Running') return;
    const index = (watched.app.healthChecks ?? []).findIndex((check) => !isOurs(check));
    const check = watched.app.healthChecks?.[index];
    if (check === undefined) return;
    const outcome: Outcome = healthy
      ? { healthy }
      : { healthy, cause: task?.status?.message ?? '' };
    const last = this.#results.get(instance.instanceID)?.get(index);
    if (last !== undefined && last.taskID === task?.taskID && last.isAlive === healthy) return;
    this.#note(watched.app, { index, check, instance }, outcome);
  }

  /** Without an outcome, or with a failure that counts for nothing yet, a check is known not to be alive. */
  #note(
    app: App,
    target: { readonly index: number; readonly check: Check; readonly instance: Instance },
    outcome: Outcome | undefined,
  ): void {
    const { index, check, instance } = target;
    const { clock, events } = this.#options;
    const nowMs = clock.nowMs();
    const result = this.#resultOf(instance, index);
    const was = result.isAlive;
    if (outcome?.healthy === true) {
      result.consecutiveFailures = 0;
      result.firstSuccessMs ??= nowMs;
      result.lastSuccessMs = nowMs;
      result.isAlive = true;
    } else if (outcome !== undefined && !isForgiven(result, check, { instance, nowMs })) {
      events.publish('failed_health_check_event', () => ({
        appId: app.id,
        taskId: instance.instanceID,
        healthCheck: check,
      }));
      if (isOurs(check)) this.#killWhenTooMany(check, instance, { result, cause: outcome.cause });
      result.consecutiveFailures += 1;
      result.lastFailureMs = nowMs;
      result.lastFailureCause = outcome.cause;
      result.isAlive = false;
    }
    const alive = result.isAlive;
    if (was !== alive)
      events.publish('health_status_changed_event', () => ({
        appId: app.id,
        instanceId: instance.instanceID,
        version: instance.runSpecVersion,
        alive,
      }));
    this.#aggregate(app, instance);
  }

  #resultOf({ instanceID, tasks }: Instance, index: number): Result {
    let results = this.#results.get(instanceID);
    if (results === undefined) {
      results = new Map();
      this.#results.set(instanceID, results);
    }
    let result = results.get(index);
    if (result === undefined) {
      result = {
        instanceID,
        taskID: tasks[0]?.taskID ?? '',
        isAlive: false,
        consecutiveFailures: 0,
        firstSuccessMs: undefined,
        lastSuccessMs: undefined,
        lastFailureMs: undefined,
        lastFailureCause: undefined,
      };
      results.set(index, result);
    }
    return result;
  }

  /** Unknown until every check was made once; one bad result is enough to be unhealthy then. */
  #aggregate(app: App, instance: Instance): void {
    const { tracker } = this.#options;
    const now = tracker.get(instance.instanceID);
    const results = this.#results.get(instance.instanceID);
    if (now === undefined || results === undefined) return;
    const isKnown = results.size === (app.healthChecks ?? []).length;
    const healthy = isKnown ? [...results.values()].every(({ isAlive }) => isAlive) : undefined;
    if (healthy !== now.healthy) void tracker.put({ ...now, healthy });
  }

  #killWhenTooMany(
    check: Check,
    instance: Instance,
    { result, cause }: { readonly result: Result; readonly cause: string },
  ): void {
    const { maxConsecutiveFailures: max } = check;
    const [task] = instance.tasks;
    if (max === 0 || result.consecutiveFailures < max || task === undefined) return;
    this.#options.events.publish('unhealthy_instance_kill_event', () => ({
      appId: instance.runSpecID,
      taskId: task.taskID,
      instanceId: instance.instanceID,
      version: instance.runSpecVersion,
      reason: cause,
      host: instance.agent?.host ?? '',
      slaveId: instance.agent?.agentID,
    }));
    this.#options.killed(instance, task, cause);
    this.#options.killer.kill(instance);
  }
}

function endChecks({ timers }: Watched): void {
  for (const cancel of timers.values()) cancel();
}

export function isOurs({ protocol }: Check): boolean {
  return protocol === 'HTTP' || protocol === 'HTTPS' || protocol === 'TCP';
}

/** Nothing was good yet, and the instance is still allowed to come up. */
function isForgiven(
  { firstSuccessMs }: Result,
  { gracePeriodSeconds }: Check,
  { instance, nowMs }: { readonly instance: Instance; readonly nowMs: number },
): boolean {
  if (firstSuccessMs !== undefined) return false;
  return Date.parse(instance.since) + gracePeriodSeconds * 1000 > nowMs;
}

function healthJson(result: Result): raml.Health {
  const { lastFailureCause } = result;
  const time = (ms: number | undefined, name: string): Record<string, string> =>
    ms === undefined ? {} : { [name]: new Date(ms).toISOString() };
  return {
    alive: result.isAlive,
    consecutiveFailures: result.consecutiveFailures,
    ...time(result.firstSuccessMs, 'firstSuccess'),
    instanceId: result.instanceID,
    ...time(result.lastSuccessMs, 'lastSuccess'),
    ...time(result.lastFailureMs, 'lastFailure'),
    ...(lastFailureCause !== undefined && { lastFailureCause }),
  };
}

function addressOf(
  app: App,
  check: Check,
  { instance, task }: { readonly instance: Instance; readonly task: InstanceTask },
): { readonly host: string; readonly port: number } | undefined {
  if (check.port !== undefined) return { host: hostOf(app, instance, task), port: check.port };
  return portAddresses(app, instance, task)[check.portIndex ?? 0];
}

/** Undefined: neither good nor bad. */
async function probe(
  net: ProbeNet,
  check: Check,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Outcome | undefined> {
  const timeoutMs = check.timeoutSeconds * 1000;
  if (check.protocol === 'TCP') {
    await net.tcp(host, port, timeoutMs);
    return { healthy: true };
  }
  const path = check.path ?? '/';
  const scheme = check.protocol === 'HTTPS' ? 'https' : 'http';
  const name = host.includes(':') ? `[${host}]` : host;
  const url = `${scheme}://${name}:${port}${path.startsWith('/') ? path : `/${path}`}`;
  const { status, statusText } = await net.http({ url, headers: [] }, timeoutMs);
  if (status >= 200 && status < 400) return { healthy: true };
  if (status < 200 && check.ignoreHttp1xx === true) return undefined;
  return { healthy: false, cause: `${status} ${statusText}`.trim() };
}

function causeOf(error: unknown): string {
  return error instanceof Error ? `${error.constructor.name}: ${error.message}` : String(error);
}
