import type { Amounts, Claim, Reservation } from './pool.ts';
import type { PortHolder } from './ports.ts';
import { addTo, whole, type ResourceNumbers } from './resources.ts';
import { settle, type Role, type Roles, type RoleShare, type Settlement } from './roles.ts';

/** A claim that was granted, and where it stands in its node's list. */
export interface Held {
  readonly claim: Claim;
  readonly account: NodeAccount;
  readonly role: Role;
  place: number;
}

const nothingReserved: Settlement = { held: [], idle: new Map() };

/** All that is known of one machine; it outlives the machine while somebody holds claims on it. */
export class NodeAccount {
  readonly name: string;
  /** -1 while the machine is not in the pool. */
  row = -1;
  capacity: Amounts = {};
  readonly held: Held[] = [];
  /** By resource number. */
  readonly used: number[] = [];
  readonly ports: PortHolder[] = [];
  readonly reservations = new Map<string, Reservation>();
  settlement: Settlement = nothingReserved;
  /** Waits for the listeners to be told. */
  changed = false;

  constructor(name: string) {
    this.name = name;
  }

  get empty(): boolean {
    return this.row < 0 && this.held.length === 0 && this.reservations.size === 0;
  }

  add(held: Held, numbers: ResourceNumbers): void {
    held.place = this.held.length;
    this.held.push(held);
    const { amounts, ports, owner } = held.claim;
    for (const name in amounts) addTo(this.used, numbers.numberFor(name), whole(amounts[name]));
    for (const port of ports) this.ports.push({ ...port, owner });
  }

  remove(held: Held, numbers: ResourceNumbers): void {
    const last = this.held.pop();
    if (last !== undefined && last !== held) {
      last.place = held.place;
      this.held[held.place] = last;
    }
    const { amounts, ports, owner } = held.claim;
    for (const name in amounts) this.#takeOff(name, whole(amounts[name]), numbers);
    if (ports.length === 0) return;
    const others = this.ports.filter((port) => port.owner !== owner);
    this.ports.splice(0, this.ports.length, ...others);
  }

  /** Works out again what reservations keep; the sums of idle reservations follow in the roles. */
  settle(roles: Roles, numbers: ResourceNumbers): void {
    countIdle(this.settlement, -1);
    this.settlement =
      this.reservations.size === 0 ? nothingReserved : settle(this.shares(roles, numbers));
    countIdle(this.settlement, 1);
  }

  shares(roles: Roles, numbers: ResourceNumbers): Map<Role, RoleShare> {
    const shares = new Map<Role, { reserved: number[]; used: number[] }>();
    const shareOf = (role: Role): { reserved: number[]; used: number[] } => {
      const share = shares.get(role) ?? { reserved: [], used: [] };
      shares.set(role, share);
      return share;
    };
    for (const { role, amounts } of this.reservations.values()) {
      const { reserved } = shareOf(roles.get(role));
      for (const [number, amount] of numbers.vector(amounts).entries())
        addTo(reserved, number, amount);
    }
    for (const { role, claim } of this.held) {
      const { used } = shareOf(role);
      for (const name in claim.amounts)
        addTo(used, numbers.numberFor(name), whole(claim.amounts[name]));
    }
    return shares;
  }

  /** Kept from role '*': everything used, or where reservations are, what these add to it. */
  kept(number: number): number {
    const vector = this.reservations.size === 0 ? this.used : this.settlement.held;
    return vector[number] ?? 0;
  }

  /** A sum past 2^53 has lost digits: it is added up anew instead of being counted down. */
  #takeOff(name: string, amount: number, numbers: ResourceNumbers): void {
    const number = numbers.numberFor(name);
    const before = this.used[number] ?? 0;
    this.used[number] = Number.isSafeInteger(before)
      ? before - amount
      : this.held.reduce((sum, { claim }) => sum + whole(claim.amounts[name] ?? 0), 0);
  }
}

function countIdle(settlement: Settlement, sign: 1 | -1): void {
  for (const [role, idle] of settlement.idle)
    for (let above: Role | undefined = role; above !== undefined; above = above.parent)
      for (const [number, amount] of idle.entries()) addTo(above.idle, number, sign * amount);
}
