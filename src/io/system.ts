import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { Clock, Random } from '#base';

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, delayMs);
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
  after: (delayMs, action) => {
    const timer = setTimeout(action, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** The machine's secure source of chance. */
export const systemRandom: Random = {
  below: (bound) => (bound <= 1 ? 0 : randomInt(bound)),
  bytes: (count) => randomBytes(count),
  uuid: () => randomUUID(),
};
