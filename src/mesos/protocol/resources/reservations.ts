import type {
  Label,
  Labels,
  Resource,
  ResourceReservationInfo,
  TaskInfo,
  OfferOperation,
  ExecutorInfo,
} from '../types.ts';

/**
 * The two forms of a reservation. The old one has `role` and `reservation`; the new one a stack,
 * `reservations`, whose last entry counts. Inside Tandem resources are in the new form always.
 */

export function upgradeResource(resource: Resource): Resource {
  const { role = '*', reservation, ...rest } = resource;
  if ((rest.reservations ?? []).length > 0 || role === '*') {
    if (!('role' in resource) && !('reservation' in resource)) return resource;
    return rest;
  }
  const info: ResourceReservationInfo =
    reservation === undefined
      ? { type: 'STATIC', role }
      : { ...reservation, type: 'DYNAMIC', role };
  return { ...rest, reservations: [info] };
}

export function upgradeResources(resources: readonly Resource[]): readonly Resource[] {
  return resources.map(upgradeResource);
}

/**
 * For frameworks without RESERVATION_REFINEMENT. A resource with a stack of several has no old form:
 * such frameworks are never offered it.
 */
export function downgradeResource(resource: Resource): Resource {
  const { reservations = [], ...rest } = resource;
  if (reservations.length > 1) return resource;
  return { ...rest, ...oldForm(reservations[0]) };
}

/** As endpoints and operator calls show resources: the old form (where there is one) and the stack. */
export function endpointResource(resource: Resource): Resource {
  const reservations = resource.reservations ?? [];
  return reservations.length > 1 ? resource : { ...resource, ...oldForm(reservations[0]) };
}

function oldForm(
  info: ResourceReservationInfo | undefined,
): Pick<Resource, 'role' | 'reservation'> {
  if (info === undefined) return { role: '*' };
  const role = info.role ?? '*';
  if (info.type !== 'DYNAMIC') return { role };
  const reservation: ResourceReservationInfo = {
    ...(info.principal === undefined ? {} : { principal: info.principal }),
    ...(info.labels === undefined ? {} : { labels: info.labels }),
  };
  return { role, reservation };
}

export function isUnreserved(resource: Resource): boolean {
  return resource.reservations === undefined || resource.reservations.length === 0;
}

/** Of the innermost reservation; undefined when there is none. */
export function reservationRole(resource: Resource): string | undefined {
  return resource.reservations?.at(-1)?.role;
}

export function isReserved(resource: Resource, role?: string): boolean {
  return !isUnreserved(resource) && (role === undefined || reservationRole(resource) === role);
}

export function isDynamicallyReserved(resource: Resource): boolean {
  return resource.reservations?.at(-1)?.type === 'DYNAMIC';
}

export function hasRefinedReservations(resource: Resource): boolean {
  return (resource.reservations?.length ?? 0) > 1;
}

export function isRevocable(resource: Resource): boolean {
  return resource.revocable !== undefined;
}
export function isShared(resource: Resource): boolean {
  return resource.shared !== undefined;
}
export function isPersistentVolume(resource: Resource): boolean {
  return resource.disk?.persistence !== undefined;
}

/** `eng/dev` is a strict subrole of `eng`. */
export function isStrictSubrole(role: string, of: string): boolean {
  return role.length > of.length && role.startsWith(of) && role[of.length] === '/';
}

/** May a framework of `role` be offered it? */
export function isAllocatableTo(resource: Resource, role: string): boolean {
  const reserved = reservationRole(resource);
  return reserved === undefined || reserved === role || isStrictSubrole(role, reserved);
}

export function allocateResource(resource: Resource, role: string): Resource {
  return resource.allocation_info?.role === role
    ? resource
    : { ...resource, allocation_info: { role } };
}

export function unallocateResource(resource: Resource): Resource {
  if (!('allocation_info' in resource)) return resource;
  const { allocation_info: _allocation, ...rest } = resource;
  return rest;
}

export function pushReservation(resource: Resource, info: ResourceReservationInfo): Resource {
  return { ...resource, reservations: [...(resource.reservations ?? []), info] };
}

/** Without its innermost reservation. */
export function popReservation(resource: Resource): Resource {
  const { reservations = [], ...rest } = resource;
  const left = reservations.slice(0, -1);
  return left.length === 0 ? rest : { ...rest, reservations: left };
}

