import {
  addResources,
  applyOperation,
  conversionsOf,
  isDynamicallyReserved,
  isPersistentVolume,
  mapOperation,
  subtractResources,
  sumResources,
  unallocateResource,
  type OfferOperation,
  type Resource,
  type Resources,
} from '#mesos/protocol';

/**
 * What operations do to an agent. Its Agent object keeps what machines do not have by themselves:
 * dynamic reservations and persistent volumes; all else follows from the Node.
 */

/** Is it of the kind that the Agent object keeps? */
export function isKept(resource: Resource): boolean {
  return isDynamicallyReserved(resource) || isPersistentVolume(resource);
}

/** The same operation on unallocated resources: as agents and operators see it. */
export function unallocatedOperation(operation: OfferOperation): OfferOperation {
  return mapOperation(operation, unallocateResource);
}

/**
 * Reservations and volumes of an agent after a valid operation that was applied to its resources
 * (or to an offer of them). A shared volume is kept once, whoever uses it.
 */
export function keptAfter(kept: Resources, operation: OfferOperation): Resources {
  const conversions = conversionsOf(unallocatedOperation(operation));
  if (typeof conversions === 'string') return kept;
  let after = sumResources(kept);
  for (const { consumed, converted } of conversions) {
    after = subtractResources(after, consumed.filter(isKept));
    after = addResources(after, converted.filter(isKept));
  }
  return after;
}

/** May the operation be applied to resources that nobody holds? The result is why not. */
export function notApplicable(free: Resources, operation: OfferOperation): string | undefined {
  const applied = applyOperation(free, unallocatedOperation(operation));
  return applied.ok ? undefined : applied.message;
}
