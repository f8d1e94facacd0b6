import type { Cancel, Clock, Random } from '#base';
import type { Container as ContainerSpec } from '#kube/kinds';
import type { Container } from '#node/runtime';
import type { ContainerEvent } from './images.ts';
import type { KubeletOptions } from './options.ts';
import { runProbe } from './probe-run.ts';
import type { ProbeTarget, ProbeTools } from './probe-run.ts';

type Kind = 'startup' | 'readiness' | 'liveness';
type Probe = NonNullable<ContainerSpec['livenessProbe']>;

export interface ProberOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly tools: ProbeTools;
  readonly listens: KubeletOptions['listens'];
  /** When the agent started: probes of containers adopted then start spread over a period. */
  readonly startedMs: number;
}
export interface ProberHooks {
  readonly event: ContainerEvent;
  /** Started or ready changed. */
  readonly changed: () => void;
  /** A liveness or startup probe failed for good. */
  readonly fatal: (message: string, graceSeconds: number | undefined) => void;
}

/**
 * Without a probe a container is ready when it runs, which is before it listens: the first
 * connections of a rollout would be refused. So the ports it declares are looked at for so long.
 */
const listenWaitMsMax = 2000;
const listenLookMs = 10;

/** The three probes of one running container. Made when it runs, stopped when it ends. */
export class ContainerProber {
  readonly #options: ProberOptions;
  readonly #hooks: ProberHooks;
  readonly #target: ProbeTarget;
  readonly #container: Container;
  readonly #cancels = new Map<Kind, Cancel>();
  #stopped = false;
  #started: boolean;
  #ready: boolean;

  constructor(
    options: ProberOptions,
    about: {
      readonly target: ProbeTarget;
      readonly container: Container;
      /** What an earlier agent found out about this very container. */
      readonly before: { readonly started: boolean; readonly ready: boolean };
    },
    hooks: ProberHooks,
  ) {
    this.#options = options;
    this.#hooks = hooks;
    this.#target = about.target;
    this.#container = about.container;
    const { spec } = about.target;
    this.#started = spec.startupProbe === undefined || about.before.started;
    this.#ready = spec.readinessProbe === undefined || about.before.ready;
    if (!about.before.ready && spec.readinessProbe === undefined) this.#awaitPorts();
    if (this.#started || spec.startupProbe === undefined) this.#afterStartup();
    else this.#begin('startup', spec.startupProbe);
  }

  #awaitPorts(): void {
    const { listens, clock } = this.#options;
    const { pid, startedMs } = this.#container;
    const ports = (this.#target.spec.ports ?? [])
      .filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP')
      .map(({ containerPort }) => containerPort);
    const endMs = (startedMs ?? 0) + listenWaitMsMax;
    if (listens === undefined || pid === undefined || ports.length === 0) return;
    if (this.#target.spec.startupProbe !== undefined || clock.nowMs() >= endMs) return;
    this.#ready = false;
    const look = async (): Promise<void> => {
      const ready = clock.nowMs() >= endMs || (await listens(pid, ports));
      if (this.#stopped) return;
      if (!ready) {
        this.#cancels.set(
          'readiness',
          clock.after(listenLookMs, () => void look()),
        );
        return;
      }
      this.#ready = true;
      this.#hooks.changed();
    };
    void look();
  }

  get started(): boolean {
    return this.#started;
  }

  get ready(): boolean {
    return this.#started && this.#ready;
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels.values()) cancel();
  }

  /** The container ends: only its readiness is still of interest. */
  stopKilling(): void {
    for (const kind of ['liveness', 'startup'] as const) {
      this.#cancels.get(kind)?.();
      this.#cancels.delete(kind);
    }
    this.#ending = true;
  }
  #ending = false;

  #afterStartup(): void {
    const { spec } = this.#target;
    if (spec.readinessProbe !== undefined) this.#begin('readiness', spec.readinessProbe);
    if (spec.livenessProbe !== undefined) this.#begin('liveness', spec.livenessProbe);
  }

  #begin(kind: Kind, probe: Probe): void {
    const { clock, random, startedMs } = this.#options;
    const begunMs = this.#container.startedMs ?? clock.nowMs();
    const firstMs = begunMs + (probe.initialDelaySeconds ?? 0) * 1000;
    let delayMs = Math.max(0, firstMs - clock.nowMs());
    // Adopted at the agent's start: not all probes of the machine in one moment.
    if (begunMs < startedMs) delayMs += random.below((probe.periodSeconds ?? 10) * 1000);
    this.#schedule(kind, delayMs, { probe, successes: 0, failures: 0 });
  }

  #schedule(
    kind: Kind,
    delayMs: number,
    state: { readonly probe: Probe; readonly successes: number; readonly failures: number },
  ): void {
    if (this.#stopped || (this.#ending && kind !== 'readiness')) return;
    const run = async (): Promise<void> => {
      const { probe } = state;
      const result = await runProbe(this.#options.tools, this.#target, probe);
      if (this.#stopped || (this.#ending && kind !== 'readiness')) return;
      const successes = result.ok ? state.successes + 1 : 0;
      const failures = result.ok ? 0 : state.failures + 1;
      this.#tell(kind, result);
      if (this.#judge(kind, probe, { successes, failures })) return;
      this.#schedule(kind, (probe.periodSeconds ?? 10) * 1000, { probe, successes, failures });
    };
    this.#cancels.set(
      kind,
      this.#options.clock.after(delayMs, () => void run()),
    );
  }

  #tell(kind: Kind, result: { ok: boolean; output: string; warning?: boolean }): void {
    const label = `${kind.charAt(0).toUpperCase()}${kind.slice(1)} probe`;
    const { name } = this.#target.spec;
    if (!result.ok)
      this.#hooks.event(name, 'Warning', {
        reason: 'Unhealthy',
        message: `${label} failed: ${result.output}`,
      });
    else if (result.warning === true)
      this.#hooks.event(name, 'Warning', {
        reason: 'ProbeWarning',
        message: `${label} warning: ${result.output}`,
      });
  }

  /** True when this probe is done with. */
  #judge(kind: Kind, probe: Probe, counts: { successes: number; failures: number }): boolean {
    const passed = counts.successes >= (probe.successThreshold ?? 1);
    const failed = counts.failures >= (probe.failureThreshold ?? 3);
    if (kind === 'readiness') {
      const before = this.#ready;
      if (passed) this.#ready = true;
      if (failed) this.#ready = false;
      if (before !== this.#ready) this.#hooks.changed();
      return false;
    }
    if (kind === 'startup' && passed) {
      this.#started = true;
      this.#hooks.changed();
      this.#afterStartup();
      return true;
    }
    if (!failed) return false;
    const { name } = this.#target.spec;
    this.#hooks.fatal(
      `Container ${name} failed ${kind} probe, will be restarted`,
      probe.terminationGracePeriodSeconds,
    );
    return true;
  }
}
