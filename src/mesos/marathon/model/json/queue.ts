import type { Attribute, Offer, Resource } from '#mesos/protocol';
import { type RejectReason, rejectReasons } from '../offer/match.ts';
import { roleOf } from '../offer/resources.ts';
import type { RunSpec } from '../root.ts';
import type {
  AgentAttribute,
  DeclinedOfferStep,
  Offer as OfferJson,
  OfferResource,
  QueueDelay,
  QueueItem,
  UnusedOffer,
} from '../types.ts';

/** An offer that was not used, last of its agent. */
export interface UnusedOfferRecord {
  readonly offer: Offer;
  readonly reasons: readonly RejectReason[];
  readonly timestamp: string;
}

/** What the queue knows of a run spec that waits. */
export interface QueueRecord {
  readonly runSpec: RunSpec;
  /** Instances that wait for an offer or for word of their launch. */
  readonly count: number;
  readonly role: string;
  readonly since: string;
  /** Until when launches are put off. */
  readonly delayedUntilMs: number | undefined;
  readonly processedOffersCount: number;
  readonly unusedOffersCount: number;
  readonly lastUnusedOfferAt?: string | undefined;
  readonly lastUsedOfferAt?: string | undefined;
  /** The last unused offer of each agent. */
  readonly lastUnusedOffers: readonly UnusedOfferRecord[];
  /** Since the run spec began to wait, by the first reason of each. */
  readonly rejectedSinceLaunch: ReadonlyMap<RejectReason, number>;
}

export interface QueueOptions {
  readonly nowMs: number;
  readonly withLastUnusedOffers: boolean;
}

/** An element of `GET /v2/queue`. */
export function queueItem(record: QueueRecord, options: QueueOptions): QueueItem {
  const { runSpec, lastUnusedOffers } = record;
  const lastReasons = new Map<RejectReason, number>();
  for (const { reasons } of lastUnusedOffers) {
    const first = firstReason(reasons);
    if (first !== undefined) lastReasons.set(first, (lastReasons.get(first) ?? 0) + 1);
  }
  const common = {
    count: record.count,
    role: record.role,
    delay: queueDelay(record.delayedUntilMs, options.nowMs),
    since: record.since,
    processedOffersSummary: {
      processedOffersCount: record.processedOffersCount,
      unusedOffersCount: record.unusedOffersCount,
      lastUnusedOfferAt: record.lastUnusedOfferAt,
      lastUsedOfferAt: record.lastUsedOfferAt,
      rejectSummaryLastOffers: funnel(lastUnusedOffers.length, lastReasons),
      rejectSummaryLaunchAttempt: funnel(record.processedOffersCount, record.rejectedSinceLaunch),
    },
    ...(options.withLastUnusedOffers
      ? { lastUnusedOffers: lastUnusedOffers.map(unusedOfferJson) }
      : {}),
  };
  return runSpec.kind === 'app'
    ? { ...common, app: runSpec.spec }
    : { ...common, pod: runSpec.spec };
}

/** The reason that an offer is counted under. */
export function firstReason(reasons: readonly RejectReason[]): RejectReason | undefined {
  return rejectReasons.find((reason) => reasons.includes(reason));
}

function queueDelay(untilMs: number | undefined, nowMs: number): QueueDelay {
  const leftMs = Math.max(0, (untilMs ?? 0) - nowMs);
  return { timeLeftSeconds: Math.floor(leftMs / 1000), overdue: leftMs === 0 };
}

/** Each reason sees what the ones before it let pass. */
function funnel(
  processed: number,
  declined: ReadonlyMap<RejectReason, number>,
): DeclinedOfferStep[] {
  let left = processed;
  return rejectReasons.map((reason) => {
    const count = declined.get(reason) ?? 0;
    const step = { reason, declined: count, processed: left };
    left -= count;
    return step;
  });
}

function unusedOfferJson({ offer, reasons, timestamp }: UnusedOfferRecord): UnusedOffer {
  return { offer: offerJson(offer), reason: reasons, timestamp };
}

export function offerJson({ id, hostname, agent_id: agentID, ...offer }: Offer): OfferJson {
  return {
    id: id.value,
    hostname,
    agentId: agentID.value,
    resources: (offer.resources ?? []).map(resourceJson),
    attributes: (offer.attributes ?? []).map(attributeJson),
  };
}

function resourceJson(resource: Resource): OfferResource {
  const { name, type, scalar, ranges, set } = resource;
  return {
    name,
    role: roleOf(resource),
    ...(type === 'SCALAR' ? { scalar: scalar?.value ?? 0 } : {}),
    ...(type === 'RANGES' ? { ranges: ranges?.range ?? [] } : {}),
    ...(type === 'SET' ? { set: set?.item ?? [] } : {}),
  };
}

export function attributeJson({
  name,
  type,
  scalar,
  ranges,
  set,
  text,
}: Attribute): AgentAttribute {
  return {
    name,
    ...(type === 'TEXT' ? { text: text?.value ?? '' } : {}),
    ...(type === 'SCALAR' ? { scalar: scalar?.value ?? 0 } : {}),
    ...(type === 'RANGES' ? { ranges: ranges?.range ?? [] } : {}),
    ...(type === 'SET' ? { set: set?.item ?? [] } : {}),
  };
}
