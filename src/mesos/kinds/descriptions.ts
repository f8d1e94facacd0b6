type Texts = Readonly<Record<string, string>>;

/** A kind: what it is, then its fields by where they stand. */
const texts: Readonly<
  Record<string, { readonly '': string; readonly spec?: Texts; readonly status?: Texts }>
> = {
  'mesos.v1.Framework': {
    '': 'A Mesos framework that has registered. Its tasks and their Pods live in the namespace that it names.',
    spec: {
      frameworkID: 'The id the master gave it.',
      info: 'Its FrameworkInfo, as Mesos v1 JSON.',
      suppressedRoles: 'Roles for which it wants no offers.',
      offerConstraints: 'What agents must be like to be offered, by role.',
      namespace: 'Where its tasks and Pods are.',
    },
    status: {
      phase: 'Active with an open stream, Disconnected without, Completed when it is over.',
      tasks: 'How many of its tasks are active.',
    },
  },
  'mesos.v1.Task': {
    '': 'A task of a Mesos framework, from its launch until its end was acknowledged and forgotten.',
    spec: {
      frameworkID: 'The framework that launched it.',
      taskID: 'The id the framework gave it.',
      agentID: 'The Mesos agent it was launched on.',
      nodeName: 'The node of that agent.',
      executorID: 'The executor it belongs to; for command tasks the id of the task.',
      execution:
        'Command: a Pod of its own. Group: a container of its executor’s Pod. Custom: a record of a custom executor.',
      podName: 'The Pod it runs in.',
      container: 'Its container in that Pod.',
      group: 'Number of the group it was launched with; tasks of a group share their fate.',
      task: 'Its TaskInfo, as Mesos v1 JSON.',
      kill: 'Set when it is to be killed.',
    },
    status: {
      state: 'Its newest state.',
      updateState: 'The state its framework was told last.',
      updateUUID: 'The update its framework was told last.',
      updates: 'Updates that wait to be acknowledged, the oldest first.',
      statuses: 'What its framework was told, one status for each run of equal states.',
    },
  },
  'mesos.v1.Agent': {
    '': 'What the Mesos master remembers of a node.',
    spec: {
      agentID: 'The id under which frameworks know the node.',
      nodeName: 'The node.',
      deactivated: 'Nothing of it is offered.',
      drain: 'Its tasks are being ended.',
      gone: 'An operator said that it will not come back.',
      resources: 'Dynamic reservations and persistent volumes, as Mesos v1 JSON.',
    },
  },
  'mesos.v1.ResourceRole': {
    '': 'Weight and quota of a role, for frameworks and for Pods of namespaces that joined it.',
    spec: {
      role: 'The role; one with a slash is below the one before it.',
      weight: 'Its weight among its siblings, 1 unless set.',
      guarantees: 'What it is kept, by resource in Mesos’ units.',
      limits: 'What it may hold at most, by resource in Mesos’ units.',
    },
  },
  'mesos.v1.MaintenanceSchedule': {
    '': 'When which machines will be down for maintenance.',
    spec: { windows: 'The windows, as Mesos v1 JSON.' },
    status: { downMachines: 'Machines that are down now.' },
  },
  'marathon.v1.App': {
    '': 'A Marathon app.',
    spec: {},
    status: {
      instances: 'Instances there are.',
      running: 'Instances whose tasks run.',
      healthy: 'Instances whose health checks pass.',
      lastTaskFailure: 'How a task of it failed last.',
    },
  },
  'marathon.v1.AppPod': { '': 'A Marathon pod: containers that are deployed together.' },
  'marathon.v1.AppGroup': {
    '': 'A group of Marathon apps, pods and groups.',
    spec: {
      id: 'Its path; members are those whose ids begin with it.',
      dependencies: 'Apps and groups that are deployed before it.',
      enforceRole: 'Its apps get the role of its first part.',
    },
  },
  'marathon.v1.AppVersion': {
    '': 'A definition as it was at one time.',
    spec: { definition: 'The whole definition, in Marathon’s JSON.' },
  },
  'marathon.v1.AppDeployment': {
    '': 'A Marathon deployment under way.',
    spec: { plan: 'What it affects and its steps.', force: 'It took the place of others.' },
    status: { currentStep: 'The step it is at, the first is 1.' },
  },
  'marathon.v1.AppInstance': {
    '': 'One instance of a Marathon app or pod.',
    spec: {
      goal: 'What is wanted of it.',
      reservation: 'What is held for it while it does not run.',
    },
    status: { condition: 'What its tasks are in together.', tasks: 'Its tasks.' },
  },
};

const types: Readonly<Record<string, 'spec' | 'status'>> = { Spec: 'spec', Status: 'status' };

/** Texts for `kubectl explain`: of a type ('' for the field), or of one of its fields. */
export function describeMesos(type: string, field: string): string | undefined {
  const name = /^dev\.tandem\.(.+)$/.exec(type)?.[1];
  if (name === undefined) return undefined;
  const own = texts[name];
  if (own !== undefined) {
    if (field === '') return own[''];
    return field === 'spec' || field === 'status' ? `The ${field} of the object.` : undefined;
  }
  const [, kind = '', part = ''] = /^(.+?)(Spec|Status)$/.exec(name) ?? [];
  const section = types[part];
  if (field === '' || section === undefined) return undefined;
  const fields = texts[kind]?.[section] ?? {};
  return Object.hasOwn(fields, field) ? fields[field] : undefined;
}
