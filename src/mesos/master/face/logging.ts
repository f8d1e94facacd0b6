import type { Cancel, Clock } from '#base';

/**
 * The level of logs that GET_LOGGING_LEVEL shows and SET_LOGGING_LEVEL and `/logging/toggle` change
 * for a while (libprocess logging.cpp): 0 is the ordinary one.
 */
export class LoggingLevel {
  readonly #clock: Clock;
  readonly #changed: ((level: number) => void) | undefined;
  #level = 0;
  #cancel: Cancel | undefined;

  constructor(clock: Clock, changed?: (level: number) => void) {
    this.#clock = clock;
    this.#changed = changed;
  }

  get level(): number {
    return this.#level;
  }

  set(level: number, durationMs: number): void {
    this.#cancel?.();
    this.#become(level);
    this.#cancel = this.#clock.after(Math.min(durationMs, timerMsMax), () => this.#become(0));
  }

  #become(level: number): void {
    this.#level = level;
    this.#changed?.(level);
  }
}

const timerMsMax = 2 ** 31 - 1;
