import type { RunSpec } from './root.ts';
import { backoffOf } from './run-spec.ts';

/** A delay before the next launch: its deadline is `referenceMs + delayMs`. */
export interface LaunchDelay {
  readonly referenceMs: number;
  readonly delayMs: number;
}

/** The delay after a failure: the first is that of the definition, each further one longer. */
export function delayAfterFailure(
  runSpec: RunSpec,
  previous: LaunchDelay | undefined,
  nowMs: number,
): LaunchDelay {
  const { firstMs, factor, maxMs } = backoffOf(runSpec);
  const delayMs = previous === undefined ? firstMs : previous.delayMs * factor;
  return { referenceMs: nowMs, delayMs: Math.min(maxMs, delayMs) };
}

/** A launch that goes well so far: the delay counts from now. */
export function delayAfterProgress(previous: LaunchDelay, nowMs: number): LaunchDelay {
  return { ...previous, referenceMs: nowMs };
}

/** So long after its deadline a delay is forgotten. */
export function delayIsForgotten(runSpec: RunSpec, delay: LaunchDelay, nowMs: number): boolean {
  return nowMs > delay.referenceMs + delay.delayMs + backoffOf(runSpec).maxMs;
}
