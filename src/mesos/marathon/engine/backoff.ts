import type { Cancel, Clock } from '#base';
import type { LaunchDelay, RunSpec } from '../model/index.ts';
import {
  delayAfterFailure,
  delayAfterProgress,
  delayIsForgotten,
  lastConfigChangeOf,
} from '../model/index.ts';

/** Keeps run specs that fail from being launched at once again; a changed definition starts afresh. */
export interface Backoff {
  /** Milliseconds since the epoch; undefined: launch at once. */
  deadlineOf(runSpec: RunSpec): number | undefined;
  failed(runSpec: RunSpec): void;
  /** A launch goes well so far: the delay counts from now. */
  advanced(runSpec: RunSpec): void;
  reset(id: string): void;
  /** Called when a delay is over or was taken away. */
  onOver(listener: (id: string) => void): void;
  stop(): void;
}

interface Entry {
  readonly key: string;
  delay: LaunchDelay;
  cancel: Cancel | undefined;
}

export function createBackoff(clock: Clock): Backoff {
  const entries = new Map<string, Entry>();
  const listeners = new Set<(id: string) => void>();
  const over = (id: string): void => {
    for (const listener of listeners) listener(id);
  };
  const current = (runSpec: RunSpec): Entry | undefined => {
    const entry = entries.get(runSpec.spec.id);
    return entry?.key === lastConfigChangeOf(runSpec) ? entry : undefined;
  };
  const arm = (id: string, entry: Entry): void => {
    entry.cancel?.();
    const { referenceMs, delayMs } = entry.delay;
    const leftMs = Math.ceil(referenceMs + delayMs - clock.nowMs());
    // Timers and the time of day are two clocks: a timer may come a little early.
    entry.cancel = clock.after(Math.max(1, leftMs), () => {
      if (referenceMs + delayMs > clock.nowMs()) arm(id, entry);
      else over(id);
    });
  };
  return {
    deadlineOf(runSpec) {
      const entry = current(runSpec);
      if (entry === undefined) return undefined;
      const { referenceMs, delayMs } = entry.delay;
      const deadlineMs = referenceMs + delayMs;
      return deadlineMs > clock.nowMs() ? deadlineMs : undefined;
    },
    failed(runSpec) {
      const { id } = runSpec.spec;
      const old = entries.get(id);
      const previous = current(runSpec)?.delay;
      const kept = previous !== undefined && !delayIsForgotten(runSpec, previous, clock.nowMs());
      const delay = delayAfterFailure(runSpec, kept ? previous : undefined, clock.nowMs());
      const entry = { key: lastConfigChangeOf(runSpec), delay, cancel: old?.cancel };
      entries.set(id, entry);
      arm(id, entry);
    },
    advanced(runSpec) {
      const entry = current(runSpec);
      if (entry === undefined) return;
      entry.delay = delayAfterProgress(entry.delay, clock.nowMs());
      arm(runSpec.spec.id, entry);
    },
    reset(id) {
      const entry = entries.get(id);
      if (entry === undefined) return;
      entry.cancel?.();
      entries.delete(id);
      over(id);
    },
    onOver(listener) {
      listeners.add(listener);
    },
    stop() {
      for (const { cancel } of entries.values()) cancel?.();
      entries.clear();
    },
  };
}
