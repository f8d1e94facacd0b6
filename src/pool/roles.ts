import { addTo } from './resources.ts';

/** Who pays. `eng/dev` is under `eng`: it may use what is reserved for `eng` and counts to its quota. */
export interface Role {
  readonly name: string;
  readonly parent: Role | undefined;
  readonly depth: number;
  readonly children: Role[];
  /** Its part among its siblings when they divide what is there. */
  weight: number;
  /** Claimed by the role and those under it, by resource number. */
  readonly used: number[];
  /** Reserved for the role and those under it, and not used. */
  readonly idle: number[];
  /** A sum went past 2^53 once and may have lost its last digits. */
  inexact: boolean;
  /** By resource number; a hole is no limit. */
  limit: readonly (number | undefined)[] | undefined;
  /** By resource number: room for this much is kept from the others. Counts at the top only. */
  guarantee: readonly (number | undefined)[] | undefined;
}

export class Roles {
  readonly top: Role[] = [];
  readonly #roles = new Map<string, Role>();

  get(name: string): Role {
    const known = this.#roles.get(name);
    if (known !== undefined) return known;
    const slash = name.lastIndexOf('/');
    const parent = slash > 0 ? this.get(name.slice(0, slash)) : undefined;
    const depth = parent === undefined ? 0 : parent.depth + 1;
    const role: Role = {
      name,
      parent,
      depth,
      children: [],
      weight: 1,
      used: [],
      idle: [],
      inexact: false,
      limit: undefined,
      guarantee: undefined,
    };
    this.#roles.set(name, role);
    (parent?.children ?? this.top).push(role);
    return role;
  }

  find(name: string): Role | undefined {
    return this.#roles.get(name);
  }

  values(): IterableIterator<Role> {
    return this.#roles.values();
  }
}

/** No machine has this much; a Pod that asks for more must not drown what else its role holds. */
export const countedMax = 2 ** 50;

/** Counts `amount` for the role and all above it. */
export function countUsed(role: Role, number: number, amount: number): void {
  for (let above: Role | undefined = role; above !== undefined; above = above.parent)
    if (!Number.isSafeInteger(addTo(above.used, number, amount))) above.inexact = true;
}

/** What a role reserved on one node and what its own claims use there, by resource number. */
export interface RoleShare {
  readonly reserved: readonly number[];
  readonly used: readonly number[];
}

/** What a node's reservations leave over. */
export interface Settlement {
  /** Kept from everybody else: all reservations and what claims use beyond theirs. */
  readonly held: readonly number[];
  /** Reserved and not used, by the role it is reserved for. */
  readonly idle: ReadonlyMap<Role, readonly number[]>;
}

/**
 * A role's claims use its own reservation first, then those of the roles above it, from the nearest
 * up, then what is nobody's. The result does not depend on the order of claims, so an account that
 * is rebuilt is the account that was.
 */
export function settle(shares: ReadonlyMap<Role, RoleShare>): Settlement {
  const demand = new Map<Role, number[]>();
  for (const [role, share] of shares) {
    for (let above: Role | undefined = role; above !== undefined; above = above.parent)
      if (!demand.has(above)) demand.set(above, []);
    const own = demand.get(role) ?? [];
    for (const [number, amount] of share.used.entries()) addTo(own, number, amount);
  }
  const held: number[] = [];
  const idle = new Map<Role, number[]>();
  for (const role of [...demand.keys()].toSorted((a, b) => b.depth - a.depth)) {
    const wanted = demand.get(role) ?? [];
    const reserved = shares.get(role)?.reserved ?? [];
    const left: number[] = [];
    const above = role.parent === undefined ? held : (demand.get(role.parent) ?? []);
    for (let number = 0; number < Math.max(wanted.length, reserved.length); number++) {
      const have = reserved[number] ?? 0;
      const want = wanted[number] ?? 0;
      if (have > 0) addTo(held, number, have);
      if (have > want) addTo(left, number, have - want);
      if (want > have) addTo(above, number, want - have);
    }
    if (left.length > 0) idle.set(role, left);
  }
  return { held, idle };
}

/** How much of resource `number` is reserved, unused and open to `role`. */
export function openTo(settlement: Settlement, role: Role, number: number): number {
  let open = 0;
  for (let above: Role | undefined = role; above !== undefined; above = above.parent)
    open += settlement.idle.get(above)?.[number] ?? 0;
  return open;
}
