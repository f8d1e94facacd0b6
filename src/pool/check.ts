import assert from 'node:assert/strict';
import { NodeAccount, type Held } from './account.ts';
import type { Ledger } from './ledger.ts';
import { whole } from './resources.ts';
import { countedMax, settle, type Role } from './roles.ts';

/** Recomputes every sum of the ledger from its claims and reservations; throws at a difference. */
export function checkLedger(ledger: Ledger): void {
  checkRows(ledger);
  let held = 0;
  for (const account of ledger.accounts.values()) {
    checkAccount(ledger, account);
    held += account.held.length;
  }
  assert.equal(held, ledger.owners.size, 'Every claim is on one node');
  let reservations = 0;
  for (const account of ledger.accounts.values()) reservations += account.reservations.size;
  assert.equal(reservations, ledger.reservations.size, 'Every reservation is on one node');
  checkRoles(ledger);
  checkFairness(ledger);
}

function checkFairness({ accounts, numbers, fairness, roles }: Ledger): void {
  for (const [number, resource] of numbers.names.entries()) {
    let total = 0;
    for (const { capacity } of accounts.values()) total += whole(capacity[resource] ?? 0);
    close(fairness.totals[number], total, `Capacity of ${resource} adds up`);
  }
  for (const role of roles.values())
    assert((role.parent?.children ?? roles.top).includes(role), `"${role.name}" has its place`);
  for (const demands of fairness.sources.values())
    for (const { role } of demands)
      assert(fairness.waits(roles.get(role)), `Role "${role}" is known to wait`);
}

function checkRows({ columns, accounts }: Ledger): void {
  assert.equal(columns.names.length, columns.size, 'A row has a name');
  assert.equal(columns.row.size, columns.size, 'A name has a row');
  for (const [row, name] of columns.names.entries()) {
    assert.equal(columns.row.get(name), row, `Node "${name}" finds its row`);
    assert.equal(accounts.get(name)?.row, row, `Node "${name}" knows its row`);
  }
  for (const [number, column] of columns.freeByNumber.entries()) {
    const sum = column.reduce((all, amount) => all + Math.max(0, amount), 0);
    close(columns.freeSums[number], sum, 'What is free on all nodes adds up');
  }
  for (const [name, column] of columns.free) {
    assert.equal(column.length, columns.epoch.length, `Column "${name}" has every row`);
    for (let row = columns.size; row < column.length; row++)
      assert.equal(column[row], 0, `Column "${name}" is empty past its last row`);
  }
}

function checkAccount(ledger: Ledger, account: NodeAccount): void {
  const { name, row } = account;
  assert(!account.empty, `Node "${name}" is kept for a reason`);
  const fresh = new NodeAccount(name);
  for (const [place, held] of account.held.entries()) {
    assert.equal(held.place, place, `Claim "${held.claim.owner}" knows its place`);
    assert.equal(held.claim.node, name, `Claim "${held.claim.owner}" is on its node`);
    assert.equal(ledger.owners.get(held.claim.owner), held, 'A claim has one owner');
    fresh.add({ ...held }, ledger.numbers);
  }
  for (const [id, reservation] of account.reservations) {
    assert.equal(ledger.reservations.get(id), reservation, `Reservation "${id}" is known`);
    fresh.reservations.set(id, reservation);
  }
  if (fresh.reservations.size > 0)
    fresh.settlement = settle(fresh.shares(ledger.roles, ledger.numbers));
  const ports = (of: NodeAccount): string[] =>
    of.ports.map((port) => JSON.stringify(port)).toSorted((a, b) => (a < b ? -1 : 1));
  assert.deepEqual(ports(account), ports(fresh), `Ports of node "${name}" add up`);
  for (const [number, resource] of ledger.numbers.names.entries()) {
    close(account.used[number], fresh.used[number], `Used ${resource} of node "${name}" adds up`);
    if (row < 0) continue;
    const allocatable = whole(account.capacity[resource] ?? 0);
    const free = ledger.columns.free.get(resource)?.[row];
    assert.equal(ledger.columns.allocatable.get(resource)?.[row], allocatable);
    close(free, allocatable - fresh.kept(number), `Free ${resource} of node "${name}" adds up`);
  }
  for (const [role, idle] of fresh.settlement.idle)
    assert.deepEqual(account.settlement.idle.get(role), idle, `Idle of "${role.name}" adds up`);
}

function checkRoles(ledger: Ledger): void {
  const used = new Map<Role, number[]>();
  const idle = new Map<Role, number[]>();
  for (const held of ledger.owners.values()) {
    const vector = ledger.numbers.vector(held.claim.amounts);
    const counted = vector.map((amount) => Math.min(amount, countedMax));
    climb(used, held.role, counted);
  }
  for (const account of ledger.accounts.values())
    for (const [role, vector] of account.settlement.idle) climb(idle, role, vector);
  for (const role of ledger.roles.values()) {
    for (const [number, resource] of ledger.numbers.names.entries()) {
      const what = `${resource} of role "${role.name}" adds up`;
      const sum = used.get(role)?.[number];
      if (role.inexact) near(role.used[number], sum, `Used ${what}`);
      else close(role.used[number], sum, `Used ${what}`);
      close(role.idle[number], idle.get(role)?.[number], `Idle ${what}`);
    }
  }
}

function climb(sums: Map<Role, number[]>, role: Held['role'], vector: readonly number[]): void {
  for (let above: Role | undefined = role; above !== undefined; above = above.parent) {
    const sum = sums.get(above) ?? [];
    for (const [number, amount] of vector.entries()) sum[number] = (sum[number] ?? 0) + amount;
    sums.set(above, sum);
  }
}

/** Sums are exact up to 2^53; above it they may differ in their last digits. */
function close(left: number | undefined, right: number | undefined, message: string): void {
  const [a, b] = [left ?? 0, right ?? 0];
  if (a === b) return;
  const largest = Math.max(Math.abs(a), Math.abs(b));
  const equal = largest > Number.MAX_SAFE_INTEGER && Math.abs(a - b) <= largest * 1e-12;
  assert(equal, `${message}: ${a}, ${b}`);
}

function near(left: number | undefined, right: number | undefined, message: string): void {
  const difference = Math.abs((left ?? 0) - (right ?? 0));
  assert(difference <= Number.MAX_SAFE_INTEGER * 1e-9, `${message}: off by ${difference}`);
}
