import type {
  AgentInfo,
  MasterResponseGetAgentsAgent,
  MasterResponseGetExecutorsExecutor,
  MasterResponseGetFrameworksFramework,
  Task,
} from '#mesos/protocol';
import type { FrameworkRecord, MasterState, TaskRecord } from '../../core/records.ts';
import type { View } from '../legacy/view.ts';
import { agentMessage, frameworkMessage, taskMessage, visibleAgent } from './models.ts';
import { listOf, treeOf } from './tree.ts';
import type { TreeMember } from './tree.ts';

/*
 * GET_STATE and its parts as trees. Field numbers are those of master.proto, Response; `number` is
 * where the part stands in what contains it.
 */

export function stateTree(state: MasterState, view: View, number: number): TreeMember {
  return treeOf('get_state', number, [
    tasksTree(state, view, 1),
    executorsTree(state, view, 2),
    frameworksTree(state, view, 3),
    agentsTree(state, view, 4),
  ]);
}

export function tasksTree(state: MasterState, view: View, number: number): TreeMember {
  const list = (name: string, at: number, of: TasksOf): ReturnType<typeof listOf> =>
    listOf({ name, number: at, type: 'Task' }, tasks(state, view, of));
  return treeOf('get_tasks', number, [
    list('tasks', 2, (framework) => framework.tasks.values()),
    list('unreachable_tasks', 5, (framework) => framework.unreachableTasks.values()),
    list('completed_tasks', 3, (framework) => framework.completedTasks),
  ]);
}
type TasksOf = (framework: FrameworkRecord) => Iterable<TaskRecord>;

export function executorsTree(state: MasterState, view: View, number: number): TreeMember {
  return treeOf('get_executors', number, [
    listOf(
      { name: 'executors', number: 1, type: 'master.Response.GetExecutors.Executor' },
      executors(state, view),
    ),
  ]);
}

export function frameworksTree(state: MasterState, view: View, number: number): TreeMember {
  const type = 'master.Response.GetFrameworks.Framework';
  return treeOf('get_frameworks', number, [
    listOf({ name: 'frameworks', number: 1, type }, frameworks(state.frameworks.values(), view)),
    listOf(
      { name: 'completed_frameworks', number: 2, type },
      frameworks(state.completedFrameworks, view),
    ),
  ]);
}

export function agentsTree(state: MasterState, view: View, number: number): TreeMember {
  return treeOf('get_agents', number, [
    listOf(
      { name: 'agents', number: 1, type: 'master.Response.GetAgents.Agent' },
      agents(state, view),
    ),
    listOf({ name: 'recovered_agents', number: 2, type: 'AgentInfo' }, recovered(state, view)),
  ]);
}

/** Registered ones and completed ones that the caller may see. */
function* seen(state: MasterState, view: View): Iterable<FrameworkRecord> {
  for (const framework of state.frameworks.values()) if (view.framework(framework)) yield framework;
  for (const framework of state.completedFrameworks) if (view.framework(framework)) yield framework;
}

function* tasks(state: MasterState, view: View, of: TasksOf): Iterable<Task> {
  for (const framework of seen(state, view))
    for (const task of of(framework)) if (view.task(framework, task)) yield taskMessage(task);
}

function* executors(state: MasterState, view: View): Iterable<MasterResponseGetExecutorsExecutor> {
  for (const framework of seen(state, view))
    for (const [agentID, byID] of framework.executors)
      for (const executor of byID.values())
        if (view.executor(framework, executor))
          yield { executor_info: executor.info, agent_id: { value: agentID } };
}

function* frameworks(
  records: Iterable<FrameworkRecord>,
  view: View,
): Iterable<MasterResponseGetFrameworksFramework> {
  for (const framework of records) if (view.framework(framework)) yield frameworkMessage(framework);
}

function* agents(state: MasterState, view: View): Iterable<MasterResponseGetAgentsAgent> {
  for (const agent of state.agents.values()) yield agentMessage(agent, view);
}

function* recovered(state: MasterState, view: View): Iterable<AgentInfo> {
  for (const info of state.recoveredAgents.values()) yield visibleAgent(info, view);
}
