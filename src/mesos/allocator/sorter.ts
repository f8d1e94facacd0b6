import type { RoleSettings } from './allocator.ts';
import type { FrameworkFacts } from './facts.ts';
import { Hunger } from './hunger.ts';
import { addAll, addAt, type Vector } from './quantities.ts';

/** Something that competes with its siblings: a role's subtree, a role itself, a framework in it. */
export class Entry {
  readonly path: string;
  weight = 1;
  /** Offered and used, reserved amounts too. */
  readonly held: Vector = [];
  /** Allocations made to it; breaks ties, is never counted down. */
  count = 0;
  /** Dominant share by weight, as of the last `refresh()`. */
  share = 0;
  /** Dominant share it may reach while others that want more are behind; for one cycle. */
  cap = Infinity;
  /** How often a shared volume is held, by agent and volume: it counts once. */
  readonly #shared = new Map<string, number>();

  constructor(path: string) {
    this.path = path;
  }

  /** True when this is the first of its kind, or the last one that goes. */
  countShared(key: string, sign: 1 | -1): boolean {
    const before = this.#shared.get(key) ?? 0;
    const after = before + sign;
    if (after === 0) this.#shared.delete(key);
    else this.#shared.set(key, after);
    return before === 0 || after === 0;
  }
}

/** A framework in one role. `index` is its bit in the rows of agents. */
export class Client extends Entry {
  readonly framework: string;
  readonly role: Role;
  readonly index: number;
  /** Subscribed, connected and not suppressed. */
  active = false;
  /** Undefined for Pods and for frameworks that hold something but left the role. */
  facts: FrameworkFacts | undefined;
  readonly hunger = new Hunger();

  constructor(framework: string, role: Role, index: number) {
    super(framework);
    this.framework = framework;
    this.role = role;
    this.index = index;
  }
}

export class Role {
  readonly name: string;
  readonly parent: Role | undefined;
  /** With all that is under it. */
  readonly tree: RoleEntry;
  /** Its own frameworks, as the virtual child `.` that competes with its children. */
  readonly self: RoleEntry;
  /** `self` and the children's trees, in order. */
  readonly entries: RoleEntry[];
  /** In order. */
  readonly clients: Client[] = [];
  settings: RoleSettings = {};
  guarantees: Vector = [];
  /** By resource number; a hole is no limit. */
  limits: readonly (number | undefined)[] | undefined;
  /** Unreserved and not revocable, held in the subtree. */
  readonly unreserved: Vector = [];
  /** Reserved for the subtree, in use or not. */
  readonly reserved: Vector = [];

  constructor(name: string, parent: Role | undefined) {
    this.name = name;
    this.parent = parent;
    this.tree = new RoleEntry(name, this, false);
    this.self = new RoleEntry(`${name}/.`, this, true);
    this.entries = [this.self];
  }

  /** What counts against its quota. */
  consumed(number: number): number {
    return (this.unreserved[number] ?? 0) + (this.reserved[number] ?? 0);
  }

  get idle(): boolean {
    return (
      this.entries.length === 1 &&
      this.clients.length === 0 &&
      Object.keys(this.settings).length === 0 &&
      [this.tree.held, this.unreserved, this.reserved].every((sums) => sums.every((sum) => !sum))
    );
  }
}

export class RoleEntry extends Entry {
  readonly role: Role;
  readonly self: boolean;

  constructor(path: string, role: Role, self: boolean) {
    super(path);
    this.role = role;
    this.self = self;
  }
}

/** The tree of roles and the order in which they are served. */
export class RoleTree {
  readonly roles = new Map<string, Role>();
  /** Scalars of all agents. */
  readonly total: Vector = [];
  readonly top: RoleEntry[] = [];
  readonly #excluded: (number: number) => boolean;
  #counted: Vector | undefined;

  /** `excluded`: resources that do not count as a share. */
  constructor(excluded: (number: number) => boolean = () => false) {
    this.#excluded = excluded;
  }

  get(name: string): Role {
    const known = this.roles.get(name);
    if (known !== undefined) return known;
    const slash = name.lastIndexOf('/');
    const parent = slash > 0 ? this.get(name.slice(0, slash)) : undefined;
    const role = new Role(name, parent);
    this.roles.set(name, role);
    (parent === undefined ? this.top : parent.entries).push(role.tree);
    return role;
  }

