import type { OfferOperation, Resource } from '../types.ts';
import {
  addResources,
  containsResources,
  subtractResources,
  sumResources,
  type Resources,
} from './arithmetic.ts';
import { popReservation } from './reservations.ts';
import { resourcesText, resourceText } from './text.ts';
import { fromFixed, toFixed } from './values.ts';

/** What an operation turns into what. */
export interface Conversion {
  readonly consumed: Resources;
  readonly converted: Resources;
  /** Must not be there any more afterwards: a destroyed volume of which there are shared copies. */
  readonly mustVanish?: Resource | undefined;
}

export type Converted =
  | { readonly ok: true; readonly resources: Resources }
  | { readonly ok: false; readonly message: string };

/** The disk that a volume was made of: no longer a volume, nor shared. */
export function stripVolume(volume: Resource): Resource {
  const { disk, shared: _shared, ...rest } = volume;
  return disk?.source === undefined ? rest : { ...rest, disk: { source: disk.source } };
}

/**
 * The conversions of RESERVE, UNRESERVE, CREATE, DESTROY, GROW_VOLUME or SHRINK_VOLUME, in order
 * (src/common/resources_utils.cpp, getResourceConversions). The operation was validated and is in
 * the new form of reservations. A string: it converts nothing at once.
 */
export function conversionsOf(operation: OfferOperation): readonly Conversion[] | string {
  switch (operation.type) {
    case 'RESERVE': {
      const { resources = [], source = [] } = operation.reserve ?? {};
      const consumed = source.length > 0 ? source : resources.map(popReservation);
      return [{ consumed: sumResources(consumed), converted: sumResources(resources) }];
    }
    case 'UNRESERVE':
      return (operation.unreserve?.resources ?? []).map((reserved) => ({
        consumed: [reserved],
        converted: [popReservation(reserved)],
      }));
    case 'CREATE':
      return (operation.create?.volumes ?? []).map((volume) => ({
        consumed: [stripVolume(volume)],
        converted: [volume],
      }));
    case 'DESTROY':
      return (operation.destroy?.volumes ?? []).map((volume) => ({
        consumed: [volume],
        converted: [stripVolume(volume)],
        mustVanish: volume,
      }));
    case 'GROW_VOLUME':
    case 'SHRINK_VOLUME':
      return resizeConversions(operation);
    case 'LAUNCH':
    case 'LAUNCH_GROUP':
    case 'CREATE_DISK':
    case 'DESTROY_DISK':
      return 'Operation not supported';
    default:
      return 'Unknown operation';
  }
}

function resizeConversions(operation: OfferOperation): readonly Conversion[] | string {
  const { grow_volume: grow, shrink_volume: shrink } = operation;
  const volume = grow?.volume ?? shrink?.volume;
  if (volume === undefined) return 'Unknown operation';
  if (volume.provider_id !== undefined) return 'Operation not supported for resource provider';
  const size = toFixed(volume.scalar?.value ?? 0);
  if (grow !== undefined) {
    const grown = withSize(volume, size + toFixed(grow.addition.scalar?.value ?? 0));
    return [{ consumed: sumResources([volume, grow.addition]), converted: [grown] }];
  }
  const less = toFixed(shrink?.subtract.value ?? 0);
  const freed = withSize(stripVolume(volume), less);
  return [{ consumed: [volume], converted: sumResources([withSize(volume, size - less), freed]) }];
}

function withSize(resource: Resource, fixed: number): Resource {
  return { ...resource, scalar: { value: fromFixed(fixed) } };
}

export function applyConversions(
  resources: Resources,
  conversions: readonly Conversion[],
): Converted {
  let result = sumResources(resources);
  for (const { consumed, converted, mustVanish } of conversions) {
    if (!containsResources(result, consumed)) {
      const message = `${resourcesText(result)} does not contain ${resourcesText(consumed)}`;
      return { ok: false, message };
    }
    result = addResources(subtractResources(result, consumed), converted);
    if (mustVanish !== undefined && containsResources(result, [mustVanish])) {
      const volume = resourceText(mustVanish);
      const message = `Persistent volume ${volume} cannot be removed due to additional shared copies`;
      return { ok: false, message };
    }
  }
  return { ok: true, resources: result };
}

/** What `resources` are after the operation; a failure leaves them as they were. */
export function applyOperation(resources: Resources, operation: OfferOperation): Converted {
  const conversions = conversionsOf(operation);
  if (typeof conversions === 'string')
    return { ok: false, message: `Cannot get conversions: ${conversions}` };
  return applyConversions(resources, conversions);
}

/** All that an operation takes away: what an offer or agent must hold for it. */
export function consumedBy(operation: OfferOperation): Resources {
  const conversions = conversionsOf(operation);
  if (typeof conversions === 'string') return [];
  return sumResources(...conversions.map(({ consumed }) => consumed));
}

/** All that an operation makes. */
export function convertedBy(operation: OfferOperation): Resources {
  const conversions = conversionsOf(operation);
  if (typeof conversions === 'string') return [];
  return sumResources(...conversions.map(({ converted }) => converted));
}
