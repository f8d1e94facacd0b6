import {
  addResources,
  containsResources,
  flattenResources,
  sameResources,
  sumResources,
  unallocateResources,
  type Resources,
} from '../resources/arithmetic.ts';
import { stripVolume } from '../resources/conversions.ts';
import {
  hasRefinedReservations,
  isDynamicallyReserved,
  isPersistentVolume,
  reservationRole,
  sameReservations,
} from '../resources/reservations.ts';
import { isAddable } from '../resources/same.ts';
import { orderedJson, resourcesText, resourceText } from '../resources/text.ts';
import { validateResource, validateResources } from '../resources/validate.ts';
import { toFixed } from '../resources/values.ts';
import type {
  OfferOperation,
  OfferOperationCreateDisk,
  OfferOperationDestroyDisk,
  OfferOperationGrowVolume,
  OfferOperationShrinkVolume,
  Resource,
} from '../types.ts';
import { firstProblem, under } from './executor.ts';
import {
  validateOneProvider,
  validateOneRole,
  validateUniquePersistence,
  validateUsable,
  validateVolumes,
} from './usage.ts';

/** Operations of frameworks and operators (mesos.md 2.3 step 2 and 4.6). */

export interface OperationContext {
  /** FrameworkInfo.principal, or the operator's; undefined: any will do. */
  readonly principal: string | undefined;
  readonly agentCapabilities: ReadonlySet<string>;
  /** Absent: an operator asks, about unallocated resources. */
  readonly framework?:
    | {
        readonly id: string;
        readonly roles: ReadonlySet<string>;
        readonly capabilities: ReadonlySet<string>;
      }
    | undefined;
  /** Reservations and volumes of the agent, unallocated. */
  readonly checkpointed: Resources;
  /** Held by tasks and executors on the agent, by framework; allocated or not. */
  readonly used: readonly Resources[];
}

/** Are its members there and its resources well-formed? Before they are put into the new form. */
export function validateOperationShape(operation: OfferOperation): string | undefined {
  const { launch, launch_group: group, reserve, unreserve, create, destroy } = operation;
  const { grow_volume: grow, shrink_volume: shrink } = operation;
  const disk = operation.create_disk ?? operation.destroy_disk;
  switch (operation.type) {
    case 'RESERVE':
      if (reserve === undefined) return missing('A RESERVE', 'reserve');
      return validateResources(reserve.resources ?? []) ?? validateResources(reserve.source ?? []);
    case 'UNRESERVE':
      if (unreserve === undefined) return missing('An UNRESERVE', 'unreserve');
      return validateResources(unreserve.resources ?? []);
    case 'CREATE':
      if (create === undefined) return missing('A CREATE', 'create');
      return validateResources(create.volumes ?? []);
    case 'DESTROY':
      if (destroy === undefined) return missing('A DESTROY', 'destroy');
      return validateResources(destroy.volumes ?? []);
    case 'GROW_VOLUME':
      if (grow === undefined)
        return 'A GROW_VOLUME operation must have the Offer.Operation.grow_volume field set';
      return validateResource(grow.volume) ?? validateResource(grow.addition);
    case 'SHRINK_VOLUME':
      if (shrink === undefined)
        return 'A SHRINK_VOLUME offer operation must have the Offer.Operation.shrink_volume field set';
      return validateResource(shrink.volume);
    case 'CREATE_DISK':
    case 'DESTROY_DISK':
      if (disk === undefined) return missing(`A ${operation.type}`, operation.type.toLowerCase());
      return validateResource(disk.source);
    case 'LAUNCH':
      if (launch === undefined) return missing('A LAUNCH', 'launch');
      return firstProblem((launch.task_infos ?? []).map((task) => () => taskShape(task)));
    case 'LAUNCH_GROUP':
      if (group === undefined) return missing('A LAUNCH_GROUP', 'launch_group');
      return firstProblem([
        () => validateResources(group.executor.resources ?? []),
        ...(group.task_group.tasks ?? []).map((task) => () => taskShape(task)),
      ]);
    default:
      return 'Unknown offer operation';
  }
}

function missing(which: string, field: string): string {
  return `${which} offer operation must have the Offer.Operation.${field} field set.`;
}

