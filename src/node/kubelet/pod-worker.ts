import type { Cancel } from '#base';
import type { Pod } from '#kube/kinds';
import { admit } from './admission.ts';
import { ContainerKeeper } from './container-keeper.ts';
import { ContainerRecords } from './container-records.ts';
import { ContainerStarter } from './container-starter.ts';
import { endingSince } from './ending.ts';
import { dropHalfMade } from './half-made.ts';
import { isSidecar } from './limits.ts';
import { NeverStarted } from './never-started.ts';
import { planPod } from './plan.ts';
import type { Plan } from './plan.ts';
import { PodCleanup } from './pod-cleanup.ts';
import { addressOf } from './pod-context.ts';
import type { PodContext } from './pod-context.ts';
import { PodSetup } from './pod-setup.ts';
import { podStatus } from './pod-status.ts';
import type { PodOutcome } from './pod-status.ts';
import { fieldPathOf, living, newest, viewOf } from './pod-view.ts';
import type { PodView, Slot } from './pod-view.ts';
import { timeText } from './quantity.ts';
import { PodResize, allocatableOf } from './resize.ts';
import type { PodVolumes } from './volumes.ts';

/** Why a Pod ends although it did not end by itself. */
export interface Ending extends PodOutcome {
  readonly graceSeconds: number | undefined;
  readonly disruption?: { readonly reason: string; readonly message: string } | undefined;
}

const orphanGraceSeconds = 1;

/**
 * One Pod's life on this node: a loop that looks at the Pod and the runtime and moves one toward the
 * other. `step` decides synchronously and starts what takes time; whatever ends wakes it again.
 */
export class PodWorker {
  readonly uid: string;
  readonly key: string;
  readonly #context: PodContext;
  readonly #setup: PodSetup;
  readonly #keeper: ContainerKeeper;
  readonly #cleanup: PodCleanup;
  readonly #resize: PodResize;
  readonly #never: NeverStarted;
  readonly #starter: ContainerStarter;
  readonly #records = new ContainerRecords();
  readonly #startStop = new AbortController();
  #pod: Pod;
  #gone = false;
  #admitted = false;
  #rejected = false;
  #ending: Ending | undefined;
  #endingSinceMs: number | undefined;
  #over = false;
  #startTime: string;
  #dropped: Promise<void> | undefined;
  #woken = false;
  #resolve: () => void = () => undefined;
  #cancelTimer: Cancel = () => undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #signal: AbortSignal = this.#startStop.signal;

