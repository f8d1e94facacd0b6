import {
  addResources,
  allocateResource,
  applyOperation,
  convertedBy,
  consumedBy,
  containsResources,
  mapOperation,
  resourcesText,
  subtractResources,
  sumResources,
  unallocateResources,
  upgradeOperation,
  validateOperation,
  validateOperationShape,
  type Action,
  type OfferID,
  type OfferOperation,
  type Resource,
  type Resources,
  type SchedulerCallAccept,
  type TaskInfo,
  type TaskState,
  type TaskStatus,
} from '#mesos/protocol';
import { Acceptance } from './acceptance.ts';
import type { FrameworkBook, OfferBook } from './books.ts';
import type { Core } from './core.ts';
import { metricsPrefix } from './frameworks.ts';
import { planGroup, planTask } from './plan.ts';

/** ACCEPT (mesos.md 2.3). Resolves when what it launched and converted is durable, or refused. */
export async function accept(
  core: Core,
  framework: FrameworkBook,
  call: SchedulerCallAccept,
): Promise<void> {
  const { offer_ids: ids = [], operations = [], filters } = call;
  // As the reference counts them: one for each LAUNCH, whatever becomes of it.
  for (const { type, launch } of operations)
    if (type === 'LAUNCH') {
      const empty = (launch?.task_infos ?? []).length === 0;
      core.counters.add(`master/messages_${empty ? 'decline_offers' : 'launch_tasks'}`);
    }
  const offers = [...new Set(ids.map(({ value }) => value))].flatMap((id) => {
    const offer = core.books.offers.get(id);
    return offer === undefined ? [] : [offer];
  });
  const problem = offersProblem(core, framework, ids);
  const [first] = offers;
  if (problem !== undefined || first === undefined) {
    for (const offer of offers) core.offers.drop(offer);
    for (const operation of operations)
      dropOperation(core, framework, { operation, problem: problem ?? '' });
    return;
  }
  core.counters.add(`${metricsPrefix(framework)}offers/accepted`, offers.length);
  const acceptance = new Acceptance(core, { framework, agent: first.agent, offers });
  for (const operation of operations) apply(acceptance, operation);
  acceptance.settle(filters);
  countLaunches(core, framework, acceptance);
  await acceptance.launch();
}

/** Per framework: each task of LAUNCH, and each group, as they are sent to the agent. */
function countLaunches({ counters }: Core, framework: FrameworkBook, { plans }: Acceptance): void {
  const prefix = `${metricsPrefix(framework)}operations`;
  for (const { tasks } of plans) {
    const isGroup = tasks[0]?.execution === 'Group';
    const count = isGroup ? 1 : tasks.length;
    counters.add(prefix, count);
    counters.add(`${prefix}/${isGroup ? 'launch_group' : 'launch'}`, count);
  }
}

function offersProblem(
  core: Core,
  framework: FrameworkBook,
  ids: readonly OfferID[],
): string | undefined {
  if (ids.length === 0) return 'No offers specified';
  const seen = new Set<string>();
  for (const { value } of ids) {
    if (seen.has(value)) return `Duplicate offer ${value} in offer list`;
    seen.add(value);
  }
  const offers: OfferBook[] = [];
  for (const { value } of ids) {
    const offer = core.books.offers.get(value);
    if (offer === undefined) return `Offer ${value} is no longer valid`;
    offers.push(offer);
  }
  for (const { id, frameworkID } of offers)
    if (frameworkID !== framework.id)
      return `Offer ${id} has invalid framework ${frameworkID} while framework ${framework.id} is expected`;
  const [first] = offers;
  for (const { id, role } of offers)
    if (role !== first?.role)
      return `Aggregated offers must be allocated to the same role. Offer ${id} uses role '${role} but another is using role '${first?.role}`;
  for (const { id, agentID } of offers)
    if (agentID !== first?.agentID)
      return `Aggregated offers must belong to one single agent. Offer ${id} uses agent ${agentID} and agent ${first?.agentID}`;
  return undefined;
}

export function tasksOf(operation: OfferOperation): readonly TaskInfo[] {
  if (operation.type === 'LAUNCH') return operation.launch?.task_infos ?? [];
  if (operation.type === 'LAUNCH_GROUP') return operation.launch_group?.task_group.tasks ?? [];
  return [];
}

/** Of an ACCEPT whose offers are invalid. */
function dropOperation(
  core: Core,
  framework: FrameworkBook,
  { operation, problem }: { readonly operation: OfferOperation; readonly problem: string },
): void {
  const said = {
    state: framework.partitionAware ? ('TASK_DROPPED' as const) : ('TASK_LOST' as const),
    reason: 'REASON_INVALID_OFFERS' as const,
    message: `Task launched with invalid offers: ${problem}`,
  };
  for (const task of tasksOf(operation)) refuseTask(core, framework, { task, ...said });
  if (!isLaunch(operation))
    core.operations.failed(framework, operation, {
      message: `Operation attempted with invalid offers: ${problem}`,
    });
}

/** A task that never was: told once, remembered nowhere. */
export function refuseTask(
  core: Core,
  framework: FrameworkBook,
  said: {
    readonly task: TaskInfo;
    readonly state: TaskState;
    readonly reason: TaskStatus['reason'];
    readonly message: string;
  },
): void {
  const { task, state, reason, message } = said;
  const status: TaskStatus = {
    task_id: task.task_id,
    state,
    message,
    source: 'SOURCE_MASTER',
    ...(reason !== undefined && { reason }),
    agent_id: task.agent_id,
    ...(task.executor !== undefined && { executor_id: task.executor.executor_id }),
    timestamp: core.options.clock.nowMs() / 1000,
  };
  core.counters.status(status);
  core.updates.sendOnce(framework, status);
}

