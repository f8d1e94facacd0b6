import type { Offer } from '#mesos/protocol';
import type { RejectReason } from '../model/index.ts';
import { firstReason } from '../model/index.ts';

/** What became of offers for one run spec, for `/v2/queue`. */
export interface OfferStats {
  processed: number;
  unused: number;
  lastUnusedMs: number | undefined;
  lastUsedMs: number | undefined;
  /** Since it began to wait: how often an offer failed for this reason first. */
  readonly rejected: Map<RejectReason, number>;
  /** The last unused offer of each agent. */
  readonly last: Map<string, UnusedOffer>;
  /** When it began to wait. */
  readonly sinceMs: number;
}
export interface UnusedOffer {
  readonly offer: Offer;
  readonly reasons: readonly RejectReason[];
  readonly atMs: number;
}

/** Of how many agents the last unused offer is kept. */
const lastOffersMax = 500;

export function newOfferStats(sinceMs: number): OfferStats {
  return {
    processed: 0,
    unused: 0,
    lastUnusedMs: undefined,
    lastUsedMs: undefined,
    rejected: new Map(),
    last: new Map(),
    sinceMs,
  };
}

export function noteUnused(
  stats: OfferStats,
  offer: Offer,
  { reasons, nowMs }: { readonly reasons: readonly RejectReason[]; readonly nowMs: number },
): void {
  stats.processed += 1;
  stats.unused += 1;
  stats.lastUnusedMs = nowMs;
  const reason = firstReason(reasons);
  if (reason !== undefined) stats.rejected.set(reason, (stats.rejected.get(reason) ?? 0) + 1);
  const agentID = offer.agent_id.value;
  stats.last.delete(agentID);
  stats.last.set(agentID, { offer, reasons, atMs: nowMs });
  if (stats.last.size <= lastOffersMax) return;
  for (const oldest of stats.last.keys()) {
    stats.last.delete(oldest);
    break;
  }
}

export function noteUsed(stats: OfferStats, nowMs: number): void {
  stats.processed += 1;
  stats.lastUsedMs = nowMs;
}
