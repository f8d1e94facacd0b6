import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { loadCodec } from '#mesos/protocol';
import type { Resource } from '#mesos/protocol';
import type { AgentRecord, FrameworkRecord, MasterState, TaskRecord } from '../../core/records.ts';
import { agentFullMembers, agentMembers } from './agents.ts';
import { constraintsDebug } from './constraints-debug.ts';
import { arrayOf, double, jsonText, objectOf } from './json.ts';
import type { Document } from './json.ts';
import { attributesJson, rangesText, resourcesJson } from './resources.ts';
import { frameworkDocument } from './frameworks.ts';
import { agentsDocument, frameworksDocument, taskQuery, tasksDocument } from './state.ts';
import { View } from './view.ts';
import { TaskCounts } from './task-counts.ts';

const codec = await loadCodec();
const everything = new View(codec, { principal: undefined, allows: () => true });
const scalar = (name: string, value: number, more: Partial<Resource> = {}): Resource => ({
  name,
  type: 'SCALAR',
  scalar: { value },
  ...more,
});
const reserved = {
  reservations: [{ type: 'DYNAMIC', role: 'eng', principal: 'ada' }],
} as const satisfies Partial<Resource>;
const total: readonly Resource[] = [
  scalar('cpus', 3.5),
  scalar('cpus', 0.5, reserved),
  scalar('mem', 1024),
  { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 31_000, end: 32_000 }] } },
];

const agent: AgentRecord = {
  id: 'm-S0',
  nodeName: 'n1',
  info: {
    hostname: 'n1',
    attributes: [
      { name: 'rack', type: 'TEXT', text: { value: 'r1' } },
      { name: 'level', type: 'SCALAR', scalar: { value: 10 } },
    ],
  },
  pid: 'slave(1)@10.0.0.1:5051',
  ip: '10.0.0.1',
  port: 5051,
  version: '1.11.0',
  connected: true,
  active: true,
  deactivated: false,
  drain: undefined,
  registeredMs: 1500,
  reregisteredMs: undefined,
  capabilities: ['MULTI_ROLE'],
  totalResources: () => total,
  usedResources: () => [scalar('cpus', 1)],
  podResources: () => [scalar('cpus', 0.25)],
  offeredResources: () => [],
};

function taskOf(taskID: string, first: number | undefined): TaskRecord {
  const state = 'TASK_RUNNING';
  return {
    frameworkID: 'f',
    taskID,
    agentID: 'm-S0',
    executorID: taskID,
    execution: 'Command',
    info: { name: taskID, task_id: { value: taskID }, agent_id: { value: 'm-S0' } },
    role: '*',
    state,
    statusUpdateState: state,
    statusUpdateUUID: undefined,
    statuses: first === undefined ? [] : [{ task_id: { value: taskID }, state, timestamp: first }],
    healthy: undefined,
    podName: taskID,
    container: 'task',
  };
}

const framework: FrameworkRecord = {
  id: 'f',
  info: { user: 'ada', name: 'demo', id: { value: 'f' }, roles: ['eng'] },
  roles: new Set(['eng']),
  suppressedRoles: new Set(),
  capabilities: new Set(['MULTI_ROLE']),
  offerConstraints: undefined,
  namespace: 'mesos-demo',
  connected: true,
  active: true,
  recovered: false,
  streamID: 's',
  principal: undefined,
  registeredMs: 1000,
  reregisteredMs: 1000,
  unregisteredMs: undefined,
  tasks: new Map([
    ['b', taskOf('b', 2)],
    ['a', taskOf('a', undefined)],
  ]),
  unreachableTasks: new Map(),
  completedTasks: [taskOf('c', 1)],
  executors: new Map(),
  offers: new Set(),
  inverseOffers: new Set(),
  operations: new Map(),
  usedResources: () => [scalar('cpus', 1)],
  offeredResources: () => [scalar('cpus', 0.5)],
  usedLists: () => [[scalar('cpus', 1)]],
  offeredLists: () => [[scalar('cpus', 0.5)]],
};

const state: MasterState = {
  masterID: 'm',
  startedMs: 0,
  electedMs: 0,
  frameworks: new Map([['f', framework]]),
  completedFrameworks: [],
  agents: new Map([['m-S0', agent]]),
  recoveredAgents: new Map([['m-S1', { hostname: 'n2' }]]),
  unreachableAgents: new Map(),
  goneAgents: new Map(),
  offers: new Map(),
  inverseOffers: new Map(),
  roles: new Map(),
  schedule: {},
};

function read(document: Document): Record<string, unknown> {
  return JSON.parse([...document].join('')) as Record<string, unknown>;
}

