import type { Master } from '../../core/master.ts';
import type { FrameworkRecord, MasterState, TaskRecord } from '../../core/records.ts';
import { agentFullMembers, agentMembers, recoveredAgentJson } from './agents.ts';
import { frameworkDocument, frameworkSummary } from './frameworks.ts';
import { arrayOf, double, mapped, objectOf, seconds } from './json.ts';
import type { Document, Json } from './json.ts';
import { TaskCounts } from './task-counts.ts';
import { taskJson } from './tasks.ts';
import type { View } from './view.ts';

/** What of a master the documents need beyond its state. */
export interface MasterFacts {
  readonly version: string;
  readonly hostname: string;
  readonly ip: string;
  readonly port: number;
  /** Shown when the caller may view flags. */
  readonly flags: Readonly<Record<string, string>>;
}

export const buildFacts: Readonly<Record<string, Json>> = {
  build_date: '2026-11-21 00:00:00',
  build_time: double(1_795_219_200),
  build_user: 'tandem',
};

/** `MULTI_ROLE`-like names of what this master can do (MasterInfo.Capability). */
export const masterCapabilities = ['AGENT_UPDATE', 'AGENT_DRAINING', 'QUOTA_V2'] as const;

export function versionJson(version: string): Json {
  return { ...buildFacts, version };
}

/** `/state`. */
export function stateDocument(master: Master, facts: MasterFacts, view: View): Document {
  return objectOf(stateMembers(master.state, facts, view));
}

function* stateMembers(
  state: MasterState,
  facts: MasterFacts,
  view: View,
): Iterable<readonly [string, Json | Document]> {
  const agents = [...state.agents.values()];
  const pid = `master@${facts.ip}:${facts.port}`;
  yield ['version', facts.version];
  yield* Object.entries(buildFacts);
  yield ['start_time', seconds(state.startedMs)];
  yield ['elected_time', seconds(state.electedMs)];
  yield ['id', state.masterID];
  yield ['pid', pid];
  yield ['hostname', facts.hostname];
  yield ['capabilities', [...masterCapabilities]];
  yield ['activated_slaves', double(agents.filter((agent) => agent.active).length)];
  yield ['deactivated_slaves', double(agents.filter((agent) => !agent.active).length)];
  yield ['unreachable_slaves', double(state.unreachableAgents.size)];
  yield ['leader', pid];
  yield ['leader_info', { id: state.masterID, pid, port: facts.port, hostname: facts.hostname }];
  if (view.flags) yield ['flags', { ...facts.flags }];
  yield ['slaves', arrayOf(mapped(agents, (agent) => objectOf(agentMembers(view.codec, agent))))];
  yield ['recovered_slaves', recovered(state, view)];
  yield ['frameworks', frameworkList([...state.frameworks.values()], view)];
  yield ['completed_frameworks', frameworkList(state.completedFrameworks, view)];
  yield ['orphan_tasks', []];
  yield ['unregistered_frameworks', []];
}

function recovered(state: MasterState, { codec }: View): Document {
  return arrayOf(
    mapped([...state.recoveredAgents], ([id, info]) => recoveredAgentJson(codec, id, info)),
  );
}

function frameworkList(list: readonly FrameworkRecord[], view: View): Document {
  const seen = list.filter((framework) => view.framework(framework));
  return arrayOf(mapped(seen, (framework) => frameworkDocument(view, framework)));
}

/** `/slaves?slave_id=`. */
export function agentsDocument(
  state: MasterState,
  agentID: string | undefined,
  view: View,
): Document {
  const agents = [...state.agents.values()].filter(
    (agent) => agentID === undefined || agent.id === agentID,
  );
  const recoveredOnes = [...state.recoveredAgents].filter(
    ([id]) => agentID === undefined || id === agentID,
  );
  return objectOf([
    [
      'slaves',
      arrayOf(
        mapped(agents, (one) =>
          objectOf([...agentMembers(view.codec, one), ...agentFullMembers(view.codec, one)]),
        ),
      ),
    ],
    [
      'recovered_slaves',
      arrayOf(mapped(recoveredOnes, ([id, info]) => recoveredAgentJson(view.codec, id, info))),
    ],
  ]);
}

/** `/frameworks?framework_id=`. */
export function frameworksDocument(
  state: MasterState,
  frameworkID: string | undefined,
  view: View,
): Document {
  const wanted = (framework: FrameworkRecord): boolean =>
    frameworkID === undefined || framework.id === frameworkID;
  return objectOf([
    ['frameworks', frameworkList([...state.frameworks.values()].filter(wanted), view)],
    ['completed_frameworks', frameworkList(state.completedFrameworks.filter(wanted), view)],
    ['unregistered_frameworks', []],
  ]);
}

/** `/state-summary`: figures instead of tasks. */
export function summaryDocument(master: Master, facts: MasterFacts, view: View): Document {
  const { state } = master;
  const counts = new TaskCounts(state);
  return objectOf([
    ['hostname', facts.hostname],
    [
      'slaves',
      arrayOf(
        mapped([...state.agents.values()], (agent) =>
          objectOf([
            ...agentMembers(view.codec, agent),
            ...counts.ofAgent(agent.id),
            ['framework_ids', counts.frameworksOn(agent.id)],
          ]),
        ),
      ),
    ],
    [
      'frameworks',
      arrayOf(
        mapped(
          [...state.frameworks.values()].filter((one) => view.framework(one)),
          (framework) =>
            objectOf([
              ...frameworkSummary(framework),
              ...counts.ofFramework(framework.id),
              ['slave_ids', counts.agentsOf(framework.id)],
            ]),
        ),
      ),
    ],
  ]);
}

export interface TaskQuery {
  readonly limit: number;
  readonly offset: number;
  readonly ascending: boolean;
  readonly frameworkID: string | undefined;
  readonly taskID: string | undefined;
}

/** Numbers that cannot be read are as if they were not there (`/tasks`). */
export function taskQuery(query: ReadonlyMap<string, string>): TaskQuery {
  const number = (name: string, otherwise: number): number => {
    const text = query.get(name) ?? '';
    return /^\d{1,9}$/.test(text) ? Number(text) : otherwise;
  };
  return {
    limit: number('limit', 100),
    offset: number('offset', 0),
    ascending: query.get('order') === 'asc',
    frameworkID: query.get('framework_id'),
    taskID: query.get('task_id'),
  };
}

/** `/tasks`: of all frameworks, by the time of their first status. */
export function tasksDocument(state: MasterState, query: TaskQuery, view: View): Document {
  const found: TaskRecord[] = [];
  for (const framework of [...state.frameworks.values(), ...state.completedFrameworks]) {
    if (query.frameworkID !== undefined && framework.id !== query.frameworkID) continue;
    if (!view.framework(framework)) continue;
    for (const tasks of [
      framework.tasks.values(),
      framework.unreachableTasks.values(),
      framework.completedTasks,
    ])
      for (const task of tasks)
        if (query.taskID === undefined || task.taskID === query.taskID)
          if (view.task(framework, task)) found.push(task);
  }
  const sign = query.ascending ? 1 : -1;
  found.sort((a, b) => sign * (firstTime(a) - firstTime(b)));
  const page = found.slice(query.offset, query.offset + query.limit);
  return objectOf([['tasks', arrayOf(mapped(page, (task) => taskJson(view.codec, task)))]]);
}

/** Tasks without a status come first in ascending order. */
function firstTime(task: TaskRecord): number {
  return task.statuses[0]?.timestamp ?? -1;
}
