import { column } from '#machinery';
import { declareOwn } from './declare.ts';
import type {
  Agent,
  Framework,
  MaintenanceSchedule,
  ResourceRole,
  Task,
  TaskObjectStatus,
} from './types.ts';

const group = 'mesos.tandem.dev';

export const frameworkKind = declareOwn<Framework>({
  group,
  kind: 'Framework',
  plural: 'frameworks',
  namespaced: false,
  spec: {
    frameworkID: 'string',
    info: 'json',
    suppressedRoles: 'strings',
    offerConstraints: 'json',
    namespace: 'string',
  },
  status: {
    phase: 'string',
    registeredTime: 'string',
    reregisteredTime: 'string',
    disconnectedTime: 'string',
    unregisteredTime: 'string',
    tasks: 'int64',
  },
  required: ['spec.frameworkID', 'spec.info', 'spec.namespace'],
  immutable: ['spec.frameworkID', 'spec.namespace'],
  oneOf: { 'status.phase': ['Active', 'Disconnected', 'Completed'] },
  selectable: { 'spec.frameworkID': ({ spec }) => spec.frameworkID },
  columns: [
    column('ID', ({ spec }) => spec.frameworkID),
    column('Framework', ({ spec }) => spec.info.name ?? ''),
    column('User', ({ spec }) => spec.info.user ?? ''),
    column('Roles', ({ spec }) => {
      const roles = spec.info.roles ?? [spec.info.role ?? '*'];
      return roles.join(',');
    }),
    column('Active', ({ status }) => status.phase === 'Active', { type: 'boolean' }),
    column('Tasks', ({ status }) => (status.phase === 'Completed' ? 0 : (status.tasks ?? 0)), {
      type: 'integer',
    }),
    column('Principal', ({ spec }) => spec.info.principal ?? '', { wide: true }),
    column('Namespace', ({ spec }) => spec.namespace, { wide: true }),
  ],
});

export const taskKind = declareOwn<Task>({
  group,
  kind: 'Task',
  plural: 'tasks',
  namespaced: true,
  spec: {
    frameworkID: 'string',
    taskID: 'string',
    agentID: 'string',
    nodeName: 'string',
    executorID: 'string',
    execution: 'string',
    podName: 'string',
    container: 'string',
    group: 'int64',
    task: 'json',
    kill: { time: 'string', gracePeriodNanoseconds: 'int64', reason: 'string' },
  },
  status: {
    state: 'string',
    updateState: 'string',
    updateUUID: 'string',
    updates: 'json',
    statuses: 'json',
    completedTime: 'string',
    unreachableTime: 'string',
  },
  required: [
    'spec.frameworkID',
    'spec.taskID',
    'spec.agentID',
    'spec.nodeName',
    'spec.executorID',
    'spec.execution',
    'spec.podName',
    'spec.task',
  ],
  immutable: [
    'spec.frameworkID',
    'spec.taskID',
    'spec.agentID',
    'spec.nodeName',
    'spec.executorID',
    'spec.execution',
    'spec.podName',
    'spec.container',
    'spec.group',
  ],
  oneOf: { 'spec.execution': ['Command', 'Group', 'Custom'] },
  selectable: {
    'spec.nodeName': ({ spec }) => spec.nodeName,
    'spec.frameworkID': ({ spec }) => spec.frameworkID,
    'spec.taskID': ({ spec }) => spec.taskID,
    'spec.podName': ({ spec }) => spec.podName,
    'status.state': ({ status }) => status.state ?? '',
  },
  columns: [
    column('Task', ({ spec }) => spec.taskID),
    column('Framework', ({ spec }) => spec.frameworkID),
    column('State', ({ status }) => taskState(status)),
    column('Node', ({ spec }) => spec.nodeName),
    column('Executor', ({ spec }) => spec.executorID, { wide: true }),
    column('Pod', ({ spec }) => spec.podName, { wide: true }),
  ],
});

/** As people read it: `Running` for TASK_RUNNING. */
function taskState({ state }: TaskObjectStatus): string {
  return (state ?? 'TASK_STAGING')
    .replace(/^TASK_/, '')
    .split('_')
    .map((word) => word.slice(0, 1) + word.slice(1).toLowerCase())
    .join('');
}

export const agentKind = declareOwn<Agent>({
  // Messages of custom executors to their frameworks: may be lost, are not stored.
  doors: ['messages'],
  group,
  kind: 'Agent',
  plural: 'agents',
  namespaced: false,
  spec: {
    agentID: 'string',
    nodeName: 'string',
    deactivated: 'bool',
    drain: {
      maxGracePeriodNanoseconds: 'int64',
      markGone: 'bool',
      startTime: 'string',
      state: 'string',
    },
    gone: 'bool',
    resources: 'json',
  },
  status: {
    registeredTime: 'string',
    reregisteredTime: 'string',
    unreachableTime: 'string',
    operations: 'json',
  },
  required: ['spec.agentID', 'spec.nodeName'],
  // An agent that was lost comes back to the same node under a new id.
  immutable: ['spec.nodeName'],
  oneOf: { 'spec.drain.state': ['DRAINING', 'DRAINED'] },
  selectable: { 'spec.agentID': ({ spec }) => spec.agentID },
  columns: [
    column('ID', ({ spec }) => spec.agentID),
    column('State', ({ spec, status }) => {
      if (spec.gone === true) return 'Gone';
      if (status.unreachableTime !== undefined) return 'Unreachable';
      if (spec.drain !== undefined) return spec.drain.state === 'DRAINED' ? 'Drained' : 'Draining';
      return spec.deactivated === true ? 'Deactivated' : 'Active';
    }),
  ],
});

export const resourceRoleKind = declareOwn<ResourceRole>({
  group,
  kind: 'ResourceRole',
  plural: 'resourceroles',
  namespaced: false,
  spec: { role: 'string', weight: 'double', guarantees: 'json', limits: 'json' },
  required: ['spec.role'],
  immutable: ['spec.role'],
  columns: [
    column('Role', ({ spec }) => spec.role),
    column('Weight', ({ spec }) => spec.weight ?? 1, { type: 'number' }),
    column('Guarantees', ({ spec }) => amounts(spec.guarantees)),
    column('Limits', ({ spec }) => amounts(spec.limits)),
  ],
});

function amounts(given: Readonly<Record<string, number>> | undefined): string {
  const text = Object.entries(given ?? {}).map(([name, value]) => `${name}:${value}`);
  return text.length === 0 ? '<none>' : text.join(';');
}

export const maintenanceScheduleKind = declareOwn<MaintenanceSchedule>({
  group,
  kind: 'MaintenanceSchedule',
  plural: 'maintenanceschedules',
  namespaced: false,
  spec: { windows: 'json' },
  status: { downMachines: 'json' },
  required: [],
  immutable: [],
  columns: [
    column('Windows', ({ spec }) => (spec.windows ?? []).length, { type: 'integer' }),
    column('Down', ({ status }) => (status.downMachines ?? []).length, { type: 'integer' }),
  ],
});
