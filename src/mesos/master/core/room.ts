import type { Pool } from '#pool';
import type { Resource } from '#mesos/protocol';
import type { AgentBook } from './books.ts';
import { Holdings, isPlain } from './holdings.ts';
import { poolResources } from './node-facts.ts';
import { normalRanges, subtractRanges, type Ranges } from './ranges.ts';

/**
 * Room on a machine as both sides see it: what the books of Mesos say is free, and what the pool has
 * left after the Pods of everybody. Offers are made of what both agree on.
 */
export function availableOf(pool: Pool, agent: AgentBook): Holdings {
  const free = agent.total.minus(agent.busy);
  const row = pool.columns.row.get(agent.nodeName);
  if (row === undefined || (pool.columns.free.get('pods')?.[row] ?? 1) < 1) return new Holdings();
  for (const name of poolResources.keys()) {
    const mine = free.scalar(name);
    if (mine === 0) continue;
    const left = poolFree(pool, row, name) - agent.offered.scalar(name);
    if (left < mine) free.setScalar(name, left);
  }
  const ports = free.ranges('ports');
  const taken = portsTaken(pool, row);
  if (ports.length > 0 && taken.length > 0) free.setRanges('ports', subtractRanges(ports, taken));
  return free;
}

/** In thousandths of Mesos' unit, rounded down. */
function poolFree(pool: Pool, row: number, name: string): number {
  const { name: column, units } = poolResources.get(name) ?? { name, units: 1 };
  const base = pool.columns.free.get(column)?.[row] ?? 0;
  return Math.floor((base * 1000) / units);
}

/** What Pods of any kind have left there; all of it while the pool does not know the machine. */
export function freeInPool(pool: Pool, agent: AgentBook, name: string): number {
  const row = pool.columns.row.get(agent.nodeName);
  return row === undefined ? agent.total.scalar(name) : poolFree(pool, row, name);
}

export function portsTaken(pool: Pool, row: number): Ranges {
  return normalRanges(pool.columns.ports(row).map(({ port }) => ({ begin: port, end: port })));
}

/** Do the offers of this agent still fit into what the pool has left? */
export function offersFit(pool: Pool, agent: AgentBook): boolean {
  const row = pool.columns.row.get(agent.nodeName);
  if (row === undefined) return false;
  for (const name of poolResources.keys())
    if (agent.offered.scalar(name) > Math.max(0, poolFree(pool, row, name))) return false;
  const offered = agent.offered.ranges('ports');
  if (offered.length === 0) return true;
  return !portsTaken(pool, row).some((taken) =>
    offered.some(({ begin, end }) => taken.begin <= end && taken.end >= begin),
  );
}

/** What Pods of no framework hold there: all that is held, less what the books of Mesos know. */
export function podResources(pool: Pool, agent: AgentBook): readonly Resource[] {
  const row = pool.columns.row.get(agent.nodeName);
  if (row === undefined) return [];
  const used = new Holdings();
  for (const list of agent.usedLists()) used.add(list.filter(isPlain));
  const held = new Holdings();
  for (const name of poolResources.keys()) {
    const rest = agent.total.scalar(name) - poolFree(pool, row, name) - used.scalar(name);
    held.setScalar(name, rest);
  }
  const own = used.ranges('ports');
  const ports = subtractRanges(portsTaken(pool, row), own);
  held.setRanges('ports', ports);
  return held.list();
}

/** The pool keeps Pods of others out of what is reserved. */
export function reserveInPool(pool: Pool, node: string, kept: readonly Resource[]): void {
  const byRole = new Map<string, Record<string, number>>();
  for (const resource of kept) {
    const role = resource.reservations?.at(-1)?.role;
    const known = poolResources.get(resource.name);
    if (role === undefined || known === undefined || resource.type !== 'SCALAR') continue;
    // Disks of their own are not of the node's one account.
    if (resource.disk?.source !== undefined) continue;
    const amounts = byRole.get(role) ?? {};
    byRole.set(role, amounts);
    const units = Math.ceil((resource.scalar?.value ?? 0) * known.units);
    amounts[known.name] = (amounts[known.name] ?? 0) + units;
  }
  const before = reserved.get(pool) ?? new Map<string, ReadonlySet<string>>();
  reserved.set(pool, before);
  for (const role of before.get(node) ?? [])
    if (!byRole.has(role)) pool.setReservation(reservationID(node, role), undefined);
  for (const [role, amounts] of byRole)
    pool.setReservation(reservationID(node, role), { node, role, amounts });
  before.set(node, new Set(byRole.keys()));
}

/** Which roles have a reservation of ours where, by pool. */
const reserved = new WeakMap<Pool, Map<string, ReadonlySet<string>>>();

function reservationID(node: string, role: string): string {
  return `mesos/${node}/${role}`;
}
