import type { Cancel, Clock } from '#base';
import type { MarathonSettings } from './options.ts';

/** Rations launches: so many per interval, and one more for each that was reported. */
export interface Tokens {
  has(): boolean;
  take(): void;
  giveBack(): void;
  stop(): void;
}

export function createTokens(
  clock: Clock,
  settings: Pick<MarathonSettings, 'launch_tokens' | 'launch_token_refresh_interval'>,
  refilled: () => void,
): Tokens {
  const { launch_tokens: all, launch_token_refresh_interval: intervalMs } = settings;
  let left = all;
  let timer: Cancel | undefined;
  const refill = (): void => {
    timer = undefined;
    const wasEmpty = left === 0;
    left = all;
    if (wasEmpty) refilled();
  };
  return {
    has: () => left > 0,
    take() {
      left -= 1;
      timer ??= clock.after(intervalMs, refill);
    },
    giveBack() {
      if (left >= all) return;
      left += 1;
      if (left === 1) refilled();
    },
    stop() {
      timer?.();
    },
  };
}
