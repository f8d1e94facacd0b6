import {
  addResources,
  onceShared,
  persistentVolumes,
  resourceQuantities,
  scalarOf,
  sumResources,
  type Resources,
} from '../resources/arithmetic.ts';
import {
  isDynamicallyReserved,
  isRevocable,
  isUnreserved,
  reservationRole,
} from '../resources/reservations.ts';
import { resourceText } from '../resources/text.ts';
import { validateResources } from '../resources/validate.ts';
import type { Resource } from '../types.ts';
import { validateID } from './names.ts';

/**
 * What resources must be to be used by tasks, executors and operations (mesos.md 4.4;
 * src/master/validation.cpp, namespace resource). They are in the new form of reservations.
 */

/** `resource::validate`: well-formed, whole GPUs, volumes that can be, reservations that can be. */
export function validateUsable(resources: readonly Resource[]): string | undefined {
  const malformed = validateResources(resources);
  if (malformed !== undefined) return `Invalid resources: ${malformed}`;
  const gpus = validateGpus(resources);
  if (gpus !== undefined) return `Invalid 'gpus' resource: ${gpus}`;
  const disk = first(resources, validateDisk);
  if (disk !== undefined) return `Invalid DiskInfo: ${disk}`;
  const reservation = resources.find(
    (resource) => isDynamicallyReserved(resource) && isRevocable(resource),
  );
  if (reservation === undefined) return undefined;
  return `Invalid ReservationInfo: Dynamically reserved resource ${resourceText(reservation)} cannot be created from revocable resources`;
}

export function validateGpus(resources: readonly Resource[]): string | undefined {
  const gpus = scalarOf(sumResources(resources.filter(({ name }) => name === 'gpus')), 'gpus') ?? 0;
  return Math.trunc(gpus * 1000) % 1000 === 0
    ? undefined
    : "The 'gpus' resource must be an unsigned integer";
}

function validateDisk(resource: Resource): string | undefined {
  const { disk } = resource;
  if (disk === undefined) return undefined;
  if (disk.persistence === undefined) {
    if (disk.volume !== undefined) return 'Non-persistent volume not supported';
    return disk.source === undefined ? 'DiskInfo is set but empty' : undefined;
  }
  if (isRevocable(resource)) return 'Persistent volumes cannot be created from revocable resources';
  if (isUnreserved(resource))
    return 'Persistent volumes cannot be created from unreserved resources';
  if (disk.volume === undefined) return "Expecting 'volume' to be set for persistent volume";
  if (disk.volume.host_path !== undefined)
    return "Expecting 'host_path' to be unset for persistent volume";
  const problem = validateID(disk.persistence.id);
  return problem === undefined
    ? undefined
    : `Invalid persistence ID for persistent volume: ${problem}`;
}

/** Within a role on an agent. */
export function validateUniquePersistence(resources: Resources): string | undefined {
  const volumes = onceShared(persistentVolumes(resources));
  if (volumes.length < 2) return undefined;
  const seen = new Set<string>();
  for (const volume of volumes) {
    const id = volume.disk?.persistence?.id ?? '';
    const key = JSON.stringify([reservationRole(volume), id]);
    if (seen.has(key)) return `Persistence ID '${id}' is not unique`;
    seen.add(key);
  }
  return undefined;
}

export function validateOneRole(resources: readonly Resource[]): string | undefined {
  let role: string | undefined;
  for (const resource of resources) {
    const own = resource.allocation_info?.role;
    if (own === undefined) return 'The resources are not allocated to a role';
    role ??= own;
    if (own !== role)
      return `The resources have multiple allocation roles ('${own}' and '${role}') but only one allocation role is allowed`;
  }
  return undefined;
}

export function validateRevocableMix(resources: Resources): string | undefined {
  if (!resources.some(isRevocable)) return undefined;
  const revocable = new Set(resources.filter(isRevocable).map(({ name }) => name));
  const both = resources.find((one) => !isRevocable(one) && revocable.has(one.name));
  return both === undefined
    ? undefined
    : `Cannot use both revocable and non-revocable '${both.name}' at the same time`;
}

export function validateVolumes(volumes: readonly Resource[]): string | undefined {
  return first(volumes, (volume) => {
    const { disk } = volume;
    if (disk === undefined) return `Resource ${resourceText(volume)} does not have DiskInfo`;
    if (disk.persistence === undefined) return "'persistence' is not set in DiskInfo";
    if (disk.volume === undefined) return "Expecting 'volume' to be set for persistent volume";
    return disk.volume.mode === 'RO' ? 'Read-only persistent volume not supported' : undefined;
  });
}

/** Is a port or an item of a set in more than one of the sums? */
export function haveOverlap(sums: readonly Resources[]): boolean {
  const counted = new Map<string, number>();
  let total: Resources = [];
  for (const sum of sums) {
    for (const [name, quantity] of resourceQuantities(sum))
      counted.set(name, (counted.get(name) ?? 0) + quantity);
    total = addResources(total, sum);
  }
  const joined = resourceQuantities(total);
  return [...counted].some(([name, quantity]) => quantity !== (joined.get(name) ?? 0));
}

export function validateOneProvider(resources: readonly Resource[]): string | undefined {
  const providers = new Set(resources.map((resource) => resource.provider_id?.value));
  // None at all is several too: the reference asks whether there is exactly one.
  if (providers.size === 1) return undefined;
  if (providers.has(undefined)) return 'Some resources have a resource provider and some do not';
  return `The resources have multiple resource providers: ${[...providers].join(', ')}`;
}

function first(
  resources: readonly Resource[],
  judge: (resource: Resource) => string | undefined,
): string | undefined {
  for (const resource of resources) {
    const problem = judge(resource);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
