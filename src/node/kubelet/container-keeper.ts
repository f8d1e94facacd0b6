import type { ContainerStatus, Pod } from '#kube/kinds';
import type { Container } from '#node/runtime';
import { containerIdText } from './container-status.ts';
import { stopContainer } from './container-stop.ts';
import type { ContainerEvent } from './images.ts';
import { lastWordsOf } from './last-words.ts';
import { addressOf } from './pod-context.ts';
import type { PodContext } from './pod-context.ts';
import { alive, annotations, slotsOf } from './pod-view.ts';
import type { PodView, Slot } from './pod-view.ts';
import { ContainerProber } from './prober.ts';

export interface KeeperHooks {
  readonly event: ContainerEvent;
  readonly wake: () => void;
  readonly pod: () => Pod;
  readonly signal: () => AbortSignal;
}
export interface KillOptions {
  readonly message: string;
  /** Undefined: the Pod's own. */
  readonly graceSeconds: number | undefined;
  /** Resolves when proxies let go of the Pod. */
  readonly dropped?: Promise<void> | undefined;
}

/** The running containers of one Pod: their probes, their end and their last words. */
export class ContainerKeeper {
  readonly #context: PodContext;
  readonly #hooks: KeeperHooks;
  readonly #probers = new Map<string, ContainerProber>();
  readonly #words = new Map<string, string>();
  readonly #replaced = new Set<string>();
  readonly #stopping = new Map<string, number>();
  readonly #postStarting = new Set<string>();

  constructor(context: PodContext, hooks: KeeperHooks) {
    this.#context = context;
    this.#hooks = hooks;
  }

  /** Probes what runs, forgets what ended, reads last words. */
  async look(view: PodView): Promise<void> {
    const slots = slotsOf(this.#hooks.pod());
    const all = [...view.containers.values()].flat();
    const running = new Set(all.filter(({ state }) => state === 'running').map(({ id }) => id));
    for (const [id, prober] of this.#probers) {
      if (running.has(id)) continue;
      prober.stop();
      this.#probers.delete(id);
    }
    for (const container of all) {
      const slot = slots.find(({ spec }) => spec.name === container.spec.name);
      if (running.has(container.id) && slot !== undefined && !this.#probers.has(container.id))
        this.#probe(container, slot, view);
      if (alive(container) || this.#words.has(container.id)) continue;
      const { files, runtime } = this.#context.options;
      this.#words.set(container.id, await lastWordsOf({ files, runtime }, container, slot?.spec));
    }
    for (const id of this.#words.keys())
      if (!all.some((container) => container.id === id)) this.#words.delete(id);
  }

  /** Containers that the Pod no longer names: what runs of them ends, what has ended goes. */
  async prune(view: PodView): Promise<void> {
    const names = new Set(slotsOf(this.#hooks.pod()).map(({ spec }) => spec.name));
    const { runtime, files } = this.#context.options;
    for (const container of [...view.containers.values()].flat()) {
      if (names.has(container.spec.name)) continue;
      if (container.spec.annotations[annotations.apart] !== undefined) continue;
      const message = `Container ${container.spec.name} was taken out of its Pod`;
      if (alive(container)) this.kill(container, { message, graceSeconds: undefined });
      else {
        await runtime.removeContainer(container.id);
        await files.remove(container.spec.logPath);
      }
    }
  }

  #probe(container: Container, slot: Slot, view: PodView): void {
    const { clock, random, listens } = this.#context.options;
    const sandbox = view.sandboxes.find(({ id }) => id === container.sandboxId);
    const pod = this.#hooks.pod();
    const old = statusOf(pod, container);
    const prober = new ContainerProber(
      { clock, random, listens, tools: this.#context.tools, startedMs: this.#context.startedMs },
      {
        target: {
          containerId: container.id,
          spec: slot.spec,
          ip: addressOf(this.#context, pod, sandbox),
        },
        container,
        before: { started: old?.started ?? false, ready: old?.ready ?? false },
      },
      {
        event: this.#hooks.event,
        changed: this.#hooks.wake,
        fatal: (message, graceSeconds) => this.kill(container, { message, graceSeconds }),
      },
    );
    this.#probers.set(container.id, prober);
  }

  started(container: Container): boolean {
    if (this.#postStarting.has(container.id)) return false;
    return this.#probers.get(container.id)?.started ?? false;
  }

  /** Ends a container whose definition changed; the next one takes its place whatever the policy. */
  replace(container: Container, message: string): void {
    this.#replaced.add(container.id);
    this.kill(container, { message, graceSeconds: undefined });
  }

  replaced(container: Container): boolean {
    return this.#replaced.has(container.id);
  }

  ready(container: Container): boolean {
    return this.#probers.get(container.id)?.ready ?? false;
  }

  lastWords(container: Container): string | undefined {
    return this.#words.get(container.id);
  }

  /** While its postStart hook runs a container has not started. */
  postStart(id: string): Disposable {
    this.#postStarting.add(id);
    return { [Symbol.dispose]: () => void this.#postStarting.delete(id) };
  }

  /** Only readiness is still of interest. */
  stopKilling(): void {
    for (const prober of this.#probers.values()) prober.stopKilling();
  }

  stop(): void {
    for (const prober of this.#probers.values()) prober.stop();
    this.#probers.clear();
  }

  /** Ends a container; called again it does nothing, unless the grace is shorter now. */
  kill(container: Container, options: KillOptions): void {
    const { clock, runtime, logger } = this.#context.options;
    const pod = this.#hooks.pod();
    const seconds = options.graceSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
    const deadlineMs = clock.nowMs() + seconds * 1000;
    const known = this.#stopping.get(container.id);
    if (known !== undefined && deadlineMs >= known - 500) return;
    this.#stopping.set(container.id, deadlineMs);
    const signal = this.#hooks.signal();
    const graceMs = Math.max(0, Math.round(seconds * 1000));
    const slot = slotsOf(pod).find(({ spec }) => spec.name === container.spec.name);
    const sandbox = runtime.sandboxes().find(({ id }) => id === container.sandboxId);
    const stopped =
      known === undefined
        ? stopContainer(this.#context, container, {
            pod,
            spec: slot?.spec,
            ip: addressOf(this.#context, pod, sandbox),
            graceMs,
            message: options.message,
            event: this.#hooks.event,
            dropped: options.dropped,
            signal,
          })
        : runtime.stopContainer(container.id, { graceMs });
    void stopped
      .catch((error: unknown) => {
        if (signal.aborted) return;
        logger.warn('Cannot stop a container', { container: container.id, error });
        clock.after(1000, this.#hooks.wake);
      })
      .finally(() => {
        if (this.#stopping.get(container.id) === deadlineMs) this.#stopping.delete(container.id);
        this.#hooks.wake();
      });
  }

  isStopping(id: string): boolean {
    return this.#stopping.has(id);
  }
}

function statusOf(pod: Pod, container: Container): ContainerStatus | undefined {
  const id = containerIdText(container.id);
  const { status } = pod;
  return [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].find(
    ({ containerID }) => containerID === id,
  );
}