export function withoutReservations(resource: Resource): Resource {
  if (!('reservations' in resource)) return resource;
  const { reservations: _reservations, ...rest } = resource;
  return rest;
}

export function sameReservation(
  left: ResourceReservationInfo,
  right: ResourceReservationInfo,
): boolean {
  return (
    (left.type ?? 'UNKNOWN') === (right.type ?? 'UNKNOWN') &&
    (left.role ?? '') === (right.role ?? '') &&
    left.principal === right.principal &&
    sameLabels(left.labels, right.labels)
  );
}

export function sameReservations(left: Resource, right: Resource): boolean {
  const ours = left.reservations ?? [];
  const theirs = right.reservations ?? [];
  if (ours.length !== theirs.length) return false;
  return ours.every((info, index) => {
    const other = theirs[index];
    return other !== undefined && sameReservation(info, other);
  });
}

/** Labels are a bag: order does not matter, number does. */
export function sameLabels(left: Labels | undefined, right: Labels | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  const ours = (left.labels ?? []).map(labelKey).toSorted();
  const theirs = (right.labels ?? []).map(labelKey).toSorted();
  return ours.length === theirs.length && ours.every((key, index) => key === theirs[index]);
}

/** Equal for the same bag of labels; null when there are none at all. */
export function labelsKey(labels: Labels | undefined): readonly string[] | null {
  return labels === undefined ? null : (labels.labels ?? []).map(labelKey).toSorted();
}

function labelKey({ key, value }: Label): string {
  return JSON.stringify([key, value]);
}

/** Every resource in it in the new form. */
export function upgradeExecutor(executor: ExecutorInfo): ExecutorInfo {
  return executor.resources === undefined
    ? executor
    : { ...executor, resources: upgradeResources(executor.resources) };
}

export function upgradeTask(task: TaskInfo): TaskInfo {
  return {
    ...task,
    ...(task.resources === undefined ? {} : { resources: upgradeResources(task.resources) }),
    ...(task.executor === undefined ? {} : { executor: upgradeExecutor(task.executor) }),
  };
}

/** Every resource of the operation in the new form; call it only after the operation was validated. */
export function upgradeOperation(operation: OfferOperation): OfferOperation {
  return mapOperation(operation, upgradeResource);
}

/** The operation with each of its resources replaced, those of tasks and executors too. */
export function mapOperation(
  operation: OfferOperation,
  change: (resource: Resource) => Resource,
): OfferOperation {
  const all = (list: readonly Resource[] | undefined): readonly Resource[] | undefined =>
    list?.map(change);
  const executor = (info: ExecutorInfo): ExecutorInfo =>
    info.resources === undefined ? info : { ...info, resources: info.resources.map(change) };
  const task = (info: TaskInfo): TaskInfo => ({
    ...info,
    ...(info.resources === undefined ? {} : { resources: info.resources.map(change) }),
    ...(info.executor === undefined ? {} : { executor: executor(info.executor) }),
  });
  const { launch, launch_group: group, reserve, unreserve, create, destroy } = operation;
  const { grow_volume: grow, shrink_volume: shrink } = operation;
  const { create_disk: createDisk, destroy_disk: destroyDisk } = operation;
  const source = reserve?.source === undefined ? {} : { source: reserve.source.map(change) };
  return {
    ...operation,
    ...(launch && { launch: { ...launch, task_infos: launch.task_infos?.map(task) } }),
    ...(group && {
      launch_group: {
        executor: executor(group.executor),
        task_group: { ...group.task_group, tasks: group.task_group.tasks?.map(task) },
      },
    }),
    ...(reserve && { reserve: { ...reserve, ...source, resources: all(reserve.resources) } }),
    ...(unreserve && { unreserve: { ...unreserve, resources: all(unreserve.resources) } }),
    ...(create && { create: { ...create, volumes: all(create.volumes) } }),
    ...(destroy && { destroy: { ...destroy, volumes: all(destroy.volumes) } }),
    ...(grow && {
      grow_volume: { volume: change(grow.volume), addition: change(grow.addition) },
    }),
    ...(shrink && { shrink_volume: { ...shrink, volume: change(shrink.volume) } }),
    ...(createDisk && { create_disk: { ...createDisk, source: change(createDisk.source) } }),
    ...(destroyDisk && { destroy_disk: { ...destroyDisk, source: change(destroyDisk.source) } }),
  };
}
