import type { Pod } from '#kube/kinds';
import { isStatus } from '#machinery';
import { logDir } from './pod-context.ts';
import type { PodContext } from './pod-context.ts';
import type { PodView } from './pod-view.ts';
import { pods } from './resources.ts';

export interface CleanupState {
  readonly pod: Pod;
  readonly view: PodView;
  /** The object is gone from the API. */
  readonly gone: boolean;
  readonly signal: AbortSignal;
}

const retryMs = 1000;

/**
 * The last steps of a Pod of which nothing runs any more, in order: network and volumes go while the
 * final status is written; a deleted object is let go; when it is gone, so is what was kept for logs.
 */
export class PodCleanup {
  readonly #context: PodContext;
  readonly #hooks: { release(view: PodView): Promise<void>; wake(): void };
  #busy = false;
  #released = false;
  #deleteSent = false;
  #gone = false;
  #removed = false;

  constructor(context: PodContext, hooks: { release(view: PodView): Promise<void>; wake(): void }) {
    this.#context = context;
    this.#hooks = hooks;
  }

  /** Nothing is left of it anywhere. */
  get removed(): boolean {
    return this.#removed;
  }

  /** Starts the next step, one at a time. */
  next(state: CleanupState): void {
    const task = this.#busy ? undefined : this.#step(state);
    if (task === undefined) return;
    const { clock, logger } = this.#context.options;
    this.#busy = true;
    let failed = false;
    void task
      .catch((error: unknown) => {
        failed = true;
        const pod = state.pod.metadata.name;
        if (!state.signal.aborted) logger.warn('Cannot clean up after a Pod', { pod, error });
      })
      .finally(() => {
        this.#busy = false;
        if (failed) clock.after(retryMs, () => this.#hooks.wake());
        else this.#hooks.wake();
      });
  }

  #step(state: CleanupState): Promise<void> | undefined {
    const gone = state.gone || this.#gone;
    if (!this.#released) return this.#release(state);
    if (gone) return this.#remove(state);
    const deleted = state.pod.metadata.deletionTimestamp !== undefined;
    return deleted && !this.#deleteSent ? this.#deleteObject(state) : undefined;
  }

  async #release({ pod, view, gone }: CleanupState): Promise<void> {
    await this.#ended(pod);
    await Promise.all([
      gone ? undefined : this.#context.status.flush(pod.metadata.uid),
      this.#hooks.release(view),
    ]);
    this.#released = true;
  }

  async #ended(pod: Pod): Promise<void> {
    const { extension, logger } = this.#context.options;
    if (extension?.ended === undefined || !extension.handles(pod)) return;
    try {
      await extension.ended(pod);
    } catch (error) {
      logger.warn('Cannot close what is kept of a Pod', { pod: pod.metadata.name, error });
    }
  }

  async #deleteObject({ pod }: CleanupState): Promise<void> {
    const { name, namespace, uid } = pod.metadata;
    await this.#context.status.flush(uid);
    try {
      const options = { gracePeriodSeconds: 0, uid };
      await this.#context.options.api.delete(pods, { name, namespace }, options);
    } catch (error) {
      // Gone already, or a Pod of the same name took its place: either way ours is no more.
      if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error;
      this.#gone = true;
    }
    this.#deleteSent = true;
  }

  async #remove({ pod, view }: CleanupState): Promise<void> {
    const { runtime } = this.#context.options;
    const { uid } = pod.metadata;
    for (const { id } of [...view.containers.values()].flat()) await runtime.removeContainer(id);
    for (const { id } of view.sandboxes) await runtime.removeSandbox(id);
    await this.#context.volumes.files.remove(`${this.#context.volumes.dirs.memory}/${uid}`);
    await this.#context.volumes.files.remove(`${this.#context.volumes.dirs.pods}/${uid}`);
    await this.#context.volumes.files.remove(logDir(this.#context, pod));
    this.#context.references.release(uid);
    this.#context.images.forgetPod(uid);
    this.#context.status.forget(uid);
    const { extension } = this.#context.options;
    if (extension?.handles(pod) === true) extension.released(pod);
    this.#removed = true;
  }
}
