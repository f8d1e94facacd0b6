import {
  CallRejected,
  decimalText,
  flattenResources,
  fromFixed,
  isReserved,
  isStrictSubrole,
  nonRevocableResources,
  reservationRole,
  resourceQuantities,
  toFixed,
  validateRole,
  type QuotaQuotaConfig,
  type QuotaQuotaRequest,
  type Resource,
  type Resources,
  type ValueScalar,
  type WeightInfo,
} from '#mesos/protocol';
import type { Amounts } from '#pool';
import type { OperatorHost } from './operator-host.ts';
import { poolResources } from './node-facts.ts';
import {
  addQuantities,
  covers,
  largerQuantities,
  lessQuantities,
  limitsAllow,
  quantitiesText,
  quotaOf,
  validateQuotaConfig,
  validateQuotaRequest,
  type Quantities,
  type Quota,
} from './quota-check.ts';
import { RoleObjects, type RoleSpec } from './role-objects.ts';

/** Weights and quotas of roles: what operators set, kept as ResourceRole objects, told to allocator and pool. */
export class Quotas {
  readonly #host: OperatorHost;
  /** What allocator and pool were told last, by role. */
  readonly #told = new Map<string, string>();
  readonly #objects: RoleObjects;

  constructor(host: OperatorHost) {
    this.#host = host;
    this.#objects = new RoleObjects(host);
  }

  get roles(): readonly RoleSpec[] {
    return this.#objects.list();
  }

