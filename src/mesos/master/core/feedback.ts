import type { Agent } from '#mesos/kinds';
import type {
  OfferOperation,
  Operation,
  OperationState,
  OperationStatus,
  SchedulerCallAcknowledgeOperationStatus,
  SchedulerCallReconcileOperations,
} from '#mesos/protocol';
import type { AgentBook, FrameworkBook } from './books.ts';
import type { Core } from './core.ts';
import { metricsPrefix } from './frameworks.ts';
import type { OperationRecord } from './records.ts';
import { keptAfter } from './reservations.ts';

const retryMsMin = 10_000;
const retryMsMax = 600_000;

/**
 * Feedback on operations that carry an id (mesos.md 2.12): FINISHED is told until it is
 * acknowledged, from the Agent object, so that a crash loses none.
 */
export class Feedback {
  readonly #core: Core;
  readonly #retries = new Map<string, () => void>();

  constructor(core: Core) {
    this.#core = core;
  }

  /** The reservations and volumes of an agent after an operation; resolves when they are stored. */
  convertAgent(agent: AgentBook, operation: OfferOperation): Promise<void> {
    return this.#core.agents.setKept(agent, keptAfter(agent.kept, operation));
  }

  /** It could not be done: said once, without uuid, when somebody asked to know. */
  failed(
    framework: FrameworkBook,
    operation: OfferOperation,
    { message }: { readonly message: string },
  ): void {
    const { logger } = this.#core;
    this.#count(operation, 'error');
    logger.info('An offer operation was refused', { framework: framework.id, message });
    if (operation.id === undefined) return;
    this.#send(framework, { operation_id: operation.id, state: 'OPERATION_ERROR', message });
  }

  /** An operator's, which nobody is told of. */
  applied(operation: OfferOperation): void {
    this.#count(operation, 'finished');
  }

