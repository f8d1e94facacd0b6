import type { Cancel } from '#base';
import type { Allocation } from '#mesos/allocator';
import {
  downgradeResource,
  type Filters,
  type InverseOffer,
  type Offer,
  type OfferID,
  type Resource,
  type URL,
} from '#mesos/protocol';
import type { AgentBook, FrameworkBook, InverseOfferBook, OfferBook } from './books.ts';
import type { Core } from './core.ts';
import { metricsPrefix } from './frameworks.ts';
import { isPlain, type Holdings } from './holdings.ts';
import { availableOf, offersFit } from './room.ts';
import { Turn } from './turn.ts';

/** Order in which people know them; others follow by name. */
const scalarOrder = ['cpus', 'mem', 'disk', 'gpus'];

interface InverseAllocation {
  readonly framework: string;
  readonly agent: string;
}

export interface InverseAnswer {
  readonly status: 'ACCEPT' | 'DECLINE';
  readonly filters: Filters | undefined;
}

/** Outstanding offers: made, used, given back, rescinded (mesos.md 2.2 to 2.5). */
export class Offers {
  readonly #core: Core;
  #made = 0;
  readonly #squeezed = new Set<string>();
  #soon: Cancel | undefined;
  #sending: Cancel | undefined;
  constructor(core: Core) {
    this.#core = core;
  }

  /** The outcome of a cycle: OFFERS for each framework, then inverse offers; many take several turns. */
  send(allocations: readonly Allocation[], inverse: readonly InverseAllocation[]): void {
    this.#sendFrom(0, allocations, inverse);
  }

