import type { Random } from '#base';
import type { Offer, Resource } from '#mesos/protocol';
import { type Instance, type InstanceReservation } from '../instance.ts';
import type { RunSpec } from '../root.ts';
import { acceptedRolesOf, constraintsOf, instancesOf, isResident } from '../run-spec.ts';
import type { ModelSettings } from '../settings.ts';
import { lastConfigChangeOf } from '../versions.ts';
import { meetsConstraint } from './constraints.ts';
import { DiskStock, type NewVolume, volumeWishesOf } from './disks.ts';
import { matchPorts, wantedPorts } from './ports.ts';
import { ScalarStock, persistenceIDOf, reservedFor, roleOf } from './resources.ts';

/** Why an offer is not used, in the order in which answers count them. */
export const rejectReasons = [
  'UnfulfilledRole',
  'UnfulfilledConstraint',
  'NoCorrespondingReservationFound',
  'AgentMaintenance',
  'InsufficientCpus',
  'InsufficientMemory',
  'InsufficientDisk',
  'InsufficientGpus',
  'InsufficientPorts',
  'DeclinedScarceResources',
] as const;
export type RejectReason = (typeof rejectReasons)[number];

export interface Match {
  readonly ok: true;
  /** What the tasks take, as it was offered; new volumes' disks too. */
  readonly resources: readonly Resource[];
  /** The same task by task: one for an app, one for each container of a pod. */
  readonly taskResources: readonly (readonly Resource[])[];
  /** What the executor of a pod takes, its ports included; nothing for apps. */
  readonly executorResources: readonly Resource[];
  /** One for each definition, mapping or endpoint; undefined where no host port is asked for. */
  readonly hostPorts: readonly (number | undefined)[];
  /** Of the resources those that are for new persistent volumes. */
  readonly newVolumes: readonly NewVolume[];
  /** It is to be reserved, not launched: a resident instance without a reservation. */
  readonly toReserve: boolean;
}
export interface NoMatch {
  readonly ok: false;
  /** In the order of `rejectReasons`; the first is where the offer fell out. */
  readonly reasons: readonly RejectReason[];
}

export interface MatchRequest {
  readonly offer: Offer;
  readonly runSpec: RunSpec;
  /** The other instances of the run spec that have a place. */
  readonly instances: readonly Instance[];
  readonly settings: ModelSettings;
  readonly nowMs: number;
  readonly random: Random;
  /** The master's region, when it is known. */
  readonly localRegion?: string | undefined;
  /** A resident instance that is to be launched on its own reservation. */
  readonly relaunch?:
    | { readonly instanceID: string; readonly reservation: InstanceReservation }
    | undefined;
  /** The role of the instance; that of the run spec if not given. */
  readonly role?: string | undefined;
}

/**
 * What an instance would take of an offer, or why it cannot be there. A resident run spec is matched
 * twice: unreserved resources for its reservation, later (`relaunch`) what was reserved.
 */
export function matchOffer(request: MatchRequest): Match | NoMatch {
  const { relaunch, runSpec } = request;
  const reasons = new Set<RejectReason>();
  const usable = (request.offer.resources ?? []).filter((one) => isUsable(one, request));
  if (usable.length === 0 || !isForRole(request)) reasons.add('UnfulfilledRole');
  const volumes = relaunch === undefined ? [] : ownVolumes(request);
  if (volumes === undefined) reasons.add('NoCorrespondingReservationFound');
  const toReserve = relaunch === undefined && isResident(runSpec);
  const amounts = matchAmounts(usable, { runSpec, toReserve, reasons });
  checkPlace(request, reasons);
  if (reasons.size > 0) return noMatch(reasons);
  const ports = matchPorts(wantedPorts(runSpec), {
    offered: usable.filter(({ name }) => name === 'ports'),
    random: request.random,
    anyForZero: !(runSpec.kind === 'app' && needsItsPorts(runSpec)),
  });
  if (ports === undefined) return noMatch(new Set<RejectReason>(['InsufficientPorts']));
  const executorOwns = runSpec.kind === 'pod';
  const [first = [], ...others] = amounts.tasks;
  const withPorts = executorOwns ? amounts.tasks : [[...first, ...ports.resources], ...others];
  const volumeResources = [...(volumes ?? []), ...amounts.newVolumes.map(({ disk }) => disk)];
  const taskResources = executorOwns
    ? withPorts
    : withPorts.map((own, index) => (index === 0 ? [...own, ...volumeResources] : own));
  return {
    ok: true,
    taskResources,
    resources: taskResources.flat(),
    executorResources: executorOwns
      ? [...amounts.executor, ...ports.resources, ...volumeResources]
      : amounts.executor,
    hostPorts: ports.hostPorts,
    newVolumes: amounts.newVolumes,
    toReserve,
  };
}