  #count({ type = 'UNKNOWN' }: OfferOperation, state: string): void {
    for (const prefix of ['', `${type.toLowerCase()}/`])
      for (const name of [state, 'total'])
        this.#core.counters.add(`master/operations/${prefix}${name}`);
  }

  finished(framework: FrameworkBook, agent: AgentBook, operation: OfferOperation): void {
    const { counters, options } = this.#core;
    this.#count(operation, 'finished');
    for (const name of ['messages_operation_status_update', 'valid_operation_status_updates'])
      counters.add(`master/${name}`);
    const prefix = metricsPrefix(framework);
    counters.add(`${prefix}operations`);
    counters.add(`${prefix}operations/${(operation.type ?? 'UNKNOWN').toLowerCase()}`);
    const { id } = operation;
    if (id === undefined) return;
    const uuid = Buffer.from(options.random.uuid().replaceAll('-', ''), 'hex').toString('base64');
    const status: OperationStatus = {
      operation_id: id,
      state: 'OPERATION_FINISHED',
      uuid: { value: uuid },
      agent_id: { value: agent.id },
    };
    const record: Operation = {
      framework_id: { value: framework.id },
      agent_id: { value: agent.id },
      info: operation,
      latest_status: status,
      statuses: [status],
      uuid: { value: uuid },
    };
    this.#remember(framework, agent, { agentID: agent.id, operation: record });
    this.#save(agent);
    this.#deliver(framework, agent, { record, delayMs: retryMsMin });
  }

  #remember(framework: FrameworkBook, agent: AgentBook, entry: OperationRecord): void {
    const id = entry.operation.info.id?.value ?? '';
    framework.operations.set(id, entry);
    agent.operations.set(`${framework.id}\n${id}`, entry);
  }

  #save(agent: AgentBook): void {
    void this.#core.lanes.agents.change(agent.nodeName, (object) => {
      const { operations: _, ...status } = object.status;
      const operations = [...agent.operations.values()].map(({ operation }) => operation);
      return { ...object, status: { ...status, ...(operations.length > 0 && { operations }) } };
    });
  }

  #deliver(
    framework: FrameworkBook,
    agent: AgentBook,
    of: { readonly record: Operation; readonly delayMs: number },
  ): void {
    const { record, delayMs } = of;
    const key = record.uuid.value;
    this.#retries.get(key)?.();
    this.#retries.delete(key);
    if (framework.stream === undefined || !agent.connected) return;
    this.#send(framework, record.latest_status);
    const next = Math.min(delayMs * 2, retryMsMax);
    const cancel = this.#core.options.clock.after(delayMs, () => {
      this.#retries.delete(key);
      if (framework.operations.get(record.info.id?.value ?? '')?.operation === record)
        this.#deliver(framework, agent, { record, delayMs: next });
    });
    this.#retries.set(key, cancel);
  }

  /** The framework, or the agent, is there again. */
  resume(framework: FrameworkBook): void {
    for (const { agentID, operation } of framework.operations.values()) {
      const agent = this.#core.books.agents.get(agentID);
      if (agent !== undefined)
        this.#deliver(framework, agent, { record: operation, delayMs: retryMsMin });
    }
  }

  acknowledge(
    framework: FrameworkBook,
    { operation_id, agent_id, uuid }: SchedulerCallAcknowledgeOperationStatus,
  ): void {
    const { books, counters } = this.#core;
    const entry = framework.operations.get(operation_id.value);
    const agent = books.agents.get(agent_id?.value ?? entry?.agentID ?? '');
    const known = entry?.operation.statuses?.some((status) => status.uuid?.value === uuid) === true;
    const valid = entry !== undefined && agent?.connected === true && known;
    const name = `${valid ? 'valid' : 'invalid'}_operation_status_update_acknowledgements`;
    counters.add(`master/${name}`);
    if (valid) this.#forget(framework, agent, entry);
  }

  #forget(framework: FrameworkBook, agent: AgentBook, entry: OperationRecord): void {
    const id = entry.operation.info.id?.value ?? '';
    this.#retries.get(entry.operation.uuid.value)?.();
    this.#retries.delete(entry.operation.uuid.value);
    framework.operations.delete(id);
    agent.operations.delete(`${framework.id}\n${id}`);
    this.#save(agent);
    this.#core.agents.taskLeft(agent.id);
  }

  /** Of a framework that is removed the master acknowledges by itself. */
  forgetFramework(framework: FrameworkBook): void {
    for (const entry of framework.operations.values()) {
      const agent = this.#core.books.agents.get(entry.agentID);
      if (agent !== undefined) this.#forget(framework, agent, entry);
    }
  }

  reconcile(framework: FrameworkBook, { operations = [] }: SchedulerCallReconcileOperations): void {
    if (operations.length === 0) {
      for (const { operation } of framework.operations.values())
        this.#send(framework, withoutUuid(operation.latest_status));
      return;
    }
    for (const { operation_id, agent_id } of operations) {
      const known = framework.operations.get(operation_id.value);
      if (known !== undefined) this.#send(framework, withoutUuid(known.operation.latest_status));
      else {
        const { state, message } = this.#unknown(agent_id?.value);
        this.#send(framework, {
          operation_id,
          state,
          message: `Reconciliation: ${message}`,
          ...(agent_id !== undefined && { agent_id }),
        });
      }
    }
  }

  #unknown(agentID: string | undefined): {
    readonly state: OperationState;
    readonly message: string;
  } {
    const { books } = this.#core;
    if (agentID === undefined)
      return {
        state: 'OPERATION_UNKNOWN',
        message: "Operation is unknown and no 'agent_id' was provided",
      };
    if (books.recoveredAgents.has(agentID))
      return {
        state: 'OPERATION_RECOVERING',
        message: 'Agent is recovered but has not re-registered',
      };
    if (books.agents.has(agentID))
      return { state: 'OPERATION_UNKNOWN', message: 'Operation is unknown' };
    if (books.unreachableAgents.has(agentID))
      return { state: 'OPERATION_UNREACHABLE', message: 'Agent is unreachable' };
    if (books.goneAgents.has(agentID))
      return { state: 'OPERATION_GONE_BY_OPERATOR', message: 'Agent marked gone by operator' };
    return { state: 'OPERATION_UNKNOWN', message: 'Both operation and agent are unknown' };
  }

  /** Operations on an agent that is lost: told once. */
  agentLost(
    agentID: string,
    said: { readonly state: OperationState; readonly message: string },
  ): void {
    for (const framework of this.#core.books.frameworks.values())
      for (const entry of framework.operations.values())
        if (entry.agentID === agentID) {
          if (said.state === 'OPERATION_GONE_BY_OPERATOR')
            this.#count(entry.operation.info, 'gone_by_operator');
          this.#send(framework, {
            operation_id: entry.operation.info.id,
            agent_id: { value: agentID },
            ...said,
          });
        }
  }

  #send(framework: FrameworkBook, status: OperationStatus): void {
    this.#core.frameworks.send(framework, {
      type: 'UPDATE_OPERATION_STATUS',
      update_operation_status: { status },
    });
  }

  /** From the Agent object, at start or when the agent is registered again. */
  recover(agent: AgentBook, object: Agent): void {
    for (const operation of object.status?.operations ?? []) {
      const framework = this.#core.books.frameworks.get(operation.framework_id?.value ?? '');
      if (framework === undefined) continue;
      this.#remember(framework, agent, { agentID: agent.id, operation });
    }
  }

  stop(): void {
    for (const cancel of this.#retries.values()) cancel();
  }
}

function withoutUuid(status: OperationStatus): OperationStatus {
  const { uuid: _, ...rest } = status;
  return rest;
}
