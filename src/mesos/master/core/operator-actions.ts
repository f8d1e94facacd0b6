import {
  CallRejected,
  type AllocatorInverseOfferStatus,
  type DurationInfo,
  type MachineID,
  type MaintenanceClusterStatus,
  type MaintenanceSchedule,
  type OfferOperation,
  type QuotaQuotaConfig,
  type QuotaQuotaRequest,
  type Unavailability,
  type WeightInfo,
} from '#mesos/protocol';
import { Drain } from './drain.ts';
import { Maintenance } from './maintenance.ts';
import type { OperatorActions } from './operator.ts';
import type { OperatorHost } from './operator-host.ts';
import { operateOn } from './operator-operations.ts';
import { Quotas } from './quota.ts';
import type { AgentRecord } from './records.ts';
import type { RoleSpec } from './role-objects.ts';

/** What operators do. The core tells it when objects and tasks change. */
export class Operator implements OperatorActions {
  readonly #host: OperatorHost;
  readonly #quotas: Quotas;
  readonly #maintenance: Maintenance;
  readonly #drain: Drain;

  constructor(host: OperatorHost) {
    this.#host = host;
    this.#quotas = new Quotas(host);
    this.#maintenance = new Maintenance(host);
    this.#drain = new Drain(host, this.#maintenance);
  }

  /** At start, when the objects are loaded: roles to allocator and pool, the schedule. */
  recover(): void {
    this.rolesChanged();
    this.scheduleChanged();
  }
  /** A ResourceRole came, went or changed. */
  rolesChanged(): void {
    this.#quotas.changed();
  }
  /** The MaintenanceSchedule changed. */
  scheduleChanged(): void {
    this.#maintenance.changed();
  }
  /** An Agent object changed, an agent registered, a task or operation of it was done with. */
  agentChanged(agentID: string): void {
    this.#drain.changed(agentID);
  }

  /** Weights and quotas, own writes included. */
  get roles(): readonly RoleSpec[] {
    return this.#quotas.roles;
  }
  /** Of a role's quota, in thousandths by resource. */
  consumed(role: string): ReadonlyMap<string, number> {
    return this.#quotas.consumed(role);
  }
  /** For offers: set while the agent's machine is scheduled. */
  unavailabilityOf(agent: Pick<AgentRecord, 'info' | 'ip'>): Unavailability | undefined {
    return this.#maintenance.unavailabilityOf(agent);
  }
  /** Agents of machines that are down do not register. */
  isDown(machine: MachineID): boolean {
    return this.#maintenance.isDown(machine);
  }
  get schedule(): MaintenanceSchedule {
    return this.#maintenance.schedule;
  }
  inverseOfferAnswered(agentID: string, status: AllocatorInverseOfferStatus): void {
    this.#maintenance.answered(agentID, status);
  }

  async teardown(frameworkID: string): Promise<void> {
    if (!this.#host.state.frameworks.has(frameworkID))
      throw new CallRejected(400, 'No framework found with specified ID');
    await this.#host.removeFramework(frameworkID);
  }
  operation(
    agentID: string,
    operation: OfferOperation,
    principal: string | undefined,
  ): Promise<void> {
    return operateOn(this.#host, agentID, { operation, principal });
  }
  updateWeights(weights: readonly WeightInfo[]): Promise<void> {
    return this.#quotas.updateWeights(weights);
  }
  updateQuota(configs: readonly QuotaQuotaConfig[], force: boolean): Promise<void> {
    return this.#quotas.updateQuota(configs, force);
  }
  setQuota(request: QuotaQuotaRequest): Promise<void> {
    return this.#quotas.setQuota(request);
  }
  removeQuota(role: string): Promise<void> {
    return this.#quotas.removeQuota(role);
  }
  updateSchedule(schedule: MaintenanceSchedule): Promise<void> {
    return this.#maintenance.update(schedule);
  }
  maintenanceStatus(): MaintenanceClusterStatus {
    return this.#maintenance.status();
  }
  startMaintenance(machines: readonly MachineID[]): Promise<void> {
    return this.#maintenance.start(machines);
  }
  stopMaintenance(machines: readonly MachineID[]): Promise<void> {
    return this.#maintenance.stop(machines);
  }
  drainAgent(
    agentID: string,
    options: { readonly maxGracePeriod?: DurationInfo | undefined; readonly markGone: boolean },
  ): Promise<void> {
    return this.#drain.drain(agentID, options);
  }
  deactivateAgent(agentID: string): Promise<void> {
    return this.#drain.deactivate(agentID);
  }
  reactivateAgent(agentID: string): Promise<void> {
    return this.#drain.reactivate(agentID);
  }
  markAgentGone(agentID: string): Promise<void> {
    return this.#drain.markGone(agentID);
  }
}
