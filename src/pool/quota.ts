import type { NodeAccount } from './account.ts';
import type { Columns } from './columns.ts';
import type { Claim, Verdict } from './pool.ts';
import { addTo, amountText, whole, type ResourceNumbers } from './resources.ts';
import type { Role, Roles } from './roles.ts';

type Refusal = Extract<Verdict, { readonly ok: false }>;

export interface QuotaWorld {
  readonly numbers: ResourceNumbers;
  readonly columns: Columns;
  readonly roles: Roles;
}

/** The first limit, of the claim's role or one above it, that the claim would go past. */
export function overQuota(
  { numbers, roles }: QuotaWorld,
  claim: Claim,
  account: NodeAccount,
): Refusal | undefined {
  // What comes out of a reservation was counted when it was reserved, for its role and those above.
  const covered: number[] = [];
  for (let role: Role | undefined = roles.get(claim.role); role !== undefined; role = role.parent) {
    addIdle(covered, role, account);
    if (role.limit === undefined) continue;
    for (const [name, asked] of Object.entries(claim.amounts)) {
      const number = numbers.find(name) ?? -1;
      const limit = role.limit[number];
      if (limit === undefined || asked === 0) continue;
      const held = (role.used[number] ?? 0) + (role.idle[number] ?? 0);
      if (held + Math.max(0, whole(asked) - (covered[number] ?? 0)) <= limit) continue;
      const has = `has ${amountText(name, held)} of ${amountText(name, limit)} ${name}`;
      const message = `role "${role.name}" ${has}, claim asks ${amountText(name, asked)}`;
      return { ok: false, reason: 'QuotaExceeded', message, resources: [name] };
    }
  }
  return undefined;
}

/**
 * Is the claim's room needed for what is guaranteed to other roles? What a role takes of its own
 * guarantee, or of its reservations, it may always take.
 */
export function overGuarantees(
  { numbers, columns, roles }: QuotaWorld,
  claim: Claim,
  account: NodeAccount,
): Refusal | undefined {
  const covered: number[] = [];
  let top = roles.get(claim.role);
  addIdle(covered, top, account);
  for (; top.parent !== undefined; top = top.parent) addIdle(covered, top.parent, account);
  for (const [name, asked] of Object.entries(claim.amounts)) {
    const number = numbers.find(name);
    if (number === undefined || asked === 0) continue;
    const part = whole(asked) - (covered[number] ?? 0);
    if (part <= unmet(top, number)) continue;
    let kept = 0;
    let forRole = '';
    for (const role of roles.top) {
      const missing = role === top ? 0 : unmet(role, number);
      if (missing > 0 && forRole === '') forRole = role.name;
      kept += missing;
    }
    if (kept === 0) continue;
    const free = columns.freeSums[number] ?? 0;
    if (free - part >= kept) continue;
    const has = `has ${amountText(name, free)} ${name} free, of which`;
    const why = `${amountText(name, kept)} are guaranteed to role "${forRole}" and others`;
    const message = `cluster ${has} ${why}, claim asks ${amountText(name, asked)}`;
    return { ok: false, reason: 'QuotaExceeded', message, resources: [name] };
  }
  return undefined;
}

/** What is missing to the role's guarantee. */
function unmet(role: Role, number: number): number {
  const guarantee = role.guarantee?.[number] ?? 0;
  return Math.max(0, guarantee - (role.used[number] ?? 0) - (role.idle[number] ?? 0));
}

function addIdle(covered: number[], role: Role, account: NodeAccount): void {
  const idle = account.settlement.idle.get(role) ?? [];
  for (const [number, amount] of idle.entries()) addTo(covered, number, amount);
}
