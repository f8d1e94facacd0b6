import type { Core } from './core.ts';
import { requestKillAs } from './kill.ts';
import type { OperatorHost } from './operator-host.ts';
import type { AgentBook, TaskBook } from './books.ts';
import { availableOf } from './room.ts';

/** The core as the operator's actions use it. */
export function operatorHost(core: Core): OperatorHost {
  const { books, informers, options } = core;
  const objectOf = (agentID: string) =>
    informers.agents.list().find(({ spec }) => spec.agentID === agentID);
  const agentOf = (agentID: string): AgentBook | undefined => books.agents.get(agentID);
  return {
    clock: options.clock,
    logger: core.logger,
    pool: options.pool,
    state: books,
    async write(group) {
      const startMs = options.clock.monotonicMs();
      const [result] = await options.doors.writeMany([group]);
      core.registrar.stores.add(options.clock.monotonicMs() - startMs);
      if (result?.ok === false) throw result.error;
      return result?.objects;
    },
    async removeFramework(frameworkID) {
      const framework = books.frameworks.get(frameworkID);
      if (framework !== undefined) await core.frameworks.remove(framework);
    },
    storedAgent: (agentID) => core.agents.stored(agentID) ?? objectOf(agentID),
    async changeAgent(agentID, change) {
      const object = core.agents.stored(agentID) ?? objectOf(agentID);
      if (object === undefined) return false;
      return core.agents.change(object.metadata.name, change);
    },
    kept: (agentID) => agentOf(agentID)?.kept ?? objectOf(agentID)?.spec.resources ?? [],
    async setKept(agentID, kept) {
      const agent = agentOf(agentID);
      if (agent !== undefined) await core.agents.setKept(agent, kept);
    },
    freeOn(agentID) {
      const agent = agentOf(agentID);
      return agent === undefined ? [] : availableOf(options.pool, agent).list();
    },
    applied: (operation) => core.operations.applied(operation),
    offersOn: (agentID) => [...(agentOf(agentID)?.offers ?? [])],
    rescind(record, refuse) {
      const offer = books.offers.get(record.id);
      if (offer === undefined) return;
      core.offers.rescind(offer);
      if (refuse) core.cycle.refuse(offer, offer.resources, undefined);
    },
    storedRoles: () => informers.roles.list(),
    roleChanged: (role, settings) => core.cycle.roleChanged(role, settings),
    scheduleTaken(schedule) {
      books.schedule = schedule;
    },
    storedSchedule: () => informers.schedules.get('cluster'),
    unavailabilityChanged(agentID) {
      const agent = agentOf(agentID);
      if (agent === undefined) return;
      core.offers.rescindAgent(agent);
      core.cycle.agentChanged(agent);
    },
    removeAgent: (agentID, cause) => core.agents.remove(agentID, cause),
    admitAgents() {
      for (const node of informers.nodes.list()) core.agents.sync(node.metadata.name);
    },
    killTask(record, kill) {
      const task = books.frameworks.get(record.frameworkID)?.tasks.get(record.taskID);
      if (task !== undefined) void requestKillAs(core, task, kill);
    },
    tasksOn: (agentID): readonly TaskBook[] => [...(agentOf(agentID)?.tasks ?? [])],
  };
}
