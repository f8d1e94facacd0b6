import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseResources } from '../resources/parse.ts';
import { allocateResources, type Resources } from '../resources/arithmetic.ts';
import type { ContainerInfo, ExecutorInfo, Resource, TaskInfo } from '../types.ts';
import { validateTaskGroup } from './group.ts';
import { validateTask, type LaunchContext } from './task.ts';

const of = (text: string, role = 'eng'): Resources => allocateResources(parseResources(text), role);
const offered = of('cpus:4;mem:1024;disk:1024;ports:[31000-31009];gpus:2');
const existing: ExecutorInfo = {
  executor_id: { value: 'there' },
  framework_id: { value: 'f1' },
  command: { value: 'x' },
  resources: of('cpus:0.1;mem:32'),
};
const context: LaunchContext = {
  frameworkID: 'f1',
  agentID: 'a1',
  agentCapabilities: new Set(['TASK_RESOURCE_LIMITS']),
  hasTask: (id) => id === 'running',
  hasUnreachableTask: (id) => id === 'lost',
  executor: (id) => (id === 'there' ? existing : undefined),
  containersOf: () => [],
  offered,
};
const task: TaskInfo = {
  name: 't',
  task_id: { value: 't1' },
  agent_id: { value: 'a1' },
  resources: of('cpus:1;mem:64'),
  command: { value: 'sleep 1' },
};
const executor: ExecutorInfo = {
  executor_id: { value: 'e1' },
  framework_id: { value: 'f1' },
  command: { value: './executor' },
  resources: of('cpus:0.1;mem:32'),
};
const { command: _command, ...bare } = task;
const custom: TaskInfo = { ...bare, executor };
const cpus = (more: Partial<Resource>): Resource => ({
  name: 'cpus',
  type: 'SCALAR',
  scalar: { value: 1 },
  allocation_info: { role: 'eng' },
  ...more,
});
const volume = (id: string): Resource => ({
  name: 'disk',
  type: 'SCALAR',
  scalar: { value: 64 },
  allocation_info: { role: 'eng' },
  reservations: [{ type: 'DYNAMIC', role: 'eng' }],
  disk: { persistence: { id }, volume: { mode: 'RW', container_path: 'p' } },
});
const environment = { variables: [{ name: 'n' }] };
const missing = "Environment variable 'n' of type 'VALUE' must have a value set";
const onlyOne = "Only one of them should be set: 'host_path', 'image' and 'source'";
const container: ContainerInfo = {
  type: 'MESOS',
  volumes: [{ mode: 'RW', container_path: 'p' }],
};
const cgroups = (share: boolean): ContainerInfo => ({
  type: 'MESOS',
  linux_info: { share_cgroups: share },
});
const negative = { nanoseconds: -1 };

