import { validateRole } from '../validate/names.ts';
import type { Resource, ResourceReservationInfo } from '../types.ts';
import { isStrictSubrole, sameLabels } from './reservations.ts';
import { labelsText, resourceText, sourceText } from './text.ts';
import { toFixed } from './values.ts';

/**
 * Is this a resource at all, in the old form, the new one, or both at once? The result is what is
 * wrong with it (src/common/resources.cpp, Resources::validate); undefined when nothing is.
 */
export function validateResource(resource: Resource): string | undefined {
  if (resource.name === '') return 'Empty resource name';
  return (
    validateValue(resource) ??
    validateDiskSource(resource) ??
    ((resource.reservations ?? []).length === 0
      ? validateOldForm(resource)
      : validateNewForm(resource, resource.reservations ?? [])) ??
    validateShared(resource)
  );
}

export function validateResources(resources: readonly Resource[]): string | undefined {
  for (const resource of resources) {
    const problem = validateResource(resource);
    if (problem !== undefined) return `Resource '${resourceText(resource)}' is invalid: ${problem}`;
  }
  return undefined;
}

function validateValue({ type, scalar, ranges, set }: Resource): string | undefined {
  switch (type) {
    case 'SCALAR':
      if (scalar === undefined || ranges !== undefined || set !== undefined)
        return 'Invalid scalar resource';
      if (scalar.value !== 0 && !(toFixed(scalar.value) > 0))
        return 'Invalid scalar resource: value <= 0';
      return undefined;
    case 'RANGES':
      if (scalar !== undefined || ranges === undefined || set !== undefined)
        return 'Invalid ranges resource';
      return validateRanges(ranges.range ?? []);
    case 'SET':
      if (scalar !== undefined || ranges !== undefined || set === undefined)
        return 'Invalid set resource';
      return new Set(set.item).size === (set.item ?? []).length
        ? undefined
        : 'Invalid set resource: duplicated elements';
    case 'TEXT':
      return 'Unsupported resource type';
    default:
      return 'Invalid resource type';
  }
}

function validateRanges(
  ranges: readonly { readonly begin: number; readonly end: number }[],
): string | undefined {
  if (ranges.some(({ begin, end }) => !(begin <= end)))
    return 'Invalid ranges resource: begin > end';
  const ordered = ranges.toSorted((a, b) => a.begin - b.begin);
  const overlaps = ordered.some(({ begin }, at) => at > 0 && begin <= (ordered[at - 1]?.end ?? -1));
  return overlaps ? 'Invalid ranges resource: overlapping ranges' : undefined;
}

function validateDiskSource({ name, disk }: Resource): string | undefined {
  if (disk === undefined) return undefined;
  if (name !== 'disk') return `DiskInfo should not be set for ${name} resource`;
  const { source } = disk;
  if (source === undefined || source.type === 'PATH' || source.type === 'MOUNT') return undefined;
  if (source.type !== 'BLOCK' && source.type !== 'RAW')
    return `Unsupported 'DiskInfo.Source.Type' in '${sourceText(source)}'`;
  if (source.mount !== undefined) return `Mount should not be set for ${source.type} disk source`;
  if (source.path !== undefined) return `Path should not be set for ${source.type} disk source`;
  return undefined;
}

function validateOldForm({ role = '*', reservation }: Resource): string | undefined {
  const problem = validateRole(role);
  if (problem !== undefined || reservation === undefined) return problem;
  const field = reservation.type !== undefined ? 'type' : 'role';
  if (reservation.type !== undefined || reservation.role !== undefined)
    return `'Resource.ReservationInfo.${field}' must not be set for the 'Resource.reservation' field`;
  if (role === '*') return 'Invalid reservation: role "*" cannot be dynamically reserved';
  return undefined;
}

function validateNewForm(
  resource: Resource,
  stack: readonly ResourceReservationInfo[],
): string | undefined {
  for (const { type, role } of stack) {
    const field = type === undefined ? 'type' : 'role';
    if (type === undefined || role === undefined)
      return `Invalid reservation: 'Resource.ReservationInfo.${field}' field must be set.`;
    const problem = validateRole(role);
    if (problem !== undefined) return problem;
    if (role === '*') return 'Invalid reservation: role "*" cannot be reserved';
  }
  let ancestor = stack[0]?.role ?? '';
  for (const { type, role = '' } of stack.slice(1)) {
    if (type === 'STATIC')
      return 'Invalid refined reservation: A refined reservation cannot be STATIC';
    if (!isStrictSubrole(role, ancestor))
      return `Invalid refined reservation: role '${role}' is not a refinement of '${ancestor}'`;
    ancestor = role;
  }
  const [single, second] = stack;
  return single !== undefined && second === undefined
    ? validateBothForms(resource, single)
    : validateOnlyStack(resource);
}

/** One reservation may be told in both forms, as endpoints do; they must agree. */
function validateBothForms(
  { role, reservation }: Resource,
  single: ResourceReservationInfo,
): string | undefined {
  const wrong = 'Invalid resource format: ';
  if (role !== undefined && role !== single.role)
    return `${wrong}'Resource.role' field with '${role}' does not match the role '${single.role}' in 'Resource.reservations'`;
  if (single.type === 'STATIC')
    return reservation === undefined
      ? undefined
      : `${wrong}'Resource.reservation' must not be set if the single reservation in 'Resource.reservations' is STATIC`;
  if (single.type !== 'DYNAMIC') return "Unsupported 'Resource.ReservationInfo.Type'";
  if ((role === undefined) !== (reservation === undefined))
    return `${wrong}'Resource.role' and 'Resource.reservation' must either be both set or both not set if the single reservation in 'Resource.reservations' is DYNAMIC`;
  if (reservation === undefined) return undefined;
  const { principal = '', labels } = reservation;
  if (principal !== (single.principal ?? ''))
    return `${wrong}'Resource.reservation.principal' field with '${principal}' does not match the principal '${single.principal ?? ''}' in 'Resource.reservations'`;
  if (!sameLabels(labels ?? {}, single.labels ?? {}))
    return `${wrong}'Resource.reservation.labels' field with '${labelsText(labels)}' does not match the labels '${labelsText(single.labels)}' in 'Resource.reservations'`;
  return undefined;
}

function validateOnlyStack({ role, reservation }: Resource): string | undefined {
  const field = role !== undefined ? 'role' : reservation !== undefined ? 'reservation' : undefined;
  return field === undefined
    ? undefined
    : `Invalid resource format: 'Resource.${field}' must not be set if there is more than one reservation in 'Resource.reservations'`;
}

function validateShared({ name, disk, shared }: Resource): string | undefined {
  if (shared === undefined) return undefined;
  if (name !== 'disk') return `Resource ${name} cannot be shared`;
  return disk?.persistence === undefined ? 'Only persistent volumes can be shared' : undefined;
}