function isLaunch({ type }: OfferOperation): boolean {
  return type === 'LAUNCH' || type === 'LAUNCH_GROUP';
}

/** Step 2 to 6 for one operation: what fails is told and skipped. */
function apply(work: Acceptance, given: OfferOperation): void {
  const { core, framework, role } = work;
  const shape =
    validateOperationShape(given) ??
    (given.type === 'RESERVE' && (given.reserve?.source ?? []).length > 0
      ? 'Reservation updates are not yet implemented for the scheduler API.'
      : undefined);
  if (shape !== undefined) {
    failOperation(work, given, {
      task: shape,
      operation: `Operation attempted with invalid resources: ${shape}`,
    });
    return;
  }
  if (given.id !== undefined && isLaunch(given)) {
    const text = `The \`id\` field cannot be set on ${given.type} operations`;
    failOperation(work, given, { task: text, operation: text });
    return;
  }
  const injected = mapOperation(upgradeOperation(given), (resource) =>
    resource.allocation_info === undefined ? allocateResource(resource, role) : resource,
  );
  const operation = { ...injected, type: given.type };
  if (operation.type === 'LAUNCH')
    for (const task of operation.launch?.task_infos ?? []) planTask(work, task);
  else if (operation.type === 'LAUNCH_GROUP' && operation.launch_group !== undefined)
    planGroup(work, operation.launch_group);
  else if (operation.type === 'CREATE_DISK' || operation.type === 'DESTROY_DISK')
    core.operations.failed(framework, operation, {
      message: validateOperation(operation, work.operationContext()) ?? noProvider(work),
    });
  else convert(work, operation);
}

function noProvider({ agent }: Acceptance): string {
  return `Not supported on agent ${agent.id} at ${agent.pid} (${agent.info.hostname}) because it does not have RESOURCE_PROVIDER capability`;
}

function failOperation(
  work: Acceptance,
  operation: OfferOperation,
  text: { readonly task: string; readonly operation: string },
): void {
  const { core, framework } = work;
  const reason =
    operation.type === 'LAUNCH_GROUP' ? 'REASON_TASK_GROUP_INVALID' : 'REASON_TASK_INVALID';
  for (const task of tasksOf(operation))
    refuseTask(core, framework, { task, state: 'TASK_ERROR', reason, message: text.task });
  if (!isLaunch(operation))
    core.operations.failed(framework, operation, { message: text.operation });
}

/** RESERVE to SHRINK_VOLUME: applied at once, to the offers and to the agent. */
function convert(work: Acceptance, operation: OfferOperation): void {
  const { core, framework, agent } = work;
  const fail = (text: string): void =>
    core.operations.failed(framework, operation, {
      message: `${text}; on agent ${agent.id} at ${agent.pid} (${agent.info.hostname})`,
    });
  const problem =
    validateOperation(operation, work.operationContext()) ?? unauthorized(work, operation);
  if (problem !== undefined) {
    fail(problem);
    return;
  }
  const consumed = consumedBy(operation);
  const resize = operation.type === 'GROW_VOLUME' || operation.type === 'SHRINK_VOLUME';
  if (resize && !containsResources(work.remaining, consumed)) {
    fail(
      `Invalid ${operation.type} operation: ${resourcesText(work.remaining)} does not contain ${resourcesText(consumed)}`,
    );
    return;
  }
  if (operation.type === 'DESTROY') rescindHolders(work, consumed);
  const applied = applyOperation(work.remaining, operation);
  if (!applied.ok) {
    fail(applied.message);
    return;
  }
  const converted = convertedBy(operation);
  // A volume of another size is for the next offer.
  work.remaining = resize
    ? subtractResources(sumResources(work.remaining), consumed)
    : sumResources(applied.resources);
  if (resize) work.resized = addResources(work.resized, converted);
  else work.noteConverted(consumed, converted);
  agent.busy.remove(consumed);
  agent.busy.add(converted);
  work.writes.push(core.operations.convertAgent(agent, operation));
  core.operations.finished(framework, agent, operation);
}

const operationActions: Readonly<Record<string, readonly [action: Action, text: string]>> = {
  RESERVE: ['reserve_resources', 'reserve resources'],
  UNRESERVE: ['unreserve_resources', 'unreserve resources'],
  CREATE: ['create_volumes', 'create persistent volumes'],
  DESTROY: ['destroy_volumes', 'destroy persistent volumes'],
  GROW_VOLUME: ['resize_volumes', 'grow a volume'],
  SHRINK_VOLUME: ['resize_volumes', 'shrink a volume'],
};

function unauthorized(work: Acceptance, { type = 'UNKNOWN' }: OfferOperation): string | undefined {
  const { framework, agent, role } = work;
  const entry = operationActions[type];
  if (entry === undefined) return undefined;
  const { principal } = framework.info;
  const about = { role, agentID: agent.id, principal, frameworkID: framework.id };
  return (framework.stream?.subscriber.allows?.(entry[0], about) ?? true)
    ? undefined
    : `Not authorized to ${entry[1]} as '${principal ?? ''}'`;
}

/** Others may have been offered the volume, which is shared. */
function rescindHolders(work: Acceptance, volumes: Resources): void {
  const shared: readonly Resource[] = volumes.filter((volume) => volume.shared !== undefined);
  if (shared.length === 0) return;
  for (const offer of work.agent.offers) {
    const held = sumResources(unallocateResources(offer.resources));
    const wanted = unallocateResources(shared);
    if (wanted.some((volume) => containsResources(held, [volume]))) work.core.offers.rescind(offer);
  }
}
