import assert from 'node:assert/strict';
import { hasRanges, type Vector } from './quantities.ts';
import { RoleTree } from './sorter.ts';
import type { State } from './state.ts';
import { AgentTable } from './agents.ts';
import { ClientTable } from './clients.ts';

/** Adds everything up anew from the agents, and compares; closed agents must have nothing to offer. */
export function checkState(state: State): void {
  const tree = new RoleTree();
  const clients = new ClientTable(tree);
  const fresh = new AgentTable({ numbers: state.numbers, tree, clients });
  for (const [row, there] of state.agents.rows.entries()) {
    if (there === undefined) continue;
    assert.equal(state.agents.row.get(there.agent.id), row, 'An agent finds its row');
    const made = fresh.set(there.agent);
    for (const { client, ...applied } of there.applied)
      fresh.apply(made, { ...applied, client: clients.get(client.framework, client.role.name) });
    for (const column of state.agents.free)
      assert((column[row] ?? 0) >= 0, `Agent "${there.agent.id}" is not oversold`);
  }
  same(state.tree.total, tree.total, 'The total');
  same(state.agents.freeSum, columnSums(state.agents.free), 'What is free');
  for (const role of state.tree.roles.values()) {
    const expected = tree.get(role.name);
    same(role.tree.held, expected.tree.held, `What role "${role.name}" holds`);
    same(role.self.held, expected.self.held, `What role "${role.name}" holds itself`);
    same(role.unreserved, expected.unreserved, `What counts against "${role.name}"`);
    same(role.reserved, expected.reserved, `What is reserved for "${role.name}"`);
    for (const client of role.clients) {
      const name = `What "${client.framework}" holds in "${role.name}"`;
      same(client.held, clients.get(client.framework, role.name).held, name);
      checkClosed(state, client);
    }
  }
}

function checkClosed(state: State, client: NonNullable<State['clients']['byIndex'][number]>) {
  if (!client.active) return;
  for (const [row, there] of state.agents.rows.entries()) {
    if (there === undefined || !state.closed.has(row, client.index)) continue;
    if (!state.eligible(client, row) || there.parcels.length > 0) continue;
    const amounts = state.agents.free.map((column) => column[row] ?? 0);
    const ranges = there.ranges && hasRanges(there.agent.ranges) ? there.agent.ranges : undefined;
    const offered = { amounts, ranges, parcels: [] };
    const offerable =
      state.allocatable(client, offered) && !state.filters.contains(client, row, offered);
    assert(!offerable, `"${there.agent.id}" is rightly closed to "${client.framework}"`);
  }
}

function columnSums(columns: readonly Float64Array[]): Vector {
  return columns.map((column) => column.reduce((sum, amount) => sum + amount, 0));
}

function same(left: readonly number[], right: readonly number[], what: string): void {
  for (let number = 0; number < Math.max(left.length, right.length); number++)
    assert.equal(left[number] ?? 0, right[number] ?? 0, `${what} adds up`);
}
