import type { TaskState } from '#mesos/protocol';
import type { MasterState } from '../../core/records.ts';
import type { Json } from './json.ts';

/** States that `/state-summary` counts, in its order. */
const counted: readonly TaskState[] = [
  'TASK_STAGING',
  'TASK_STARTING',
  'TASK_RUNNING',
  'TASK_KILLING',
  'TASK_FINISHED',
  'TASK_KILLED',
  'TASK_FAILED',
  'TASK_LOST',
  'TASK_ERROR',
  'TASK_UNREACHABLE',
];

type Counts = Map<TaskState, number>;

/** How many tasks are in which state, by agent and by framework, completed ones too. */
export class TaskCounts {
  readonly #byAgent = new Map<string, Counts>();
  readonly #byFramework = new Map<string, Counts>();
  readonly #frameworks = new Map<string, Set<string>>();
  readonly #agents = new Map<string, Set<string>>();

  constructor(state: MasterState) {
    for (const framework of state.frameworks.values())
      for (const tasks of [
        framework.tasks.values(),
        framework.unreachableTasks.values(),
        framework.completedTasks,
      ])
        for (const task of tasks) {
          add(this.#byAgent, task.agentID, task.state);
          add(this.#byFramework, framework.id, task.state);
          join(this.#frameworks, task.agentID, framework.id);
          join(this.#agents, framework.id, task.agentID);
        }
  }

  ofAgent(id: string): [string, Json][] {
    return members(this.#byAgent.get(id));
  }
  ofFramework(id: string): [string, Json][] {
    return members(this.#byFramework.get(id));
  }
  frameworksOn(agentID: string): string[] {
    return [...(this.#frameworks.get(agentID) ?? [])];
  }
  agentsOf(frameworkID: string): string[] {
    return [...(this.#agents.get(frameworkID) ?? [])];
  }
}

function members(counts: Counts | undefined): [string, Json][] {
  return counted.map((state) => [state, counts?.get(state) ?? 0]);
}

function add(to: Map<string, Counts>, key: string, state: TaskState): void {
  let counts = to.get(key);
  if (counts === undefined) to.set(key, (counts = new Map()));
  counts.set(state, (counts.get(state) ?? 0) + 1);
}

function join(to: Map<string, Set<string>>, key: string, member: string): void {
  let set = to.get(key);
  if (set === undefined) to.set(key, (set = new Set()));
  set.add(member);
}
