import type { Parcel } from './allocator.ts';
import type { AgentRow } from './agents.ts';
import type { KubeDemands } from './kube-demand.ts';
import { covers, isWholeDisk, isZero, openTo, type Vector } from './quantities.ts';
import type { Client, Role, RoleEntry } from './sorter.ts';
import type { State } from './state.ts';

/** An offer in the making: a framework in a role gets at most one of an agent in a cycle. */
export interface Draft {
  readonly client: Client;
  readonly row: number;
  amounts: Vector;
  parcels: readonly Parcel[];
  ranges: boolean;
}

/**
 * `guarantees` serves unmet quota guarantees; `capped` gives nobody more than a fair share while
 * others who want more are behind; `rest` gives what is left, whole.
 */
export type Stage = 'guarantees' | 'capped' | 'rest';

const noParcels: readonly Parcel[] = [];
const none: readonly number[] = [];

/** One allocation cycle (hierarchical.cpp, __allocate). Changes the state as it goes. */
export class Cycle {
  readonly drafts: Draft[] = [];
  /** By agent and client; not kept in the first stage, where nobody comes twice. */
  readonly #known = new Map<number, Draft>();
  #stages = 0;
  readonly #state: State;
  readonly #kube: KubeDemands;
  readonly #nowMs: number;
  /** Guarantees that are not met yet, of all roles together. */
  readonly #required: Vector = [];
  /** Clients that got something on the agent at hand; the order follows after it. */
  readonly #served: Client[] = [];
  readonly #mask: Uint32Array;
  #stage: Stage = 'rest';

