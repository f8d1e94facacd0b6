import type { Clock } from '#base';
import { limits } from '#base';
import type { Pod } from '#kube/kinds';
import type { ServiceProxy } from '#net/proxy';

/** Other nodes' proxies follow the same watch; they get this long once our own has followed. */
const otherNodesMs = 150;

/**
 * SIGTERM of a terminating Pod waits until no proxy sends it new connections, at most 500 ms: no
 * request is lost by luck.
 */
export function endpointDropWait(
  proxy: ServiceProxy,
  options: { readonly clock: Clock; readonly others: boolean },
): (pod: Pod) => Promise<void> {
  const { clock, others } = options;
  return async (pod) => {
    const ip = pod.status.podIP;
    if (ip === undefined || ip === '') return;
    const bound = new AbortController();
    const cancel = clock.after(limits.endpointDropWaitMsMax, () => bound.abort());
    await proxy.withoutDestination(ip, bound.signal);
    cancel();
    if (others && !bound.signal.aborted) await clock.sleep(otherNodesMs);
  };
}
