import type { Clock } from '#base';
import type { Node } from '#kube/kinds';

// Defaults of kube-controller-manager: --node-eviction-rate, --secondary-node-eviction-rate,
// --unhealthy-zone-threshold, --large-cluster-size-threshold.
const perSecond = 0.1;
const perSecondUnhealthy = 0.01;
const unhealthyShare = 0.55;
const largeZoneNodes = 50;

/**
 * How fast silent nodes are emptied, zone by zone. When many fall silent at once it is rather the
 * network than the nodes: then slowly, and not at all in a small zone.
 */
export class EvictionPace {
  readonly #clock: Clock;
  /** When the next node of a zone may be emptied. */
  readonly #nextMs = new Map<string, number>();
  readonly #granted = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The node is well again, or gone. */
  forget(name: string): void {
    this.#granted.delete(name);
  }

  /** 0 when the node's Pods may be driven away now, else how long to wait before asking again. */
  waitMs(node: Node, all: readonly Node[], isReady: (node: Node) => boolean): number {
    const { name } = node.metadata;
    if (this.#granted.has(name)) return 0;
    const zone = zoneOf(node);
    const rate = rateOf(
      all.filter((one) => zoneOf(one) === zone),
      { isReady, anyReady: all.some(isReady) },
    );
    const retryMs = 10_000;
    if (rate === 0) return retryMs;
    const nowMs = this.#clock.monotonicMs();
    const leftMs = (this.#nextMs.get(zone) ?? 0) - nowMs;
    if (leftMs > 0) return Math.min(leftMs, retryMs);
    this.#nextMs.set(zone, nowMs + 1000 / rate);
    this.#granted.add(name);
    return 0;
  }
}

function zoneOf({ metadata }: Node): string {
  const { labels } = metadata;
  return `${labels?.['topology.kubernetes.io/region'] ?? ''}/${labels?.['topology.kubernetes.io/zone'] ?? ''}`;
}

/** Nodes a second (pkg/controller/nodelifecycle: ComputeZoneState and setLimiterInZone). */
function rateOf(
  zone: readonly Node[],
  about: { readonly isReady: (node: Node) => boolean; readonly anyReady: boolean },
): number {
  // All zones silent: we are the ones who are cut off.
  if (!about.anyReady) return 0;
  const silent = zone.filter((node) => !about.isReady(node)).length;
  if (silent === zone.length) return perSecond;
  if (silent <= 2 || silent / zone.length < unhealthyShare) return perSecond;
  return zone.length > largeZoneNodes ? perSecondUnhealthy : 0;
}
