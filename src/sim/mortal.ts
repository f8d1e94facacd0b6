import type { Clock } from '#base';

/** A new one each time: whoever waits for it can be forgotten with it. */
function never(): Promise<never> {
  return new Promise<never>(() => undefined);
}

/** The same object until `dead`: from then on no call begins and none that is under way answers. */
export function mortal<T extends object>(target: T, dead: AbortSignal): T {
  return new Proxy(target, {
    get(on, name) {
      const value: unknown = Reflect.get(on, name, on);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (dead.aborted) return never();
        const result: unknown = value.apply(on, args);
        if (!(result instanceof Promise)) return result;
        return result.then(
          (answer: unknown) => (dead.aborted ? never() : answer),
          (error: unknown) => (dead.aborted ? never() : Promise.reject(error)),
        );
      };
    },
  });
}

/** Timers of a dead process do not go off. */
export function mortalClock(clock: Clock, dead: AbortSignal): Clock {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    sleep: (delayMs, signal) =>
      clock.sleep(delayMs, signal).then(
        () => (dead.aborted ? never() : undefined),
        (error: unknown) => (dead.aborted ? never() : Promise.reject(error)),
      ),
    after: (delayMs, action) =>
      clock.after(delayMs, () => {
        if (!dead.aborted) action();
      }),
  };
}

/** Tells of each call of a function of `target` before it begins. */
export function counted<T extends object>(target: T, count: () => void): T {
  return new Proxy(target, {
    get(on, name) {
      const value: unknown = Reflect.get(on, name, on);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        count();
        return value.apply(on, args);
      };
    },
  });
}

/** The moment at which a process dies: at one of its next calls, before or while it is made. */
export class Doom {
  #callsLeft = 0;
  #die: () => void = () => undefined;

  set(calls: number, die: () => void): void {
    this.#callsLeft = calls;
    this.#die = die;
  }
  readonly count = (): void => {
    this.#callsLeft -= 1;
    if (this.#callsLeft === 0) this.#die();
  };
}
