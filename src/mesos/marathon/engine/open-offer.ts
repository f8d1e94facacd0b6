import type { Offer, OfferOperation } from '#mesos/protocol';
import type { Instance } from '../model/index.ts';
import type { WaitingSpec } from './waiting.ts';

/** One offer while it is being given away. */
export interface OpenOffer {
  readonly id: string;
  readonly offer: Offer;
  rest: Offer;
  readonly operations: OfferOperation[];
  /** As they were before, to go back when the offer is rescinded. */
  readonly launched: { readonly before: Instance; readonly after: Instance }[];
  /** Nothing that waits fits into the rest. */
  done: boolean;
  /** What did not fit; the rest only gets smaller. */
  readonly refused: Set<WaitingSpec>;
  cutShort: boolean;
  cpus: number;
  mem: number;
}

export function opened(offer: Offer): OpenOffer {
  return {
    id: offer.id.value,
    offer,
    rest: offer,
    operations: [],
    launched: [],
    done: false,
    refused: new Set(),
    cutShort: false,
    ...scalarsOf(offer),
  };
}

export function offerRole(offer: Offer): string {
  return offer.allocation_info?.role ?? '*';
}

export function scalarsOf({ resources = [] }: Offer): { cpus: number; mem: number } {
  let cpus = 0;
  let mem = 0;
  for (const { name, scalar } of resources) {
    if (name === 'cpus') cpus += scalar?.value ?? 0;
    else if (name === 'mem') mem += scalar?.value ?? 0;
  }
  // Sums of thousandths in binary fractions.
  return { cpus: cpus + 1e-6, mem: mem + 1e-6 };
}

type OfferResource = NonNullable<Offer['resources']>[number];

export function isReserved({ reservation, reservations }: OfferResource): boolean {
  return reservation !== undefined || (reservations !== undefined && reservations.length > 0);
}