const tasks: readonly (readonly [string, TaskInfo, string | undefined])[] = [
  ['a command task', task, undefined],
  ['a task of a custom executor', custom, undefined],
  ['an executor that is there already', { ...bare, executor: existing }, undefined],
  ['a bad id', { ...task, task_id: { value: 'a/b' } }, "'a/b' contains invalid characters"],
  ['a used id', { ...task, task_id: { value: 'running' } }, 'Task has duplicate ID: running'],
  [
    'the id of an unreachable task',
    { ...task, task_id: { value: 'lost' } },
    'Task reuses the ID of an unreachable task: lost',
  ],
  [
    'another agent',
    { ...task, agent_id: { value: 'a2' } },
    'Task uses invalid agent a2 while agent a1 is expected',
  ],
  [
    'a negative grace',
    { ...task, kill_policy: { grace_period: negative } },
    "Task's 'kill_policy.grace_period' must be non-negative",
  ],
  [
    'a negative completion time',
    { ...task, max_completion_time: negative },
    "Task's `max_completion_time` must be non-negative",
  ],
  ['a bad check', { ...task, check: {} }, "Task uses invalid check: CheckInfo must specify 'type'"],
  [
    'a bad health check',
    { ...task, health_check: {} },
    "Task uses invalid health check: HealthCheck must specify 'type'",
  ],
  ['no resources', { ...task, resources: [] }, 'Task uses no resources'],
  [
    'bad resources',
    { ...task, resources: [cpus({ scalar: { value: -1 } })] },
    "Task uses invalid resources: Invalid resources: Resource 'cpus(allocated: eng):-1' is invalid: Invalid scalar resource: value <= 0",
  ],
  [
    'one volume twice',
    { ...task, resources: [volume('v'), volume('v')] },
    "Task uses duplicate persistence ID: Persistence ID 'v' is not unique",
  ],
  [
    'resources of nobody',
    { ...task, resources: parseResources('cpus:1') },
    'Invalid task resources: The resources are not allocated to a role',
  ],
  [
    'resources of two roles',
    { ...task, resources: [...of('cpus:1'), ...of('mem:1', 'ops')] },
    "Invalid task resources: The resources have multiple allocation roles ('ops' and 'eng') but only one allocation role is allowed",
  ],
  [
    'revocable beside others',
    { ...task, resources: [cpus({}), cpus({ revocable: {} })] },
    "Task mixes revocable and non-revocable resources: Cannot use both revocable and non-revocable 'cpus' at the same time",
  ],
  [
    'a bad command',
    { ...task, command: { value: 'x', environment } },
    `Task's \`CommandInfo\` is invalid: ${missing}`,
  ],
  [
    'a bad container',
    { ...task, container },
    `Task's \`ContainerInfo\` is invalid: Invalid volume: ${onlyOne}`,
  ],
  [
    'a limit that is no number',
    { ...task, limits: { cpus: { value: Number.NaN } } },
    'The cpu limit must be greater than or equal to the cpu request',
  ],
  [
    'limits of a disk',
    { ...task, limits: { disk: { value: 1 } } },
    "Only cpus and mem may be included in a task's resource limits",
  ],
  [
    'a cpu limit without request',
    { ...task, resources: of('mem:64'), limits: { cpus: { value: 1 } } },
    'When a CPU limit is specified, a CPU request must also be specified',
  ],
  [
    'a low cpu limit',
    { ...task, limits: { cpus: { value: 0.5 } } },
    'The cpu limit must be greater than or equal to the cpu request',
  ],
  [
    'a memory limit without request',
    { ...task, resources: of('cpus:1'), limits: { mem: { value: 1 } } },
    'When a memory limit is specified, a memory request must also be specified',
  ],
  [
    'a low memory limit',
    { ...task, limits: { mem: { value: 63 } } },
    'The memory limit must be greater than or equal to the memory request',
  ],
  [
    'limits without end',
    { ...task, limits: { cpus: { value: Infinity }, mem: { value: Infinity } } },
    undefined,
  ],
  [
    'neither command nor executor',
    bare,
    'Task should have at least one (but not both) of CommandInfo or ExecutorInfo present',
  ],
  [
    'command and executor',
    { ...task, executor },
    'Task should have at least one (but not both) of CommandInfo or ExecutorInfo present',
  ],
  [
    'more than is offered',
    { ...task, resources: of('cpus:5;mem:64') },
    'Total resources cpus(allocated: eng):5; mem(allocated: eng):64 required by task and its executor is more than available cpus(allocated: eng):4; mem(allocated: eng):1024; disk(allocated: eng):1024; ports(allocated: eng):[31000-31009]; gpus(allocated: eng):2',
  ],
  [
    'its own cgroups',
    { ...task, container: cgroups(false) },
    "Only tasks in a task group may have 'share_cgroups' set to 'false'",
  ],
];
for (const [name, info, want] of tasks) {
  test(`LAUNCH of a task with ${name} is judged`, () => {
    assert.equal(validateTask(info, context), want);
  });
}

