import type { Cancel } from '#base';
import {
  createAllocator,
  type Allocator,
  type AllocatorFramework,
  type Quantities,
  type RoleSettings,
} from '#mesos/allocator';
import type { Filters, Resource } from '#mesos/protocol';
import { agentQuestion, Shares } from './agent-question.ts';
import type { AgentBook, FrameworkBook, OfferBook } from './books.ts';
import type { Core } from './core.ts';
import { identityOf, isPlain, thousandthsOf } from './holdings.ts';
import { Timer } from './timer.ts';
import { Turn } from './turn.ts';

const batchMs = 1000;
/** What came free waits this long for more of it when somebody is known to want it. */
const hurryMs = 100;

/**
 * When the allocator is asked, and what it is told (mesos.md 7.1). Nothing runs, and there is no
 * allocator, while no framework is subscribed.
 */
export class Cycle {
  readonly #core: Core;
  readonly #shares = new Map<string, Shares>();
  readonly #roles = new Map<string, RoleSettings>();
  readonly #agents = new Set<AgentBook>();
  readonly #frameworks = new Set<FrameworkBook>();
  /** Agents that the next run looks at; undefined: all. */
  #candidates: Set<string> | undefined = new Set();
  #allocator: Allocator | undefined;
  #soon: Cancel | undefined;
  #batch: Cancel | undefined;
  #quick: Cancel | undefined;
  runs = 0;
  readonly runTimes = new Timer();
  /** From the first wish for a run to its begin. */
  readonly latencies = new Timer();
  #wishedMs: number | undefined;

  constructor(core: Core) {
    this.#core = core;
  }

  /** It subscribed, or its settings changed so that it may get what others do not want. */
  framework(book: FrameworkBook): void {
    this.#start();
    this.#frameworks.add(book);
    this.#request(undefined);
  }

  settingsChanged(book: FrameworkBook): void {
    this.#frameworks.add(book);
    this.#arm();
  }

  revive(book: FrameworkBook, roles: readonly string[]): void {
    this.#frameworks.add(book);
    this.#flushFrameworks();
    this.#allocator?.revive(book.id, roles);
    this.#request(undefined);
  }

  /** Disconnected: its filters are cleared. */
  forget(book: FrameworkBook): void {
    if (this.#allocator === undefined) return;
    if (book.removed) {
      this.#frameworks.delete(book);
      this.#allocator.removeFramework(book.id);
    } else this.#frameworks.add(book);
    this.#flushFrameworks();
  }

  agentAdded(book: AgentBook): void {
    this.agentChanged(book);
  }

  agentChanged(book: AgentBook): void {
    this.freed(book);
    this.#request(book.id);
  }

  /** Something is free there, or held: the next run must know. */
  freed(book: AgentBook): void {
    if (this.#allocator === undefined) return;
    this.#agents.add(book);
    if (this.#allocator.hungry) this.#hurry(book.id);
  }

  /** Who is known to want more need not wait for the next batch: shares suffer from the gaps. */
  #hurry(agentID: string): void {
    this.#candidates?.add(agentID);
    this.#quick ??= this.#core.options.clock.after(hurryMs, () => {
      this.#quick = undefined;
      // The next batch keeps its time: it looks at all agents.
      this.#allocate();
    });
  }

  forgetAgent(book: AgentBook): void {
    this.#allocator?.attributesChanged(book.id);
  }

  agentRemoved(book: AgentBook): void {
    this.#agents.delete(book);
    this.#shares.delete(book.id);
    this.#allocator?.removeAgent(book.id);
  }

  /** Somebody holds more or less there: for the shares that decide whose turn it is. */
  held(
    framework: FrameworkBook,
    agent: AgentBook,
    change: {
      readonly role: string;
      readonly resources: readonly Resource[];
      readonly sign: 1 | -1;
    },
  ): void {
    let shares = this.#shares.get(agent.id);
    if (shares === undefined) this.#shares.set(agent.id, (shares = new Shares()));
    shares.change(framework.id, change);
    this.freed(agent);
  }

  sharesOf(agent: AgentBook): Shares {
    return this.#shares.get(agent.id) ?? new Shares();
  }

