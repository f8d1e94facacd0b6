import assert from 'node:assert/strict';
import { NodeAccount, type Held } from './account.ts';
import { checkLedger } from './check.ts';
import { Columns } from './columns.ts';
import { Fairness } from './fair.ts';
import type { Amounts, Claim, Demand, NodeCapacity, Pool, Reservation, Verdict } from './pool.ts';
import { portConflict, portText, samePorts } from './ports.ts';
import { addTo, amountText, ResourceNumbers, sameAmounts, whole } from './resources.ts';
import { overGuarantees, overQuota, type QuotaWorld } from './quota.ts';
import { countedMax, countUsed, openTo, Roles, type Role } from './roles.ts';

type Refusal = Extract<Verdict, { readonly ok: false }>;

const granted: Verdict = Object.freeze({ ok: true, repeated: false });
const grantedAgain: Verdict = Object.freeze({ ok: true, repeated: true });

/** An empty pool. */
export function createPool(): Pool {
  return new Ledger();
}

export class Ledger implements Pool {
  readonly numbers = new ResourceNumbers();
  readonly roles = new Roles();
  readonly accounts = new Map<string, NodeAccount>();
  readonly owners = new Map<string, Held>();
  readonly reservations = new Map<string, Reservation>();
  readonly columns = new Columns(this.numbers, (name) => this.accounts.get(name)?.ports ?? []);
  readonly fairness = new Fairness({
    numbers: this.numbers,
    roles: this.roles,
    room: (account, demand) => this.#roomOf(account, demand),
  });
  readonly #quota: QuotaWorld = { numbers: this.numbers, columns: this.columns, roles: this.roles };
  readonly #listeners = new Set<(node: string) => void>();
  readonly #demandListeners = new Set<(source: string) => void>();
  #changed: NodeAccount[] = [];
  #limits = 0;
  #guarantees = 0;

  setNode(node: NodeCapacity): void {
    const account = this.#account(node.name);
    const joins = account.row < 0;
    if (!joins && sameAmounts(account.capacity, node.amounts)) return;
    this.#countCapacity(account.capacity, -1);
    account.capacity = { ...node.amounts };
    this.#countCapacity(account.capacity, 1);
    if (joins) account.row = this.columns.addRow(node.name);
    const vector = this.numbers.vector(node.amounts);
    this.columns.addResources();
    for (const [number, column] of this.columns.allocatableByNumber.entries())
      column[account.row] = vector[number] ?? 0;
    this.#refresh(account);
    this.#notify();
  }

  removeNode(name: string): void {
    const account = this.accounts.get(name);
    if (account === undefined || account.row < 0) return;
    const moved = this.columns.removeRow(account.row);
    if (moved !== undefined) {
      const other = this.accounts.get(moved);
      assert(other !== undefined, 'A row has an account');
      other.row = account.row;
    }
    account.row = -1;
    this.#countCapacity(account.capacity, -1);
    account.capacity = {};
    this.#refresh(account);
    this.#dropEmpty(account);
    this.#notify();
  }

