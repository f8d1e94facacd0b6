import type { Condition, Instance } from '../instance.ts';
import type {
  Condition as ConditionJson,
  Instance as InstanceJson,
  UnreachableStrategy,
} from '../types.ts';

/** Conditions that are no states of tasks have no name in answers. */
function conditionJson(condition: Condition): ConditionJson {
  return condition === 'Scheduled' || condition === 'Provisioned' ? 'Staging' : condition;
}

/** An instance as the kill of a pod's instances answers it. */
export function instanceJson(instance: Instance, strategy: UnreachableStrategy): InstanceJson {
  const { agent } = instance;
  return {
    instanceId: instance.instanceID,
    state: {
      condition: conditionJson(instance.condition),
      since: instance.since,
      activeSince: instance.activeSince,
      healthy: instance.healthy,
      goal: instance.goal,
    },
    agentInfo:
      agent === undefined
        ? undefined
        : {
            host: agent.host,
            agentId: agent.agentID,
            region: agent.region,
            zone: agent.zone,
            attributes: [],
          },
    runSpecVersion: instance.runSpecVersion,
    unreachableStrategy: strategy,
  };
}
