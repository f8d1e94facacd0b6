import type { FaceReply } from '#base';
import { CallRejected, emptyReply } from '#mesos/protocol';
import type {
  Action,
  DurationInfo,
  GoogleProtobufDuration,
  MasterCall,
  OfferOperation,
  Resource,
} from '#mesos/protocol';
import type { OperatorActions } from '../../core/operator.ts';
import type { Asked } from './answers.ts';

type Change = (operator: OperatorActions, call: MasterCall, asked: Asked) => Promise<void>;

/** Calls that change something and answer 200 without a body. */
const changes: Readonly<Record<string, Change>> = {
  UPDATE_WEIGHTS: async (operator, call, asked) => {
    const weights = call.update_weights?.weight_infos ?? [];
    for (const { role } of weights) demand(asked, 'update_weights', { role });
    await operator.updateWeights(weights);
  },
  UPDATE_MAINTENANCE_SCHEDULE: async (operator, call, asked) => {
    demand(asked, 'update_maintenance_schedules');
    await operator.updateSchedule(call.update_maintenance_schedule?.schedule ?? {});
  },
  START_MAINTENANCE: async (operator, call, asked) => {
    demand(asked, 'start_maintenances');
    await operator.startMaintenance(call.start_maintenance?.machines ?? []);
  },
  STOP_MAINTENANCE: async (operator, call, asked) => {
    demand(asked, 'stop_maintenances');
    await operator.stopMaintenance(call.stop_maintenance?.machines ?? []);
  },
  DRAIN_AGENT: async (operator, call, asked) => {
    const { agent_id, max_grace_period, mark_gone = false } = call.drain_agent ?? {};
    const agentID = agent_id?.value ?? '';
    demand(asked, 'drain_agents', { agentID });
    const maxGracePeriod = durationOf(max_grace_period);
    await operator.drainAgent(agentID, { maxGracePeriod, markGone: mark_gone });
  },
  DEACTIVATE_AGENT: async (operator, call, asked) => {
    const agentID = call.deactivate_agent?.agent_id.value ?? '';
    demand(asked, 'deactivate_agents', { agentID });
    await operator.deactivateAgent(agentID);
  },
  REACTIVATE_AGENT: async (operator, call, asked) => {
    const agentID = call.reactivate_agent?.agent_id.value ?? '';
    demand(asked, 'reactivate_agents', { agentID });
    await operator.reactivateAgent(agentID);
  },
  MARK_AGENT_GONE: async (operator, call, asked) => {
    const agentID = call.mark_agent_gone?.agent_id.value ?? '';
    demand(asked, 'mark_agents_gone', { agentID });
    await operator.markAgentGone(agentID);
  },
  UPDATE_QUOTA: async (operator, call, asked) => {
    const { quota_configs = [], force = false } = call.update_quota ?? {};
    for (const { role } of quota_configs) demand(asked, 'update_quotas', { role });
    await operator.updateQuota(quota_configs, force);
  },
  SET_QUOTA: async (operator, call, asked) => {
    const request = call.set_quota?.quota_request ?? {};
    demand(asked, 'update_quotas', { role: request.role });
    await operator.setQuota(request);
  },
  REMOVE_QUOTA: async (operator, call, asked) => {
    const role = call.remove_quota?.role ?? '';
    demand(asked, 'update_quotas', { role });
    await operator.removeQuota(role);
  },
  TEARDOWN: async (operator, call, asked) => {
    const frameworkID = call.teardown?.framework_id.value ?? '';
    const framework = asked.context.master.state.frameworks.get(frameworkID);
    if (framework === undefined)
      throw new CallRejected(400, 'No framework found with specified ID');
    const { info, namespace } = framework;
    demand(asked, 'teardown_frameworks', {
      frameworkID,
      frameworkName: info.name,
      namespace,
      principal: info.principal,
    });
    await operator.teardown(frameworkID);
  },
};