test('an agent may know nothing of limits', () => {
  assert.equal(
    validateTask(
      { ...task, limits: { cpus: { value: 2 } } },
      { ...context, agentCapabilities: new Set() },
    ),
    'Agent is not capable of handling task resource limits',
  );
});

const executors: readonly (readonly [string, Partial<ExecutorInfo>, string])[] = [
  [
    'DEFAULT with a command',
    { type: 'DEFAULT' },
    "'ExecutorInfo.command' must not be set for 'DEFAULT' executor",
  ],
  [
    'DEFAULT in a Docker container',
    { type: 'DEFAULT', command: undefined, container: { type: 'DOCKER' } },
    "'ExecutorInfo.container.type' must be 'MESOS' for 'DEFAULT' executor",
  ],
  [
    'DEFAULT with an image',
    {
      type: 'DEFAULT',
      command: undefined,
      container: { type: 'MESOS', mesos: { image: { type: 'DOCKER' } } },
    },
    "'ExecutorInfo.container.mesos.image' must not be set for 'DEFAULT' executor",
  ],
  [
    'CUSTOM without command',
    { type: 'CUSTOM', command: undefined },
    "'ExecutorInfo.command' must be set for 'CUSTOM' executor",
  ],
  ['a bad id', { executor_id: { value: '' } }, 'ID must not be empty'],
  [
    'a negative grace',
    { shutdown_grace_period: negative },
    "ExecutorInfo's 'shutdown_grace_period' must be non-negative",
  ],
  [
    'a bad command',
    { command: { environment } },
    `Executor's \`CommandInfo\` is invalid: ${missing}`,
  ],
  [
    'a bad container',
    { container },
    `Executor's \`ContainerInfo\` is invalid: Invalid volume: ${onlyOne}`,
  ],
  ['no framework', { framework_id: undefined }, "'ExecutorInfo.framework_id' must be set"],
  [
    'another framework',
    { framework_id: { value: 'f2' } },
    'ExecutorInfo has an invalid FrameworkID (Actual: f2 vs Expected: f1)',
  ],
  [
    'bad resources',
    { resources: [cpus({ name: '' })] },
    "Executor uses invalid resources: Invalid resources: Resource '(allocated: eng):1' is invalid: Empty resource name",
  ],
  [
    'one volume twice',
    { resources: [volume('v'), volume('v')] },
    "Executor uses duplicate persistence ID: Persistence ID 'v' is not unique",
  ],
  [
    'resources of nobody',
    { resources: parseResources('cpus:1') },
    'Invalid executor resources: The resources are not allocated to a role',
  ],
  [
    'revocable beside others',
    { resources: [cpus({}), cpus({ revocable: {} })] },
    "Executor mixes revocable and non-revocable resources: Cannot use both revocable and non-revocable 'cpus' at the same time",
  ],
  ['DEFAULT', { type: 'DEFAULT', command: undefined }, "'ExecutorInfo.type' must be 'CUSTOM'"],
  ['no command', { command: undefined }, "'ExecutorInfo.command' must be set"],
  [
    'a shared volume',
    { resources: [{ ...volume('v'), shared: {} }] },
    'Executor resources disk(allocated: eng)(reservations: [(DYNAMIC,eng)])[v:p]<SHARED>:64<1> should not contain any shared resources',
  ],
  [
    'shared cgroups',
    { container: cgroups(true) },
    "The 'share_cgroups' field cannot be set to 'true' on executor containers",
  ],
];
for (const [name, change, want] of executors) {
  test(`LAUNCH with an executor that is ${name} is refused`, () => {
    assert.equal(validateTask({ ...bare, executor: { ...executor, ...change } }, context), want);
  });
}

