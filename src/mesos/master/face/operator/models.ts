import { endpointResource } from '#mesos/protocol';
import type {
  AgentInfo,
  MasterResponseGetAgentsAgent,
  MasterResponseGetFrameworksFramework,
  Resource,
  Task,
  TimeInfo,
} from '#mesos/protocol';
import type { AgentRecord, FrameworkRecord, TaskRecord } from '../../core/records.ts';
import type { View } from '../legacy/view.ts';

/** A task as the operator API shows it (protobuf_utils.cpp, createTask). */
export function taskMessage(task: TaskRecord): Task {
  const { info } = task;
  const user = info.command?.user ?? info.executor?.command?.user;
  return {
    name: info.name,
    task_id: { value: task.taskID },
    framework_id: { value: task.frameworkID },
    // A command task has an executor of its own, which is not shown.
    ...(info.executor === undefined ? {} : { executor_id: { value: task.executorID } }),
    agent_id: { value: task.agentID },
    state: task.state,
    resources: info.resources,
    limits: info.limits,
    statuses: task.statuses,
    status_update_state: task.statusUpdateState,
    status_update_uuid: task.statusUpdateUUID,
    labels: info.labels,
    discovery: info.discovery,
    container: info.container,
    health_check: info.health_check,
    kill_policy: info.kill_policy,
    ...(user === undefined ? {} : { user }),
  };
}

/** An agent with what the caller may see of its resources, in both forms of reservations. */
export function agentMessage(agent: AgentRecord, view: View): MasterResponseGetAgentsAgent {
  const { info, drain } = agent;
  return {
    agent_info: visibleAgent(info, view),
    active: agent.active,
    deactivated: agent.deactivated,
    version: agent.version,
    pid: agent.pid,
    registered_time: timeOf(agent.registeredMs),
    ...(agent.reregisteredMs === undefined
      ? {}
      : { reregistered_time: timeOf(agent.reregisteredMs) }),
    total_resources: shown(agent.totalResources(), view),
    allocated_resources: shown([...agent.usedResources(), ...agent.podResources()], view),
    offered_resources: shown(agent.offeredResources(), view),
    capabilities: agent.capabilities.map((type) => ({ type: type as CapabilityType })),
    ...(drain === undefined
      ? {}
      : {
          drain_info: {
            state: drain.state,
            config: {
              ...(drain.maxGracePeriodNanoseconds === undefined
                ? {}
                : { max_grace_period: { nanoseconds: drain.maxGracePeriodNanoseconds } }),
              mark_gone: drain.markGone,
            },
          },
          // In whole seconds (protobuf_utils.cpp, createAgentResponse).
          estimated_drain_start_time: timeOf(Math.floor(drain.startedMs / 1000) * 1000),
        }),
  };
}
type CapabilityType = NonNullable<
  NonNullable<MasterResponseGetAgentsAgent['capabilities']>[number]['type']
>;

/** A framework; its offers only in answers, not in events. */
export function frameworkMessage(framework: FrameworkRecord): MasterResponseGetFrameworksFramework {
  return {
    ...frameworkFacts(framework),
    offers: [...framework.offers].map(({ offer }) => offer),
    inverse_offers: [...framework.inverseOffers].map(({ inverseOffer }) => inverseOffer),
    allocated_resources: framework.usedResources().map(endpointResource),
    offered_resources: framework.offeredResources().map(endpointResource),
    offer_constraints: framework.offerConstraints ?? {},
  };
}

export function frameworkFacts(framework: FrameworkRecord): MasterResponseGetFrameworksFramework {
  return {
    framework_info: framework.info,
    active: framework.active,
    connected: framework.connected,
    recovered: framework.recovered,
    registered_time: timeOf(framework.registeredMs),
    ...(framework.reregisteredMs === undefined
      ? {}
      : { reregistered_time: timeOf(framework.reregisteredMs) }),
    ...(framework.unregisteredMs === undefined
      ? {}
      : { unregistered_time: timeOf(framework.unregisteredMs) }),
  };
}

/** With those of its resources that the caller may see. */
export function visibleAgent(info: AgentInfo, view: View): AgentInfo {
  return { ...info, resources: visible(info.resources ?? [], view) };
}

function visible(resources: readonly Resource[], view: View): Resource[] {
  return resources.filter((resource) => view.role(resource.reservations?.at(-1)?.role ?? '*'));
}

function shown(resources: readonly Resource[], view: View): Resource[] {
  return visible(resources, view).map(endpointResource);
}

export function timeOf(ms: number): TimeInfo {
  return { nanoseconds: Math.round(ms * 1000) * 1000 };
}
