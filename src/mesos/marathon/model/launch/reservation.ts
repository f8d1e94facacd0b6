import {
  type Offer,
  type OfferOperation,
  type Resource,
  popReservation,
  pushReservation,
  stripVolume,
  upgradeResource,
} from '#mesos/protocol';
import type { LocalVolume } from '../instance.ts';
import type { Match } from '../offer/match.ts';
import { inFormOf, persistenceIDOf, reservationLabels, reservedFor } from '../offer/resources.ts';
import type { RunSpec } from '../root.ts';
import type { ModelSettings } from '../settings.ts';

export interface ReserveRequest {
  readonly match: Match;
  readonly instanceID: string;
  readonly frameworkID: string;
  readonly settings: ModelSettings;
  /** One for each of the match's new volumes, in their order. */
  readonly volumes: readonly LocalVolume[];
  /** The role of the instance; that of the run spec if not given. */
  readonly role?: string | undefined;
}

/** RESERVE of all that a resident instance needs, CREATE of its volumes. */
export function reserveOperations(runSpec: RunSpec, request: ReserveRequest): OfferOperation[] {
  const { match, volumes, settings } = request;
  const role = request.role ?? runSpec.spec.role ?? settings.mesosRole;
  const reserved = (resource: Resource): Resource => reservedResource(resource, { role, request });
  const wanted = [...match.resources, ...match.executorResources];
  const made = match.newVolumes.flatMap(({ disk }, index): Resource[] => {
    const volume = volumes[index];
    if (volume === undefined) return [];
    const held = reserved(disk);
    return [
      {
        ...held,
        disk: {
          ...held.disk,
          persistence: { id: volume.persistenceID, ...principalOf(settings) },
          volume: { container_path: volume.containerPath, mode: 'RW' },
        },
      },
    ];
  });
  const reserve: OfferOperation = {
    type: 'RESERVE',
    reserve: { resources: wanted.map(reserved) },
  };
  return made.length === 0 ? [reserve] : [reserve, { type: 'CREATE', create: { volumes: made } }];
}

function principalOf({ principal }: ModelSettings): { readonly principal?: string } {
  return principal === undefined ? {} : { principal };
}

function reservedResource(
  resource: Resource,
  { role, request }: { readonly role: string; readonly request: ReserveRequest },
): Resource {
  const { frameworkID, instanceID, settings } = request;
  const labels = [
    { key: reservationLabels.framework, value: frameworkID },
    { key: reservationLabels.instance, value: instanceID },
  ];
  const info = { type: 'DYNAMIC', role, ...principalOf(settings), labels: { labels } } as const;
  return inFormOf(resource, pushReservation(upgradeResource(resource), info));
}

/** DESTROY and UNRESERVE of what the offer holds for instances of ours that are gone. */
export function releaseOperations(
  offer: Offer,
  { frameworkID, known }: { readonly frameworkID: string; readonly known: ReadonlySet<string> },
): OfferOperation[] {
  const given = (offer.resources ?? []).filter((resource) => {
    const owner = reservedFor(resource);
    return owner?.frameworkID === frameworkID && !known.has(owner.instanceID);
  });
  if (given.length === 0) return [];
  const volumes = given.filter((resource) => persistenceIDOf(resource) !== undefined);
  const plain = given.map((resource) =>
    persistenceIDOf(resource) === undefined ? resource : stripVolume(resource),
  );
  const unreserve: OfferOperation = { type: 'UNRESERVE', unreserve: { resources: plain } };
  return volumes.length === 0
    ? [unreserve]
    : [{ type: 'DESTROY', destroy: { volumes } }, unreserve];
}

/** What is left of an offer after `releaseOperations`: free again, for other launches. */
export function releasedResource(resource: Resource): Resource {
  const bare = persistenceIDOf(resource) === undefined ? resource : stripVolume(resource);
  return inFormOf(resource, popReservation(upgradeResource(bare)));
}
