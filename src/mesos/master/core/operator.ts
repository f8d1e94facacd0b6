import type {
  DurationInfo,
  MachineID,
  MaintenanceClusterStatus,
  MaintenanceSchedule,
  OfferOperation,
  QuotaQuotaConfig,
  QuotaQuotaRequest,
  WeightInfo,
} from '#mesos/protocol';

/**
 * What operators do, as values; HTTP forms of it (v1 calls, legacy endpoints) are the faces' business.
 * Every failure is a `CallRejected` with the reference's status and text. All are durable when they
 * resolve. Implemented by `Operator` in `operator-actions.ts`, over what `OperatorHost` (in
 * `operator-host.ts`) asks of the core.
 */
export interface OperatorActions {
  teardown(frameworkID: string): Promise<void>;
  /** RESERVE, UNRESERVE, CREATE, DESTROY, GROW_VOLUME, SHRINK_VOLUME on one agent. */
  operation(
    agentID: string,
    operation: OfferOperation,
    principal: string | undefined,
  ): Promise<void>;
  updateWeights(weights: readonly WeightInfo[]): Promise<void>;
  /** All or nothing. `force` skips the check against the cluster's capacity. */
  updateQuota(configs: readonly QuotaQuotaConfig[], force: boolean): Promise<void>;
  /** SET_QUOTA and POST `/quota`, deprecated: guarantees become limits too; texts of mesos.md 8.2. */
  setQuota(request: QuotaQuotaRequest): Promise<void>;
  removeQuota(role: string): Promise<void>;
  updateSchedule(schedule: MaintenanceSchedule): Promise<void>;
  maintenanceStatus(): MaintenanceClusterStatus;
  startMaintenance(machines: readonly MachineID[]): Promise<void>;
  stopMaintenance(machines: readonly MachineID[]): Promise<void>;
  drainAgent(
    agentID: string,
    options: { readonly maxGracePeriod?: DurationInfo | undefined; readonly markGone: boolean },
  ): Promise<void>;
  deactivateAgent(agentID: string): Promise<void>;
  reactivateAgent(agentID: string): Promise<void>;
  markAgentGone(agentID: string): Promise<void>;
}
