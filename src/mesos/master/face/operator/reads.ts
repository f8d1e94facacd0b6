import type { FaceReply } from '#base';
import { CallRejected } from '#mesos/protocol';
import type { MasterCall, QuotaQuotaConfig, QuotaQuotaInfo, Resource, Role } from '#mesos/protocol';
import { masterInfo } from '../../core/master-info.ts';
import type { RoleRecord } from '../../core/records.ts';
import { buildTime } from '../build.ts';
import { answer, largeAnswer } from './answers.ts';
import type { Asked } from './answers.ts';
import { agentsTree, executorsTree, frameworksTree, stateTree, tasksTree } from './state.ts';
import { listOf, treeOf } from './tree.ts';

export type Answer = (asked: Asked, call: MasterCall) => FaceReply | Promise<FaceReply>;

/** Calls that change nothing (mesos.md 8.1). Numbers are those of master.Response's fields. */
export const reads: Readonly<Record<string, Answer>> = {
  GET_HEALTH: (asked) => answer(asked, { type: 'GET_HEALTH', get_health: { healthy: true } }),
  GET_FLAGS: (asked) => {
    demand(asked.view.flags);
    const flags = Object.entries(asked.context.options.flags ?? {});
    const get_flags = { flags: flags.map(([name, value]) => ({ name, value })) };
    return answer(asked, { type: 'GET_FLAGS', get_flags });
  },
  GET_VERSION: (asked) => {
    const version_info = { version: asked.context.options.version, ...buildTime };
    return answer(asked, { type: 'GET_VERSION', get_version: { version_info } });
  },
  GET_METRICS: async (asked) => {
    const values = Object.entries(await asked.context.metrics());
    const metrics = values.map(([name, value]) => ({ name, value }));
    const list = listOf({ name: 'metrics', number: 1, type: 'Metric' }, metrics);
    return largeAnswer(asked, 'GET_METRICS', treeOf('get_metrics', 5, [list]));
  },
  LIST_FILES: async (asked, call) => {
    const path = call.list_files?.path ?? '';
    const file_infos = await filesOf(asked, path).browse(path);
    return answer(asked, { type: 'LIST_FILES', list_files: { file_infos } });
  },
  READ_FILE: async (asked, call) => {
    const { path = '', offset = 0, length } = call.read_file ?? {};
    const { size, data } = await filesOf(asked, path).read(path, { offset, length });
    const read_file = { size, data: Buffer.from(data).toString('base64') };
    return answer(asked, { type: 'READ_FILE', read_file });
  },
  GET_STATE: (asked) => largeAnswer(asked, 'GET_STATE', stateTree(stateOf(asked), asked.view, 9)),
  GET_AGENTS: (asked) =>
    largeAnswer(asked, 'GET_AGENTS', agentsTree(stateOf(asked), asked.view, 10)),
  GET_FRAMEWORKS: (asked) =>
    largeAnswer(asked, 'GET_FRAMEWORKS', frameworksTree(stateOf(asked), asked.view, 11)),
  GET_EXECUTORS: (asked) =>
    largeAnswer(asked, 'GET_EXECUTORS', executorsTree(stateOf(asked), asked.view, 12)),
  GET_TASKS: (asked) => largeAnswer(asked, 'GET_TASKS', tasksTree(stateOf(asked), asked.view, 13)),
  GET_OPERATIONS: (asked) => {
    const { frameworks, agents } = stateOf(asked);
    const operations = [...frameworks.values()]
      .filter((framework) => asked.view.framework(framework))
      .flatMap((framework) => [...framework.operations.values()])
      .filter(({ agentID }) => agents.has(agentID))
      .map(({ operation }) => operation);
    return answer(asked, { type: 'GET_OPERATIONS', get_operations: { operations } });
  },
  GET_ROLES: (asked) => {
    const roles = visibleRoles(asked).map(roleMessage);
    return answer(asked, { type: 'GET_ROLES', get_roles: { roles } });
  },
  GET_WEIGHTS: (asked) => {
    const weight_infos = visibleRoles(asked)
      .filter(({ weight }) => weight !== 1)
      .map(({ name, weight }) => ({ weight, role: name }));
    return answer(asked, { type: 'GET_WEIGHTS', get_weights: { weight_infos } });
  },
  GET_MASTER: (asked) => {
    const { options } = asked.context;
    const { masterID, startedMs, electedMs } = stateOf(asked);
    const get_master = {
      master_info: masterInfo(masterID, options),
      start_time: startedMs / 1000,
      elected_time: electedMs / 1000,
    };
    return answer(asked, { type: 'GET_MASTER', get_master });
  },
  GET_MAINTENANCE_STATUS: (asked) => {
    const allowed = asked.request.caller.allows('get_maintenance_statuses');
    const status = allowed ? asked.context.master.operator.maintenanceStatus() : {};
    return answer(asked, { type: 'GET_MAINTENANCE_STATUS', get_maintenance_status: { status } });
  },
  GET_MAINTENANCE_SCHEDULE: (asked) => {
    const allowed = asked.request.caller.allows('get_maintenance_schedules');
    const schedule = allowed ? stateOf(asked).schedule : {};
    return answer(asked, {
      type: 'GET_MAINTENANCE_SCHEDULE',
      get_maintenance_schedule: { schedule },
    });
  },
  GET_QUOTA: (asked) => {
    const { caller } = asked.request;
    const configs = [...stateOf(asked).roles.values()]
      .map(({ quota }) => quota)
      .filter((quota) => quota !== undefined)
      .filter(({ role }) => caller.allows('get_quotas', { role }));
    const status = { infos: configs.map(quotaInfo), configs };
    return answer(asked, { type: 'GET_QUOTA', get_quota: { status } });
  },
};

function stateOf(asked: Asked): Asked['context']['master']['state'] {
  return asked.context.master.state;
}

function demand(allowed: boolean): void {
  if (!allowed) throw new CallRejected(403, '');
}

function filesOf(asked: Asked, path: string): NonNullable<Asked['context']['options']['files']> {
  const { files } = asked.context.options;
  if (files === undefined) throw new CallRejected(404, '');
  demand(asked.request.caller.allows('access_mesos_logs', { path }));
  return files;
}

function visibleRoles({ context, view }: Asked): RoleRecord[] {
  return [...context.master.state.roles.values()]
    .filter(({ name }) => view.role(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

const roleResources = ['cpus', 'mem', 'disk', 'gpus'];

function roleMessage(role: RoleRecord): Role {
  const sums = new Map<string, number>();
  for (const { name, scalar } of [...role.allocatedResources(), ...role.offeredResources()])
    if (scalar !== undefined && roleResources.includes(name))
      sums.set(name, (sums.get(name) ?? 0) + scalar.value);
  const resources = [...sums]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => scalarResource(name, Math.round(value * 1000) / 1000));
  return {
    name: role.name,
    weight: role.weight,
    frameworks: [...role.frameworks].map((value) => ({ value })),
    resources,
  };
}

function quotaInfo({ role, guarantees = {} }: QuotaQuotaConfig): QuotaQuotaInfo {
  const amounts = Object.entries(guarantees);
  return { role, guarantee: amounts.map(([name, { value }]) => scalarResource(name, value)) };
}

function scalarResource(name: string, value: number): Resource {
  return { name, type: 'SCALAR', scalar: { value } };
}
