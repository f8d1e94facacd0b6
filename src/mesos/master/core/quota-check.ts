import {
  decimalText,
  fromFixed,
  scalarText,
  toFixed,
  validateInputScalar,
  validateResources,
  validateRole,
  type QuotaQuotaConfig,
  type Resource,
  type ValueScalar,
} from '#mesos/protocol';

/** Thousandths of a unit by resource name. */
export type Quantities = ReadonlyMap<string, number>;

/** What a role is promised and what it may have at most; a name without limit is unlimited. */
export interface Quota {
  readonly role: string;
  readonly guarantees: Quantities;
  readonly limits: Quantities;
}

const exabyteInMegabytes = 2 ** 40;
const trillion = 10 ** 12;

/** Is the configuration itself right? (src/master/quota.cpp, validate) */
export function validateQuotaConfig(config: QuotaQuotaConfig): string | undefined {
  const { guarantees = {}, limits = {} } = config;
  const role = validateRole(config.role);
  if (role !== undefined) return `Invalid 'QuotaConfig.role': ${role}`;
  const large = tooLarge('guarantees', guarantees) ?? tooLarge('limits', limits);
  if (large !== undefined) return large;
  const scalar = notScalar('guarantee', guarantees) ?? notScalar('limit', limits);
  if (scalar !== undefined) return scalar;
  const quota = quotaOf(config);
  return limitsAllow(quota.limits, quota.guarantees)
    ? undefined
    : `'QuotaConfig.guarantees' ${scalarsText(guarantees)} is not contained within the 'QuotaConfig.limits' ${scalarsText(limits)}`;
}

type Scalars = Readonly<Record<string, ValueScalar>>;

function tooLarge(field: string, scalars: Scalars): string | undefined {
  for (const [name, { value }] of Object.entries(scalars)) {
    const bytes = name === 'mem' || name === 'disk';
    const max = bytes ? exabyteInMegabytes : trillion;
    if (value > max)
      return `Invalid 'QuotaConfig.${field}': {'${name}': ${printed(value)}} is invalid: values greater than 1 ${bytes ? 'exabyte' : 'trillion'} (${max}) are not supported`;
  }
  return undefined;
}

function notScalar(field: string, scalars: Scalars): string | undefined {
  for (const [name, { value }] of Object.entries(scalars)) {
    const problem = validateInputScalar(value);
    if (problem !== undefined)
      return `Invalid ${field} configuration {'${name}': ${printed(value)}}: ${problem}`;
  }
  return undefined;
}

/** Numbers that fixed point cannot hold are printed as they are. */
function printed(value: number): string {
  return Number.isFinite(value) ? scalarText(value) : decimalText(value, 15);
}

function scalarsText(scalars: Scalars): string {
  const texts = Object.entries(scalars).map(([name, { value }]) => `${name}: ${scalarText(value)}`);
  return `{${texts.toSorted().join(', ')}}`;
}

export function quotaOf({ role, guarantees = {}, limits = {} }: QuotaQuotaConfig): Quota {
  return { role, guarantees: fixedOf(guarantees, false), limits: fixedOf(limits, true) };
}

/** A guarantee of zero is none; a limit of zero forbids. */
function fixedOf(scalars: Scalars, keepZero: boolean): Quantities {
  const entries = Object.entries(scalars)
    .map(([name, { value }]): [string, number] => [name, toFixed(value)])
    .filter(([, fixed]) => keepZero || fixed !== 0);
  return new Map(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** SET_QUOTA and POST /quota: what is wrong with the guarantee (src/master/quota.cpp, quotaInfo). */
export function validateQuotaRequest(
  role: string | undefined,
  guarantee: readonly Resource[],
): string | undefined {
  const malformed = validateResources(guarantee);
  if (malformed !== undefined) return `QuotaInfo with invalid resource: ${malformed}`;
  if (role === undefined) return 'QuotaInfo must specify a role';
  const problem = validateRole(role);
  if (problem !== undefined) return `QuotaInfo with invalid role: ${problem}`;
  if (guarantee.length === 0) return "QuotaInfo with empty 'guarantee'";
  const names = new Set<string>();
  for (const resource of guarantee) {
    const reserved = (resource.reservations ?? []).length > 0 || (resource.role ?? '*') !== '*';
    if (reserved) return 'QuotaInfo must not contain any ReservationInfo';
    if (resource.disk !== undefined) return 'QuotaInfo must not contain DiskInfo';
    if (resource.revocable !== undefined) return 'QuotaInfo must not contain RevocableInfo';
    if (resource.type !== 'SCALAR') return 'QuotaInfo must not include non-scalar resources';
    if (names.has(resource.name))
      return `QuotaInfo contains duplicate resource name '${resource.name}'`;
    names.add(resource.name);
  }
  return undefined;
}

/** Does nothing pass its limit? */
export function limitsAllow(limits: Quantities, amounts: Quantities): boolean {
  for (const [name, limit] of limits) if ((amounts.get(name) ?? 0) > limit) return false;
  return true;
}

/** Are there at least these amounts? */
export function covers(amounts: Quantities, wanted: Quantities): boolean {
  for (const [name, amount] of wanted) if ((amounts.get(name) ?? 0) < amount) return false;
  return true;
}

export function addQuantities(...all: readonly Quantities[]): Quantities {
  const sum = new Map<string, number>();
  for (const amounts of all)
    for (const [name, amount] of amounts) sum.set(name, (sum.get(name) ?? 0) + amount);
  return sum;
}

/** Of each name the larger amount. */
export function largerQuantities(left: Quantities, right: Quantities): Quantities {
  const larger = new Map(left);
  for (const [name, amount] of right) larger.set(name, Math.max(amount, left.get(name) ?? 0));
  return larger;
}

/** Never below zero. */
export function lessQuantities(from: Quantities, amounts: Quantities): Quantities {
  const rest = new Map<string, number>();
  for (const [name, amount] of from) {
    const left = amount - (amounts.get(name) ?? 0);
    if (left > 0) rest.set(name, left);
  }
  return rest;
}

/** `cpus:4; mem:1024`, by name. */
export function quantitiesText(amounts: Quantities): string {
  const texts = [...amounts].map(([name, fixed]) => `${name}:${decimalText(fromFixed(fixed), 15)}`);
  return texts.length === 0 ? '{}' : texts.toSorted().join('; ');
}