  #sendFrom(
    start: number,
    allocations: readonly Allocation[],
    inverse: readonly InverseAllocation[],
  ): void {
    const next = this.#sendNow(start, allocations);
    if (next < allocations.length) {
      this.#sending = this.#core.options.clock.after(0, () => {
        this.#sending = undefined;
        this.#sendFrom(next, allocations, inverse);
      });
      return;
    }
    for (const { framework, agent } of inverse) this.#makeInverse(framework, agent);
  }

  /** Allocations of the last cycle are not all offers yet: there must be no other cycle. */
  get isSending(): boolean {
    return this.#sending !== undefined;
  }

  /** As many from `start` on as may be made in this turn: gives where the next turn begins. */
  #sendNow(start: number, allocations: readonly Allocation[]): number {
    const turn = new Turn(this.#core.options.clock);
    const byFramework = new Map<FrameworkBook, Offer[]>();
    let next = start;
    for (
      let allocation = allocations[next];
      allocation !== undefined && turn.takes();
      allocation = allocations[++next]
    ) {
      const offer = this.#make(allocation);
      if (offer === undefined) continue;
      const list = byFramework.get(offer.framework) ?? [];
      byFramework.set(offer.framework, list);
      list.push(viewOf(offer));
    }
    const { frameworks, counters } = this.#core;
    for (const [framework, offers] of byFramework) {
      counters.add(`${metricsPrefix(framework)}offers/sent`, offers.length);
      frameworks.send(framework, { type: 'OFFERS', offers: { offers } });
    }
    return next;
  }

  #make(allocation: Allocation): OfferBook | undefined {
    const { books, options, cycle } = this.#core;
    const framework = books.frameworks.get(allocation.framework);
    const agent = books.agents.get(allocation.agent);
    if (framework?.stream === undefined || agent === undefined) {
      if (agent !== undefined) cycle.freed(agent);
      return undefined;
    }
    const { role } = allocation;
    const resources = resourcesOf(availableOf(options.pool, agent), allocation);
    if (resources.length === 0) {
      cycle.freed(agent);
      return undefined;
    }
    const id = this.#nextID();
    const unavailability = this.#core.operator.unavailabilityOf(agent);
    const executors = [...(framework.executors.get(agent.id)?.values() ?? [])];
    const offer: OfferBook = {
      id,
      frameworkID: framework.id,
      agentID: agent.id,
      role,
      framework,
      agent,
      resources,
      offer: {
        id: { value: id },
        framework_id: { value: framework.id },
        agent_id: { value: agent.id },
        hostname: agent.info.hostname,
        url: urlOf(agent),
        ...(agent.info.domain !== undefined && { domain: agent.info.domain }),
        resources,
        ...((agent.info.attributes ?? []).length > 0 && { attributes: agent.info.attributes }),
        ...(executors.length > 0 && {
          executor_ids: executors.map(({ info }) => info.executor_id),
        }),
        ...(unavailability !== undefined && { unavailability }),
        allocation_info: { role },
      },
    };
    books.offers.set(id, offer);
    framework.offers.add(offer);
    agent.offers.add(offer);
    agent.busy.add(resources);
    agent.offered.add(resources);
    cycle.held(framework, agent, { role, resources, sign: 1 });
    return offer;
  }

  #nextID(): string {
    return `${this.#core.books.masterID}-O${this.#made++}`;
  }

  /** Out of the outstanding ones; what it held stays held: the caller says what becomes of it. */
  take(offer: OfferBook): void {
    const { books, cycle } = this.#core;
    books.offers.delete(offer.id);
    offer.framework.offers.delete(offer);
    offer.agent.offers.delete(offer);
    offer.agent.offered.remove(offer.resources);
    const { role, resources } = offer;
    cycle.held(offer.framework, offer.agent, { role, resources, sign: -1 });
    cycle.settled(offer);
  }

  /** Resources go back, nobody is told. */
  drop(offer: OfferBook): void {
    this.take(offer);
    offer.agent.busy.remove(offer.resources);
    this.#core.cycle.freed(offer.agent);
  }

  decline(offer: OfferBook, filters: Filters | undefined): void {
    this.drop(offer);
    this.#core.cycle.refuse(offer, offer.resources, filters);
  }

  rescind(offer: OfferBook): void {
    this.drop(offer);
    const { frameworks, counters } = this.#core;
    counters.add(`${metricsPrefix(offer.framework)}offers/rescinded`);
    frameworks.send(offer.framework, {
      type: 'RESCIND',
      rescind: { offer_id: { value: offer.id } },
    });
  }

  rescindAgent(agent: AgentBook): void {
    for (const offer of agent.offers) this.rescind(offer);
    for (const inverse of agent.inverseOffers) this.rescindInverse(inverse);
  }

  /** After a failover, a disconnection or a removal: without a word. */
  dropAll(framework: FrameworkBook): void {
    for (const offer of framework.offers) this.drop(offer);
    for (const inverse of framework.inverseOffers) this.#forgetInverse(inverse);
  }

  /** Pods took room on this node: what does not fit any more is rescinded, soon and no more than that. */
  squeeze(node: string): void {
    const agent = this.#core.books.byNode.get(node);
    if (agent === undefined) return;
    this.#core.cycle.freed(agent);
    if (agent.offers.size === 0) return;
    this.#squeezed.add(node);
    this.#soon ??= this.#core.options.clock.after(0, () => {
      this.#soon = undefined;
      const nodes = [...this.#squeezed];
      this.#squeezed.clear();
      for (const name of nodes) this.#fit(name);
    });
  }

  #fit(node: string): void {
    const { books, options } = this.#core;
    const agent = books.byNode.get(node);
    if (agent === undefined) return;
    // The newest first: who was offered longest keeps it.
    for (const offer of [...agent.offers].toReversed()) {
      if (offersFit(options.pool, agent)) return;
      this.rescind(offer);
    }
  }

  #makeInverse(frameworkID: string, agentID: string): void {
    const { books, frameworks } = this.#core;
    const framework = books.frameworks.get(frameworkID);
    const agent = books.agents.get(agentID);
    if (framework?.stream === undefined || agent === undefined) return;
    for (const earlier of framework.inverseOffers) if (earlier.agent === agent) return;
    const unavailability = this.#core.operator.unavailabilityOf(agent);
    if (unavailability === undefined) return;
    const id = this.#nextID();
    const inverseOffer: InverseOffer = {
      id: { value: id },
      url: urlOf(agent),
      framework_id: { value: framework.id },
      agent_id: { value: agent.id },
      unavailability,
    };
    const book = { id, frameworkID, agentID, framework, agent, inverseOffer };
    books.inverseOffers.set(id, book);
    framework.inverseOffers.add(book);
    agent.inverseOffers.add(book);
    frameworks.send(framework, {
      type: 'INVERSE_OFFERS',
      inverse_offers: { inverse_offers: [inverseOffer] },
    });
  }

  rescindInverse(book: InverseOfferBook): void {
    this.#forgetInverse(book);
    this.#core.frameworks.send(book.framework, {
      type: 'RESCIND_INVERSE_OFFER',
      rescind_inverse_offer: { inverse_offer_id: { value: book.id } },
    });
  }

  #forgetInverse(book: InverseOfferBook): void {
    this.#core.books.inverseOffers.delete(book.id);
    book.framework.inverseOffers.delete(book);
    book.agent.inverseOffers.delete(book);
  }

  answerInverse(framework: FrameworkBook, ids: readonly OfferID[], answer: InverseAnswer): void {
    const { books, options, cycle, operator } = this.#core;
    for (const { value } of ids) {
      const book = books.inverseOffers.get(value);
      if (book === undefined || book.framework !== framework) continue;
      this.#forgetInverse(book);
      operator.inverseOfferAnswered(book.agentID, {
        status: answer.status,
        framework_id: { value: framework.id },
        timestamp: { nanoseconds: options.clock.nowMs() * 1e6 },
      });
      cycle.refuseInverse(framework.id, book.agentID, answer.filters?.refuse_seconds);
    }
  }

  stop(): void {
    this.#soon?.();
    this.#sending?.();
  }
}

