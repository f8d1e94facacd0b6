import { endpointResource, isUnreserved, reservationsByRole } from '#mesos/protocol';
import type { AgentInfo, MessageCodec, Resource } from '#mesos/protocol';
import type { AgentRecord } from '../../core/records.ts';
import { RawJson, double, seconds } from './json.ts';
import type { Json } from './json.ts';
import { attributesJson, resourcesJson } from './resources.ts';
import { messageJson } from './tasks.ts';

/** master/http.cpp, `SlaveWriter`. Members in order, for `/state`, `/slaves` and `/state-summary`. */
export function agentMembers(codec: MessageCodec, agent: AgentRecord): [string, Json][] {
  const total = agent.totalResources();
  const reserved = [...reservationsByRole(total)].map(([role, list]) => [
    role,
    resourcesJson(list),
  ]);
  const members: [string, Json | undefined][] = [
    ['id', agent.id],
    ['hostname', agent.info.hostname],
    ['port', agent.port],
    ['attributes', attributesJson(agent.info.attributes ?? [])],
    ['domain', messageJson(codec, 'DomainInfo', agent.info.domain)],
    ['pid', agent.pid],
    ['registered_time', seconds(agent.registeredMs)],
    [
      'reregistered_time',
      agent.reregisteredMs === undefined ? undefined : seconds(agent.reregisteredMs),
    ],
    ['resources', resourcesJson(total)],
    ['used_resources', resourcesJson([...agent.usedResources(), ...agent.podResources()])],
    ['offered_resources', resourcesJson(agent.offeredResources())],
    ['reserved_resources', Object.fromEntries(reserved) as Record<string, Json>],
    ['unreserved_resources', resourcesJson(total.filter((one) => isUnreserved(one)))],
    ['active', agent.active],
    ['deactivated', agent.deactivated],
    ['version', agent.version],
    ['capabilities', [...agent.capabilities]],
    ...drainMembers(agent),
  ];
  return members.filter((member): member is [string, Json] => member[1] !== undefined);
}

function drainMembers({ drain }: AgentRecord): [string, Json][] {
  if (drain === undefined) return [];
  const { maxGracePeriodNanoseconds: grace, markGone, state, startedMs } = drain;
  const period = grace === undefined ? {} : { max_grace_period: { nanoseconds: grace } };
  return [
    ['drain_info', { state, config: { ...period, mark_gone: markGone } }],
    ['estimated_drain_start_time_seconds', double(startedMs / 1000)],
  ];
}

/** What `/slaves` adds: whole resources, in both forms of reservation. */
export function agentFullMembers(codec: MessageCodec, agent: AgentRecord): [string, Json][] {
  const total = agent.totalResources();
  const full = (resource: Resource): RawJson => fullResource(codec, resource);
  const reserved = [...reservationsByRole(total)].map(
    ([role, list]) => [role, list.map(full)] as const,
  );
  return [
    ['reserved_resources_full', Object.fromEntries(reserved)],
    ['unreserved_resources_full', total.filter((one) => isUnreserved(one)).map(full)],
    ['used_resources_full', [...agent.usedResources(), ...agent.podResources()].map(full)],
    ['offered_resources_full', agent.offeredResources().map(full)],
  ];
}

export function recoveredAgentJson(codec: MessageCodec, id: string, info: AgentInfo): Json {
  return {
    id,
    hostname: info.hostname,
    port: info.port ?? 5051,
    attributes: attributesJson(info.attributes ?? []),
    domain: messageJson(codec, 'DomainInfo', info.domain),
  };
}

/** In both forms, as far as the old one can say it. */
export function fullResource(codec: MessageCodec, resource: Resource): RawJson {
  return messageJson(codec, 'Resource', endpointResource(resource)) ?? new RawJson('{}');
}