function noMatch(reasons: ReadonlySet<RejectReason>): NoMatch {
  return { ok: false, reasons: rejectReasons.filter((reason) => reasons.has(reason)) };
}

/** `requirePorts` counts for definitions only, not for mappings. */
function needsItsPorts({ kind, spec }: RunSpec): boolean {
  return kind === 'app' && spec.requirePorts && (spec.container?.portMappings ?? []).length === 0;
}

function isForRole({ offer, runSpec, role = runSpec.spec.role }: MatchRequest): boolean {
  const allocated = offer.allocation_info?.role;
  return allocated === undefined || role === undefined || allocated === role;
}

function isUsable(resource: Resource, request: MatchRequest): boolean {
  const { relaunch, runSpec, offer } = request;
  if (resource.disk?.volume !== undefined || persistenceIDOf(resource) !== undefined) return false;
  if (resource.revocable !== undefined) return false;
  const owner = reservedFor(resource);
  if (relaunch !== undefined)
    return (
      owner?.instanceID === relaunch.instanceID && owner.frameworkID === offer.framework_id.value
    );
  if (owner !== undefined) return false;
  return isResident(runSpec)
    ? roleOf(resource) === '*'
    : acceptedRoles(request).includes(roleOf(resource));
}

function acceptedRoles({ runSpec, settings }: MatchRequest): readonly string[] {
  const accepted = acceptedRolesOf(runSpec);
  if (accepted.length > 0) return accepted;
  const role = runSpec.spec.role ?? settings.mesosRole;
  if (settings.acceptedResourceRolesDefault === 'unreserved') return ['*'];
  return settings.acceptedResourceRolesDefault === 'reserved' ? [role] : ['*', role];
}

/** The volumes of a reservation; undefined when the offer lacks one of them. */
function ownVolumes({ offer, relaunch }: MatchRequest): Resource[] | undefined {
  const found = (relaunch?.reservation.volumes ?? []).map(({ persistenceID }) =>
    (offer.resources ?? []).find((resource) => persistenceIDOf(resource) === persistenceID),
  );
  const all = found.filter((resource) => resource !== undefined);
  return all.length === found.length ? all : undefined;
}

interface Amounts {
  readonly cpus: number;
  readonly mem: number;
  readonly disk: number;
  readonly gpus: number;
}

const executorDefault = { cpus: 0.1, mem: 32, disk: 10, gpus: 0 };

/** What each task wants; for pods the executor's share comes first. */
export function wantedAmounts({ kind, spec }: RunSpec): {
  readonly executor: Amounts | undefined;
  readonly tasks: readonly Amounts[];
} {
  if (kind === 'app') {
    // Only executors of its own have resources of their own; Mesos' takes part of the task's.
    const own =
      spec.executor === '' || spec.executor === '//cmd' ? undefined : spec.executorResources;
    return { executor: own === undefined ? undefined : { ...own, gpus: 0 }, tasks: [spec] };
  }
  return {
    executor: { ...executorDefault, ...spec.executorResources },
    tasks: spec.containers.map(({ resources }) => resources),
  };
}

interface AmountsMatch {
  readonly tasks: readonly Resource[][];
  readonly executor: readonly Resource[];
  readonly newVolumes: readonly NewVolume[];
}

const scalars = [
  ['cpus', 'InsufficientCpus'],
  ['mem', 'InsufficientMemory'],
  ['gpus', 'InsufficientGpus'],
] as const;

