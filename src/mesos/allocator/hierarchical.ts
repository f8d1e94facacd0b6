import type {
  Allocation,
  Allocator,
  AllocatorAgent,
  AllocatorFramework,
  AllocatorOptions,
  Cycle as CycleResult,
  Refusal,
  RoleSettings,
} from './allocator.ts';
import { checkState } from './check.ts';
import { kube } from './clients.ts';
import { Cycle, type Draft } from './cycle.ts';
import { capShares, tellDemand } from './fairness.ts';
import { factsOf } from './facts.ts';
import { refuseMs } from './filters.ts';
import { KubeDemands } from './kube-demand.ts';
import { covers, hasRanges, isZero } from './quantities.ts';
import { Shuffler } from './shuffler.ts';
import type { Client } from './sorter.ts';
import { State } from './state.ts';

const allocationIntervalMs = 1_000;

/** Hierarchical dominant resource fairness, as the reference's default allocator. */
export function createAllocator(options: AllocatorOptions): Allocator {
  return new HierarchicalAllocator(options);
}

class HierarchicalAllocator implements Allocator {
  readonly #state: State;
  readonly #kube = new KubeDemands();
  readonly #frameworks = new Map<string, AllocatorFramework>();
  /** Whom the pool was last told of, and when the last cycle or answer was. */
  #told: readonly Client[] = [];
  #nowMs = 0;
  #dirty = true;
  readonly #basics: { readonly cpus: number; readonly mem: number };

  constructor(options: AllocatorOptions) {
    this.#state = new State(options);
    const { numbers } = this.#state;
    this.#basics = { cpus: numbers.numberOf('cpus'), mem: numbers.numberOf('mem') };
  }

  setAgent(agent: AllocatorAgent): void {
    const { agents, closed, clients } = this.#state;
    const row = agents.set(agent);
    closed.fit(agents.size, clients.byIndex.length);
    closed.openRow(row);
    this.#dirty = true;
  }

  removeAgent(id: string): void {
    const row = this.#state.agents.remove(id);
    if (row === undefined) return;
    this.#state.filters.clearRow(row);
    this.#state.closed.openRow(row);
    this.#dirty = true;
  }

  attributesChanged(agent: string): void {
    const row = this.#state.agents.row.get(agent);
    if (row === undefined) return;
    this.#state.filters.clearRow(row);
    this.#state.closed.openRow(row);
  }

  setFramework(framework: AllocatorFramework): void {
    const { clients, agents, closed } = this.#state;
    const facts = factsOf(framework);
    const before = this.#frameworks.get(framework.id);
    this.#frameworks.set(framework.id, framework);
    for (const role of framework.roles) clients.get(framework.id, role);
    closed.fit(agents.size, clients.byIndex.length);
    const roles = new Set(framework.roles);
    for (const client of clients.of(framework.id)) {
      const { name } = client.role;
      const subscribed = roles.has(name);
      const suppressed = framework.suppressedRoles?.has(name) === true;
      const revived = before?.suppressedRoles?.has(name) === true && !suppressed;
      const fresh = subscribed && client.facts === undefined;
      client.facts = subscribed ? facts : undefined;
      client.active = subscribed && framework.active && !suppressed;
      if (fresh || revived) client.hunger.revived();
      if (!subscribed || revived || !framework.active) this.#state.filters.clearClient(client);
      closed.openClient(client.index);
    }
    if (!framework.active) this.#state.filters.clearInverse(framework.id);
    this.#dirty = true;
    this.#tellPool();
  }

  removeFramework(id: string): void {
    this.#frameworks.delete(id);
    for (const client of this.#state.clients.of(id)) {
      client.active = false;
      client.facts = undefined;
      this.#state.filters.clearClient(client);
    }
    this.#state.filters.clearInverse(id);
    this.#dirty = true;
    this.#tellPool();
  }

  setRole(role: string, settings: RoleSettings | undefined): void {
    const { tree, numbers } = this.#state;
    const known = tree.get(role);
    known.settings = settings ?? {};
    known.tree.weight = settings?.weight ?? 1;
    known.guarantees = numbers.vector(settings?.guarantees);
    known.limits = undefined;
    if (settings?.limits !== undefined) {
      const limits: (number | undefined)[] = [];
      for (const [name, limit] of Object.entries(settings.limits)) {
        const number = numbers.numberOf(name);
        while (limits.length <= number) limits.push(undefined);
        limits[number] = limit;
      }
      known.limits = limits;
    }
    this.#dirty = true;
  }

