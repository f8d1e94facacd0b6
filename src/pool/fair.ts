import type { NodeAccount } from './account.ts';
import type { Amounts, Claim, Demand } from './pool.ts';
import { whole, type ResourceNumbers } from './resources.ts';
import type { Role, Roles } from './roles.ts';

/** One of several that divide the cluster, or their parent's part of it, by weight. */
export interface Sibling {
  readonly weight: number;
  /** Dominant share: the largest part it has of any resource of the cluster. Not by weight. */
  readonly share: number;
  /** It wants more. */
  readonly demands: boolean;
}

/** Shares are sums of fractions: what is this close is equal. */
export const shareTolerance = 1e-9;

/**
 * What a weight of one is worth when `asking` and everyone who demands divide, by weight, what the
 * others leave of `budget`.
 */
export function fairUnit(siblings: readonly Sibling[], asking: Sibling, budget: number): number {
  let rest = budget;
  let weights = 0;
  for (const one of siblings)
    if (one.demands || one === asking) weights += one.weight;
    else rest -= one.share;
  return weights === 0 ? 0 : Math.max(0, rest) / weights;
}

/** Has `other` less than its fair part, or less for its weight than `asking`? */
export function isBehind(other: Sibling, asking: Sibling, unit: number): boolean {
  return (
    other.share + shareTolerance < unit * other.weight ||
    other.share / other.weight + shareTolerance < asking.share / asking.weight
  );
}

export interface FairRefusal {
  /** Who has too much: a role above the claim's, or its own. */
  readonly role: string;
  readonly fair: number;
  /** Who waits. */
  readonly behind: string;
}

interface Competitor extends Sibling {
  readonly role: Role;
  /** The role without those under it. */
  readonly self: boolean;
}

export interface FairWorld {
  readonly numbers: ResourceNumbers;
  readonly roles: Roles;
  /** What the demand could have on the account's node; false when its quota forbids even its piece. */
  room(account: NodeAccount, demand: Demand): Amounts | false;
}

/** Who wants more than it has, and what a claim may therefore not take. */
export class Fairness {
  /** What each source says of those it speaks for. */
  readonly sources = new Map<string, readonly Demand[]>();
  /** By role. */
  readonly #demands = new Map<Role, Demand[]>();
  /** Roles with demands in their subtree. */
  readonly #waiting = new Set<Role>();
  /** Capacity of all nodes, by resource number. */
  readonly totals: number[] = [];
  readonly #world: FairWorld;

  constructor(world: FairWorld) {
    this.#world = world;
  }

  set(source: string, demands: readonly Demand[]): void {
    if (demands.length === 0) this.sources.delete(source);
    else this.sources.set(source, demands);
    this.#demands.clear();
    this.#waiting.clear();
    for (const list of this.sources.values())
      for (const demand of list) {
        const role = this.#world.roles.get(demand.role);
        const known = this.#demands.get(role);
        if (known === undefined) this.#demands.set(role, [demand]);
        else known.push(demand);
        for (let above: Role | undefined = role; above !== undefined; above = above.parent)
          this.#waiting.add(above);
      }
  }

  /** The role, or one under it, wants more. */
  waits(role: Role): boolean {
    return this.#waiting.has(role);
  }

  /** Dominant share of a role and those under it. Places for Pods are not shared. */
  share(used: readonly number[], added: Amounts = {}): number {
    const { numbers } = this.#world;
    let share = 0;
    for (const [number, name] of numbers.names.entries()) {
      const total = this.totals[number] ?? 0;
      if (total <= 0 || name === 'pods') continue;
      share = Math.max(share, ((used[number] ?? 0) + whole(added[name] ?? 0)) / total);
    }
    return share;
  }

  /** Why the claim would take more than its fair share while somebody who could use the room waits. */
  refusal(claim: Claim, account: NodeAccount): FairRefusal | undefined {
    if (this.#demands.size === 0) return undefined;
    const payer = this.#world.roles.get(claim.role);
    if (this.share([], claim.amounts) === 0) return undefined;
    if (this.#demands.size === 1 && this.#demands.has(payer)) return undefined;
    const path: Role[] = [];
    for (let above: Role | undefined = payer; above !== undefined; above = above.parent)
      path.unshift(above);
    let budget = 1;
    for (const [depth, role] of [...path, payer].entries()) {
      const self = depth === path.length;
      if (self && payer.children.length === 0) break;
      const siblings = this.#siblings(self ? payer : role.parent);
      const asking = siblings.find((one) => one.role === role && one.self === self);
      if (asking === undefined) break;
      const unit = fairUnit(siblings, asking, budget);
      const fair = unit * asking.weight;
      const after = this.share(self ? ownUsed(role) : role.used, claim.amounts);
      if (after > fair + shareTolerance) {
        const behind = siblings.find(
          (other) =>
            other !== asking &&
            other.demands &&
            isBehind(other, asking, unit) &&
            this.#couldUse(other, account),
        );
        if (behind !== undefined) return { role: role.name, fair, behind: behind.role.name };
      }
      budget = Math.max(asking.share, fair);
    }
    return undefined;
  }

  #siblings(parent: Role | undefined): readonly Competitor[] {
    const list: Competitor[] = [];
    const own = parent;
    if (own !== undefined)
      list.push({
        role: own,
        self: true,
        weight: 1,
        share: this.share(ownUsed(own)),
        demands: this.#demands.has(own),
      });
    for (const role of parent?.children ?? this.#world.roles.top)
      list.push({
        role,
        self: false,
        weight: role.weight,
        share: this.share(role.used),
        demands: this.#waiting.has(role),
      });
    return list;
  }

  /** Somebody of that role, or under it, could use what is free on the node. */
  #couldUse({ role, self }: Competitor, account: NodeAccount): boolean {
    for (const demand of this.#demands.get(role) ?? []) {
      const room = this.#world.room(account, demand);
      if (room === false) continue;
      const fits = Object.entries(demand.piece).every(([name, one]) => one <= (room[name] ?? 0));
      if (fits && (demand.usable?.(account.name, room) ?? true)) return true;
    }
    if (self) return false;
    return role.children.some(
      (child) =>
        this.#waiting.has(child) &&
        this.#couldUse({ role: child, self: false, weight: 1, share: 0, demands: true }, account),
    );
  }
}

/** What the role itself uses, without those under it. */
function ownUsed(role: Role): readonly number[] {
  if (role.children.length === 0) return role.used;
  return role.used.map((amount, number) =>
    role.children.reduce((rest, child) => rest - (child.used[number] ?? 0), amount),
  );
}