/** Calls that are operations on an agent's resources; 202. */
const operations: Readonly<Record<string, (call: MasterCall) => AgentOperation>> = {
  RESERVE_RESOURCES: ({ reserve_resources: content }) => {
    const { source = [], resources = [] } = content ?? {};
    const reserve = { resources, ...(source.length === 0 ? {} : { source }) };
    return of(content?.agent_id, { type: 'RESERVE', reserve }, ['reserve_resources', resources]);
  },
  UNRESERVE_RESOURCES: ({ unreserve_resources: content }) => {
    const { resources = [] } = content ?? {};
    const operation: OfferOperation = { type: 'UNRESERVE', unreserve: { resources } };
    return of(content?.agent_id, operation, ['unreserve_resources', resources]);
  },
  CREATE_VOLUMES: ({ create_volumes: content }) => {
    const { volumes = [] } = content ?? {};
    return of(content?.agent_id, { type: 'CREATE', create: { volumes } }, [
      'create_volumes',
      volumes,
    ]);
  },
  DESTROY_VOLUMES: ({ destroy_volumes: content }) => {
    const { volumes = [] } = content ?? {};
    return of(content?.agent_id, { type: 'DESTROY', destroy: { volumes } }, [
      'destroy_volumes',
      volumes,
    ]);
  },
  GROW_VOLUME: ({ grow_volume: content }) => {
    if (content === undefined) throw new CallRejected(400, '');
    const { volume, addition, agent_id } = content;
    const operation: OfferOperation = { type: 'GROW_VOLUME', grow_volume: { volume, addition } };
    return of(agent_id, operation, ['resize_volumes', [volume]]);
  },
  SHRINK_VOLUME: ({ shrink_volume: content }) => {
    if (content === undefined) throw new CallRejected(400, '');
    const { volume, subtract, agent_id } = content;
    const operation: OfferOperation = {
      type: 'SHRINK_VOLUME',
      shrink_volume: { volume, subtract },
    };
    return of(agent_id, operation, ['resize_volumes', [volume]]);
  },
};

interface AgentOperation {
  readonly agentID: string;
  readonly operation: OfferOperation;
  readonly action: Action;
  readonly resources: readonly Resource[];
}

function of(
  agentID: { readonly value: string } | undefined,
  operation: OfferOperation,
  [action, resources]: readonly [Action, readonly Resource[]],
): AgentOperation {
  return { agentID: agentID?.value ?? '', operation, action, resources };
}

/** The reply to a call that changes something; undefined for other calls. */
export async function change(asked: Asked, call: MasterCall): Promise<FaceReply | undefined> {
  const { operator } = asked.context.master;
  const type = call.type ?? 'UNKNOWN';
  if (Object.hasOwn(changes, type)) {
    await changes[type]?.(operator, call, asked);
    return emptyReply(200);
  }
  const make = Object.hasOwn(operations, type) ? operations[type] : undefined;
  if (make === undefined) return undefined;
  const { agentID, operation, action, resources } = make(call);
  demandResources(asked, action, resources);
  await operator.operation(agentID, operation, asked.request.caller.principal);
  return emptyReply(202);
}

function demand(asked: Asked, action: Action, about = {}): void {
  if (!asked.request.caller.allows(action, about)) throw new CallRejected(403, '');
}

/** Each resource by the role it is reserved for last, and by who reserved or created it. */
function demandResources(asked: Asked, action: Action, resources: readonly Resource[]): void {
  for (const { reservations, reservation, role, disk } of resources) {
    const last = reservations?.at(-1);
    const creator = disk?.persistence?.principal;
    const reserver = last?.principal ?? reservation?.principal;
    demand(asked, action, {
      role: last?.role ?? role,
      principal: action === 'destroy_volumes' ? creator : reserver,
    });
  }
}

function durationOf(duration: GoogleProtobufDuration | undefined): DurationInfo | undefined {
  if (duration === undefined) return undefined;
  return { nanoseconds: (duration.seconds ?? 0) * 1e9 + (duration.nanos ?? 0) };
}