  /** Counts for the framework, its role and all above it. */
  hold(client: Client, amounts: readonly number[], sign: 1 | -1): void {
    const { role } = client;
    for (let number = 0; number < amounts.length; number++) {
      const amount = sign * (amounts[number] ?? 0);
      if (amount === 0) continue;
      addAt(client.held, number, amount);
      addAt(role.self.held, number, amount);
      for (let above: Role | undefined = role; above !== undefined; above = above.parent)
        addAt(above.tree.held, number, amount);
    }
  }

  /** Of what `hold()` counted, what counts against quota. */
  consume(role: Role, amounts: readonly number[], sign: 1 | -1): void {
    for (let above: Role | undefined = role; above !== undefined; above = above.parent)
      for (let number = 0; number < amounts.length; number++) {
        const amount = amounts[number] ?? 0;
        if (amount !== 0) addAt(above.unreserved, number, sign * amount);
      }
  }

  reserve(role: Role, amounts: readonly number[], sign: 1 | -1): void {
    for (let above: Role | undefined = role; above !== undefined; above = above.parent)
      for (const [number, amount] of amounts.entries())
        addAt(above.reserved, number, sign * amount);
  }

  /** A shared volume counts once for each of them. */
  holdShared(client: Client, key: string, options: { amounts: Vector; sign: 1 | -1 }): void {
    const { amounts, sign } = options;
    const entries: Entry[] = [client, client.role.self];
    for (let above: Role | undefined = client.role; above !== undefined; above = above.parent)
      entries.push(above.tree);
    for (const entry of entries)
      if (entry.countShared(key, sign))
        for (const [number, amount] of amounts.entries()) addAt(entry.held, number, sign * amount);
  }

  shareOf({ held, weight }: Entry): number {
    const { counted } = this;
    let share = 0;
    for (let number = 0; number < held.length; number++) {
      const total = counted[number] ?? 0;
      if (total <= 0) continue;
      const part = (held[number] ?? 0) / total;
      if (part > share) share = part;
    }
    return share / weight;
  }

  /** Of `total`, what counts as a share. */
  get counted(): Vector {
    if (this.#counted === undefined)
      this.#counted = this.total.map((amount, number) => (this.#excluded(number) ? 0 : amount));
    return this.#counted;
  }

  addTotal(amounts: readonly number[], sign: 1 | -1): void {
    addAll(this.total, amounts, sign);
    this.#counted = undefined;
  }

  /** Forgets roles that nobody uses, and sorts everything anew. */
  refresh(): void {
    for (const role of [...this.roles.values()].toSorted((a, b) => b.name.length - a.name.length))
      if (role.idle) this.#drop(role);
    for (const role of this.roles.values()) {
      for (const client of role.clients) client.share = this.shareOf(client);
      role.clients.sort(compare);
      role.self.share = this.shareOf(role.self);
      role.tree.share = this.shareOf(role.tree);
    }
    for (const role of this.roles.values()) role.entries.sort(compare);
    this.top.sort(compare);
  }

  /** After an allocation to `client` in a tree that was in order. */
  allocated(client: Client): void {
    const { role } = client;
    this.#move(role.clients, client);
    this.#move(role.entries, role.self);
    for (let above = role; ; above = above.parent) {
      this.#move(above.parent?.entries ?? this.top, above.tree);
      if (above.parent === undefined) break;
    }
  }

  /** Roles with frameworks, depth first, least served first. */
  order(entries: readonly RoleEntry[] = this.top): readonly Role[] {
    return entries.flatMap(({ role, self }) => {
      if (!self) return this.order(role.entries);
      return role.clients.length > 0 ? [role] : [];
    });
  }

  #drop(role: Role): void {
    this.roles.delete(role.name);
    const siblings = role.parent?.entries ?? this.top;
    siblings.splice(siblings.indexOf(role.tree), 1);
  }

  #move<T extends Entry>(siblings: T[], entry: T): void {
    entry.count += 1;
    entry.share = this.shareOf(entry);
    let at = siblings.indexOf(entry);
    for (; at > 0; at--) {
      const before = siblings[at - 1];
      if (before === undefined || compare(before, entry) <= 0) break;
      siblings[at] = before;
    }
    for (; at < siblings.length - 1; at++) {
      const after = siblings[at + 1];
      if (after === undefined || compare(entry, after) <= 0) break;
      siblings[at] = after;
    }
    siblings[at] = entry;
  }
}

/** Least share first, then fewest allocations, then by name (DRFSorter's order). */
export function compare(a: Entry, b: Entry): number {
  if (a.share !== b.share) return a.share - b.share;
  if (a.count !== b.count) return a.count - b.count;
  if (a.path === b.path) return 0;
  return a.path < b.path ? -1 : 1;
}
