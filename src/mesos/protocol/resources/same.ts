import type { Resource, ResourceDiskInfo, ResourceDiskInfoSource } from '../types.ts';
import { labelsKey, sameLabels, sameReservations } from './reservations.ts';
import { containsRanges, containsSet, sameRanges, sameSets, toFixed } from './values.ts';

/** Are they of the same thing, whatever the amount? (src/common/resources.cpp, metadata) */
export function sameKind(left: Resource, right: Resource): boolean {
  return (
    left.name === right.name &&
    left.type === right.type &&
    left.allocation_info?.role === right.allocation_info?.role &&
    (left.allocation_info === undefined) === (right.allocation_info === undefined) &&
    sameReservations(left, right) &&
    sameDisk(left.disk, right.disk) &&
    (left.revocable === undefined) === (right.revocable === undefined) &&
    left.provider_id?.value === right.provider_id?.value &&
    (left.shared === undefined) === (right.shared === undefined)
  );
}

/** Equal for resources of the same kind, and only for those. */
export function kindKey(resource: Resource): string {
  const { name, type, allocation_info: allocation, disk, provider_id: provider } = resource;
  const reservations = (resource.reservations ?? []).map((info) => [
    info.type ?? 'UNKNOWN',
    info.role ?? '',
    info.principal ?? null,
    labelsKey(info.labels),
  ]);
  const source = disk?.source;
  return JSON.stringify([
    name,
    type,
    allocation === undefined ? null : [allocation.role],
    reservations,
    disk === undefined ? null : [disk.persistence?.id],
    source === undefined
      ? null
      : [
          source.type,
          source.path === undefined ? null : [source.path.root],
          source.mount === undefined ? null : [source.mount.root],
          source.vendor,
          source.id,
          source.profile,
          labelsKey(source.metadata),
        ],
    resource.revocable !== undefined,
    provider?.value,
    resource.shared !== undefined,
  ]);
}

export function sameResource(left: Resource, right: Resource): boolean {
  return sameKind(left, right) && sameValue(left, right);
}

function sameValue(left: Resource, right: Resource): boolean {
  switch (left.type) {
    case 'SCALAR':
      return toFixed(left.scalar?.value ?? 0) === toFixed(right.scalar?.value ?? 0);
    case 'RANGES':
      return sameRanges(left.ranges ?? {}, right.ranges ?? {});
    case 'SET':
      return sameSets(left.set ?? {}, right.set ?? {});
    default:
      return false;
  }
}

/** The volume is left out: it says how a disk is used, not which one it is. */
function sameDisk(
  left: ResourceDiskInfo | undefined,
  right: ResourceDiskInfo | undefined,
): boolean {
  if (left === undefined || right === undefined) return left === right;
  return left.persistence?.id === right.persistence?.id && sameSource(left.source, right.source);
}

function sameSource(
  left: ResourceDiskInfoSource | undefined,
  right: ResourceDiskInfoSource | undefined,
): boolean {
  if (left === undefined || right === undefined) return left === right;
  return (
    left.type === right.type &&
    (left.path === undefined) === (right.path === undefined) &&
    left.path?.root === right.path?.root &&
    (left.mount === undefined) === (right.mount === undefined) &&
    left.mount?.root === right.mount?.root &&
    left.vendor === right.vendor &&
    left.id === right.id &&
    left.profile === right.profile &&
    sameLabels(left.metadata, right.metadata)
  );
}

/** Whole disks and volumes: never cut, never joined. */
export function isIndivisible({ disk }: Resource): boolean {
  if (disk === undefined) return false;
  const type = disk.source?.type;
  if (disk.persistence !== undefined || type === 'MOUNT' || type === 'BLOCK') return true;
  return type === 'RAW' && disk.source?.id !== undefined;
}

/** Can one resource hold both? A shared one never grows: equal ones are counted. */
export function isAddable(left: Resource, right: Resource): boolean {
  return left.shared === undefined && sameKind(left, right) && !isIndivisible(left);
}

/** Can `right` be taken off `left` (which need not have all of it)? */
export function isSubtractable(left: Resource, right: Resource): boolean {
  if (!sameKind(left, right)) return false;
  return (left.shared === undefined && !isIndivisible(left)) || sameValue(left, right);
}

/** Does the one resource have all of the other? */
export function containsResource(left: Resource, right: Resource): boolean {
  if (!isSubtractable(left, right)) return false;
  switch (left.type) {
    case 'SCALAR':
      return toFixed(right.scalar?.value ?? 0) <= toFixed(left.scalar?.value ?? 0);
    case 'RANGES':
      return containsRanges(left.ranges ?? {}, right.ranges ?? {});
    case 'SET':
      return containsSet(left.set ?? {}, right.set ?? {});
    default:
      return false;
  }
}
