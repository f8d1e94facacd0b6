import type { Demand } from '#pool';
import type { ClientTable } from './clients.ts';
import { kube } from './clients.ts';
import type { Client } from './sorter.ts';
import { isZero, type ResourceNumbers, type Vector } from './quantities.ts';
import { quantitiesOf } from './units.ts';

/** Pods that were promised room for this long and did not take it want something else. */
const patienceMs = 5_000;

interface Wish {
  readonly piece: Vector;
  left: number;
  readonly usable: Demand['usable'];
  readonly demand: Demand;
}

interface Patience {
  /** The demand that room was kept for, and what the role's Pods held then. */
  readonly wanted: number;
  readonly held: number;
  readonly sinceMs: number;
}

/** Pods that wait for room, by role: for one cycle at a time. */
export class KubeDemands {
  readonly #wishes = new Map<Client, Wish[]>();
  readonly #patience = new Map<string, Patience>();
  readonly #taken: { client: Client; row: number; amounts: Vector }[] = [];

  /** Reads what the pool was told of waiting Pods. */
  begin(
    demands: readonly Demand[],
    world: { numbers: ResourceNumbers; clients: ClientTable; nowMs: number },
  ): void {
    this.#wishes.clear();
    this.#taken.length = 0;
    for (const demand of demands) {
      const piece = world.numbers.vector(quantitiesOf(demand.piece, 'up'));
      if (isZero(piece)) continue;
      const client = world.clients.get(kube, demand.role);
      const wishes = this.#wishes.get(client) ?? [];
      wishes.push({ piece, left: demand.count ?? Infinity, usable: demand.usable, demand });
      this.#wishes.set(client, wishes);
    }
    for (const [role, { sinceMs }] of this.#patience) {
      const client = world.clients.find(kube, role);
      const fresh = client === undefined ? undefined : this.#now(client, world.nowMs);
      const before = this.#patience.get(role);
      if (fresh === undefined || before === undefined) this.#patience.delete(role);
      else if (fresh.wanted !== before.wanted || fresh.held !== before.held)
        this.#patience.delete(role);
      else if (client !== undefined && world.nowMs - sinceMs >= patienceMs)
        this.#wishes.delete(client);
    }
  }

  /** Remembers for whom room was kept, and gives back what was kept. */
  end(nowMs: number, giveBack: (taken: { client: Client; row: number; amounts: Vector }) => void) {
    for (const taken of this.#taken) giveBack(taken);
    for (const { client } of this.#taken)
      if (!this.#patience.has(client.role.name)) {
        const now = this.#now(client, nowMs);
        if (now !== undefined) this.#patience.set(client.role.name, now);
      }
    this.#taken.length = 0;
  }

  wants(client: Client): boolean {
    return this.#wishes.has(client);
  }

  /** As many of the Pods as fit into `room`; the amounts they would take. */
  take(
    client: Client,
    place: { readonly row: number; readonly node: string; readonly room: readonly number[] },
  ): Vector | undefined {
    const left = [...place.room];
    const amounts: Vector = left.map(() => 0);
    for (const wish of this.#wishes.get(client) ?? []) {
      let count = wish.left;
      for (const [number, one] of wish.piece.entries())
        if (one > 0) count = Math.min(count, Math.floor((left[number] ?? 0) / one));
      if (count <= 0 || count === Infinity) continue;
      if (wish.usable?.(place.node, {}) === false) continue;
      wish.left -= count;
      for (const [number, one] of wish.piece.entries()) {
        left[number] = (left[number] ?? 0) - count * one;
        amounts[number] = (amounts[number] ?? 0) + count * one;
      }
    }
    if (isZero(amounts)) return undefined;
    this.#taken.push({ client, row: place.row, amounts });
    return amounts;
  }

  #now(client: Client, nowMs: number): Patience | undefined {
    const wishes = this.#wishes.get(client);
    if (wishes === undefined) return undefined;
    const held = client.held.reduce((sum, amount) => sum + amount, 0);
    const wanted = wishes.reduce((sum, { demand }) => sum + (demand.count ?? 0), 0);
    return { wanted, held, sinceMs: nowMs };
  }
}
