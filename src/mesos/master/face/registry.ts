import { documentReply } from '#mesos/protocol';
import type { AgentInfo, MachineInfo, Route } from '#mesos/protocol';
import { masterInfo } from '../core/master-info.ts';
import type { AgentRecord, MasterState } from '../core/records.ts';
import { RawJson, arrayOf, jsonText, mapped, objectOf } from './legacy/json.ts';
import type { Document, Json } from './legacy/json.ts';
import { timeOf } from './operator/models.ts';
import type { FaceContext } from './options.ts';

/** `/registrar(1)/registry`: what the master would remember if it died now (registry.proto). */
export function registryRoute(context: FaceContext): Route {
  return {
    realm: 'mesos-master-readonly',
    handle: ({ query }) =>
      documentReply(registryDocument(context), {
        clock: context.clock,
        jsonp: query.get('jsonp'),
      }),
  };
}

function registryDocument(context: FaceContext): Document {
  const { state } = context.master;
  const agents = arrayOf(mapped(state.agents.values(), (agent) => agentEntry(context, agent)));
  const [master, ...others] = smallParts(context);
  return objectOf([
    ...(master === undefined ? [] : [master]),
    ['slaves', objectOf([['slaves', agents]])],
    ...others,
  ]);
}

function agentEntry({ codec }: FaceContext, { info, deactivated, drain }: AgentRecord): Json {
  return {
    info: raw(codec.encodeJson('AgentInfo', info)),
    ...(drain !== undefined && {
      drain_info: { state: drain.state, config: { mark_gone: drain.markGone } },
    }),
    deactivated: deactivated || drain !== undefined,
  };
}

/** All but the agents, which may be many. */
function smallParts({ codec, master, options }: FaceContext): (readonly [string, Json])[] {
  const { state } = master;
  const machines = machinesOf(master.operator.maintenanceStatus(), state);
  const windows = state.schedule.windows ?? [];
  const configs = [...state.roles.values()].flatMap(({ quota }) =>
    quota === undefined ? [] : [raw(codec.encodeJson('quota.QuotaConfig', quota))],
  );
  const weights = [...state.roles.values()]
    .filter(({ weight }) => weight !== 1)
    .map(({ name, weight }) => ({
      info: raw(codec.encodeJson('WeightInfo', { role: name, weight })),
    }));
  return [
    ['master', { info: raw(codec.encodeJson('MasterInfo', masterInfo(state.masterID, options))) }],
    ['unreachable', { slaves: since(state.unreachableAgents) }],
    ['gone', { slaves: since(state.goneAgents) }],
    [
      'machines',
      { machines: machines.map((one) => ({ info: raw(codec.encodeJson('MachineInfo', one)) })) },
    ],
    [
      'schedules',
      windows.length === 0 ? [] : [raw(codec.encodeJson('maintenance.Schedule', state.schedule))],
    ],
    ['quota_configs', configs],
    ['weights', weights],
    ['minimum_capabilities', configs.length === 0 ? [] : [{ capability: 'QUOTA_V2' }]],
  ];
}

function since(agents: MasterState['goneAgents']): Json {
  return [...agents].map(([value, { sinceMs }]) => ({
    id: { value },
    timestamp: { nanoseconds: timeOf(sinceMs).nanoseconds },
  }));
}

function machinesOf(
  status: ReturnType<FaceContext['master']['operator']['maintenanceStatus']>,
  { schedule }: MasterState,
): MachineInfo[] {
  const draining = (status.draining_machines ?? []).map(({ id }) => ({
    id,
    mode: 'DRAINING' as const,
  }));
  const down = (status.down_machines ?? []).map((id) => ({ id, mode: 'DOWN' as const }));
  return [...draining, ...down].map(({ id, mode }) => {
    const window = (schedule.windows ?? []).find(({ machine_ids: ids = [] }) =>
      ids.some(({ hostname, ip }) => hostname === id.hostname && ip === id.ip),
    );
    return { id, mode, ...(window !== undefined && { unavailability: window.unavailability }) };
  });
}

function raw(text: string): RawJson {
  return new RawJson(text);
}

/** Work between two pauses: nobody waits longer. */
const sliceMs = 3;

/** The length of that document in bytes; of agents that did not change it is remembered. */
export class RegistrySize {
  readonly #ofAgent = new WeakMap<AgentInfo, number>();

  async measure(context: FaceContext): Promise<number> {
    const { clock, master } = context;
    let bytes = jsonText(Object.fromEntries(smallParts(context))).length;
    let untilMs = clock.monotonicMs() + sliceMs;
    for (const agent of master.state.agents.values()) {
      let size = this.#ofAgent.get(agent.info);
      if (size === undefined) {
        size = Buffer.byteLength(jsonText(agentEntry(context, agent)));
        this.#ofAgent.set(agent.info, size);
      }
      bytes += size + 1;
      if (clock.monotonicMs() < untilMs) continue;
      await new Promise<void>((resolve) => void clock.after(0, resolve));
      untilMs = clock.monotonicMs() + sliceMs;
    }
    return bytes;
  }
}
