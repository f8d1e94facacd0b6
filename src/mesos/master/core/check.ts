import assert from 'node:assert/strict';
import { sumOf, type AgentBook, type FrameworkBook } from './books.ts';
import type { Core } from './core.ts';
import { Holdings } from './holdings.ts';
import { isTerminal } from './states.ts';

/** Recomputes what the books say of one another; throws at the first difference. */
export function checkBooks(core: Core): void {
  const { books, cycle } = core;
  for (const framework of books.frameworks.values()) checkFramework(core, framework);
  for (const agent of books.agents.values()) checkAgent(agent);
  for (const offer of books.offers.values()) {
    assert(offer.framework.offers.has(offer), `Offer ${offer.id} is its framework's`);
    assert(offer.agent.offers.has(offer), `Offer ${offer.id} is its agent's`);
    assert(books.agents.get(offer.agentID) === offer.agent, `Agent of offer ${offer.id} is there`);
    assert(offer.framework.connected, `Offer ${offer.id} is of a connected framework`);
  }
  cycle.check();
}

function checkFramework({ books }: Core, framework: FrameworkBook): void {
  assert(!framework.removed, `Framework ${framework.id} is not among the completed`);
  for (const [id, task] of framework.tasks) {
    assert.equal(task.taskID, id);
    assert(!task.completed, `Task ${id} is not completed`);
    assert(!framework.unreachableTasks.has(id), `Task ${id} is reachable or not`);
    assert(books.tasks.get(task.key) === task, `Task ${id} is found by its key`);
    assert(
      task.updates.length > 0 || !isTerminal(task.state),
      `Task ${id} ended and waits for an acknowledgement`,
    );
    const agent = books.agents.get(task.agentID);
    assert(agent === undefined || agent.tasks.has(task), `Task ${id} is its agent's`);
    if (agent !== undefined)
      assert.equal(
        task.released,
        isTerminal(task.state),
        `Room of task ${id} is held while it lives`,
      );
  }
}

function checkAgent(agent: AgentBook): void {
  const offered = new Holdings();
  for (const { resources } of agent.offers) offered.add(resources);
  assertSame(agent.offered, offered, `offered on ${agent.nodeName}`);
  const busy = offered.copy();
  for (const list of agent.usedLists()) busy.add(list);
  assertSame(agent.busy, busy, `held on ${agent.nodeName}`);
  for (const { identity, thousandths, resource } of busy.parts()) {
    if (resource.type !== 'SCALAR' || resource.shared !== undefined) continue;
    const total = agent.total.scalar(identity);
    // A machine may shrink under what runs on it.
    assert(thousandths >= 0 && total >= 0, `Sums of ${identity} on ${agent.nodeName}`);
  }
}

function assertSame(actual: Holdings, expected: Holdings, what: string): void {
  const text = (holdings: Holdings): string =>
    JSON.stringify(
      sumOf([holdings.list()]).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    );
  assert.equal(text(actual), text(expected), `What is ${what}`);
}
