import { column } from '#machinery';
import { declareOwn } from './declare.ts';
import type {
  App,
  AppDeployment,
  AppGroup,
  AppInstance,
  AppPod,
  AppVersion,
  MarathonJson,
  RunSpecStatus,
} from './marathon.ts';

const group = 'marathon.tandem.dev';
const runSpecStatus = {
  instances: 'int64',
  running: 'int64',
  healthy: 'int64',
  lastTaskFailure: 'json',
} as const;

export const appKind = declareOwn<App>({
  group,
  kind: 'App',
  plural: 'apps',
  namespaced: true,
  spec: 'json',
  status: runSpecStatus,
  required: ['spec', 'spec.id'],
  immutable: ['spec.id'],
  columns: [
    column('ID', ({ spec }) => textOf(spec, 'id')),
    column('Instances', ({ spec }) => numberOf(spec, 'instances'), { type: 'integer' }),
    ...countColumns<App>(),
    column('CPUs', ({ spec }) => numberOf(spec, 'cpus'), { type: 'number' }),
    column('Mem', ({ spec }) => numberOf(spec, 'mem'), { type: 'number' }),
    column('Version', ({ spec }) => textOf(spec, 'version'), { wide: true }),
  ],
});

export const appPodKind = declareOwn<AppPod>({
  group,
  kind: 'AppPod',
  plural: 'apppods',
  namespaced: true,
  spec: 'json',
  status: runSpecStatus,
  required: ['spec', 'spec.id'],
  immutable: ['spec.id'],
  columns: [
    column('ID', ({ spec }) => textOf(spec, 'id')),
    column('Instances', ({ spec }) => numberOf(spec['scaling'], 'instances'), { type: 'integer' }),
    ...countColumns<AppPod>(),
    column('Version', ({ spec }) => textOf(spec, 'version'), { wide: true }),
  ],
});

function countColumns<T extends { readonly status: RunSpecStatus }>() {
  return [
    column<T>('Running', ({ status }) => status.running ?? 0, { type: 'integer' }),
    column<T>('Healthy', ({ status }) => status.healthy ?? null, { type: 'integer' }),
  ];
}

export const appGroupKind = declareOwn<AppGroup>({
  group,
  kind: 'AppGroup',
  plural: 'appgroups',
  namespaced: true,
  spec: { id: 'string', dependencies: 'strings', enforceRole: 'bool', version: 'string' },
  required: ['spec.id'],
  immutable: ['spec.id'],
  columns: [
    column('ID', ({ spec }) => spec.id),
    column('Version', ({ spec }) => spec.version),
    column('Dependencies', ({ spec }) => (spec.dependencies ?? []).join(','), { wide: true }),
  ],
});

export const appVersionKind = declareOwn<AppVersion>({
  group,
  kind: 'AppVersion',
  plural: 'appversions',
  namespaced: true,
  spec: { of: 'string', id: 'string', version: 'string', definition: 'json' },
  required: ['spec.of', 'spec.id', 'spec.version', 'spec.definition'],
  immutable: ['spec.of', 'spec.id', 'spec.version'],
  oneOf: { 'spec.of': ['app', 'pod', 'group'] },
  selectable: { 'spec.id': ({ spec }) => spec.id },
  columns: [
    column('Of', ({ spec }) => spec.of),
    column('ID', ({ spec }) => spec.id),
    column('Version', ({ spec }) => spec.version),
  ],
});

export const appDeploymentKind = declareOwn<AppDeployment>({
  group,
  kind: 'AppDeployment',
  plural: 'appdeployments',
  namespaced: true,
  spec: { id: 'string', version: 'string', force: 'bool', plan: 'json' },
  status: { currentStep: 'int64' },
  required: ['spec.id', 'spec.plan'],
  immutable: ['spec.id'],
  columns: [
    column('ID', ({ spec }) => spec.id),
    column('Version', ({ spec }) => spec.version),
    column('Step', ({ status }) => status.currentStep ?? 0, { type: 'integer' }),
  ],
});

export const appInstanceKind = declareOwn<AppInstance>({
  group,
  kind: 'AppInstance',
  plural: 'appinstances',
  namespaced: true,
  spec: {
    instanceID: 'string',
    runSpecID: 'string',
    role: 'string',
    runSpecVersion: 'string',
    goal: 'string',
    reservation: 'json',
  },
  status: {
    condition: 'string',
    since: 'string',
    agent: 'json',
    tasks: 'json',
    healthy: 'bool',
  },
  required: ['spec.instanceID', 'spec.runSpecID', 'spec.goal'],
  immutable: ['spec.instanceID', 'spec.runSpecID'],
  oneOf: { 'spec.goal': ['Running', 'Stopped', 'Decommissioned'] },
  selectable: { 'spec.runSpecID': ({ spec }) => spec.runSpecID },
  columns: [
    column('Instance', ({ spec }) => spec.instanceID),
    column('App', ({ spec }) => spec.runSpecID),
    column('Condition', ({ status }) => status.condition ?? ''),
    column('Goal', ({ spec }) => spec.goal),
    column('Healthy', ({ status }) => status.healthy ?? null, { type: 'boolean' }),
    column('Host', ({ status }) => textOf(status.agent, 'host'), { wide: true }),
  ],
});

function fieldOf(object: unknown, field: string): unknown {
  if (typeof object !== 'object' || object === null || !Object.hasOwn(object, field))
    return undefined;
  return (object as MarathonJson)[field];
}
function textOf(object: unknown, field: string): string {
  const value = fieldOf(object, field);
  return typeof value === 'string' ? value : '';
}
function numberOf(object: unknown, field: string): number | null {
  const value = fieldOf(object, field);
  return typeof value === 'number' ? value : null;
}
