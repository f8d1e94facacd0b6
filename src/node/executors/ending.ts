import type { Cancel } from '#base';
import type { ExecutorsOptions } from './options.ts';

/** The end of one container: SIGTERM once, SIGKILL when the grace is over. */
export class Ending {
  readonly #options: Pick<ExecutorsOptions, 'clock' | 'runtime' | 'logger'>;
  #graceMs: number | undefined;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #cancel: Cancel = () => undefined;

  constructor(options: Pick<ExecutorsOptions, 'clock' | 'runtime' | 'logger'>) {
    this.#options = options;
  }

  get begun(): boolean {
    return this.#graceMs !== undefined;
  }

  /** Said again with the same grace it changes nothing; a shorter one only brings the end nearer. */
  stopWithin(id: string, options: { readonly graceMs: number; readonly shortens: boolean }): void {
    const { graceMs } = options;
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#graceMs === undefined) {
      this.#graceMs = graceMs;
      this.#deadlineMs = nowMs + graceMs;
      void this.#send(id, graceMs);
      return;
    }
    if (!options.shortens || graceMs >= this.#graceMs) return;
    this.#graceMs = graceMs;
    if (nowMs + graceMs >= this.#deadlineMs) return;
    this.#deadlineMs = nowMs + graceMs;
    this.#cancel();
    // The signal was sent before; what is left is to end it in time.
    this.#cancel = this.#options.clock.after(graceMs, () => void this.#send(id, 0));
  }

  stop(): void {
    this.#cancel();
  }

  async #send(id: string, graceMs: number): Promise<void> {
    const { runtime, logger, clock } = this.#options;
    try {
      await runtime.stopContainer(id, { graceMs });
    } catch (error) {
      logger.warn('Cannot end a task', { container: id, error });
      this.#cancel = clock.after(1000, () => void this.#send(id, 0));
    }
  }
}
