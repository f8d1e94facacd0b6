import type { AgentCounters } from '../counters.ts';
import type { Fetcher } from './fetcher.ts';

/** The same fetcher; its successes and failures are counted, as far as there was something to fetch. */
export function counted(fetcher: Fetcher, counters: AgentCounters): Fetcher {
  return {
    async fetch(request, signal) {
      try {
        await fetcher.fetch(request, signal);
      } catch (error) {
        counters.add('containerizer/fetcher/task_fetches_failed');
        throw error;
      }
      if (request.uris.length > 0) counters.add('containerizer/fetcher/task_fetches_succeeded');
    },
    cache: () => fetcher.cache(),
  };
}
