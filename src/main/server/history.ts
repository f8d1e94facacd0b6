import { limits } from '#base';
import type { Clock, Logger } from '#base';
import type { Store } from '#store';

/** Forgets history that is older than five minutes, as etcd does under a Kubernetes API server. */
export async function keepHistoryShort(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { store, clock, logger, signal } = options;
  let before = store.revision;
  while (!signal.aborted) {
    try {
      await clock.sleep(limits.historyKeepMs, signal);
    } catch {
      return; // the signal aborted
    }
    try {
      if (before > store.compactedRevision) await store.compact(before);
    } catch (error) {
      logger.warn('Cannot compact the store, will try again', { error });
    }
    before = store.revision;
  }
}
