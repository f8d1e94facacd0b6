import type { LogFields, Logger } from '#base';

const order = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof order)[number];

/** Levels by logger, as `/logging` shows and sets them; they bind what Marathon writes to the log. */
export interface LogLevels {
  all(): ReadonlyMap<string, LogLevel>;
  set(logger: string, level: LogLevel): void;
  unset(logger: string): void;
  readonly logger: Logger;
}

export const rootLogger = 'ROOT';
/** Everything of Marathon's is below this name. */
export const marathonLogger = 'mesosphere.marathon';

export function createLogLevels(target: Logger): LogLevels {
  const levels = new Map<string, LogLevel>([[rootLogger, 'info']]);
  const passes = (level: LogLevel): boolean => {
    const least = levels.get(marathonLogger) ?? levels.get(rootLogger) ?? 'info';
    return order.indexOf(level) >= order.indexOf(least);
  };
  return {
    all: () => levels,
    set: (logger, level) => levels.set(logger, level),
    unset: (logger) => {
      if (logger !== rootLogger) levels.delete(logger);
      else levels.set(rootLogger, 'info');
    },
    logger: filtered(target, passes),
  };
}

function filtered(target: Logger, passes: (level: LogLevel) => boolean): Logger {
  return {
    debug(message: string, fields?: LogFields) {
      if (passes('debug')) target.debug(message, fields);
    },
    info(message: string, fields?: LogFields) {
      if (passes('info')) target.info(message, fields);
    },
    warn(message: string, fields?: LogFields) {
      if (passes('warn')) target.warn(message, fields);
    },
    error(message: string, fields?: LogFields) {
      target.error(message, fields);
    },
    with: (fields: LogFields) => filtered(target.with(fields), passes),
  };
}
