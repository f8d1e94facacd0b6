import { decimalText } from '../resources/values.ts';
import type { FrameworkInfo, OfferFilters, SchedulerOfferConstraints } from '../types.ts';
import { validateID, validateRole } from './names.ts';

/** FrameworkInfo and what comes with it (mesos.md 2.1 and 2.10). */

export function isMultiRole(info: FrameworkInfo): boolean {
  return (info.capabilities ?? []).some(({ type }) => type === 'MULTI_ROLE');
}

/** The roles it subscribes to, in either form. */
export function frameworkRoles(info: FrameworkInfo): ReadonlySet<string> {
  return new Set(isMultiRole(info) ? info.roles : [info.role ?? '*']);
}

/** Checks 1 to 5. */
export function validateFramework(info: FrameworkInfo): string | undefined {
  const id = info.id?.value ?? '';
  return (
    validateFrameworkRoles(info) ??
    (id === '' ? undefined : validateID(id)) ??
    validateFilters(Object.values(info.offer_filters ?? {})) ??
    validateFailoverTimeout(info.failover_timeout ?? 0)
  );
}

function validateFrameworkRoles(info: FrameworkInfo): string | undefined {
  const { role, roles = [] } = info;
  if (!isMultiRole(info)) {
    if (roles.length > 0)
      return "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable";
    const problem = validateRole(role ?? '*');
    return problem === undefined
      ? undefined
      : `'FrameworkInfo.role' is not a valid role: ${problem}`;
  }
  if (role !== undefined)
    return "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable";
  const seen = new Set<string>();
  const repeated = new Set(roles.filter((one) => seen.size === seen.add(one).size));
  if (repeated.size > 0)
    return `'FrameworkInfo.roles' contains duplicate items: ${setOf(repeated)}`;
  for (const one of roles) {
    const problem = validateRole(one);
    if (problem !== undefined) return `'FrameworkInfo.roles' contains invalid role: ${problem}`;
  }
  return undefined;
}

function validateFilters(filters: readonly OfferFilters[]): string | undefined {
  for (const filter of filters)
    for (const { quantities = {} } of filter.min_allocatable_resources?.quantities ?? []) {
      const entries = Object.entries(quantities);
      if (entries.length === 0) return 'Resource quantities must contain at least one quantity';
      for (const [name, { value }] of entries) {
        const problem = validateInputScalar(value);
        if (problem !== undefined) return `Invalid resource quantity for '${name}': ${problem}`;
      }
    }
  return undefined;
}

const smallestNormal = 2 ** -1022;

/** A quantity that somebody typed. */
export function validateInputScalar(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN not supported';
  if (!Number.isFinite(value)) return 'Infinite values not supported';
  if (value !== 0 && Math.abs(value) < smallestNormal) return 'Subnormal values not supported';
  return value < 0 ? 'Negative values not supported' : undefined;
}

/** Nanoseconds in a 64-bit integer; below zero is allowed. */
function validateFailoverTimeout(seconds: number): string | undefined {
  return Math.abs(seconds * 1e9) < 2 ** 63
    ? undefined
    : `The framework failover_timeout (${decimalText(seconds, 6)}) is invalid`;
}

/** Check 9. */
export function validateSuppressedRoles(
  roles: ReadonlySet<string>,
  suppressed: readonly string[],
): string | undefined {
  const others = new Set(suppressed.filter((role) => !roles.has(role)).toSorted());
  return others.size === 0
    ? undefined
    : `Suppressed roles ${setOf(others)} are not contained in the set of roles`;
}

/** Check 10. The missing space is the reference's. */
export function validateConstraintRoles(
  roles: ReadonlySet<string>,
  constraints: SchedulerOfferConstraints,
): string | undefined {
  const other = Object.keys(constraints.role_constraints ?? {}).find((role) => !roles.has(role));
  return other === undefined
    ? undefined
    : `Offer constraints specify \`role_constraints\` for a role '${other}'not contained in the set of roles`;
}

/** What UPDATE_FRAMEWORK may not change. */
export function validateFrameworkUpdate(
  old: FrameworkInfo,
  info: FrameworkInfo,
): string | undefined {
  if (old.principal !== info.principal) return "Changing framework's principal is not allowed.";
  if (old.user !== info.user)
    return `Updating 'FrameworkInfo.user' is unsupported; attempted to update from '${old.user}' to '${info.user}'`;
  const before = old.checkpoint ?? false;
  const after = info.checkpoint ?? false;
  if (before === after) return undefined;
  return `Updating 'FrameworkInfo.checkpoint' is unsupported; attempted to update from '${Number(before)}' to '${Number(after)}'`;
}

function setOf(items: ReadonlySet<string>): string {
  return `{ ${[...items].join(', ')} }`;
}