function taskShape(task: {
  readonly resources?: readonly Resource[] | undefined;
  readonly executor?: { readonly resources?: readonly Resource[] | undefined } | undefined;
}): string | undefined {
  return (
    validateResources(task.resources ?? []) ?? validateResources(task.executor?.resources ?? [])
  );
}

/** All but launches. The operation is in the new form of reservations. */
export function validateOperation(
  operation: OfferOperation,
  context: OperationContext,
): string | undefined {
  const { reserve, unreserve, create, destroy } = operation;
  const { grow_volume: grow, shrink_volume: shrink } = operation;
  const { create_disk: createDisk, destroy_disk: destroyDisk } = operation;
  if (operation.type === 'RESERVE' && reserve !== undefined)
    return validateReserve(reserve.resources ?? [], reserve.source ?? [], context);
  if (operation.type === 'UNRESERVE' && unreserve !== undefined)
    return validateUnreserve(unreserve.resources ?? []);
  if (operation.type === 'CREATE' && create !== undefined)
    return validateCreate(create.volumes ?? [], context);
  if (operation.type === 'DESTROY' && destroy !== undefined)
    return validateDestroy(destroy.volumes ?? [], context);
  if (operation.type === 'GROW_VOLUME' && grow !== undefined) return validateGrow(grow, context);
  if (operation.type === 'SHRINK_VOLUME' && shrink !== undefined)
    return validateShrink(shrink, context);
  if (operation.type === 'CREATE_DISK' && createDisk !== undefined)
    return validateCreateDisk(createDisk);
  if (operation.type === 'DESTROY_DISK' && destroyDisk !== undefined)
    return validateDestroyDisk(destroyDisk);
  return validateOperationShape(operation) ?? 'Unknown offer operation';
}

function validateReserve(
  resources: readonly Resource[],
  source: readonly Resource[],
  context: OperationContext,
): string | undefined {
  return firstProblem([
    () => under('Invalid resources: ', validateUsable(resources)),
    () => under('Invalid source: ', validateUsable(source)),
    () => (source.length === 0 ? undefined : validateUpdate(source, resources)),
    () => under('Invalid resources: ', validateOneProvider(resources)),
    ...resources.map((resource) => () => validateReserved(resource, context)),
    () => context.framework && under('Invalid reservation resources: ', validateOneRole(resources)),
  ]);
}

/** A reservation is changed into another, of the same resources. */
function validateUpdate(
  source: readonly Resource[],
  target: readonly Resource[],
): string | undefined {
  const from = flattenResources(source);
  const to = flattenResources(target);
  return firstProblem([
    () => under('Invalid source: ', validateUniform(source)),
    () => under('Invalid resources: ', validateUniform(target)),
    () =>
      sameResources(from, to)
        ? undefined
        : `Source and target resources should refer to identical resource quantities: ${resourcesText(from)} vs. ${resourcesText(to)}`,
  ]);
}

function validateUniform(resources: readonly Resource[]): string | undefined {
  const [one] = resources;
  if (one === undefined) return 'Resource cannot be empty';
  return resources.every((resource) => sameReservations(resource, one))
    ? undefined
    : `Mixed reservations are not supported${orderedJson(resources)}`;
}

function validateReserved(resource: Resource, context: OperationContext): string | undefined {
  const { principal } = context;
  if (!isDynamicallyReserved(resource))
    return `Resource ${resourceText(resource)} is not dynamically reserved`;
  const incapable = validateCapable(`Resource ${resourceText(resource)}`, 'reserved', {
    resource,
    context,
  });
  if (incapable !== undefined) return incapable;
  if (principal !== undefined) {
    const owner = resource.reservations?.at(-1)?.principal;
    if (owner === undefined)
      return `A reserve operation was attempted by principal '${principal}', but there is a reserved resource in the request with no principal set`;
    if (owner !== principal)
      return `A reserve operation was attempted by authenticated principal '${principal}', which does not match a reserved resource in the request with principal '${owner}'`;
  }
  return validateReservedRole(resource, context);
}