  /** Called when ResourceRole objects changed, and once at start. */
  changed(): void {
    const specs = new Map(this.#objects.list().map((spec) => [spec.role, spec]));
    for (const role of this.#told.keys()) if (!specs.has(role)) this.#tell(role, undefined);
    for (const [role, spec] of specs) this.#tell(role, spec);
  }

  #tell(role: string, spec: RoleSpec | undefined): void {
    const text = JSON.stringify(spec);
    if (this.#told.get(role) === text) return;
    if (spec === undefined) this.#told.delete(role);
    else this.#told.set(role, text);
    this.#host.pool.setQuota(role, poolLimit(spec?.limits), poolLimit(spec?.guarantees));
    this.#host.pool.setWeight(role, spec?.weight ?? 1);
    this.#host.roleChanged(
      role,
      spec && {
        weight: spec.weight,
        guarantees: thousandths(spec.guarantees),
        limits: thousandths(spec.limits),
      },
    );
  }

  async updateWeights(weights: readonly WeightInfo[]): Promise<void> {
    const wanted = weights.map(({ role = '', weight }) => ({ role: role.trim(), weight }));
    for (const { role, weight } of wanted) {
      const problem = validateRole(role);
      if (problem !== undefined)
        throw bad(
          `Failed to validate update weights request JSON: Invalid role '${role}': ${problem}`,
        );
      if (!(weight > 0))
        throw bad(
          `Failed to validate update weights request JSON for role '${role}': Invalid weight '${decimalText(weight, 6)}': Weights must be positive`,
        );
    }
    const byRole = new Map(wanted.map(({ role, weight }) => [role, weight]));
    await this.#write([...byRole].map(([role, weight]) => ({ role, weight })));
    const known = [...byRole.keys()].some(
      (role) => (this.#host.state.roles.get(role)?.frameworks.size ?? 0) > 0,
    );
    if (!known) return;
    for (const agent of this.#host.state.agents.keys())
      for (const offer of this.#host.offersOn(agent)) this.#host.rescind(offer, false);
  }

  async updateQuota(configs: readonly QuotaQuotaConfig[], force: boolean): Promise<void> {
    for (const config of configs) {
      if (config.role.includes('/'))
        throw bad(`Updating quota on nested role '${config.role}' is not supported yet`);
      const problem = validateQuotaConfig(config);
      if (problem !== undefined) throw bad(`Invalid QuotaConfig: ${problem}`);
    }
    const quotas = configs.map(quotaOf);
    if (!force) {
      for (const quota of quotas) this.#refuseBelowUse(quota);
      const total = this.#guaranteedWith(quotas);
      const capacity = this.#capacity();
      if (!covers(capacity, total))
        throw bad(
          `Invalid QuotaConfig: total quota guarantees '${quantitiesText(total)}' exceed cluster capacity '${quantitiesText(capacity)}' (use 'force' flag to bypass this check)`,
        );
    }
    await this.#write(configs.map(specOf));
    for (const quota of quotas) this.#rescindFor(quota);
  }

  #refuseBelowUse({ role, limits }: Quota): void {
    const consumed = this.consumed(role);
    if (limitsAllow(limits, consumed)) return;
    throw bad(
      `Invalid QuotaConfig: Role '${role}' is already consuming '${quantitiesText(consumed)}'; this is more than the requested limits '${quantitiesText(limits)}' (use 'force' flag to bypass this check)`,
    );
  }

  /** Deprecated: guarantees that are limits as well, for a role that has no quota yet. */
  async setQuota({ role, guarantee = [], force }: QuotaQuotaRequest): Promise<void> {
    const wrong = 'Failed to validate set quota request: ';
    const problem = validateQuotaRequest(role, guarantee);
    if (problem !== undefined || role === undefined) throw bad(`${wrong}${problem}`);
    if (this.quota(role) !== undefined)
      throw bad(`${wrong}Cannot set quota for role '${role}' which already has quota`);
    if (role.includes('/'))
      throw bad(`Setting quota on nested role '${role}' is not supported yet`);
    const scalars: Readonly<Record<string, ValueScalar>> = Object.fromEntries(
      guarantee.map(({ name, scalar }) => [name, { value: scalar?.value ?? 0 }]),
    );
    const config = { role, guarantees: scalars, limits: scalars };
    const quota = quotaOf(config);
    const total = this.#guaranteedWith([quota]);
    const capacity = this.#capacity();
    if (force !== true && !covers(capacity, total))
      throw new CallRejected(
        409,
        `Quota guarantees overcommit the cluster (use 'force' to bypass this check): Total quota guarantees '${quantitiesText(total)}' exceed cluster capacity '${quantitiesText(capacity)}'`,
      );
    await this.#write([specOf(config)]);
    this.#rescindFor(quota);
  }

  /** Of a role without quota: nothing to do. */
  async removeQuota(role: string): Promise<void> {
    await this.#write([specOf({ role })]);
  }

  /** Undefined: the default, no guarantees and no limits. */
  quota(role: string): Quota | undefined {
    const spec = this.#objects.list().find((stored) => stored.role === role);
    return spec === undefined ? undefined : quotaOfSpec(spec);
  }

  /** The guarantees of all top-level roles, these changed. */
  #guaranteedWith(changed: readonly Quota[]): Quantities {
    const byRole = new Map<string, Quota>();
    for (const spec of this.#objects.list()) {
      const quota = quotaOfSpec(spec);
      if (quota !== undefined) byRole.set(spec.role, quota);
    }
    for (const quota of changed) byRole.set(quota.role, quota);
    return addQuantities(...[...byRole.values()].map(({ guarantees }) => guarantees));
  }

  #capacity(): Quantities {
    const totals = [...this.#host.state.agents.values()].map((agent) => agent.totalResources());
    return addQuantities(
      ...totals.map((total) => resourceQuantities(scalars(nonRevocableResources(total)))),
    );
  }

  /** Used by the role's subtree, Pods included, and what is reserved for it without being used. */
  consumed(role: string): Quantities {
    const { state, pool } = this.#host;
    let unused: Quantities = new Map();
    for (const agent of state.agents.values())
      unused = addQuantities(
        unused,
        lessQuantities(
          reservedFor(agent.totalResources(), role),
          reservedFor(agent.usedResources(), role),
        ),
      );
    const tasks = scalars(state.roles.get(role)?.allocatedResources() ?? []);
    // Both know of tasks; only the pool knows of Pods, only the books of resources of other names.
    const used = largerQuantities(
      resourceQuantities(flattenResources(tasks)),
      poolQuantities(pool.usage(role)),
    );
    return addQuantities(used, unused);
  }

  /** Best effort, as the reference does it: first its own offers above the limits, then others for the guarantees. */
  #rescindFor({ role, limits, guarantees }: Quota): void {
    const { state } = this.#host;
    const own = [...state.offers.values()].filter((offer) => isUnder(offer.role, role));
    let held = addQuantities(this.consumed(role), ...own.map(offerQuantities));
    for (const offer of own) {
      if (limitsAllow(limits, held)) break;
      held = lessQuantities(held, offerQuantities(offer));
      this.#host.rescind(offer, false);
    }
    let recovered: Quantities = new Map();
    for (const agent of state.agents.keys())
      for (const offer of this.#host.offersOn(agent)) {
        if (covers(addQuantities(recovered, held), guarantees)) return;
        if (isUnder(offer.role, role)) continue;
        recovered = addQuantities(recovered, offerQuantities(offer));
        this.#host.rescind(offer, false);
      }
  }

  /** All or nothing. Fields that are not named stay as they are. */
  async #write(changes: readonly RoleSpec[]): Promise<void> {
    await this.#objects.write(changes);
    this.changed();
  }
}