  constructor(state: State, options: { readonly kube: KubeDemands; readonly nowMs: number }) {
    this.#state = state;
    this.#kube = options.kube;
    this.#nowMs = options.nowMs;
    this.#mask = new Uint32Array(Math.ceil(state.clients.byIndex.length / 32));
    for (const client of state.clients.byIndex)
      if (client?.active === true || (client !== undefined && this.#kube.wants(client)))
        this.#setMask(client.index);
    for (const { role } of state.tree.top)
      for (const [number, guarantee] of role.guarantees.entries())
        this.#require(number, Math.max(0, guarantee - role.consumed(number)));
  }

  stage(stage: Stage, rows: Int32Array): void {
    const { agents, closed, tree } = this.#state;
    this.#stage = stage;
    this.#stages += 1;
    if (this.#stages === 2)
      for (const draft of this.drafts) this.#known.set(this.#key(draft), draft);
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at] ?? 0;
      if (closed.allClosed(row, this.#mask) || agents.exhausted(row)) continue;
      this.#serveAll(tree.top, row);
      for (const client of this.#served) tree.allocated(client);
      this.#served.length = 0;
    }
  }

  /** Depth first; the order stands still until the agent is done. False when nothing is left. */
  #serveAll(entries: readonly RoleEntry[], row: number): boolean {
    for (const { role, self } of entries) {
      const more = self ? this.#serve(role, row) : this.#serveAll(role.entries, row);
      if (!more) return false;
    }
    return true;
  }

  #serve(role: Role, row: number): boolean {
    const { closed, agents } = this.#state;
    if (this.#stage === 'guarantees' && isZero(this.#unmet(role))) return true;
    for (const client of role.clients) {
      if (client.facts === undefined) {
        if (this.#stage !== 'guarantees' && this.#kube.wants(client)) this.#withhold(client, row);
        continue;
      }
      if (!client.active || closed.has(row, client.index)) continue;
      if (!this.#state.eligible(client, row)) {
        closed.close(row, client.index);
        continue;
      }
      if (this.#offer(client, row) && agents.exhausted(row)) return false;
    }
    return true;
  }

  #offer(client: Client, row: number): boolean {
    const { agents, filters, closed } = this.#state;
    const there = agents.rows[row];
    if (there === undefined) return false;
    const parcels = this.#parcels(client, there);
    const amounts: Vector = [];
    for (let number = 0; number < agents.free.length; number++)
      amounts.push(agents.free[number]?.[row] ?? 0);
    const ranges = there.ranges ? there.agent.ranges : undefined;
    const whole = { amounts, ranges, parcels };
    if (!this.#state.allocatable(client, whole) || this.#filtered(client, row, whole)) {
      // What is offered later in this cycle is less, and what is less is refused as well.
      if (this.#stage !== 'guarantees' && there.sharedOffered === undefined)
        closed.close(row, client.index);
      return false;
    }
    const given = this.#bound(client.role)
      ? this.#shrink(client, amounts, parcels)
      : { amounts, parcels, sure: none, less: false };
    if (given === undefined) return false;
    const offered = { amounts: given.amounts, ranges, parcels: given.parcels };
    if (given.less && !this.#state.allocatable(client, offered)) return false;
    if (given.less && filters.contains(client, row, offered)) return false;
    this.#give(client, row, { ...given, ranges: there.ranges });
    return true;
  }

  #filtered(client: Client, row: number, whole: Parameters<State['allocatable']>[1]): boolean {
    const { filters } = this.#state;
    return filters.has(client, row) && filters.contains(client, row, whole);
  }

  /** What the framework may see of the agent's parcels. */
  #parcels({ facts, role }: Client, there: AgentRow): readonly Parcel[] {
    if (there.parcels.length === 0 || facts === undefined) return noParcels;
    const ownOnly = this.#stage === 'guarantees';
    return there.parcels.filter((parcel) => {
      if (!openTo(role.name, parcel.role)) return false;
      if (ownOnly && parcel.role !== role.name && parcel.role !== '*') return false;
      if (parcel.shared && there.sharedOffered?.has(parcel.id) === true) return false;
      return (
        (facts.shared || !parcel.shared) &&
        (facts.revocable || !parcel.revocable) &&
        (facts.refined || !parcel.refined)
      );
    });
  }

  /** Quota, headroom or fairness may leave less than there is. */
  #bound(role: Role): boolean {
    if (this.#stage !== 'rest' || this.#required.length > 0) return true;
    for (let above: Role | undefined = role; above !== undefined; above = above.parent)
      if (above.limits !== undefined) return true;
    return false;
  }

  /** Cuts unreserved scalars down to what quota, headroom and fairness leave; undefined: nothing. */
  #shrink(client: Client, free: Vector, parcels: readonly Parcel[]) {
    const unmet = this.#stage === 'guarantees' ? this.#unmet(client.role) : undefined;
    const sure = unmet?.map((amount, number) => Math.min(amount, free[number] ?? 0)) ?? [];
    if (unmet !== undefined && isZero(sure)) return undefined;
    const amounts: Vector = [];
    let less = false;
    for (let number = 0; number < free.length; number++) {
      const have = free[number] ?? 0;
      const amount = Math.max(sure[number] ?? 0, Math.min(have, this.#allowance(client, number)));
      amounts.push(amount);
      less ||= amount < have;
    }
    if (less && this.#stage === 'capped') {
      roundToPieces(amounts, client.hunger.piece);
      // CPUs without memory would be no use to anybody: the last stage may have more.
      if (amounts.some((amount, number) => amount === 0 && (free[number] ?? 0) > 0))
        return undefined;
    }
    if (!parcels.some(isWholeDisk)) return { amounts, parcels, sure, less };
    const left = amounts.map((amount, number) => this.#allowance(client, number) - amount);
    const kept = parcels.filter((parcel) => {
      if (!isWholeDisk(parcel)) return true;
      const asked = this.#state.numbers.vector(parcel.quantities);
      if (!covers(left, asked)) return false;
      for (const [number, amount] of asked.entries()) left[number] = (left[number] ?? 0) - amount;
      return true;
    });
    return { amounts, parcels: kept, sure, less: less || kept.length < parcels.length };
  }

  /** How much more of a scalar the framework may be given. Limits of roles above bind as well. */
  #allowance({ role }: Client, number: number): number {
    let allowed = Infinity;
    for (let above: Role | undefined = role; above !== undefined; above = above.parent) {
      const limit = above.limits?.[number];
      if (limit !== undefined) allowed = Math.min(allowed, limit - above.consumed(number));
    }
    if (this.#required.length > 0)
      allowed = Math.min(allowed, this.#headroom(number) - (this.#required[number] ?? 0));
    if (this.#stage === 'capped') allowed = Math.min(allowed, this.#fairRest(role, number));
    return Math.max(0, allowed);
  }

  #headroom(number: number): number {
    return this.#state.agents.freeSum[number] ?? 0;
  }

  #fairRest(role: Role, number: number): number {
    const total = this.#state.tree.total[number] ?? 0;
    let rest = role.self.cap * total - (role.self.held[number] ?? 0);
    for (let above: Role | undefined = role; above !== undefined; above = above.parent)
      rest = Math.min(rest, above.tree.cap * total - (above.tree.held[number] ?? 0));
    return Number.isNaN(rest) ? Infinity : Math.floor(rest + 1e-6);
  }

  #give(
    client: Client,
    row: number,
    given: {
      readonly amounts: Vector;
      readonly parcels: readonly Parcel[];
      readonly sure: readonly number[];
      readonly ranges: boolean;
    },
  ): void {
    const { agents, numbers } = this.#state;
    const there = agents.rows[row];
    if (there === undefined) return;
    for (let number = 0; number < given.sure.length; number++)
      this.#require(number, -(given.sure[number] ?? 0));
    agents.take(row, given.amounts);
    if (given.ranges) there.ranges = false;
    if (given.parcels.length === 0) {
      agents.apply(row, { client, unreserved: given.amounts, parcels: noParcels });
    } else {
      const unreserved = [...given.amounts];
      for (const parcel of given.parcels)
        if (isWholeDisk(parcel)) numbers.addTo(unreserved, parcel.quantities);
      const reserved = given.parcels.filter((parcel) => !isWholeDisk(parcel));
      agents.apply(row, { client, unreserved, parcels: reserved });
      const gone = new Set(given.parcels);
      there.parcels = there.parcels.filter((parcel) => parcel.shared || !gone.has(parcel));
      for (const { id, shared } of given.parcels)
        if (shared) (there.sharedOffered ??= new Set()).add(id);
    }
    this.#served.push(client);
    client.hunger.offered(this.#nowMs);
    this.#draft(client, row, given);
  }

  #draft(
    client: Client,
    row: number,
    given: { readonly amounts: Vector; readonly parcels: readonly Parcel[]; ranges: boolean },
  ): void {
    const { amounts, parcels, ranges } = given;
    const fresh: Draft = { client, row, amounts, parcels, ranges };
    const draft = this.#stages === 1 ? undefined : this.#known.get(this.#key(fresh));
    if (draft === undefined) {
      this.drafts.push(fresh);
      if (this.#stages > 1) this.#known.set(this.#key(fresh), fresh);
      return;
    }
    draft.amounts = draft.amounts.map((amount, number) => amount + (amounts[number] ?? 0));
    draft.parcels = [...draft.parcels, ...parcels];
    draft.ranges ||= ranges;
  }

  #key({ client, row }: Draft): number {
    return row * this.#mask.length * 32 + client.index;
  }

  /** Room that waiting Pods of the role will take is kept from frameworks for this cycle. */
  #withhold(client: Client, row: number): void {
    const { agents } = this.#state;
    const there = agents.rows[row];
    if (there === undefined) return;
    const room = agents.free.map((column) => column[row] ?? 0);
    const allowed = room.map((have, number) => Math.min(have, this.#allowance(client, number)));
    const taken = this.#kube.take(client, { row, node: there.agent.node, room: allowed });
    if (taken === undefined) return;
    agents.take(row, taken);
    this.#state.tree.hold(client, taken, 1);
    this.#state.tree.consume(client.role, taken, 1);
    this.#served.push(client);
  }

  #unmet(role: Role): Vector {
    return role.guarantees.map((guarantee, number) =>
      Math.max(0, guarantee - role.consumed(number)),
    );
  }

  #require(number: number, amount: number): void {
    if (amount === 0) return;
    while (this.#required.length <= number) this.#required.push(0);
    this.#required[number] = Math.max(0, (this.#required[number] ?? 0) + amount);
  }

  #setMask(index: number): void {
    const word = index >>> 5;
    this.#mask[word] = (this.#mask[word] ?? 0) | (1 << (index & 31));
  }
}

/** Whole tasks of the known size, so that no part of a share is lost to rounding. */
function roundToPieces(amounts: Vector, piece: Vector | undefined): void {
  if (piece === undefined) return;
  let count = Infinity;
  for (const [number, one] of piece.entries())
    if (one > 0) count = Math.min(count, Math.floor((amounts[number] ?? 0) / one));
  if (count === Infinity) return;
  for (const [number, one] of piece.entries()) if (one > 0) amounts[number] = count * one;
}
