import type { Cancel, Clock } from '#base';
import { emptyReply, textReply } from './replies.ts';
import type { Routes } from './router.ts';

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

const unitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  ms: 1,
  secs: 1000,
  mins: 60_000,
  hrs: 3_600_000,
  days: 86_400_000,
  weeks: 604_800_000,
};

/** `/logging/toggle`: shows the level, or changes it for a while. */
export function loggingRoutes(logging: LoggingLevel, realm: string): Routes {
  return {
    toggle: {
      realm,
      handle: async ({ query, caller }) => {
        const asked = query.get('level');
        const duration = query.get('duration');
        if (asked === undefined && duration === undefined)
          return textReply(200, `${logging.level}\n`);
        if (asked === undefined) return textReply(400, "Expecting 'level=value' in query.\n");
        if (duration === undefined) return textReply(400, "Expecting 'duration=value' in query.\n");
        if (!caller.allows('set_log_level')) return textReply(403);
        const level = /^[+-]?\d+$/.test(asked) ? Number(asked) : undefined;
        if (level === undefined) return textReply(400, `Failed to parse level '${asked}'.\n`);
        if (level < 0) return textReply(400, `Invalid level '${asked}'.\n`);
        const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(duration) ?? [];
        const unitMs = Object.hasOwn(unitsMs, unit) ? unitsMs[unit] : undefined;
        if (unitMs === undefined) return textReply(400, `Invalid duration '${duration}'.\n`);
        logging.set(level, Number(amount) * unitMs);
        return emptyReply(200);
      },
    },
  };
}
