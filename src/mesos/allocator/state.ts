import type { AllocatorOptions, Quantities } from './allocator.ts';
import { AgentTable } from './agents.ts';
import { ClientTable, ClosedBits } from './clients.ts';
import { Filters, type Offered } from './filters.ts';
import { covers, hasRanges, isZero, ResourceNumbers, type Vector } from './quantities.ts';
import { RoleTree, type Client } from './sorter.ts';

/** `--min_allocatable_resources`: a CPU hundredth or 32 MB. */
const minAllocatableDefault: readonly Quantities[] = [{ cpus: 10 }, { mem: 32_000 }];

/** Everything the allocator knows between cycles. */
export class State {
  readonly options: AllocatorOptions;
  readonly numbers = new ResourceNumbers();
  readonly tree: RoleTree;
  readonly clients: ClientTable;
  readonly agents: AgentTable;
  readonly filters = new Filters();
  readonly closed = new ClosedBits();
  readonly #minima: readonly Vector[];

  constructor(options: AllocatorOptions) {
    this.options = options;
    const excluded = options.fairSharingExcluded ?? new Set<string>();
    this.tree = new RoleTree((number) => excluded.has(this.numbers.names[number] ?? ''));
    this.clients = new ClientTable(this.tree);
    this.agents = new AgentTable(this);
    const minima = options.minAllocatable ?? minAllocatableDefault;
    this.#minima = minima.map((one) => this.numbers.vector(one));
  }

  /** What never changes with amounts: capabilities of both sides and offer constraints. */
  eligible(client: Client, row: number): boolean {
    const there = this.agents.rows[row];
    const { facts, role } = client;
    if (there === undefined || facts === undefined) return false;
    const { agent } = there;
    if (facts.multiRole && !agent.multiRole) return false;
    if (!agent.hierarchicalRole && role.name.includes('/')) return false;
    if (agent.hasGpus && !facts.gpus && this.options.filterGpuResources !== false) return false;
    const remote = agent.region !== undefined && agent.region !== this.options.region;
    if (remote && !facts.regionAware) return false;
    return facts.framework.accepts?.(role.name, agent.id) !== false;
  }

  /** Enough to be worth an offer. */
  allocatable(client: Client, { amounts, ranges, parcels }: Offered): boolean {
    if (isZero(amounts) && parcels.length === 0 && !hasRanges(ranges)) return false;
    const own = client.facts?.framework.minAllocatable?.[client.role.name];
    const minima = own === undefined ? this.#minima : own.map((one) => this.numbers.vector(one));
    if (minima.length === 0) return true;
    let sum: readonly number[] = amounts;
    if (parcels.length > 0) {
      const all = [...amounts];
      for (const { quantities } of parcels) this.numbers.addTo(all, quantities);
      sum = all;
    }
    return minima.some((one) => covers(sum, one));
  }
}