  commit(claims: readonly Claim[]): readonly Verdict[] {
    const verdicts = claims.map((claim) => this.#commitOne(claim));
    this.#notify();
    return verdicts;
  }

  adopt(claim: Claim): void {
    const earlier = this.owners.get(claim.owner);
    if (earlier !== undefined && sameClaim(earlier.claim, claim)) return;
    if (earlier !== undefined) this.#detach(earlier);
    this.#attach(claim, this.#account(claim.node));
    if (earlier !== undefined) this.#dropEmpty(earlier.account);
    this.#notify();
  }

  release(owner: string): void {
    const held = this.owners.get(owner);
    if (held === undefined) return;
    this.#detach(held);
    this.#dropEmpty(held.account);
    this.#notify();
  }

  claim(owner: string): Claim | undefined {
    return this.owners.get(owner)?.claim;
  }

  claimsOn(node: string): readonly Claim[] {
    return this.accounts.get(node)?.held.map((held) => held.claim) ?? [];
  }

  *claims(): IterableIterator<Claim> {
    for (const held of this.owners.values()) yield held.claim;
  }

  roomFor(node: string, role: string): Amounts {
    const account = this.accounts.get(node);
    if (account === undefined || account.row < 0) return {};
    const payer = this.roles.get(role);
    return this.numbers.amounts(
      this.numbers.names.map((_, number) => this.#room(account, payer, number)),
    );
  }

  setQuota(role: string, limit: Amounts | undefined, guarantee?: Amounts): void {
    const payer = this.roles.get(role);
    this.#limits += Number(limit !== undefined) - Number(payer.limit !== undefined);
    this.#guarantees += Number(guarantee !== undefined) - Number(payer.guarantee !== undefined);
    payer.limit = this.#byNumber(limit);
    payer.guarantee = this.#byNumber(guarantee);
    this.columns.addResources();
    this.#demandChanged('quota');
  }

  setWeight(role: string, weight: number): void {
    assert(weight > 0, 'A weight is more than zero');
    const payer = this.roles.get(role);
    if (payer.weight === weight) return;
    payer.weight = weight;
    this.#demandChanged('weights');
  }

  setDemand(source: string, demands: readonly Demand[]): void {
    if (demands.length === 0 && !this.fairness.sources.has(source)) return;
    this.fairness.set(source, demands);
    this.#demandChanged(source);
  }

  demands(source: string): readonly Demand[] {
    return this.fairness.sources.get(source) ?? [];
  }

  onDemand(listener: (source: string) => void): Disposable {
    const entry = (source: string): void => listener(source);
    this.#demandListeners.add(entry);
    return { [Symbol.dispose]: () => void this.#demandListeners.delete(entry) };
  }

  share(role: string): number {
    return this.fairness.share(this.roles.find(role)?.used ?? []);
  }

  setReservation(id: string, reservation: Reservation | undefined): void {
    const earlier = this.reservations.get(id);
    if (earlier !== undefined) {
      const account = this.#account(earlier.node);
      account.reservations.delete(id);
      this.reservations.delete(id);
      this.#refresh(account);
      this.#dropEmpty(account);
    }
    if (reservation !== undefined) {
      const account = this.#account(reservation.node);
      account.reservations.set(id, reservation);
      this.reservations.set(id, reservation);
      this.numbers.vector(reservation.amounts);
      this.columns.addResources();
      this.#refresh(account);
    }
    this.#notify();
  }

  usage(role: string): Amounts {
    return this.numbers.amounts(this.roles.find(role)?.used ?? []);
  }

  onChange(listener: (node: string) => void): Disposable {
    // A wrapper of its own, so that the same function can listen twice.
    const entry = (node: string): void => listener(node);
    this.#listeners.add(entry);
    return { [Symbol.dispose]: () => void this.#listeners.delete(entry) };
  }

  check(): void {
    checkLedger(this);
  }

  #commitOne(claim: Claim): Verdict {
    const earlier = this.owners.get(claim.owner);
    if (earlier === undefined) {
      const refusal = this.#refuse(claim);
      if (refusal !== undefined) return refusal;
      this.#attach(claim, this.#account(claim.node));
      return granted;
    }
    if (sameClaim(earlier.claim, claim)) return grantedAgain;
    if (claim.resize !== true || earlier.claim.node !== claim.node) {
      const where = `holds other room on node "${earlier.claim.node}"`;
      return refused('OwnerTaken', `owner "${claim.owner}" ${where}`);
    }
    const epoch = this.columns.epoch[earlier.account.row];
    this.#detach(earlier);
    const refusal = this.#refuse(claim, epoch);
    this.#attach(refusal === undefined ? claim : earlier.claim, earlier.account);
    return refusal ?? granted;
  }

  /** `epoch` is the node's, when a resize has just moved it. */
  #refuse(claim: Claim, epoch?: number): Refusal | undefined {
    const account = this.accounts.get(claim.node);
    if (account === undefined || account.row < 0)
      return refused('NodeGone', `node "${claim.node}" is not in the pool`);
    const role = this.roles.get(claim.role);
    const { amounts } = claim;
    for (const name in amounts) {
      const amount = whole(amounts[name]);
      if (amount === 0) continue;
      const number = this.numbers.find(name);
      if (number === undefined || amount > this.#room(account, role, number)) {
        const stale = claim.epoch !== (epoch ?? this.columns.epoch[account.row]);
        return this.#noRoom(claim, account, stale);
      }
    }
    for (const port of claim.ports) {
      const holder = portConflict(account.ports, port, claim.owner);
      if (holder === undefined) continue;
      const text = `node "${claim.node}" has port ${portText(port)} held by "${holder.owner}"`;
      return refused('PortTaken', text);
    }
    return this.#overQuota(claim, account) ?? this.#unfair(claim, account);
  }

  #overQuota(claim: Claim, account: NodeAccount): Refusal | undefined {
    const limited = this.#limits === 0 ? undefined : overQuota(this.#quota, claim, account);
    if (limited !== undefined || this.#guarantees === 0) return limited;
    return overGuarantees(this.#quota, claim, account);
  }

  #unfair(claim: Claim, account: NodeAccount): Refusal | undefined {
    if (claim.fair !== true) return undefined;
    const found = this.fairness.refusal(claim, account);
    if (found === undefined) return undefined;
    const has = `role "${found.role}" has its fair share of ${percent(found.fair)}`;
    const text = `${has} while role "${found.behind}" waits for room`;
    return refused('FairShare', text);
  }

  /** What is open to the demand's role on a node; false when its quota would refuse its piece. */
  #roomOf(account: NodeAccount, { role, piece }: Demand): Amounts | false {
    const claim = { owner: '', node: account.name, epoch: 0, amounts: piece, ports: [], role };
    if (this.#overQuota(claim, account) !== undefined) return false;
    return this.roomFor(account.name, role);
  }

  #room(account: NodeAccount, role: Role, number: number): number {
    const free = this.columns.freeByNumber[number]?.[account.row] ?? 0;
    return account.reservations.size === 0 ? free : free + openTo(account.settlement, role, number);
  }

  #noRoom(claim: Claim, account: NodeAccount, stale: boolean): Refusal {
    const role = this.roles.get(claim.role);
    const resources: string[] = [];
    const parts: string[] = [];
    for (const [name, asked] of Object.entries(claim.amounts)) {
      const number = this.numbers.find(name);
      const room = number === undefined ? 0 : this.#room(account, role, number);
      if (asked === 0 || whole(asked) <= room) continue;
      resources.push(name);
      const has = `has ${amountText(name, room)} ${name} free`;
      parts.push(`${has}, claim asks ${amountText(name, asked)}`);
    }
    const message = `node "${claim.node}" ${parts.join('; ')}`;
    return { ok: false, reason: stale ? 'NodeChanged' : 'NoRoom', message, resources };
  }