function specOf({ role, guarantees = {}, limits = {} }: QuotaQuotaConfig): RoleSpec {
  return { role, guarantees: valuesOf(guarantees), limits: valuesOf(limits) };
}

function valuesOf(
  named: Readonly<Record<string, ValueScalar>>,
): Readonly<Record<string, number>> | undefined {
  const entries = Object.entries(named).map(([name, { value }]) => [name, value]);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function quotaOfSpec({ role, guarantees, limits }: RoleSpec): Quota | undefined {
  if (guarantees === undefined && limits === undefined) return undefined;
  const named = (values: Readonly<Record<string, number>> = {}): Record<string, ValueScalar> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
  return quotaOf({ role, guarantees: named(guarantees), limits: named(limits) });
}

function thousandths(
  values: Readonly<Record<string, number>> | undefined,
): Readonly<Record<string, number>> | undefined {
  if (values === undefined) return undefined;
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toFixed(value)]));
}

/** In the pool's units; resources that the pool does not count have no limit there. */
function poolLimit(limits: Readonly<Record<string, number>> | undefined): Amounts | undefined {
  const amounts = Object.entries(limits ?? {}).flatMap(([name, value]) => {
    const known = poolResources.get(name);
    return known === undefined
      ? []
      : [[known.name, Math.floor(fromFixed(toFixed(value)) * known.units)] as const];
  });
  return amounts.length === 0 ? undefined : Object.fromEntries(amounts);
}

/** What the pool counts, as thousandths of Mesos' units, rounded up to whole megabytes and devices. */
function poolQuantities(amounts: Amounts): Quantities {
  const quantities = new Map<string, number>();
  for (const [name, known] of poolResources) {
    const amount = amounts[known.name] ?? 0;
    if (amount <= 0) continue;
    const fixed = known.name === 'cpu' ? amount : Math.ceil((amount * 1000) / known.units);
    quantities.set(name, fixed);
  }
  return quantities;
}

function scalars(resources: Resources): Resources {
  return resources.filter(({ type }) => type === 'SCALAR');
}

function reservedFor(resources: Resources, role: string): Quantities {
  const mine = (resource: Resource): boolean =>
    isReserved(resource) && isUnder(reservationRole(resource) ?? '', role);
  return resourceQuantities(scalars(resources).filter(mine));
}

function isUnder(role: string, of: string): boolean {
  return role === of || isStrictSubrole(role, of);
}

function offerQuantities({
  offer,
}: {
  readonly offer: { readonly resources?: Resources | undefined };
}): Quantities {
  return resourceQuantities(scalars(offer.resources ?? []));
}

function bad(message: string): CallRejected {
  return new CallRejected(400, message);
}