  refuse(refusal: Refusal): void {
    const { clients, agents, filters, numbers, options, closed } = this.#state;
    this.#nowMs = refusal.nowMs;
    const client = clients.find(refusal.framework, refusal.role);
    const row = agents.row.get(refusal.agent);
    if (client?.facts === undefined) return;
    const forMs = refuseMs(refusal.seconds, options.allocationIntervalMs ?? allocationIntervalMs);
    const amounts = numbers.vector(refusal.quantities);
    for (const { quantities } of refusal.parcels ?? []) numbers.addTo(amounts, quantities);
    const ports = hasRanges(refusal.ranges);
    this.#learn(client, { amounts, ports, row: row ?? -1, nowMs: refusal.nowMs, forMs });
    this.#tellPool();
    if (forMs === 0 || row === undefined) return;
    filters.add({
      client,
      row,
      amounts: numbers.vector(refusal.quantities),
      ranges: refusal.ranges,
      parcels: new Map(refusal.parcels?.map(({ id, quantities }) => [id, quantities])),
      untilMs: refusal.nowMs + forMs,
    });
    closed.open(row, client.index);
  }

  /** What a refusal says of its framework's hunger depends on how much was offered. */
  #learn(
    client: Client,
    refused: {
      readonly amounts: readonly number[];
      readonly ports: boolean;
      readonly row: number;
      readonly nowMs: number;
      readonly forMs: number;
    },
  ): void {
    const { amounts, ports, row, nowMs, forMs } = refused;
    const { hunger } = client;
    const untilMs = nowMs + forMs;
    const { cpus, mem } = this.#basics;
    const { agents } = this.#state;
    const total = agents.totalOf(row);
    // Somebody else was offered the agent's ports at the moment.
    const portless = !ports && agents.rows[row]?.hadRanges === true;
    const quarter = (number: number): boolean => (amounts[number] ?? 0) * 4 >= (total[number] ?? 0);
    if (!portless && hunger.piece !== undefined && covers(amounts, hunger.piece))
      hunger.declined(nowMs, untilMs);
    else if ((amounts[cpus] ?? 0) === 0 || (amounts[mem] ?? 0) === 0) hunger.declinedNothing();
    else if (!portless && hunger.piece === undefined && quarter(cpus) && quarter(mem))
      hunger.declined(nowMs, untilMs);
    else hunger.declinedScraps(nowMs, untilMs);
  }

  refuseInverse(inverse: {
    readonly framework: string;
    readonly agent: string;
    readonly seconds?: number | undefined;
    readonly nowMs: number;
  }): void {
    const row = this.#state.agents.row.get(inverse.agent);
    // The minimum of one allocation interval does not apply here.
    const forMs = refuseMs(inverse.seconds, 0);
    if (row === undefined || forMs === 0 || !this.#frameworks.has(inverse.framework)) return;
    this.#state.filters.addInverse(inverse.framework, row, inverse.nowMs + forMs);
  }

  revive(framework: string, roles?: readonly string[]): void {
    const { clients, filters, closed } = this.#state;
    for (const client of clients.of(framework)) {
      if (roles !== undefined && roles.length > 0 && !roles.includes(client.role.name)) continue;
      filters.clearClient(client);
      closed.openClient(client.index);
      client.hunger.revived();
    }
    filters.clearInverse(framework);
    this.#tellPool();
  }

  launched(use: Parameters<Allocator['launched']>[0]): void {
    const { clients, numbers } = this.#state;
    this.#nowMs = use.nowMs;
    const piece = numbers.vector(use.piece);
    if (isZero(piece)) return;
    clients.find(use.framework, use.role)?.hunger.launched(piece);
    this.#tellPool();
  }

  settled({ framework, role }: { readonly framework: string; readonly role: string }): void {
    this.#state.clients.find(framework, role)?.hunger.settled();
  }

  run(options: Parameters<Allocator['run']>[0]): CycleResult {
    const { agents, filters, closed, tree, clients } = this.#state;
    const { nowMs } = options;
    this.#nowMs = nowMs;
    filters.expire(nowMs, (client, row) => closed.open(row, client.index));
    clients.prune((client) => {
      filters.clearClient(client);
      closed.openClient(client.index);
    });
    this.#beginKube(nowMs);
    closed.fit(agents.size, clients.byIndex.length);
    if (this.#dirty) tree.refresh();
    this.#dirty = false;
    const rows = this.#candidates(options.candidates);
    const capped = capShares(this.#state, this.#kube, nowMs);
    const cycle = new Cycle(this.#state, { kube: this.#kube, nowMs });
    const shuffler = new Shuffler(this.#state.options.random);
    if (tree.top.some(({ role }) => role.guarantees.length > 0)) {
      shuffler.shuffle(rows);
      cycle.stage('guarantees', rows);
    }
    shuffler.shuffle(rows);
    if (capped) cycle.stage('capped', rows);
    cycle.stage('rest', rows);
    this.#endKube(nowMs);
    const allocations = this.#allocations(cycle.drafts);
    const inverse = this.#inverse(rows, nowMs);
    this.#tellPool();
    return { allocations, inverse };
  }

  get hungry(): boolean {
    return this.#told.some(({ hunger }) => hunger.state === 'hungry');
  }

  share(role: string, framework?: string): number {
    const { tree, clients } = this.#state;
    if (framework === undefined) {
      const known = tree.roles.get(role);
      return known === undefined ? 0 : tree.shareOf(known.tree);
    }
    const client = clients.find(framework, role);
    return client === undefined ? 0 : tree.shareOf(client);
  }

  filtersByRole(): ReadonlyMap<string, number> {
    const { clients, filters } = this.#state;
    const counts = new Map<string, number>();
    for (const client of clients.byIndex) {
      const count = client === undefined ? 0 : filters.count(client);
      if (client === undefined || count === 0) continue;
      const { name } = client.role;
      counts.set(name, (counts.get(name) ?? 0) + count);
    }
    return counts;
  }

  check(): void {
    checkState(this.#state);
  }

  #beginKube(nowMs: number): void {
    const { numbers, clients, options } = this.#state;
    this.#kube.begin(options.pool?.demands(kube) ?? [], { numbers, clients, nowMs });
  }

  /** What was kept for Pods is free again: they take it from the pool themselves. */
  #endKube(nowMs: number): void {
    const { agents, tree, closed } = this.#state;
    this.#kube.end(nowMs, ({ client, row, amounts }) => {
      agents.take(row, amounts, -1);
      tree.hold(client, amounts, -1);
      tree.consume(client.role, amounts, -1);
      closed.openRow(row);
      this.#dirty = true;
    });
  }

  #candidates(ids: Iterable<string> | undefined): Int32Array {
    const { agents } = this.#state;
    const rows: number[] = [];
    if (ids === undefined) for (let row = 0; row < agents.size; row++) rows.push(row);
    else
      for (const id of new Set(ids)) {
        const row = agents.row.get(id);
        if (row !== undefined) rows.push(row);
      }
    return Int32Array.from(rows.filter((row) => agents.rows[row]?.agent.active === true));
  }

  #allocations(drafts: Iterable<Draft>): readonly Allocation[] {
    const { agents, numbers } = this.#state;
    const allocations: Allocation[] = [];
    for (const { client, row, amounts, parcels, ranges } of drafts) {
      const there = agents.rows[row];
      if (there === undefined) continue;
      there.sharedOffered = undefined;
      allocations.push({
        framework: client.framework,
        role: client.role.name,
        agent: there.agent.id,
        quantities: numbers.quantities(amounts),
        parcels: parcels.map(({ id }) => id),
        ranges,
      });
    }
    return allocations;
  }

  #inverse(rows: Int32Array, nowMs: number): CycleResult['inverse'] {
    const { agents, filters } = this.#state;
    const inverse: { framework: string; agent: string }[] = [];
    for (const row of rows) {
      const there = agents.rows[row];
      if (there?.agent.unavailable !== true) continue;
      const holders = new Set(there.applied.map(({ client }) => client.framework));
      for (const { framework } of there.agent.holdings ?? []) holders.add(framework);
      for (const framework of holders) {
        if (this.#frameworks.get(framework)?.active !== true) continue;
        if (filters.hasInverse({ framework, row, nowMs })) continue;
        inverse.push({ framework, agent: there.agent.id });
      }
    }
    return inverse;
  }

  #tellPool(): void {
    this.#told = tellDemand(this.#state, { told: this.#told, nowMs: this.#nowMs });
  }
}
