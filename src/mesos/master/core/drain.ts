import { formatMicroTime, timeOr } from '#base';
import type { Agent } from '#mesos/kinds';
import { CallRejected, type DurationInfo, type TaskState, type TaskStatus } from '#mesos/protocol';
import { machineText, type Maintenance } from './maintenance.ts';
import type { OperatorHost } from './operator-host.ts';
import type { AgentRecord, TaskRecord } from './records.ts';
import { isTerminal } from './states.ts';

/** Draining, deactivating and giving up agents (mesos.md 6.4). */
export class Drain {
  readonly #host: OperatorHost;
  readonly #maintenance: Maintenance;
  readonly #markingGone = new Set<string>();

  constructor(host: OperatorHost, maintenance: Maintenance) {
    this.#host = host;
    this.#maintenance = maintenance;
  }

  async drain(
    agentID: string,
    options: { readonly maxGracePeriod?: DurationInfo | undefined; readonly markGone: boolean },
  ): Promise<void> {
    const agent = this.#host.state.agents.get(agentID);
    if (agent !== undefined) this.#refuse(agent);
    this.#refuseUnknown(agentID);
    if (this.#markingGone.has(agentID))
      throw new CallRejected(409, 'Agent is currently being marked gone');
    const { maxGracePeriod, markGone } = options;
    const drain = {
      startTime: formatMicroTime(this.#host.clock.nowMs()),
      state: 'DRAINING' as const,
      ...(maxGracePeriod !== undefined && {
        maxGracePeriodNanoseconds: maxGracePeriod.nanoseconds,
      }),
      ...(markGone && { markGone }),
    };
    await this.#host.changeAgent(agentID, (stored) => ({
      ...stored,
      spec: { ...stored.spec, deactivated: true, drain },
    }));
    this.changed(agentID);
  }

  #refuse(agent: AgentRecord): void {
    const machine = this.#maintenance.scheduledMachine(agent);
    if (machine !== undefined)
      throw new CallRejected(
        400,
        `Agent ${agent.id} is part of a maintenance schedule under Machine ${machineText(machine)}`,
      );
    if (!agent.capabilities.includes('AGENT_DRAINING'))
      throw new CallRejected(400, `Agent ${agent.id} is not capable of draining`);
  }

  async deactivate(agentID: string): Promise<void> {
    this.#refuseUnknown(agentID);
    await this.#host.changeAgent(agentID, (stored) =>
      stored.spec.deactivated === true
        ? undefined
        : { ...stored, spec: { ...stored.spec, deactivated: true } },
    );
  }

  async reactivate(agentID: string): Promise<void> {
    const stored = this.#host.storedAgent(agentID);
    if (stored?.spec.deactivated !== true) throw new CallRejected(400, 'Agent is not deactivated');
    if (stored.spec.drain?.state === 'DRAINING')
      throw new CallRejected(400, 'Agent is still in the DRAINING state');
    await this.#host.changeAgent(agentID, (agent) => {
      const { deactivated: _deactivated, drain: _drain, ...spec } = agent.spec;
      return { ...agent, spec };
    });
    if (!this.#host.state.agents.has(agentID))
      throw new CallRejected(409, 'Agent removed while processing the call');
  }

  async markGone(agentID: string): Promise<void> {
    const { state } = this.#host;
    if (state.goneAgents.has(agentID)) return;
    if (this.#markingGone.has(agentID))
      throw new CallRejected(503, `Agent '${agentID}' is already being transitioned to gone`);
    if (!this.#isKnown(agentID)) throw new CallRejected(404, `Agent '${agentID}' not found`);
    await this.#give(agentID);
  }

  async #give(agentID: string): Promise<void> {
    this.#markingGone.add(agentID);
    try {
      await this.#host.changeAgent(agentID, (stored) => ({
        ...stored,
        spec: { ...stored.spec, gone: true },
      }));
    } finally {
      this.#markingGone.delete(agentID);
    }
  }

  #refuseUnknown(agentID: string): void {
    if (!this.#isKnown(agentID)) throw new CallRejected(400, 'Unknown agent');
  }

  #isKnown(agentID: string): boolean {
    const { agents, recoveredAgents, unreachableAgents } = this.#host.state;
    return agents.has(agentID) || recoveredAgents.has(agentID) || unreachableAgents.has(agentID);
  }

  /**
   * Called when an agent's object changed, when it registered, and when one of its tasks or
   * operations was done with. Tasks of a draining one are killed; when none is left it is drained.
   */
  changed(agentID: string): void {
    // Asked of every agent now and then: most are not drained.
    if (this.#host.state.agents.get(agentID)?.drain?.state !== 'DRAINING') return;
    const stored = this.#host.storedAgent(agentID);
    const drain = stored?.spec.drain;
    if (drain?.state !== 'DRAINING' || stored?.spec.gone === true) return;
    const tasks = this.#host.tasksOn(agentID);
    if (tasks.length > 0) {
      for (const task of tasks) this.#kill(task, drain.maxGracePeriodNanoseconds);
      return;
    }
    if ((stored?.status?.operations ?? []).length > 0) return;
    this.#end(agentID, drain.markGone === true).catch((error: unknown) => {
      this.#host.logger.warn('An agent without tasks could not be marked drained', {
        agent: agentID,
        error,
      });
    });
  }

  async #end(agentID: string, gone: boolean): Promise<void> {
    if (gone) {
      if (!this.#markingGone.has(agentID)) await this.#give(agentID);
      return;
    }
    await this.#host.changeAgent(agentID, (stored) =>
      stored.spec.drain?.state === 'DRAINING'
        ? {
            ...stored,
            spec: { ...stored.spec, drain: { ...stored.spec.drain, state: 'DRAINED' } },
          }
        : undefined,
    );
  }

  #kill(task: TaskRecord, maxNanoseconds: number | undefined): void {
    if (isTerminal(task.state)) return;
    const own = task.info.kill_policy?.grace_period?.nanoseconds;
    const graces = [own, maxNanoseconds].filter((grace) => grace !== undefined);
    this.#host.killTask(task, {
      time: formatMicroTime(this.#host.clock.nowMs()),
      reason: 'REASON_AGENT_DRAINING',
      ...(graces.length > 0 && { gracePeriodNanoseconds: Math.min(...graces) }),
    });
  }
}

/** What becomes of an executor's KILLING and KILLED on a draining agent (mesos.md 3.4). */
export function drainedStatus(
  status: TaskStatus,
  where: { readonly drain: AgentRecord['drain']; readonly partitionAware: boolean },
): TaskStatus {
  const { drain, partitionAware } = where;
  if (drain === undefined || status.source !== 'SOURCE_EXECUTOR') return status;
  if (status.state !== 'TASK_KILLING' && status.state !== 'TASK_KILLED') return status;
  const gone: TaskState = 'TASK_GONE_BY_OPERATOR';
  const state = drain.markGone && partitionAware ? gone : status.state;
  return { ...status, state, reason: 'REASON_AGENT_DRAINING' };
}

/** As the books keep it. */
export function drainOf({ spec: { drain } }: Agent): AgentRecord['drain'] {
  if (drain === undefined) return undefined;
  return {
    state: drain.state,
    maxGracePeriodNanoseconds: drain.maxGracePeriodNanoseconds,
    markGone: drain.markGone === true,
    startedMs: timeOr(drain.startTime, 0),
  };
}
