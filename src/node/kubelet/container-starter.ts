import type { Sandbox } from '#node/runtime';
import type { Pod } from '#kube/kinds';
import type { ContainerKeeper } from './container-keeper.ts';
import type { ContainerRecord, ContainerRecords } from './container-records.ts';
import { startContainer } from './container-start.ts';
import { StartProblem, messageOf } from './errors.ts';
import { PodRefused } from './extension.ts';
import { runHook } from './hooks.ts';
import type { ContainerEvent } from './images.ts';
import type { NeverStarted } from './never-started.ts';
import { addressOf, podLabel } from './pod-context.ts';
import type { PodContext } from './pod-context.ts';
import { alive, newest, viewOf } from './pod-view.ts';
import type { PodView, Slot } from './pod-view.ts';
import type { PodVolumes } from './volumes.ts';

export interface StarterParts {
  readonly records: ContainerRecords;
  readonly keeper: ContainerKeeper;
  readonly never: NeverStarted;
  readonly volumes: PodVolumes;
  readonly event: ContainerEvent;
  readonly wake: () => void;
  /** As it is now, with the resources it was given. */
  readonly pod: () => Pod;
  /** Aborts when nothing is to start any more. */
  readonly signal: AbortSignal;
}

/** Brings containers of one Pod to run: back-off, image, settings, hooks, and what went wrong. */
export class ContainerStarter {
  readonly #context: PodContext;
  readonly #parts: StarterParts;

  constructor(context: PodContext, parts: StarterParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** Begins to start a container unless it must wait; gives until when. */
  maybe(slot: Slot, at: { readonly view: PodView; readonly sandbox: Sandbox }): number | undefined {
    const { records, event, wake, pod } = this.#parts;
    const { name } = slot.spec;
    const record = records.of(name);
    const now = this.#context.options.clock.nowMs();
    if (record.starting) return undefined;
    if (record.notBeforeMs > now) return record.notBeforeMs;
    const last = newest(at.view, name);
    if (last !== undefined && last.id !== record.replaced) {
      const untilMs = records.backOff(last, { nowMs: now, pod: podLabel(pod()) });
      if (untilMs !== undefined) {
        if (untilMs.fresh)
          event(name, 'Warning', {
            reason: 'BackOff',
            message: `Back-off restarting failed container ${name} in pod ${podLabel(pod())}`,
          });
        return untilMs.atMs;
      }
    }
    if (record.waiting?.reason === 'CrashLoopBackOff') record.waiting = undefined;
    record.starting = true;
    const attempt = last === undefined ? lostAttempts(pod(), slot) : last.spec.attempt + 1;
    void this.#start(slot, { attempt, sandbox: at.sandbox, record }).finally(() => {
      record.starting = false;
      wake();
    });
    return undefined;
  }

  async #start(
    slot: Slot,
    at: { readonly attempt: number; readonly sandbox: Sandbox; readonly record: ContainerRecord },
  ): Promise<void> {
    const { name } = slot.spec;
    const { record, sandbox, attempt } = at;
    const { event, signal, pod, volumes } = this.#parts;
    try {
      const { extension } = this.#context.options;
      if (extension?.handles(pod()) === true)
        await extension.prepareContainer?.(pod(), name, signal);
      signal.throwIfAborted();
      const request = { pod: pod(), slot, attempt, sandbox, volumes, event, signal };
      // Known before it runs: probes and `started` wait for the hook from the first moment on.
      const created = await startContainer(this.#context, request);
      record.waiting = undefined;
      record.notBeforeMs = 0;
      await this.#dropOld(name);
      await this.#postStart(slot, { id: created.id, sandbox, record });
    } catch (error) {
      if (!signal.aborted) this.#note(name, error, record);
    }
  }

  async #postStart(
    slot: Slot,
    at: { readonly id: string; readonly sandbox: Sandbox; readonly record: ContainerRecord },
  ): Promise<void> {
    const { lifecycle, name } = slot.spec;
    if (lifecycle?.postStart === undefined) return;
    const { keeper, wake, event, signal, pod } = this.#parts;
    const { runtime, clock } = this.#context.options;
    using _running = keeper.postStart(at.id);
    wake();
    const target = {
      containerId: at.id,
      spec: slot.spec,
      ip: addressOf(this.#context, pod(), at.sandbox),
    };
    await runHook({ ...this.#context.tools, clock }, target, {
      handler: lifecycle.postStart,
      timeoutMs: 600_000,
      signal,
    }).catch((error: unknown) => {
      if (signal.aborted) return;
      event(name, 'Warning', {
        reason: 'FailedPostStartHook',
        message: `PostStartHook failed: ${messageOf(error)}`,
      });
      const current = runtime.container(at.id);
      if (current !== undefined && alive(current))
        keeper.kill(current, { message: 'FailedPostStartHook', graceSeconds: undefined });
      at.record.waiting = { reason: 'PostStartHookError', message: messageOf(error) };
    });
  }

  /** What went wrong, for the status; refused is refused for good. */
  #note(name: string, error: unknown, record: ContainerRecord): void {
    const { never, event, pod } = this.#parts;
    const { clock, logger } = this.#context.options;
    const refused = refusalIn(error);
    if (refused !== undefined) {
      record.waiting = undefined;
      never.add(name, refused);
      event(name, 'Warning', { reason: refused.reason, message: refused.message });
      return;
    }
    const problem = error instanceof StartProblem ? error : undefined;
    record.waiting = {
      reason: problem?.reason ?? 'CreateContainerError',
      message: messageOf(error),
    };
    record.notBeforeMs = problem?.retryAtMs ?? clock.nowMs() + 10_000;
    if (problem === undefined) {
      const { namespace, name: podName } = pod().metadata;
      const about = { pod: `${namespace}/${podName}`, container: name, error };
      logger.warn('Cannot start a container', about);
    }
  }

  /** Keeps the last ended container of a name (for `logs -p` and lastState) and drops those before. */
  async #dropOld(name: string): Promise<void> {
    const { runtime, files } = this.#context.options;
    const list = viewOf(runtime, this.#parts.pod().metadata.uid).containers.get(name) ?? [];
    for (const old of list.slice(2)) {
      if (alive(old)) continue;
      await runtime.removeContainer(old.id);
      await files.remove(old.spec.logPath);
    }
  }
}

function refusalIn(error: unknown): PodRefused | undefined {
  if (error instanceof PodRefused) return error;
  return error instanceof Error && error.cause instanceof PodRefused ? error.cause : undefined;
}

function lostAttempts({ status }: Pod, { role, spec }: Slot): number {
  const list = role === 'init' ? status?.initContainerStatuses : status?.containerStatuses;
  const old = list?.find(({ name }) => name === spec.name);
  if (old === undefined) return 0;
  return old.restartCount + (old.containerID === undefined ? 0 : 1);
}
