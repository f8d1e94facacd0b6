import type { Random } from '#base';
import type { Offer, OfferOperation, Resource } from '#mesos/protocol';
import type {
  Instance,
  InstanceAgent,
  InstanceTask,
  LocalVolume,
  Match,
  ModelSettings,
  RunSpec,
} from '../model/index.ts';
import { appTask, parseTaskID, podTaskGroup, reserveOperations, taskIDOf } from '../model/index.ts';
import { containersOf, versionOf } from './run-spec.ts';

/** An instance that takes part of an offer: how it is stored first, and what the master is told then. */
export interface Provisioned {
  readonly instance: Instance;
  readonly operations: readonly OfferOperation[];
  readonly taken: readonly Resource[];
}

export interface ProvisionContext {
  readonly offer: Offer;
  readonly match: Match;
  readonly settings: ModelSettings;
  readonly nowMs: number;
  readonly random: Random;
  readonly frameworkID: string;
  readonly enforceRole: boolean;
  /** When an unconfirmed reservation is given up. */
  readonly reservationTimeoutMs: number;
}

export function agentOf(offer: Offer): InstanceAgent {
  const domain = offer.domain?.fault_domain;
  return {
    host: offer.hostname,
    agentID: offer.agent_id.value,
    ...(domain !== undefined && { region: domain.region.name, zone: domain.zone.name }),
    attributes: offer.attributes ?? [],
  };
}

/** A launch on what the match found. */
export function provision(
  instance: Instance,
  runSpec: RunSpec,
  context: ProvisionContext,
): Provisioned {
  const { offer, match, nowMs } = context;
  const incarnation = nextIncarnation(instance);
  const now = new Date(nowMs).toISOString();
  const ports = portsByTask(runSpec, match.hostPorts);
  const tasks = containersOf(runSpec).map(
    (container, at): InstanceTask => ({
      taskID: taskIDOf(instance.instanceID, incarnation, container),
      ...(container !== undefined && { container }),
      condition: 'Provisioned',
      stagedAt: now,
      runSpecVersion: versionOf(runSpec),
      hostPorts: ports[at] ?? [],
      ipAddresses: [],
    }),
  );
  const { reservation } = instance;
  return {
    instance: {
      ...instance,
      ...(reservation !== undefined && {
        reservation: { volumes: reservation.volumes, state: 'Reserved' },
      }),
      runSpecVersion: versionOf(runSpec),
      condition: 'Provisioned',
      since: now,
      activeSince: undefined,
      healthy: undefined,
      agent: agentOf(offer),
      tasks,
    },
    operations: [launchOf(instance, runSpec, { ...context, incarnation })],
    taken: [...match.resources, ...match.executorResources],
  };
}

/** The first of two steps of a resident instance: what it will be launched on, next time. */
export function reserve(
  instance: Instance,
  runSpec: RunSpec,
  context: ProvisionContext,
): Provisioned {
  const { match, nowMs, random, settings, frameworkID } = context;
  const volumes = match.newVolumes.map(({ name }): LocalVolume => {
    const uuid = random.uuid();
    const safe = instance.runSpecID.slice(1).replaceAll('/', '_');
    return {
      runSpecID: instance.runSpecID,
      containerPath: name,
      uuid,
      persistenceID: `${safe}#${name}#${uuid}`,
    };
  });
  const deadline = new Date(nowMs + context.reservationTimeoutMs).toISOString();
  return {
    instance: {
      ...instance,
      reservation: { volumes, state: 'New', deadline },
      agent: agentOf(context.offer),
    },
    operations: reserveOperations(runSpec, {
      match,
      instanceID: instance.instanceID,
      frameworkID,
      settings,
      volumes,
      role: instance.role,
    }),
    taken: [...match.resources, ...match.executorResources],
  };
}

function launchOf(
  instance: Instance,
  runSpec: RunSpec,
  context: ProvisionContext & { readonly incarnation: number },
): OfferOperation {
  const { offer, match, settings, random, enforceRole, incarnation } = context;
  const { instanceID } = instance;
  const request = {
    offer,
    match,
    instanceID,
    incarnation,
    settings,
    enforceRole,
    random,
  };
  if (runSpec.kind === 'app')
    return { type: 'LAUNCH', launch: { task_infos: [appTask(runSpec.spec, request)] } };
  const { executor, taskGroup } = podTaskGroup(runSpec.spec, request);
  return { type: 'LAUNCH_GROUP', launch_group: { executor, task_group: taskGroup } };
}

/** Launches of one offer as one operation each kind allows: all apps' tasks in one LAUNCH. */
export function joined(operations: readonly OfferOperation[]): OfferOperation[] {
  const launches = operations.filter(({ type }) => type === 'LAUNCH');
  if (launches.length < 2) return [...operations];
  const taskInfos = launches.flatMap(({ launch }) => launch?.task_infos ?? []);
  return [
    ...operations.filter(({ type }) => type !== 'LAUNCH'),
    { type: 'LAUNCH', launch: { task_infos: taskInfos } },
  ];
}

function nextIncarnation({ tasks }: Instance): number {
  let last = 0;
  for (const { taskID } of tasks) last = Math.max(last, parseTaskID(taskID)?.incarnation ?? 1);
  return last + 1;
}

/** Ports of the host, by task: a pod's come endpoint by endpoint, container by container. */
function portsByTask(
  runSpec: RunSpec,
  hostPorts: readonly (number | undefined)[],
): readonly (readonly number[])[] {
  if (runSpec.kind === 'app') return [defined(hostPorts)];
  let from = 0;
  return runSpec.spec.containers.map(({ endpoints = [] }) => {
    const mine = hostPorts.slice(from, from + endpoints.length);
    from += endpoints.length;
    return defined(mine);
  });
}

function defined(ports: readonly (number | undefined)[]): number[] {
  return ports.filter((port) => port !== undefined);
}