suite('Legacy documents', () => {
  test('Doubles have a point, integers none, and absent members are left out', () => {
    assert.equal(
      jsonText({ a: double(1), b: 1, c: double(1e21), d: undefined, e: double(Infinity) }),
      '{"a":1.0,"b":1,"c":1e21,"e":Infinity}',
    );
    assert.equal([...objectOf([])].join(''), '{}');
    assert.equal([...arrayOf([])].join(''), '[]');
    assert.equal([...arrayOf([1, objectOf([['x', 'y']])])].join(''), '[1,{"x":"y"}]');
  });

  test('What the many tasks of a framework hold is added up in many pieces', () => {
    const many = Array.from({ length: 10_000 }, () => [scalar('cpus', 0.1)]);
    const pieces = [...frameworkDocument(everything, { ...framework, usedLists: () => many })];
    assert.ok(pieces.length > 150);
    const { used_resources, resources } = read(pieces) as Record<string, { cpus: number }>;
    assert.deepEqual([used_resources?.cpus, resources?.cpus], [1000, 1000.5]);
  });

  test('Resources are summed over roles, and the four known ones are always there', () => {
    assert.equal(
      jsonText(resourcesJson(total)),
      '{"cpus":4.0,"gpus":0.0,"mem":1024.0,"disk":0.0,"ports":"[31000-32000]"}',
    );
    assert.equal(
      jsonText(resourcesJson([scalar('cpus', 0.1), scalar('cpus', 0.2, { revocable: {} })])),
      '{"cpus":0.1,"gpus":0.0,"mem":0.0,"disk":0.0,"cpus_revocable":0.2}',
    );
    const ranges = [
      { begin: 5, end: 6 },
      { begin: 1, end: 2 },
      { begin: 3, end: 3 },
    ];
    assert.equal(rangesText(ranges), '[1-3, 5-6]');
    assert.equal(
      jsonText(attributesJson(agent.info.attributes ?? [])),
      '{"rack":"r1","level":10.0}',
    );
  });

  test('An agent shows what is reserved in it, and whole resources in both forms on request', () => {
    const shown = read(
      objectOf([...agentMembers(codec, agent), ...agentFullMembers(codec, agent)]),
    );
    assert.deepEqual(shown['reserved_resources'], {
      eng: { cpus: 0.5, gpus: 0, mem: 0, disk: 0 },
    });
    assert.deepEqual(shown['used_resources'], { cpus: 1.25, gpus: 0, mem: 0, disk: 0 });
    const [full] = (shown['reserved_resources_full'] as { eng: Resource[] }).eng;
    assert.equal(full?.role, 'eng');
    assert.equal(full.reservation?.principal, 'ada');
    assert.deepEqual(full.reservations, reserved.reservations);
  });

  test('Agents and frameworks can be asked for one by one', () => {
    const agents = read(agentsDocument(state, 'm-S1', everything));
    assert.deepEqual(agents['slaves'], []);
    assert.equal((agents['recovered_slaves'] as { id: string }[])[0]?.id, 'm-S1');
    assert.deepEqual(read(frameworksDocument(state, 'other', everything))['frameworks'], []);
    const [shown] = read(frameworksDocument(state, 'f', everything))['frameworks'] as {
      roles: string[];
      resources: { cpus: number };
      tasks: { id: string; executor_id: string; slave_id: string }[];
      reregistered_time?: number;
    }[];
    assert.deepEqual(shown?.roles, ['eng']);
    assert.equal(shown.resources.cpus, 1.5);
    assert.equal(shown.reregistered_time, undefined);
    assert.deepEqual(
      shown.tasks.map(({ id, executor_id, slave_id }) => [id, executor_id, slave_id]),
      [
        ['b', '', 'm-S0'],
        ['a', '', 'm-S0'],
      ],
    );
  });

  test('Tasks are paged by the time of their first status', () => {
    const ids = (search: string): string[] => {
      const page = read(
        tasksDocument(state, taskQuery(new Map(new URLSearchParams(search))), everything),
      );
      return (page['tasks'] as { id: string }[]).map(({ id }) => id);
    };
    assert.deepEqual(ids(''), ['b', 'c', 'a']);
    assert.deepEqual(ids('order=asc'), ['a', 'c', 'b']);
    assert.deepEqual(ids('order=asc&offset=1&limit=1'), ['c']);
    assert.deepEqual(ids('limit=x&offset=-1'), ['b', 'c', 'a']);
    assert.deepEqual(ids('task_id=c&framework_id=f'), ['c']);
    assert.deepEqual(ids('framework_id=g'), []);
  });

  test('The summary counts tasks by agent and framework, completed ones too', () => {
    const counts = new TaskCounts(state);
    assert.equal(new Map(counts.ofAgent('m-S0')).get('TASK_RUNNING'), 3);
    assert.equal(new Map(counts.ofFramework('f')).get('TASK_FAILED'), 0);
    assert.deepEqual(counts.frameworksOn('m-S0'), ['f']);
    assert.deepEqual(counts.agentsOf('f'), ['m-S0']);
  });

  test('Agents that constraints exclude are named by role', () => {
    const groupOf = (attribute_name: string, value: string) => ({
      groups: [
        {
          attribute_constraints: [
            { selector: { attribute_name }, predicate: { text_equals: { value } } },
          ],
        },
      ],
    });
    const role_constraints = { eng: groupOf('rack', 'r2'), ops: groupOf('rack', 'r1') };
    const constrained: FrameworkRecord = {
      ...framework,
      roles: new Set(['eng', 'ops', 'free']),
      suppressedRoles: new Set(['ops']),
      offerConstraints: { role_constraints },
    };
    assert.deepEqual(constraintsDebug({ ...state, frameworks: new Map([['f', constrained]]) }), {
      f: {
        suppressed_roles: ['ops'],
        excluded_by_attribute_constraints: { eng: ['m-S0'], ops: [], free: [] },
      },
    });
  });
});