/** What an allocation is made of, out of what is there. */
function resourcesOf(free: Holdings, allocation: Allocation): readonly Resource[] {
  const { role, quantities } = allocation;
  const parcels = new Set(allocation.parcels);
  const found: Resource[] = [];
  for (const { identity, like, thousandths, resource } of free.parts()) {
    const info = { allocation_info: { role } };
    if (!isPlain(like)) {
      if (parcels.has(identity)) found.push({ ...resource, ...info });
    } else if (like.type === 'SCALAR') {
      const amount = Math.min(quantities[like.name] ?? 0, thousandths);
      if (amount > 0) found.push({ ...like, scalar: { value: amount / 1000 }, ...info });
    } else if (allocation.ranges) found.push({ ...resource, ...info });
  }
  const place = ({ name }: Resource): number => {
    const at = scalarOrder.indexOf(name);
    return at < 0 ? scalarOrder.length : at;
  };
  return found.toSorted((a, b) => place(a) - place(b));
}

/** Where the agent's own endpoints are. */
function urlOf(agent: AgentBook): URL {
  const { ip, port } = agent;
  return {
    scheme: 'http',
    address: { hostname: agent.info.hostname, ip, port },
    path: '/slave(1)',
  };
}

/** As this framework is shown it, by its capabilities. */
export function viewOf({ offer, framework }: OfferBook): Offer {
  const { capabilities } = framework;
  const refined = capabilities.has('RESERVATION_REFINEMENT');
  const multi = capabilities.has('MULTI_ROLE');
  const resources = (offer.resources ?? []).map((resource) => {
    const form = refined ? resource : downgradeResource(resource);
    if (multi) return form;
    const { allocation_info: _, ...rest } = form;
    return rest;
  });
  if (multi) return { ...offer, resources };
  const { allocation_info: _, ...rest } = offer;
  return { ...rest, resources };
}