function validateReservedRole(
  resource: Resource,
  { framework }: OperationContext,
): string | undefined {
  const allocated = resource.allocation_info?.role;
  if (framework === undefined)
    return resource.allocation_info === undefined
      ? undefined
      : 'A reserve operation was attempted with an allocated resource, but the operator API only allows reservations to be made to unallocated resources';
  if (allocated === undefined)
    return `A reserve operation was attempted on unallocated resource ${resourceText(resource)}, but frameworks can only perform reservations on allocated resources`;
  const reserved = reservationRole(resource);
  if (allocated !== reserved)
    return `A reserve operation was attempted for a resource with role '${reserved}', but the resource was allocated to role '${allocated}'`;
  if (!framework.roles.has(allocated))
    return `A reserve operation was attempted for a resource allocated to role '${allocated}', but the framework only has roles '{ ${[...framework.roles].join(', ')} }'`;
  return undefined;
}

function validateCapable(
  which: string,
  verb: 'reserved' | 'created',
  { resource, context }: { readonly resource: Resource; readonly context: OperationContext },
): string | undefined {
  const role = reservationRole(resource) ?? '';
  const { agentCapabilities } = context;
  if (!agentCapabilities.has('HIERARCHICAL_ROLE') && role.includes('/'))
    return `${which} with reservation for hierarchical role '${role}' cannot be ${verb} on an agent without HIERARCHICAL_ROLE capability`;
  if (!agentCapabilities.has('RESERVATION_REFINEMENT') && hasRefinedReservations(resource))
    return `${which} with reservation refinement cannot be ${verb} on an agent without RESERVATION_REFINEMENT capability`;
  return undefined;
}

function validateUnreserve(resources: readonly Resource[]): string | undefined {
  return firstProblem([
    () => under('Invalid resources: ', validateUsable(resources)),
    () => under('Invalid resources: ', validateOneProvider(resources)),
    ...resources.map((resource) => () => {
      const text = resourceText(resource);
      if (!isDynamicallyReserved(resource)) return `Resource ${text} is not dynamically reserved`;
      return isPersistentVolume(resource)
        ? `A dynamically reserved persistent volume ${text} cannot be unreserved directly. Please destroy the persistent volume first then unreserve the resource`
        : undefined;
    }),
  ]);
}

function validateCreate(
  volumes: readonly Resource[],
  context: OperationContext,
): string | undefined {
  return firstProblem([
    () => under('Invalid resources: ', validateUsable(volumes)),
    () => under('Invalid resources: ', validateOneProvider(volumes)),
    () => under('Not a persistent volume: ', validateVolumes(volumes)),
    () =>
      validateUniquePersistence(addResources(context.checkpointed, unallocateResources(volumes))),
    ...volumes.map((volume) => () => validateCreated(volume, context)),
    () => context.framework && under('Invalid volume resources: ', validateOneRole(volumes)),
  ]);
}

function validateCreated(volume: Resource, context: OperationContext): string | undefined {
  const { framework, principal } = context;
  const text = resourceText(volume);
  if (
    framework !== undefined &&
    volume.shared !== undefined &&
    !framework.capabilities.has('SHARED_RESOURCES')
  )
    return `Create volume operation for '${text}' has been attempted by framework '${framework.id}' with no SHARED_RESOURCES capability`;
  const incapable = validateCapable(`Volume ${text}`, 'created', { resource: volume, context });
  if (incapable !== undefined || principal === undefined) return incapable;
  const owner = volume.disk?.persistence?.principal;
  if (owner === undefined)
    return `Create volume operation attempted by principal '${principal}', but there is a volume in the operation with no principal set in 'disk.persistence'`;
  return owner === principal
    ? undefined
    : `Create volume operation attempted by authenticated principal '${principal}', which does not match a volume in the operation with principal '${owner}' set in 'disk.persistence'`;
}

function validateDestroy(
  destroyed: readonly Resource[],
  { checkpointed, used }: OperationContext,
): string | undefined {
  const volumes = unallocateResources(destroyed);
  return firstProblem([
    () => under('Invalid resources: ', validateUsable(volumes)),
    () => under('Invalid resources: ', validateOneProvider(volumes)),
    () => under('Not a persistent volume: ', validateVolumes(volumes)),
    () =>
      volumes.every(
        (volume) => volume.provider_id !== undefined || containsResources(checkpointed, [volume]),
      )
        ? undefined
        : 'Persistent volumes not found',
    () => {
      const held = used.map(unallocateResources);
      return volumes.some((volume) => held.some((sum) => containsResources(sum, [volume])))
        ? 'Persistent volumes in use'
        : undefined;
    },
  ]);
}