  /** An offer, or what is left of it, was not wanted. */
  refuse(offer: OfferBook, left: readonly Resource[], filters: Filters | undefined): void {
    const plain = left.filter((one) => isPlain(one));
    this.#allocator?.refuse({
      framework: offer.frameworkID,
      role: offer.role,
      agent: offer.agentID,
      quantities: quantitiesOf(plain),
      ranges: Object.fromEntries(
        plain
          .filter(({ type }) => type === 'RANGES')
          .map(({ name, ranges }) => [
            name,
            (ranges?.range ?? []).map(({ begin, end }) => [begin, end] as const),
          ]),
      ),
      parcels: left
        .filter((one) => !isPlain(one))
        .map((one) => ({ id: identityOf(one), quantities: quantitiesOf([one]) })),
      seconds: filters?.refuse_seconds,
      nowMs: this.#core.options.clock.nowMs(),
    });
  }

  refuseInverse(frameworkID: string, agentID: string, seconds: number | undefined): void {
    const nowMs = this.#core.options.clock.nowMs();
    this.#allocator?.refuseInverse({ framework: frameworkID, agent: agentID, seconds, nowMs });
  }

  /** Out of the outstanding ones, whatever became of it. */
  settled({ frameworkID, role }: OfferBook): void {
    this.#allocator?.settled({ framework: frameworkID, role });
  }

  launched(framework: FrameworkBook, role: string, piece: readonly Resource[]): void {
    this.#allocator?.launched({
      framework: framework.id,
      role,
      piece: quantitiesOf(piece),
      nowMs: this.#core.options.clock.nowMs(),
    });
  }

  /** Weight and quota; undefined: the defaults. */
  roleChanged(role: string, settings: RoleSettings | undefined): void {
    if (settings === undefined) this.#roles.delete(role);
    else this.#roles.set(role, settings);
    this.#allocator?.setRole(role, settings);
    this.#arm();
  }

  /** Share of a role or of a framework in it; 0 while nobody is subscribed. */
  share(role: string, framework?: string): number {
    return this.#allocator?.share(role, framework) ?? 0;
  }

  /** Refused offers that keep offers away, by role. */
  filtersByRole(): ReadonlyMap<string, number> {
    return this.#allocator?.filtersByRole() ?? new Map<string, number>();
  }

  #start(): void {
    if (this.#allocator !== undefined) return;
    const { options, books } = this.#core;
    this.#allocator = createAllocator({ random: options.random, pool: options.pool });
    for (const [role, settings] of this.#roles) this.#allocator.setRole(role, settings);
    for (const agent of books.agents.values()) this.#agents.add(agent);
    for (const framework of books.frameworks.values()) this.#frameworks.add(framework);
  }

  #request(agentID: string | undefined): void {
    if (this.#allocator === undefined) return;
    if (agentID === undefined) this.#candidates = undefined;
    else this.#candidates?.add(agentID);
    this.#wishedMs ??= this.#core.options.clock.monotonicMs();
    this.#again();
  }

  #again(): void {
    this.#soon ??= this.#core.options.clock.after(0, () => {
      this.#soon = undefined;
      this.run();
    });
  }

  /** The next batch; only while somebody could be offered something, or asked for it. */
  #arm(): void {
    if (this.#batch !== undefined || this.#allocator === undefined) return;
    if (!this.#anybody()) return;
    this.#batch = this.#core.options.clock.after(batchMs, () => {
      this.#batch = undefined;
      this.#candidates = undefined;
      this.run();
    });
  }

  #anybody(): boolean {
    const { books } = this.#core;
    if (books.agents.size === 0) return false;
    // Who wants no offers is asked for scheduled machines all the same.
    const scheduled = books.schedule.windows !== undefined;
    for (const { stream, roles, suppressedRoles } of books.frameworks.values())
      if (stream !== undefined && (scheduled || roles.size > suppressedRoles.size)) return true;
    return false;
  }

  #flushFrameworks(): void {
    for (const framework of this.#frameworks)
      this.#allocator?.setFramework(this.#question(framework));
    this.#frameworks.clear();
  }

  /** Tells of agents, as many as may be told of in one turn; true when all are told. */
  #flushAgents(): boolean {
    const turn = new Turn(this.#core.options.clock);
    for (const agent of this.#agents) {
      if (!turn.takes()) return false;
      this.#tell(agent);
    }
    return true;
  }

  #tell(agent: AgentBook): void {
    this.#agents.delete(agent);
    this.#allocator?.setAgent(agentQuestion(this.#core, agent));
  }

  run(): void {
    if (this.#allocator === undefined) return;
    this.#batch?.();
    this.#batch = undefined;
    this.#allocate();
    this.#arm();
  }

  /** Over the candidates; many changes are told in several turns before it is asked. */
  #allocate(): void {
    const allocator = this.#allocator;
    if (allocator === undefined || !this.#anybody()) {
      // Nobody waits for what would be offered to nobody.
      this.#wishedMs = undefined;
      return;
    }
    const { options, books, offers } = this.#core;
    const startMs = options.clock.monotonicMs();
    this.#flushFrameworks();
    if (offers.isSending || !this.#flushAgents()) {
      this.#again();
      return;
    }
    const candidates = this.#candidates;
    this.#candidates = new Set();
    const result = allocator.run({ candidates, nowMs: options.clock.nowMs() });
    this.runs += 1;
    this.runTimes.add(options.clock.monotonicMs() - startMs);
    this.latencies.add(startMs - (this.#wishedMs ?? startMs));
    this.#wishedMs = undefined;
    const open = result.inverse.filter(({ framework }) => books.frameworks.has(framework));
    offers.send(result.allocations, open);
  }

  #question(book: FrameworkBook): AllocatorFramework {
    const { books } = this.#core;
    const { constraints } = book;
    const filters = Object.entries(book.info.offer_filters ?? {});
    const minAllocatable = Object.fromEntries(
      filters.flatMap(([role, { min_allocatable_resources: least }]) =>
        least === undefined
          ? []
          : [
              [
                role,
                (least.quantities ?? []).map(({ quantities = {} }) =>
                  Object.fromEntries(
                    Object.entries(quantities).map(([name, { value }]) => [
                      name,
                      thousandthsOf(value),
                    ]),
                  ),
                ),
              ],
            ],
      ),
    );
    return {
      id: book.id,
      roles: [...book.roles],
      suppressedRoles: new Set(book.suppressedRoles),
      active: book.active,
      capabilities: book.capabilities,
      minAllocatable,
      ...(constraints !== undefined && {
        accepts: (role, agentID) => {
          const agent = books.agents.get(agentID);
          return agent !== undefined && constraints.accepts(role, agent.info);
        },
      }),
    };
  }

  check(): void {
    this.#flushFrameworks();
    for (const agent of this.#agents) this.#tell(agent);
    this.#allocator?.check();
  }

  stop(): void {
    this.#soon?.();
    this.#quick?.();
    this.#batch?.();
  }
}

/** Scalars by name, in thousandths. */
export function quantitiesOf(resources: readonly Resource[]): Quantities {
  const sums: Record<string, number> = {};
  for (const { name, type, scalar } of resources)
    if (type === 'SCALAR') sums[name] = (sums[name] ?? 0) + thousandthsOf(scalar?.value);
  return sums;
}