function matchAmounts(
  usable: readonly Resource[],
  options: {
    readonly runSpec: RunSpec;
    readonly toReserve: boolean;
    readonly reasons: Set<RejectReason>;
  },
): AmountsMatch {
  const { runSpec, toReserve, reasons } = options;
  const { executor, tasks } = wantedAmounts(runSpec);
  const takers = executor === undefined ? tasks : [executor, ...tasks];
  const taken = takers.map((): Resource[] => []);
  // What is reserved for the role is used up first.
  const reservedFirst = usable.toSorted(
    (a, b) => Number(isUnreserved(a)) - Number(isUnreserved(b)),
  );
  const named = (wanted: string): Resource[] => reservedFirst.filter(({ name }) => name === wanted);
  for (const [name, reason] of scalars) {
    const stock = new ScalarStock(named(name));
    for (const [index, taker] of takers.entries()) {
      const part = stock.take(taker[name]);
      if (part === undefined) reasons.add(reason);
      else taken[index]?.push(...part);
    }
  }
  const disks = new DiskStock(named('disk'));
  for (const [index, taker] of takers.entries()) {
    const part = disks.takeRoot(taker.disk);
    if (part === undefined) reasons.add('InsufficientDisk');
    else taken[index]?.push(...part);
  }
  const newVolumes: NewVolume[] = [];
  for (const wish of toReserve ? volumeWishesOf(runSpec) : []) {
    const found = disks.takeVolume(wish);
    if (found === undefined) reasons.add('InsufficientDisk');
    else newVolumes.push(...found);
  }
  const executorTaken = executor === undefined ? [] : (taken.shift() ?? []);
  return { tasks: taken, executor: executorTaken, newVolumes };
}

function isUnreserved(resource: Resource): boolean {
  return roleOf(resource) === '*';
}

/** Region, constraints, maintenance and scarce GPUs: told beside amounts that are missing. */
function checkPlace(request: MatchRequest, reasons: Set<RejectReason>): void {
  const { offer, runSpec, settings, relaunch } = request;
  const constraints = constraintsOf(runSpec);
  const region = offer.domain?.fault_domain?.region.name;
  const local =
    region === undefined ||
    region === request.localRegion ||
    constraints.some(({ fieldName }) => fieldName === '@region' || fieldName === '@zone');
  if (!local || !meetsConstraints(request, constraints)) reasons.add('UnfulfilledConstraint');
  if (settings.maintenanceMode && isUnavailable(request)) {
    reasons.add('UnfulfilledConstraint');
    reasons.add('AgentMaintenance');
  }
  if (relaunch === undefined && wastesGpus(request)) reasons.add('DeclinedScarceResources');
}

/** Beside instances of the newest definition: those of older ones will go. */
function meetsConstraints(
  { offer, runSpec, relaunch, instances }: MatchRequest,
  constraints: ReturnType<typeof constraintsOf>,
): boolean {
  if (constraints.length === 0) return true;
  const since = lastConfigChangeOf(runSpec);
  const beside = instances.filter(
    ({ runSpecVersion, instanceID }) =>
      runSpecVersion >= since && instanceID !== relaunch?.instanceID,
  );
  const placement = { offer, instances: beside, wanted: instancesOf(runSpec) };
  return constraints.every((one) => meetsConstraint(one, placement));
}

function isUnavailable({ offer, settings, nowMs }: MatchRequest): boolean {
  const start = offer.unavailability?.start.nanoseconds;
  if (start === undefined) return false;
  const startMs = start / 1e6;
  if (nowMs <= startMs - settings.drainingSeconds * 1000) return false;
  const duration = offer.unavailability?.duration?.nanoseconds;
  return duration === undefined || nowMs <= startMs + duration / 1e6;
}

/** Run specs without GPUs keep away from agents that have some, unless told otherwise. */
function wastesGpus({ offer, runSpec, settings }: MatchRequest): boolean {
  const own = runSpec.spec.labels?.['GPU_SCHEDULING_BEHAVIOR'];
  const behavior = own === 'restricted' || own === 'unrestricted' ? own : settings.gpuScheduling;
  if (behavior === 'unrestricted') return false;
  const { tasks } = wantedAmounts(runSpec);
  if (tasks.some(({ gpus }) => gpus > 0)) return false;
  return (offer.resources ?? []).some(
    ({ name, scalar }) => name === 'gpus' && (scalar?.value ?? 0) > 0,
  );
}
