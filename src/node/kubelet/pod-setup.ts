import type { Pod } from '#kube/kinds';
import { Backoff } from './backoff.ts';
import { messageOf } from './errors.ts';
import { PodRefused } from './extension.ts';
import { payloadSources } from './pod-context.ts';
import type { PodContext } from './pod-context.ts';
import type { PodView } from './pod-view.ts';
import { sandboxSpec } from './sandbox-spec.ts';
import { PodVolumes } from './volumes.ts';

export type PodEvent = (
  type: 'Normal' | 'Warning',
  about: { readonly reason: string; readonly message: string },
) => void;

export interface SetupHooks {
  readonly event: PodEvent;
  readonly wake: () => void;
  /** The extension says that the Pod cannot run. */
  readonly refused: (refusal: PodRefused) => void;
}

const setupBackoff = { firstMs: 500, maxMs: 60_000 };
const refreshRetryMs = 10_000;

/** What a Pod needs before its containers: volumes and a sandbox, made at the same time. */
export class PodSetup {
  readonly volumes: PodVolumes;
  readonly #context: PodContext;
  readonly #event: PodEvent;
  readonly #wake: () => void;
  readonly #refused: SetupHooks['refused'];
  readonly #backoff = new Backoff(setupBackoff);
  #mounted = false;
  #ready = false;
  #busy = false;
  #notBeforeMs = 0;
  #stale = false;

  constructor(context: PodContext, uid: string, hooks: SetupHooks) {
    this.#context = context;
    this.#event = hooks.event;
    this.#wake = hooks.wake;
    this.#refused = hooks.refused;
    this.volumes = new PodVolumes(context.volumes, uid);
  }

  volumesReady(pod: Pod): boolean {
    return this.#ready && this.volumes.holds(pod);
  }
  get busy(): boolean {
    return this.#busy;
  }

  /** Something volumes are made of changed. */
  sourcesChanged(): void {
    this.#stale = true;
    this.#notBeforeMs = 0;
  }

  /** Starts what is missing; gives when to look again if it must wait. */
  begin(
    pod: Pod,
    wanted: { readonly view: PodView; readonly sandbox: boolean },
    signal: AbortSignal,
  ): number | undefined {
    const { clock } = this.#context.options;
    if (this.#busy) return undefined;
    if (this.#notBeforeMs > clock.nowMs()) return this.#notBeforeMs;
    this.#busy = true;
    void this.#make(pod, wanted, signal)
      .then((ok) => {
        if (ok) {
          this.#backoff.reset();
          return;
        }
        const now = clock.nowMs();
        this.#backoff.next(now, now);
        this.#notBeforeMs = this.#backoff.until(now)?.atMs ?? now;
      })
      .finally(() => {
        this.#busy = false;
        this.#wake();
      });
    return undefined;
  }

  async #make(
    pod: Pod,
    wanted: { readonly view: PodView; readonly sandbox: boolean },
    signal: AbortSignal,
  ): Promise<boolean> {
    const attempt = (wanted.view.sandboxes[0]?.spec.attempt ?? -1) + 1;
    const [volumes, sandbox] = await Promise.allSettled([
      this.volumesReady(pod) ? undefined : this.#prepare(pod, wanted.view, signal),
      wanted.sandbox ? this.#makeSandbox(pod, { attempt, view: wanted.view }, signal) : undefined,
    ]);
    if (signal.aborted) return true;
    if (volumes.status === 'fulfilled') this.#ready = true;
    else if (volumes.reason instanceof PodRefused) {
      this.#refused(volumes.reason);
      return true;
    } else this.#event('Warning', { reason: 'FailedMount', message: messageOf(volumes.reason) });
    if (sandbox.status === 'rejected')
      this.#event('Warning', {
        reason: 'FailedCreatePodSandBox',
        message: `Failed to create pod sandbox: ${messageOf(sandbox.reason)}`,
      });
    return volumes.status === 'fulfilled' && sandbox.status === 'fulfilled';
  }

  /** Volumes, and what the extension makes before the first container. */
  async #prepare(pod: Pod, view: PodView, signal: AbortSignal): Promise<void> {
    if (!this.#mounted || !this.volumes.holds(pod))
      await this.volumes.prepare(pod, payloadSources(this.#context, pod, ''));
    this.#mounted = true;
    const { extension } = this.#context.options;
    // An agent that was restarted finds what its predecessor made.
    if (extension?.handles(pod) !== true || view.containers.size > 0) return;
    signal.throwIfAborted();
    await extension.prepare(pod, signal);
  }

  async #makeSandbox(
    pod: Pod,
    at: { readonly attempt: number; readonly view: PodView },
    signal: AbortSignal,
  ): Promise<void> {
    const { runtime } = this.#context.options;
    const plain = await sandboxSpec(this.#context, pod, {
      attempt: at.attempt,
      event: (reason, message) => this.#event('Warning', { reason, message }),
    });
    signal.throwIfAborted();
    const { extension } = this.#context.options;
    const handled = extension?.handles(pod) === true;
    const spec = handled ? await extension.sandboxSpec?.(pod, plain) : plain;
    signal.throwIfAborted();
    await runtime.createSandbox(spec ?? plain, signal);
    if (at.attempt === 0) return;
    this.#event('Normal', {
      reason: 'SandboxChanged',
      message: 'Pod sandbox changed, it will be killed and re-created.',
    });
    const used = [...at.view.containers.values()].flat().map(({ sandboxId }) => sandboxId);
    for (const old of at.view.sandboxes) {
      await runtime.stopSandbox(old.id);
      // One that ended containers still name stays until they go.
      if (!used.includes(old.id)) await runtime.removeSandbox(old.id);
    }
  }

  /** Rewrites what changed; gives when to look again. */
  async refresh(pod: Pod): Promise<number | undefined> {
    const { clock, logger } = this.#context.options;
    const renewAtMs = this.volumes.renewAtMs();
    const due = renewAtMs !== undefined && renewAtMs <= clock.nowMs();
    if (!this.#stale && !due) return renewAtMs;
    this.#stale = false;
    try {
      return await this.volumes.refresh(pod, payloadSources(this.#context, pod, ''));
    } catch (error) {
      logger.info('Cannot refresh volumes', { pod: pod.metadata.name, error });
      this.#event('Warning', { reason: 'FailedMount', message: messageOf(error) });
      this.#stale = true;
      return clock.nowMs() + refreshRetryMs;
    }
  }

  async release(view: PodView): Promise<void> {
    for (const { id } of view.sandboxes) await this.#context.options.runtime.stopSandbox(id);
    await this.volumes.release();
    this.#mounted = false;
    this.#ready = false;
  }
}