test('an executor that differs from the one that is there is refused, with both', () => {
  const changed = { ...existing, command: { value: 'y' } };
  const problem = validateTask({ ...bare, executor: changed }, context) ?? '';
  const line = '-'.repeat(60);
  assert.ok(
    problem.startsWith(
      `ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID.\n${line}\nExisting ExecutorInfo:\n`,
    ),
  );
  assert.ok(problem.endsWith(`\n${line}\n`));
  // The order of resources and of fields says nothing.
  const { resources = [], ...rest } = existing;
  const turned = { resources: resources.toReversed(), ...rest };
  assert.equal(validateTask({ ...bare, executor: turned }, context), undefined);
});

const together: readonly (readonly [string, Resources, Resources, string | RegExp])[] = [
  [
    'the same port',
    of('cpus:1;ports:[31000-31001]'),
    of('cpus:1;ports:[31001-31002]'),
    /^There are overlapping resources in the task resources \[\{"allocation_info":\{"role":"eng"\},"name":"cpus","scalar":\{"value":1.0\}.*\] and executor resources \[/,
  ],
  [
    'the same volume',
    [volume('v')],
    [{ ...volume('v'), scalar: { value: 32 } }],
    "Task and its executor use duplicate persistence ID: Persistence ID 'v' is not unique",
  ],
  [
    'revocable beside others',
    [cpus({})],
    [cpus({ revocable: {} })],
    "Task and its executor mix revocable and non-revocable resources: Cannot use both revocable and non-revocable 'cpus' at the same time",
  ],
  [
    'parts of one GPU',
    of('cpus:1;gpus:1'),
    of('cpus:1;gpus:2'),
    /^Total resources .*gpus\(allocated: eng\):3.* required by task and its executor is more than available /,
  ],
];
for (const [name, mine, executors_, want] of together) {
  test(`task and executor with ${name} are refused`, () => {
    const info = { ...bare, resources: mine, executor: { ...executor, resources: executors_ } };
    const problem = validateTask(info, context) ?? '';
    if (typeof want === 'string') assert.equal(problem, want);
    else assert.match(problem, want);
  });
}

const { command: _executorCommand, ...withoutCommand } = executor;
const defaultExecutor: ExecutorInfo = {
  ...withoutCommand,
  type: 'DEFAULT',
  resources: of('cpus:0.1;mem:32;disk:32'),
};
const member = (id: string, more: Partial<TaskInfo> = {}): TaskInfo => ({
  ...task,
  task_id: { value: id },
  executor: defaultExecutor,
  ...more,
});

const groups: readonly (readonly [
  string,
  TaskInfo[],
  Partial<ExecutorInfo>,
  string | undefined,
])[] = [
  ['two tasks', [member('a'), member('b')], {}, undefined],
  ['no tasks', [], {}, undefined],
  [
    'a task without executor',
    [member('a', { executor: undefined })],
    {},
    "Task 'a' is invalid: 'TaskInfo.executor' must be set",
  ],
  [
    'a bad task',
    [member('a'), member('running')],
    {},
    "Task 'running' is invalid: Task has duplicate ID: running",
  ],
  [
    'a check of a task with a network of its own',
    [
      member('a', {
        container: { type: 'MESOS', network_infos: [{}] },
        health_check: { type: 'TCP', tcp: { port: 1 } },
      }),
    ],
    {},
    "Task 'a' is invalid: HTTP and TCP health checks are not supported for nested containers not joining parent's network",
  ],
  [
    'a Docker task',
    [member('a', { container: { type: 'DOCKER', docker: { image: 'i' } } })],
    {},
    "Task 'a' is invalid: Docker ContainerInfo is not supported on the task",
  ],
  [
    'limits in shared cgroups',
    [member('a', { limits: { cpus: { value: 2 } } })],
    {},
    "Task 'a' is invalid: Resource limits may only be set for tasks within a task group when the 'share_cgroups' field is set to 'false'.",
  ],
  ['no type', [], { type: undefined }, "'ExecutorInfo.type' must be set"],
  ['an unknown type', [], { type: 'UNKNOWN' }, 'Unknown executor type'],
  [
    'a Docker executor',
    [],
    { type: 'CUSTOM', command: {}, container: { type: 'DOCKER', docker: { image: 'i' } } },
    'Docker ContainerInfo is not supported on the executor',
  ],
  [
    'another executor in a task',
    [member('a', { executor: { ...defaultExecutor, name: 'other' } })],
    {},
    "The `ExecutorInfo` of task 'a' is different from executor 'e1'",
  ],
  [
    'no cpus',
    [],
    { resources: of('mem:32;disk:1') },
    "Executor 'e1' uses less CPUs (None) than the minimum required (0.01)",
  ],
  [
    'few cpus',
    [],
    { resources: of('cpus:0.005;mem:32;disk:1') },
    "Executor 'e1' uses less CPUs (0.005) than the minimum required (0.01)",
  ],
  [
    'no memory',
    [],
    { resources: of('cpus:1;disk:1') },
    "Executor 'e1' uses less memory (None) than the minimum required (32MB)",
  ],
  [
    'little memory',
    [],
    { resources: of('cpus:1;mem:31.9;disk:1') },
    "Executor 'e1' uses less memory (31MB) than the minimum required (32MB)",
  ],
  ['no disk', [], { resources: of('cpus:1;mem:32') }, "Executor 'e1' uses no disk"],
  [
    'one volume twice',
    [
      member('a', { resources: [volume('v')] }),
      member('b', { resources: [{ ...volume('v'), scalar: { value: 32 } }] }),
    ],
    {},
    "Task group and executor use duplicate persistence ID: Persistence ID 'v' is not unique",
  ],
  [
    'revocable beside others',
    [member('a', { resources: [cpus({ revocable: {} })] })],
    {},
    "Task group and executor mix revocable and non-revocable resources: Cannot use both revocable and non-revocable 'cpus' at the same time",
  ],
  [
    'more than is offered',
    [member('a', { resources: of('cpus:2') }), member('b', { resources: of('cpus:2') })],
    {},
    'Total resources cpus(allocated: eng):4.1; mem(allocated: eng):32; disk(allocated: eng):32 required by task group and its executor are more than available cpus(allocated: eng):4; mem(allocated: eng):1024; disk(allocated: eng):1024; ports(allocated: eng):[31000-31009]; gpus(allocated: eng):2',
  ],
  [
    'shared cgroups of the executor',
    [],
    { container: cgroups(true) },
    "The 'share_cgroups' field cannot be set to 'true' on executor containers",
  ],
  [
    'cgroups shared by one task only',
    [member('a', { container: cgroups(false) }), member('b')],
    {},
    "If set, the value of 'share_cgroups' must be the same for all tasks in each task group and under a single executor",
  ],
];
for (const [name, members, change, want] of groups) {
  test(`LAUNCH_GROUP with ${name} is judged`, () => {
    const info = { ...defaultExecutor, ...change };
    const own = members.map((one) =>
      one.executor === defaultExecutor ? { ...one, executor: info } : one,
    );
    assert.equal(validateTaskGroup({ tasks: own }, info, context), want);
  });
}

test('tasks of a group that use the same port are refused', () => {
  const tasks_ = [
    member('a', { resources: of('ports:[31000-31000]') }),
    member('b', { resources: of('ports:[31000-31000]') }),
  ];
  assert.match(
    validateTaskGroup({ tasks: tasks_ }, defaultExecutor, context) ?? '',
    /^There are overlapping resources in the task group's task resources \[ ports\(allocated: eng\):\[31000-31000\], ports\(allocated: eng\):\[31000-31000\] \] and\/or executor resources \[\{/,
  );
});

test('tasks that run already count for cgroups', () => {
  const busy = { ...context, containersOf: () => [cgroups(false)] };
  assert.match(validateTaskGroup({ tasks: [member('a')] }, defaultExecutor, busy) ?? '', /^If set/);
  assert.equal(validateTaskGroup({ tasks: [] }, defaultExecutor, busy), undefined);
});
