import type { AllocatorAgent, Holding, Parcel, Quantities } from '#mesos/allocator';
import type { Resource } from '#mesos/protocol';
import type { Pool } from '#pool';
import type { AgentBook, Books } from './books.ts';
import type { Core } from './core.ts';
import { identityOf, isPlain, thousandthsOf } from './holdings.ts';
import { poolResources } from './node-facts.ts';
import { availableOf } from './room.ts';

interface Sums {
  readonly framework: string;
  readonly role: string;
  readonly quantities: Record<string, number>;
  readonly reserved: Record<string, number>;
  readonly revocable: Record<string, number>;
  readonly shared: Map<string, { count: number; readonly quantities: Quantities }>;
}

/** Who holds how much on one agent, in offers, tasks and executors; kept as it changes. */
export class Shares {
  readonly #sums = new Map<string, Sums>();

  change(
    framework: string,
    {
      role,
      resources,
      sign,
    }: { readonly role: string; readonly resources: readonly Resource[]; readonly sign: 1 | -1 },
  ): void {
    const sums = this.#sumsOf(framework, role);
    for (const resource of resources) {
      if (resource.type !== 'SCALAR') continue;
      const { name } = resource;
      const amount = thousandthsOf(resource.scalar?.value);
      if (resource.shared !== undefined) {
        this.#share(sums, resource, sign);
        continue;
      }
      const add = (to: Record<string, number>): void => {
        to[name] = (to[name] ?? 0) + sign * amount;
        if (to[name] === 0) delete to[name];
      };
      add(sums.quantities);
      if ((resource.reservations ?? []).length > 0) add(sums.reserved);
      if (resource.revocable !== undefined) add(sums.revocable);
    }
    if (Object.keys(sums.quantities).length === 0 && sums.shared.size === 0)
      this.#sums.delete(`${framework}\n${role}`);
  }

  #sumsOf(framework: string, role: string): Sums {
    const key = `${framework}\n${role}`;
    let sums = this.#sums.get(key);
    if (sums === undefined) {
      sums = { framework, role, quantities: {}, reserved: {}, revocable: {}, shared: new Map() };
      this.#sums.set(key, sums);
    }
    return sums;
  }

  #share(sums: Sums, resource: Resource, sign: 1 | -1): void {
    const id = identityOf(resource);
    const quantities = { [resource.name]: thousandthsOf(resource.scalar?.value) };
    const entry = sums.shared.get(id) ?? { count: 0, quantities };
    entry.count += sign;
    if (entry.count > 0) sums.shared.set(id, entry);
    else sums.shared.delete(id);
  }

  holdings(): readonly Holding[] {
    return [...this.#sums.values()].map(
      ({ framework, role, quantities, reserved, revocable, shared }) => ({
        framework,
        role,
        quantities: { ...quantities },
        reserved: { ...reserved },
        revocable: { ...revocable },
        ...(shared.size > 0 && {
          shared: [...shared].map(([id, entry]) => ({ id, quantities: entry.quantities })),
        }),
      }),
    );
  }

  /** By framework and role, for checks. */
  get size(): number {
    return this.#sums.size;
  }
}

/** One agent as the allocator is told of it. */
export function agentQuestion(core: Core, agent: AgentBook): AllocatorAgent {
  const { pool } = core.options;
  const free = availableOf(pool, agent);
  const plain: Record<string, number> = {};
  const parcels: Parcel[] = [];
  const ranges: Record<string, readonly (readonly [number, number])[]> = {};
  for (const { identity, like, thousandths, resource } of free.parts()) {
    if (!isPlain(like)) parcels.push(parcelOf(identity, like, thousandths));
    else if (like.type === 'SCALAR') plain[like.name] = thousandths;
    else if (like.type === 'RANGES')
      ranges[like.name] = (resource.ranges?.range ?? []).map(
        ({ begin, end }) => [begin, end] as const,
      );
  }
  const total = agent.total.quantities();
  return {
    id: agent.id,
    node: agent.nodeName,
    total,
    reserved: reservedByRole(agent),
    free: plain,
    ranges,
    parcels,
    holdings: [...core.cycle.sharesOf(agent).holdings(), ...podHoldings(core.books, agent, pool)],
    active: agent.active,
    hasGpus: (total['gpus'] ?? 0) > 0,
    multiRole: true,
    hierarchicalRole: true,
    unavailable: core.operator.unavailabilityOf(agent) !== undefined,
    region: agent.info.domain?.fault_domain?.region.name,
  };
}

function parcelOf(id: string, like: Resource, thousandths: number): Parcel {
  const stack = like.reservations ?? [];
  return {
    id,
    role: stack.at(-1)?.role ?? '*',
    quantities: like.type === 'SCALAR' ? { [like.name]: thousandths } : {},
    refined: stack.length > 1,
    revocable: like.revocable !== undefined,
    shared: like.shared !== undefined,
  };
}

function reservedByRole(agent: AgentBook): Readonly<Record<string, Quantities>> {
  const byRole: Record<string, Record<string, number>> = {};
  for (const { name, type, scalar, reservations } of agent.kept) {
    const role = reservations?.at(-1)?.role;
    if (role === undefined || type !== 'SCALAR') continue;
    const sums = (byRole[role] ??= {});
    sums[name] = (sums[name] ?? 0) + thousandthsOf(scalar?.value);
  }
  return byRole;
}

/** What Pods of no framework hold there, by the role that pays. */
function podHoldings(books: Books, agent: AgentBook, pool: Pool): readonly Holding[] {
  const byRole = new Map<string, Record<string, number>>();
  for (const claim of pool.claimsOn(agent.nodeName)) {
    const key = claim.owner.slice('pod/'.length);
    if (books.tasks.has(key) || books.executors.has(key)) continue;
    const sums = byRole.get(claim.role) ?? {};
    byRole.set(claim.role, sums);
    for (const [name, { name: poolName, units }] of poolResources) {
      const amount = claim.amounts[poolName];
      if (amount === undefined || amount === 0) continue;
      sums[name] = (sums[name] ?? 0) + Math.ceil((amount * 1000) / units);
    }
  }
  return [...byRole].map(([role, quantities]) => ({ framework: 'kube', role, quantities }));
}