function validateGrow(
  { volume, addition }: OfferOperationGrowVolume,
  { agentCapabilities }: OperationContext,
): string | undefined {
  return firstProblem([
    () => under("Invalid resource in the 'GrowVolume.volume' field: ", validateResource(volume)),
    () =>
      under("Invalid resource in the 'GrowVolume.addition' field: ", validateResource(addition)),
    () =>
      toFixed(addition.scalar?.value ?? 0) <= 0
        ? "The size of 'GrowVolume.addition' field must be greater than zero"
        : undefined,
    () =>
      volume.provider_id === undefined
        ? undefined
        : 'Growing a volume from a resource provider is not supported',
    () =>
      under(
        "Invalid persistent volume in the 'GrowVolume.volume' field: ",
        validateVolumes(sumResources([volume])),
      ),
    () =>
      volume.shared === undefined
        ? undefined
        : 'Growing a shared persistent volume is not supported',
    () =>
      isAddable(stripVolume(volume), addition)
        ? undefined
        : "Incompatible resources in the 'GrowVolume.volume' and 'GrowVolume.addition' fields",
    () =>
      agentCapabilities.has('RESIZE_VOLUME')
        ? undefined
        : `Volume ${resourceText(volume)} cannot be grown on an agent without RESIZE_VOLUME capability`,
  ]);
}

function validateShrink(
  { volume, subtract }: OfferOperationShrinkVolume,
  { agentCapabilities }: OperationContext,
): string | undefined {
  const less = toFixed(subtract.value);
  return firstProblem([
    () => under("Invalid resource in the 'ShrinkVolume.volume' field: ", validateResource(volume)),
    () => (less <= 0 ? "Value of 'ShrinkVolume.subtract' must be greater than zero" : undefined),
    () =>
      toFixed(volume.scalar?.value ?? 0) <= less
        ? "Value of 'ShrinkVolume.subtract' must be smaller than the size of 'ShrinkVolume.volume'"
        : undefined,
    () =>
      volume.provider_id === undefined
        ? undefined
        : 'Shrinking a volume from a resource provider is not supported',
    () =>
      volume.disk?.source?.type === 'MOUNT'
        ? 'Shrinking a volume on a MOUNT disk is not supported'
        : undefined,
    () =>
      under(
        "Invalid persistent volume in the 'ShrinkVolume.volume' field: ",
        validateVolumes(sumResources([volume])),
      ),
    () =>
      volume.shared === undefined
        ? undefined
        : 'Shrinking a shared persistent volume is not supported',
    () =>
      agentCapabilities.has('RESIZE_VOLUME')
        ? undefined
        : `Volume ${resourceText(volume)} cannot be shrunk on an agent without RESIZE_VOLUME capability`,
  ]);
}

function validateCreateDisk(create: OfferOperationCreateDisk): string | undefined {
  const { source, target_type: type, target_profile: profile } = create;
  const problem = under('Invalid resource: ', validateUsable([source]));
  if (problem !== undefined) return problem;
  if (source.provider_id === undefined) return "'source' is not managed by a resource provider";
  if (source.disk?.source?.type !== 'RAW') return "'source' is not a RAW disk resource";
  if (type !== 'MOUNT' && type !== 'BLOCK') return "'target_type' is neither MOUNT or BLOCK";
  const hasProfile = source.disk.source.profile !== undefined;
  if (hasProfile && profile !== undefined)
    return "'target_profile' must not be set when 'source' has a profile";
  if (!hasProfile && profile === undefined)
    return "'target_profile' must be set when 'source' has no profile";
  return undefined;
}

function validateDestroyDisk({ source }: OfferOperationDestroyDisk): string | undefined {
  const problem = under('Invalid resource: ', validateUsable([source]));
  if (problem !== undefined) return problem;
  if (source.provider_id === undefined) return "'source' is not managed by a resource provider";
  const type = source.disk?.source?.type;
  if (type !== 'MOUNT' && type !== 'BLOCK' && type !== 'RAW')
    return "'source' is neither a MOUNT, BLOCK or RAW disk resource";
  if (source.disk?.source?.id === undefined) return "'source' is not backed by a CSI volume";
  if (isPersistentVolume(source))
    return `A disk resource containing a persistent volume ${resourceText(source)} cannot be destroyed directly. Please destroy the persistent volume first then destroy the disk resource`;
  return undefined;
}
