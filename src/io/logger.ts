import { writeSync } from 'node:fs';
import type { LogFields, Logger } from '#base';

const levels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof levels)[number];

let verbose = false;

/** Lets all loggers of this process say everything, or again only what they were made for. */
export function logVerbosely(on: boolean): void {
  verbose = on;
}

/** One JSON object a line to `fd`, gathered for up to 50 ms; errors and the exit write at once. */
export function createLogger(options: { readonly fd: number; readonly level: LogLevel }): Logger {
  const lowest = levels.indexOf(options.level);
  let pending = '';
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (pending === '') return;
    const text = pending;
    pending = '';
    try {
      writeSync(options.fd, text);
    } catch {
      // A log that cannot be written must not end the process it speaks of.
      pending = '';
    }
  };
  process.once('exit', flush);
  const write = (level: LogLevel, message: string, fields: LogFields): void => {
    if (!verbose && levels.indexOf(level) < lowest) return;
    pending += `${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }, plain)}\n`;
    if (level === 'error' || pending.length > 64 * 1024) flush();
    else timer ??= setTimeout(flush, 50).unref();
  };
  const logger = (base: LogFields): Logger => ({
    debug: (message, fields) => write('debug', message, { ...base, ...fields }),
    info: (message, fields) => write('info', message, { ...base, ...fields }),
    warn: (message, fields) => write('warn', message, { ...base, ...fields }),
    error: (message, fields) => write('error', message, { ...base, ...fields }),
    with: (fields) => logger({ ...base, ...fields }),
  });
  return logger({});
}

/** Errors as text with their causes; everything else as it is. */
function plain(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const parts = [value.stack ?? value.message];
  for (let cause = value.cause; cause instanceof Error && parts.length < 5; cause = cause.cause)
    parts.push(`caused by: ${cause.message}`);
  return parts.join('\n');
}
