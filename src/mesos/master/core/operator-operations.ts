import {
  applyOperation,
  CallRejected,
  consumedBy,
  sameResources,
  subtractResources,
  sumResources,
  unallocateResources,
  upgradeOperation,
  validateOperation,
  validateOperationShape,
  type OfferOperation,
  type Resources,
} from '#mesos/protocol';
import type { OperatorHost } from './operator-host.ts';
import type { AgentRecord } from './records.ts';
import { keptAfter, notApplicable } from './reservations.ts';

/** These name the agent when they are refused, the others do not (master/http.cpp). */
const namesAgent: ReadonlySet<string> = new Set([
  'RESERVE',
  'CREATE',
  'GROW_VOLUME',
  'SHRINK_VOLUME',
]);

/**
 * An operator's RESERVE, UNRESERVE, CREATE, DESTROY, GROW_VOLUME or SHRINK_VOLUME: offers that hold
 * what it needs are rescinded; what tasks and Pods hold is not taken from them (409).
 */
export async function operateOn(
  host: OperatorHost,
  agentID: string,
  asked: { readonly operation: OfferOperation; readonly principal: string | undefined },
): Promise<void> {
  const agent = host.state.agents.get(agentID);
  if (agent === undefined) throw new CallRejected(400, 'No agent found with specified ID');
  const malformed = validateOperationShape(asked.operation);
  if (malformed !== undefined) throw new CallRejected(400, malformed);
  const operation = upgradeOperation(asked.operation);
  const problem = validateOperation(operation, {
    principal: asked.principal,
    agentCapabilities: new Set(agent.capabilities),
    checkpointed: sumResources(host.kept(agentID)),
    used: [agent.usedResources()],
  });
  const type = operation.type ?? 'UNKNOWN';
  if (problem !== undefined) {
    const where = namesAgent.has(type) ? ` on agent ${agentText(agent)}` : '';
    throw new CallRejected(400, `Invalid ${type} operation${where}: ${problem}`);
  }
  rescindFor(host, agentID, operation);
  const impossible = notApplicable(sumResources(host.freeOn(agentID)), operation);
  if (impossible !== undefined) throw new CallRejected(409, impossible);
  host.applied(operation);
  await host.setKept(agentID, keptAfter(host.kept(agentID), operation));
}

/** As the reference prints an agent in messages: `<id> at <pid> (<hostname>)`. */
export function agentText(agent: Pick<AgentRecord, 'id' | 'pid' | 'info'>): string {
  return `${agent.id} at ${agent.pid} (${agent.info.hostname})`;
}

/**
 * Offers that have some of what the operation needs are rescinded until those rescinded have all of
 * it. What is free already is not counted on: it may be offered at any moment.
 */
function rescindFor(host: OperatorHost, agentID: string, operation: OfferOperation): void {
  let required: Resources = consumedBy(operation);
  let recovered: Resources = [];
  for (const offer of host.offersOn(agentID)) {
    const offered = unallocateResources(offer.offer.resources ?? []);
    const left = subtractResources(required, offered);
    if (sameResources(left, required)) continue;
    required = left;
    recovered = sumResources(recovered, offered);
    host.rescind(offer, true);
    if (applyOperation(recovered, operation).ok) return;
  }
}
