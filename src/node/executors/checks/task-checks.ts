import type { Cancel } from '#base';
import { taskInfoOf } from '#mesos/kinds';
import type { Task } from '#mesos/kinds';
import type { CheckInfo, CheckStatusInfo, HealthCheck, TaskStatus } from '#mesos/protocol';
import type { Container } from '#node/runtime';
import type { NewUpdate } from '../decide.ts';
import type { World } from '../world.ts';
import { probe } from './probe.ts';
import type { CheckOutcome, CheckTarget } from './probe.ts';

export interface TaskChecksOptions {
  readonly task: Task;
  readonly container: Container;
  readonly last: TaskStatus | undefined;
  /** A status to append. */
  found(update: NewUpdate): void;
  /** The task has failed its health check too often. */
  unhealthy(): void;
}

/** The health check and the general check of one running task (src/checks of Mesos). */
export class TaskChecks {
  readonly #world: World;
  readonly #options: TaskChecksOptions;
  readonly #cancels: Cancel[] = [];
  readonly #stop = new AbortController();

  constructor(world: World, options: TaskChecksOptions) {
    this.#world = world;
    this.#options = options;
    const { health_check: health, check } = taskInfoOf(options.task.spec);
    if (health !== undefined) this.#keepHealth(health);
    if (check !== undefined) this.#keepCheck(check);
  }

  stop(): void {
    this.#stop.abort();
    for (const cancel of this.#cancels) cancel();
  }

  /** First after the delay, then the interval after each result. */
  #repeat(
    times: { readonly delayMs: number; readonly intervalMs: number; readonly timeoutMs: number },
    target: CheckTarget,
    result: (outcome: CheckOutcome) => void,
  ): void {
    const { clock, runtime, net } = this.#world.options;
    const { container } = this.#options;
    const sandboxIp = this.#world.addressInside(container);
    const at = this.#cancels.push(() => undefined) - 1;
    const look = async (): Promise<void> => {
      const outcome = await probe(
        { runtime, net, clock, container, sandboxIp },
        target,
        times.timeoutMs,
      );
      if (this.#stop.signal.aborted) return;
      result(outcome);
      if (!this.#stop.signal.aborted)
        this.#cancels[at] = clock.after(times.intervalMs, () => void look());
    };
    // An agent that came back goes on with a task that started long ago.
    const sinceMs = clock.nowMs() - (container.startedMs ?? clock.nowMs());
    this.#cancels[at] = clock.after(Math.max(0, times.delayMs - sinceMs), () => void look());
  }

  #keepHealth(health: HealthCheck): void {
    const target = healthTarget(health);
    if (target === undefined) return;
    const { clock } = this.#world.options;
    const startedMs = this.#options.container.startedMs ?? clock.nowMs();
    const graceMs = (health.grace_period_seconds ?? 10) * 1000;
    const failuresMax = health.consecutive_failures ?? 3;
    let initializing = this.#options.last?.healthy === undefined;
    let failures = this.#options.last?.healthy === false ? 1 : 0;
    this.#repeat(timesOf(health), target, (outcome) => {
      if (isHealthy(outcome)) {
        if (initializing || failures > 0) this.#tellHealth(true);
        initializing = false;
        failures = 0;
        return;
      }
      if (initializing && clock.nowMs() - startedMs <= graceMs) return;
      failures++;
      this.#tellHealth(false);
      if (failures >= failuresMax) this.#options.unhealthy();
    });
  }

  #tellHealth(healthy: boolean): void {
    this.#options.found({
      state: 'TASK_RUNNING',
      source: 'SOURCE_EXECUTOR',
      reason: 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED',
      healthy,
      carries: true,
    });
  }

  #keepCheck(check: CheckInfo): void {
    const target = checkTarget(check);
    if (target === undefined) return;
    let told = JSON.stringify(this.#options.last?.check_status ?? emptyStatus(check));
    this.#repeat(timesOf(check), target, (outcome) => {
      const status = statusOfCheck(check, outcome);
      const text = JSON.stringify(status);
      if (text === told) return;
      told = text;
      this.#options.found({
        state: 'TASK_RUNNING',
        source: 'SOURCE_EXECUTOR',
        reason: 'REASON_TASK_CHECK_STATUS_UPDATED',
        check_status: status,
        carries: true,
      });
    });
  }
}

/** Defaults of mesos.proto, HealthCheck and CheckInfo. */
function timesOf(check: HealthCheck | CheckInfo): {
  readonly delayMs: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
} {
  return {
    delayMs: bounded(check.delay_seconds ?? 15),
    intervalMs: Math.max(1, bounded(check.interval_seconds ?? 10)),
    timeoutMs: bounded(check.timeout_seconds ?? 20),
  };
}

/** Seconds may be without bound, clocks' waits may not. */
function bounded(seconds: number): number {
  return Math.min(seconds * 1000, 2 ** 31 - 1);
}

function healthTarget(health: HealthCheck): CheckTarget | undefined {
  const { command, http, tcp } = health;
  if (command !== undefined) return { kind: 'command', command };
  if (http !== undefined)
    return {
      kind: 'http',
      scheme: http.scheme ?? 'http',
      port: http.port,
      path: http.path ?? '',
      ipv6: http.protocol === 'IPv6',
    };
  return tcp === undefined
    ? undefined
    : { kind: 'tcp', port: tcp.port, ipv6: tcp.protocol === 'IPv6' };
}

function checkTarget({ command, http, tcp }: CheckInfo): CheckTarget | undefined {
  if (command !== undefined) return { kind: 'command', command: command.command };
  if (http !== undefined)
    return { kind: 'http', scheme: 'http', port: http.port, path: http.path ?? '', ipv6: false };
  return tcp === undefined ? undefined : { kind: 'tcp', port: tcp.port, ipv6: false };
}

function isHealthy(outcome: CheckOutcome): boolean {
  if (outcome.kind === 'command') return outcome.exitCode === 0;
  if (outcome.kind === 'http') return outcome.status >= 200 && outcome.status < 400;
  return outcome.kind === 'tcp' && outcome.succeeded;
}

function emptyStatus({ type, command, http }: CheckInfo): CheckStatusInfo {
  if (command !== undefined) return { type: type ?? 'COMMAND', command: {} };
  if (http !== undefined) return { type: type ?? 'HTTP', http: {} };
  return { type: type ?? 'TCP', tcp: {} };
}

function statusOfCheck(check: CheckInfo, outcome: CheckOutcome): CheckStatusInfo {
  const empty = emptyStatus(check);
  if (outcome.kind === 'command') return { ...empty, command: { exit_code: outcome.exitCode } };
  if (outcome.kind === 'http') return { ...empty, http: { status_code: outcome.status } };
  return outcome.kind === 'tcp' ? { ...empty, tcp: { succeeded: outcome.succeeded } } : empty;
}