  constructor(context: PodContext, pod: Pod) {
    this.#context = context;
    this.#pod = pod;
    this.uid = pod.metadata.uid;
    this.key = `${pod.metadata.namespace}/${pod.metadata.name}`;
    const wake = this.wake.bind(this);
    const event = this.#containerEvent.bind(this);
    this.#cleanup = new PodCleanup(context, { release: (view) => this.#release(view), wake });
    this.#setup = new PodSetup(context, this.uid, {
      event: this.#event.bind(this),
      wake,
      refused: ({ reason, message }) => this.#refuse({ phase: 'Failed', reason, message }),
    });
    this.#keeper = new ContainerKeeper(context, {
      event,
      wake,
      pod: () => this.#pod,
      signal: () => this.#signal,
    });
    const { runtime, clock } = context.options;
    this.#resize = new PodResize({
      runtime,
      memoryBytes: context.host.memoryBytes,
      nowMs: () => clock.nowMs(),
      allocatable: () => allocatableOf(context.node()?.status.allocatable),
      others: () => context.requestsBut(this.uid),
      restart: (container, message) =>
        this.#keeper.kill(container, { message, graceSeconds: undefined }),
      event: this.#event.bind(this),
      wake,
    });
    this.#never = new NeverStarted(context.options.extension, () => clock.nowMs());
    this.#starter = new ContainerStarter(context, {
      records: this.#records,
      keeper: this.#keeper,
      never: this.#never,
      volumes: this.#setup.volumes,
      event,
      wake,
      pod: () => this.#resize.given(this.#pod),
      signal: this.#startStop.signal,
    });
    this.#startTime = pod.status?.startTime ?? timeText(clock.nowMs());
  }

  get pod(): Pod {
    return this.#pod;
  }
  get removed(): boolean {
    return this.#cleanup.removed;
  }
  /** Nothing of it runs any more. */
  get over(): boolean {
    return this.#over;
  }
  get volumes(): PodVolumes {
    return this.#setup.volumes;
  }

  /** Undefined: the object is gone from the API. */
  update(pod: Pod | undefined): void {
    if (pod === undefined) this.#gone = true;
    else {
      const old = this.#pod.metadata;
      const { labels, annotations } = pod.metadata;
      if (JSON.stringify([old.labels, old.annotations]) !== JSON.stringify([labels, annotations]))
        this.#setup.sourcesChanged();
      this.#pod = pod;
    }
    this.wake();
  }

  /** A ConfigMap or Secret it uses changed: what waited for it may go on. */
  referencesChanged(): void {
    this.#setup.sourcesChanged();
    for (const record of this.#records.values())
      if (record.waiting?.reason === 'CreateContainerConfigError') record.notBeforeMs = 0;
    this.wake();
  }

  evict(ending: Ending): void {
    if (this.#ending !== undefined || this.#over) return;
    this.#ending = ending;
    this.wake();
  }

  wake(): void {
    this.#woken = true;
    this.#resolve();
  }

  /** Runs until the Pod is gone from API and runtime, or the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    const { clock, logger } = this.#context.options;
    const onAbort = (): void => this.wake();
    signal.addEventListener('abort', onAbort, { once: true });
    let failures = 0;
    while (!signal.aborted && !this.#cleanup.removed) {
      this.#woken = false;
      this.#dueMs = Number.POSITIVE_INFINITY;
      try {
        await this.#step();
        failures = 0;
      } catch (error) {
        if (signal.aborted) break;
        logger.warn('Cannot bring a Pod forward', { pod: this.key, error });
        this.#due(clock.nowMs() + Math.min(10_000, 200 * 2 ** Math.min(failures++, 6)));
      }
      if (this.#cleanup.removed) break;
      this.#cancelTimer();
      if (this.#dueMs < Number.POSITIVE_INFINITY)
        this.#cancelTimer = clock.after(Math.max(0, this.#dueMs - clock.nowMs()), () =>
          this.wake(),
        );
      if (!this.#woken && !signal.aborted)
        await new Promise<void>((resolve) => {
          this.#resolve = resolve;
        });
    }
    signal.removeEventListener('abort', onAbort);
    this.#cancelTimer();
    this.#startStop.abort();
    this.#keeper.stop();
  }

  #due(atMs: number | undefined): void {
    this.#dueMs = Math.min(this.#dueMs, atMs ?? Number.POSITIVE_INFINITY);
  }

  async #step(): Promise<void> {
    const { runtime, files, clock } = this.#context.options;
    this.#pod = this.#context.status.observed(this.#pod);
    let view = viewOf(runtime, this.uid);
    if (await dropHalfMade(runtime, view, this.#records)) view = viewOf(runtime, this.uid);
    await this.#keeper.look(view);
    this.#checkDeadline();
    const plan = planPod(this.#resize.given(this.#pod), view, {
      started: (container) => this.#keeper.started(container),
      replaced: (container) => this.#keeper.replaced(container),
      refused: (name) => this.#never.of(this.#pod, name) !== undefined,
    });
    const finished = ['Failed', 'Succeeded'].includes(this.#pod.status?.phase ?? '');
    const deleted = this.#gone || this.#pod.metadata.deletionTimestamp !== undefined;
    const ends = deleted || finished || this.#ending !== undefined || this.#over;
    // More may have been granted to such a Pod a moment ago: its end counts when the server took it.
    const closes =
      plan.over && !ends && this.#context.options.extension?.handles(this.#pod) === true;
    if (ends || (plan.over && !closes)) {
      // Only a deletion cannot be taken back.
      if (deleted && living(view).length > 0)
        this.#endingSinceMs ??= await endingSince(files, this.volumes.podDir, clock.nowMs());
      this.#end(view);
    } else if (!closes && this.#admit(view)) await this.#advance(view, plan);
    this.#publish(view, { plan, closes });
    if (this.#over)
      this.#cleanup.next({ pod: this.#pod, view, gone: this.#gone, signal: this.#signal });
  }

  /** Refused Pods end before they begin; those that ran here before were admitted then. */
  #admit(view: PodView): boolean {
    if (this.#admitted) return true;
    const began = view.containers.size > 0 || this.#pod.status?.startTime !== undefined;
    const outcome = began
      ? undefined
      : admit(this.#pod, this.#context.node(), {
          pressure: this.#context.pressure(),
          apparmor: this.#context.host.apparmorProfiles !== undefined,
        });
    this.#admitted = true;
    if (outcome === undefined) return true;
    this.#rejected = true;
    this.#event('Warning', { reason: outcome.reason, message: outcome.message });
    this.#ending = { ...outcome, graceSeconds: 0 };
    this.wake();
    return false;
  }

  /** The extension says that the Pod cannot run. */
  #refuse(outcome: PodOutcome): void {
    if (this.#ending !== undefined || this.#over) return;
    const { reason, message } = outcome;
    this.#event('Warning', { reason, message });
    this.#ending = { ...outcome, graceSeconds: 0 };
    this.wake();
  }

  #checkDeadline(): void {
    const seconds = this.#pod.spec.activeDeadlineSeconds;
    if (seconds === undefined || this.#ending !== undefined || this.#over) return;
    const endMs = Date.parse(this.#startTime) + seconds * 1000;
    if (endMs > this.#context.options.clock.nowMs()) {
      this.#due(endMs);
      return;
    }
    const message = 'Pod was active on the node longer than the specified deadline';
    this.#event('Normal', { reason: 'DeadlineExceeded', message });
    this.#ending = {
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message,
      graceSeconds: undefined,
    };
  }

  async #advance(view: PodView, plan: Plan): Promise<void> {
    const sandbox = view.sandboxes[0];
    const signal = this.#startStop.signal;
    // Containers of a sandbox that was lost have no network any more: they end before the next one.
    const stranded = living(view).filter(
      ({ sandboxId }) => sandboxId !== sandbox?.id || sandbox.state !== 'ready',
    );
    const changed = 'Pod sandbox changed, it will be killed and re-created.';
    for (const container of stranded)
      this.#keeper.kill(container, { message: changed, graceSeconds: undefined });
    if (!this.#setup.volumesReady(this.#pod) || plan.sandbox) {
      if (stranded.length > 0) return;
      this.#due(this.#setup.begin(this.#pod, { view, sandbox: plan.sandbox }, signal));
      return;
    }
    this.#due(await this.#setup.refresh(this.#pod));
    for (const { container, message } of plan.kill) this.#keeper.replace(container, message);
    await this.#keeper.prune(view);
    if (sandbox?.state !== 'ready') return;
    this.#due(this.#resize.look(this.#pod, { view, sandbox }));
    for (const slot of plan.start) this.#due(this.#starter.maybe(slot, { view, sandbox }));
  }

  /**
   * A changed container has ended and the next is about to start. Nothing is told meanwhile: under
   * some policies the API takes no container back that was said to have ended.
   */
  #isBetween({ spec: { name } }: Slot, view: PodView): boolean {
    const last = newest(view, name);
    const waits = this.#records.get(name)?.waiting !== undefined;
    return last !== undefined && !waits && this.#keeper.replaced(last);
  }

  /** Everything ends: containers, then network and volumes, then the object, then what is kept for logs. */
  #end(view: PodView): void {
    const { clock } = this.#context.options;
    this.#startStop.abort();
    this.#endingSinceMs ??= clock.nowMs();
    this.#keeper.stopKilling();
    const deadlineMs = this.#endingSinceMs + this.#graceSeconds() * 1000;
    const left = living(view);
    const sidecars = (this.#pod.spec.initContainers ?? [])
      .filter(isSidecar)
      .map(({ name }) => name);
    const first = left.filter(({ spec }) => !sidecars.includes(spec.name));
    // Sidecars go after all others, the last one first.
    const last = sidecars
      .toReversed()
      .flatMap((name) => left.filter(({ spec }) => spec.name === name))
      .slice(0, 1);
    const late = clock.nowMs() >= deadlineMs;
    const targets = late ? left : first.length > 0 ? first : last;
    if (!late && left.length > targets.length) this.#due(deadlineMs);
    for (const container of targets)
      this.#keeper.kill(container, {
        message: `Stopping container ${container.spec.name}`,
        graceSeconds: Math.max(0, (deadlineMs - clock.nowMs()) / 1000),
        dropped: this.#endpointsDropped(),
      });
    const busy = this.#setup.busy || this.#records.starting();
    if (left.length > 0 || busy) return;
    this.#over = true;
  }

  #graceSeconds(): number {
    const { deletionGracePeriodSeconds, deletionTimestamp } = this.#pod.metadata;
    const own = this.#ending?.graceSeconds ?? this.#pod.spec.terminationGracePeriodSeconds ?? 30;
    if (this.#gone) return Math.min(orphanGraceSeconds, own);
    return deletionTimestamp === undefined ? own : (deletionGracePeriodSeconds ?? own);
  }

  #endpointsDropped(): Promise<void> | undefined {
    if (this.#gone || this.#pod.metadata.deletionTimestamp === undefined) return undefined;
    this.#dropped ??= this.#context.options.waitEndpointsDropped?.(this.#pod);
    return this.#dropped;
  }

  async #release(view: PodView): Promise<void> {
    this.#keeper.stop();
    await this.#setup.release(view);
  }

  #publish(view: PodView, at: { readonly plan: Plan; readonly closes: boolean }): void {
    const { plan, closes } = at;
    if (this.#gone) return;
    const { clock, nodeIp } = this.#context.options;
    if (this.#rejected) {
      const { phase, reason, message } = this.#ending ?? {
        phase: 'Failed',
        reason: '',
        message: '',
      };
      const startTime = this.#startTime;
      const observedGeneration = this.#pod.metadata.generation;
      this.#context.status.set(this.#pod, {
        observedGeneration,
        phase,
        reason,
        message,
        startTime,
      });
      return;
    }
    const sandbox = view.sandboxes[0];
    const ended = this.#over || ['Failed', 'Succeeded'].includes(this.#pod.status?.phase ?? '');
    const over = ended || closes;
    if (!over && plan.start.some((slot) => this.#isBetween(slot, view))) return;
    const status = podStatus(this.#resize.given(this.#pod), {
      view,
      nowMs: clock.nowMs(),
      nodeIp,
      podIp: addressOf(this.#context, this.#pod, sandbox),
      sandboxReady: sandbox?.state === 'ready',
      startTime: this.#startTime,
      initialized: plan.initialized,
      outcome: this.#ending,
      resize: this.#resize.conditions,
      over,
      ending: over,
      disruption: this.#ending?.disruption,
      waiting: (name) => this.#records.get(name)?.waiting,
      refused: (name) => this.#never.of(this.#pod, name),
      started: (container) => this.#keeper.started(container),
      ready: (container) => this.#keeper.ready(container),
      lastWords: (container) => this.#keeper.lastWords(container),
    });
    this.#context.status.set(this.#pod, status, { unchanged: closes });
  }

  #event(type: 'Normal' | 'Warning', about: { reason: string; message: string }): void {
    if (!this.#signal.aborted) this.#context.options.recorder.event(this.#pod, type, about);
  }

  #containerEvent(
    name: string,
    type: 'Normal' | 'Warning',
    about: { reason: string; message: string },
  ): void {
    const fieldPath = fieldPathOf(this.#pod, name);
    if (!this.#signal.aborted)
      this.#context.options.recorder.event(this.#pod, type, { ...about, fieldPath });
  }
}