  #attach(claim: Claim, account: NodeAccount): void {
    const role = this.roles.get(claim.role);
    const held: Held = { claim, account, role, place: 0 };
    this.owners.set(claim.owner, held);
    account.add(held, this.numbers);
    const { amounts } = claim;
    for (const name in amounts) {
      const number = this.numbers.numberFor(name);
      countUsed(role, number, Math.min(whole(amounts[name]), countedMax));
    }
    if (this.numbers.names.length > this.columns.freeByNumber.length) this.columns.addResources();
    this.#moved(account, claim);
  }

  #detach(held: Held): void {
    const { claim, account, role } = held;
    this.owners.delete(claim.owner);
    account.remove(held, this.numbers);
    for (const name in claim.amounts) {
      const number = this.numbers.numberFor(name);
      countUsed(role, number, -Math.min(whole(claim.amounts[name]), countedMax));
    }
    this.#moved(account, claim);
  }

  /** After a claim came or went: only the columns of its resources, unless reservations are there. */
  #moved(account: NodeAccount, claim: Claim): void {
    if (account.reservations.size > 0) {
      this.#refresh(account);
      return;
    }
    const { row } = account;
    if (row >= 0) {
      for (const name in claim.amounts) {
        const number = this.numbers.numberFor(name);
        const allocatable = this.columns.allocatableByNumber[number];
        if (allocatable === undefined) continue;
        const free = (allocatable[row] ?? 0) - (account.used[number] ?? 0);
        this.columns.setFree(number, row, free);
      }
    }
    this.#touch(account);
  }

  #refresh(account: NodeAccount): void {
    account.settle(this.roles, this.numbers);
    const { row } = account;
    if (row >= 0) {
      for (const [number, allocatable] of this.columns.allocatableByNumber.entries())
        this.columns.setFree(number, row, (allocatable[row] ?? 0) - account.kept(number));
    }
    this.#touch(account);
  }

  #byNumber(amounts: Amounts | undefined): (number | undefined)[] | undefined {
    if (amounts === undefined) return undefined;
    const result: (number | undefined)[] = [];
    for (const [name, amount] of Object.entries(amounts)) {
      const number = this.numbers.numberFor(name);
      while (result.length <= number) result.push(undefined);
      result[number] = amount;
    }
    return result;
  }

  #countCapacity(amounts: Amounts, sign: 1 | -1): void {
    for (const name in amounts)
      addTo(this.fairness.totals, this.numbers.numberFor(name), sign * whole(amounts[name]));
  }

  #demandChanged(source: string): void {
    for (const listener of this.#demandListeners) listener(source);
  }

  #touch(account: NodeAccount): void {
    if (account.row >= 0) this.columns.touch(account.row);
    if (account.changed || this.#listeners.size === 0) return;
    account.changed = true;
    this.#changed.push(account);
  }

  #notify(): void {
    if (this.#changed.length === 0) return;
    const changed = this.#changed;
    this.#changed = [];
    for (const account of changed) account.changed = false;
    for (const account of changed) for (const listener of this.#listeners) listener(account.name);
  }

  #account(name: string): NodeAccount {
    const known = this.accounts.get(name);
    if (known !== undefined) return known;
    const account = new NodeAccount(name);
    this.accounts.set(name, account);
    return account;
  }

  #dropEmpty(account: NodeAccount): void {
    if (account.empty) this.accounts.delete(account.name);
  }
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}

function refused(reason: Refusal['reason'], message: string): Refusal {
  return { ok: false, reason, message, resources: [] };
}

function sameClaim(left: Claim, right: Claim): boolean {
  return (
    left.node === right.node &&
    left.role === right.role &&
    sameAmounts(left.amounts, right.amounts) &&
    samePorts(left.ports, right.ports)
  );
}
