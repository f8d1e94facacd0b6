import { fairUnit, isBehind, type Amounts, type Demand, type Sibling } from '#pool';
import type { KubeDemands } from './kube-demand.ts';
import { covers, type Vector } from './quantities.ts';
import type { Client, Role, RoleEntry } from './sorter.ts';
import type { State } from './state.ts';
import { amountsOf, quantitiesOf } from './units.ts';

interface Competitor extends Sibling {
  readonly entry: RoleEntry;
}

/**
 * Sets how much each role may be given before the others that are known to want more have had their
 * turn; false when nobody is behind, and offers are whole agents as in the reference.
 */
export function capShares(state: State, kubeDemands: KubeDemands, nowMs: number): boolean {
  const { tree } = state;
  const waiting = new Set<RoleEntry>();
  for (const role of tree.roles.values()) {
    role.self.cap = Infinity;
    role.tree.cap = Infinity;
    if (!role.clients.some((client) => surelyWants(state, client, { kubeDemands, nowMs })))
      continue;
    waiting.add(role.self);
    for (let above: Role | undefined = role; above !== undefined; above = above.parent)
      waiting.add(above.tree);
  }
  if (waiting.size === 0) return false;
  return capSiblings(state, { entries: tree.top, budget: 1, waiting });
}

function capSiblings(
  state: State,
  level: {
    readonly entries: readonly RoleEntry[];
    readonly budget: number;
    readonly waiting: ReadonlySet<RoleEntry>;
  },
): boolean {
  const siblings: Competitor[] = level.entries.map((entry) => ({
    entry,
    weight: entry.weight,
    share: entry.share * entry.weight,
    demands: level.waiting.has(entry),
  }));
  let capped = false;
  for (const asking of siblings) {
    const unit = fairUnit(siblings, asking, level.budget);
    const fair = unit * asking.weight;
    const others = siblings.some(
      (other) => other !== asking && other.demands && isBehind(other, asking, unit),
    );
    if (others) {
      asking.entry.cap = fair;
      capped = true;
    }
    const { role, self } = asking.entry;
    if (self || role.entries.length === 1) continue;
    const budget = Math.max(asking.share, fair);
    capped = capSiblings(state, { ...level, entries: role.entries, budget }) || capped;
  }
  return capped;
}

/** Pods that wait, and frameworks whose last word was a launch; not those whose quota is used up. */
function surelyWants(
  state: State,
  client: Client,
  { kubeDemands, nowMs }: { readonly kubeDemands: KubeDemands; readonly nowMs: number },
): boolean {
  if (client.facts === undefined) return kubeDemands.wants(client);
  if (!client.active || client.hunger.state !== 'hungry' || !client.hunger.wants(nowMs))
    return false;
  return underLimits(client.role, client.hunger.piece ?? []);
}

function underLimits(role: Role, piece: Vector): boolean {
  for (let above: Role | undefined = role; above !== undefined; above = above.parent)
    for (const [number, limit] of above.limits?.entries() ?? [])
      if (limit !== undefined && above.consumed(number) + (piece[number] ?? 0) > limit)
        return false;
  return true;
}

/** Tells the pool which frameworks may want more, when that has changed; who they are now. */
export function tellDemand(
  state: State,
  { told, nowMs }: { readonly told: readonly Client[]; readonly nowMs: number },
): readonly Client[] {
  const wanting = state.clients.byIndex.filter(
    (client): client is Client => client?.active === true && client.hunger.wants(nowMs),
  );
  if (wanting.length === told.length && wanting.every((client, at) => client === told[at]))
    return told;
  state.options.pool?.setDemand(
    'mesos',
    wanting.map((client) => demandOf(state, client)),
  );
  return wanting;
}

function demandOf(state: State, client: Client): Demand {
  return {
    role: client.role.name,
    get piece() {
      return amountsOf(state.numbers.quantities(client.hunger.piece ?? []));
    },
    usable: (node, room) => couldUse(state, client, { node, room }),
  };
}

/** Would what is free on a node now be offered to the framework, and be enough for it? */
function couldUse(
  state: State,
  client: Client,
  { node, room }: { readonly node: string; readonly room: Amounts },
): boolean {
  const { agents, filters, numbers } = state;
  const row = agents.rowOfNode.get(node);
  const there = row === undefined ? undefined : agents.rows[row];
  if (row === undefined || there?.agent.active !== true) return false;
  if (!state.eligible(client, row)) return false;
  const amounts = numbers.vector(quantitiesOf(room, 'down'));
  const offered = { amounts, ranges: undefined, parcels: [] };
  const { piece } = client.hunger;
  if (piece !== undefined && !covers(amounts, piece)) return false;
  return state.allocatable(client, offered) && !filters.contains(client, row, offered);
}
