import type { AllocatorAgent, Parcel } from './allocator.ts';
import type { Client, RoleTree } from './sorter.ts';
import type { ClientTable } from './clients.ts';
import { addAll, hasRanges, type ResourceNumbers, type Vector } from './quantities.ts';

/** An allocation that was made since the master last described the agent. */
export interface Applied {
  readonly client: Client;
  /** Unreserved scalars, whole disks included: what counts against quota. */
  readonly unreserved: Vector;
  readonly parcels: readonly Parcel[];
}

/** All that is known of one agent but its columns. */
export interface AgentRow {
  readonly agent: AllocatorAgent;
  /** Left to be offered. */
  parcels: readonly Parcel[];
  ranges: boolean;
  /** It has ranges, be they free or not. */
  readonly hadRanges: boolean;
  readonly applied: Applied[];
  /** Shared parcels that went into an offer of the current cycle. */
  sharedOffered: Set<string> | undefined;
}

interface Sums {
  readonly numbers: ResourceNumbers;
  readonly tree: RoleTree;
  readonly clients: ClientTable;
}

/** Agents as columns; a row stays where it is while its agent is known. */
export class AgentTable {
  readonly rows: (AgentRow | undefined)[] = [];
  readonly row = new Map<string, number>();
  readonly rowOfNode = new Map<string, number>();
  /** Unreserved scalars to be offered, by resource number. */
  readonly free: Float64Array[] = [];
  /** The sums of `free`: the headroom. Agents that are not active count too. */
  readonly freeSum: Vector = [];
  readonly #sums: Sums;
  readonly #freed: number[] = [];
  #capacity = 64;

  constructor(sums: Sums) {
    this.#sums = sums;
  }

  get size(): number {
    return this.rows.length;
  }

  set(agent: AllocatorAgent): number {
    const known = this.row.get(agent.id);
    const row = known ?? this.#freed.pop() ?? this.rows.length;
    if (known !== undefined) this.#count(row, -1);
    this.rows[row] = {
      // What was added now is what is taken off later, whatever becomes of the caller's lists.
      agent: { ...agent, holdings: [...(agent.holdings ?? [])] },
      parcels: agent.parcels ?? [],
      ranges: hasRanges(agent.ranges),
      hadRanges:
        hasRanges(agent.ranges) || (known !== undefined && this.rows[known]?.hadRanges === true),
      applied: [],
      sharedOffered: undefined,
    };
    this.row.set(agent.id, row);
    this.rowOfNode.set(agent.node, row);
    if (row >= this.#capacity) this.#grow(row + 1);
    this.#setFree(row, this.#sums.numbers.vector(agent.free));
    this.#count(row, 1);
    return row;
  }

  remove(id: string): number | undefined {
    const row = this.row.get(id);
    const there = row === undefined ? undefined : this.rows[row];
    if (row === undefined || there === undefined) return undefined;
    this.#count(row, -1);
    this.#setFree(row, []);
    this.rows[row] = undefined;
    this.row.delete(id);
    this.rowOfNode.delete(there.agent.node);
    this.#freed.push(row);
    return row;
  }

  totalOf(row: number): Vector {
    return this.#sums.numbers.vector(this.rows[row]?.agent.total);
  }

  /** Nothing of it is left to be offered. */
  exhausted(row: number): boolean {
    for (let number = 0; number < this.free.length; number++)
      if ((this.free[number]?.[row] ?? 0) > 0) return false;
    const there = this.rows[row];
    return there === undefined || (there.parcels.length === 0 && !there.ranges);
  }

  /** Takes amounts away from a row, or gives them back. */
  take(row: number, amounts: readonly number[], sign: 1 | -1 = 1): void {
    for (let number = 0; number < amounts.length; number++) {
      const amount = sign * (amounts[number] ?? 0);
      const column = this.free[number];
      if (amount === 0 || column === undefined) continue;
      column[row] = (column[row] ?? 0) - amount;
      this.freeSum[number] = (this.freeSum[number] ?? 0) - amount;
    }
  }

  /** Adds an allocation to the account; `setAgent()` replaces it by what the master then says. */
  apply(row: number, applied: Applied): void {
    this.rows[row]?.applied.push(applied);
    this.#countApplied(row, applied, 1);
  }

  /** Amounts held, reserved and had by the row, added to or taken off all sums. */
  #count(row: number, sign: 1 | -1): void {
    const there = this.rows[row];
    if (there === undefined) return;
    const { numbers, tree, clients } = this.#sums;
    const { agent } = there;
    tree.addTotal(numbers.vector(agent.total), sign);
    for (const [role, quantities] of Object.entries(agent.reserved ?? {}))
      tree.reserve(tree.get(role), numbers.vector(quantities), sign);
    for (const holding of agent.holdings ?? []) {
      const client = clients.get(holding.framework, holding.role);
      const amounts = numbers.vector(holding.quantities);
      tree.hold(client, amounts, sign);
      addAll(amounts, numbers.vector(holding.reserved), -1);
      addAll(amounts, numbers.vector(holding.revocable), -1);
      tree.consume(client.role, amounts, sign);
      for (const { id, quantities } of holding.shared ?? [])
        tree.holdShared(client, `${agent.id}/${id}`, { amounts: numbers.vector(quantities), sign });
    }
    for (const applied of there.applied) this.#countApplied(row, applied, sign);
  }

  #countApplied(row: number, { client, unreserved, parcels }: Applied, sign: 1 | -1): void {
    const { numbers, tree } = this.#sums;
    tree.hold(client, unreserved, sign);
    tree.consume(client.role, unreserved, sign);
    const id = this.rows[row]?.agent.id ?? '';
    for (const parcel of parcels) {
      const amounts = numbers.vector(parcel.quantities);
      if (parcel.shared) tree.holdShared(client, `${id}/${parcel.id}`, { amounts, sign });
      else tree.hold(client, amounts, sign);
    }
  }

  #setFree(row: number, amounts: readonly number[]): void {
    while (this.free.length < this.#sums.numbers.names.length)
      this.free.push(new Float64Array(this.#capacity));
    for (const [number, column] of this.free.entries()) {
      const amount = Math.max(0, amounts[number] ?? 0);
      this.freeSum[number] = (this.freeSum[number] ?? 0) + amount - (column[row] ?? 0);
      column[row] = amount;
    }
  }

  #grow(rows: number): void {
    this.#capacity = Math.max(rows, this.#capacity * 2);
    for (const [number, column] of this.free.entries()) {
      const larger = new Float64Array(this.#capacity);
      larger.set(column);
      this.free[number] = larger;
    }
  }
}
