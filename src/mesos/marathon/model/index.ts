/**
 * Marathon's definitions and decisions, pure: reading and writing its JSON, normalisation, validation,
 * groups, plans, offer matching, tasks.
 *
 * A run spec in memory is its normalised JSON form (`types.ts`), an instance is `Instance`. Failures
 * that a client is told are thrown as `MarathonFailure`, which holds the answer. Start with
 * `app/definition.ts`.
 *
 * On purpose other than the original (1.11): GROUP_BY without a value spreads instances evenly (there it
 * divides by zero); a group's `enforceRole` stays when an update does not name it; `ignoreHttp1xx` is
 * kept; expressions that look around or back are refused; secrets are Secrets of the framework's
 * namespace; only groups on the way to the root get a new version; external volumes are a feature that
 * is off.
 */
/** Every type of the REST API: `raml.AppInfo`, `raml.Task`, ... */
export type * as raml from './types.ts';
export type { App, GroupUpdate, Pod, RamlTypes } from './types.ts';
export type * from './instance.ts';
export type * from './root.ts';
export type * from './settings.ts';
export * from './problem.ts';
export { isActive, isTerminal } from './instance.ts';
export {
  emptyRoot,
  putRunSpec,
  removeGroup,
  removeRunSpec,
  runSpecIDsBelow,
  runSpecOf,
  runSpecsOf,
  setEnforceRole,
} from './root.ts';
export { defaultSettings } from './settings.ts';
export { parseJson, read, readList } from './read.ts';
export { listText, objectText, textOf } from './write.ts';
export { appFromJson, appUpdateFromJson, appUpdatesFromJson } from './app/definition.ts';
export type { AppListOptions, AppUpdateOptions, DefinitionContext } from './app/definition.ts';
export {
  ancestorIDs,
  canonicalID,
  dottedName,
  isWithin,
  parentID,
  safeID,
  segmentsOf,
  topLevelID,
} from './ids.ts';
export { enforcesRole, roleRules } from './roles.ts';
export type { RoleOptions, RoleRules } from './roles.ts';
export { applyGroupUpdate, groupUpdateFromJson } from './group/update.ts';
export type { ApplyGroupOptions, GroupChange, GroupUpdateOptions } from './group/update.ts';
export { finishUpdate } from './group/finish.ts';
export type { FinishOptions } from './group/finish.ts';
export { isOnlyScaleChange, isUpgrade, lastConfigChangeOf } from './versions.ts';
export { dependencyDepths, dependencyGraph } from './dependencies.ts';
export { servicePortsOf } from './service-ports.ts';
export { hostPortsOf } from './host-ports.ts';
export {
  instancesOf,
  isResident,
  killSelectionOf,
  unreachableStrategyOf,
  upgradeStrategyOf,
} from './run-spec.ts';
export { affectedIDs, makePlan } from './deployment/plan.ts';
export type { Plan, PlanAction, PlanChange, PlanOptions, ScaleAction } from './deployment/plan.ts';
export { revertPlan } from './deployment/revert.ts';
export { actionName, deploymentInfo, planSteps } from './deployment/json.ts';
export type { DeploymentProgress } from './deployment/json.ts';
export { matchOffer, rejectReasons, wantedAmounts } from './offer/match.ts';
export type { Match, MatchRequest, NoMatch, RejectReason } from './offer/match.ts';
export type { NewVolume } from './offer/disks.ts';
export { meetsConstraint } from './offer/constraints.ts';
export { remainingOffer, reservedFor } from './offer/resources.ts';
export { appTask } from './launch/app-task.ts';
export { podTaskGroup } from './launch/pod-group.ts';
export type { LaunchRequest } from './launch/request.ts';
export { releaseOperations, releasedResource, reserveOperations } from './launch/reservation.ts';
export type { ReserveRequest } from './launch/reservation.ts';
export { secretSourcesOf } from './launch/secrets.ts';
export type { SecretValues } from './launch/secrets.ts';
export {
  executorIDOf,
  instanceIDOfExecutor,
  newInstanceID,
  parseTaskID,
  runSpecIDOfInstance,
  taskIDOf,
} from './instance-ids.ts';
export type { ParsedTaskID } from './instance-ids.ts';
export { conditionOf, instanceCondition, mesosStateOf } from './conditions.ts';
export { instancesToStart, upgradeNumbers } from './deployment/upgrade.ts';
export type { UpgradeNumbers, UpgradeState } from './deployment/upgrade.ts';
export { compareFor, selectToKill } from './deployment/kill-selection.ts';
export type { KillRequest } from './deployment/kill-selection.ts';
export { delayAfterFailure, delayAfterProgress, delayIsForgotten } from './backoff.ts';
export type { LaunchDelay } from './backoff.ts';
export { podFromJson, podUpdateFromJson } from './pod/definition.ts';
export { podInstanceStatus, podStatus } from './pod/status.ts';
export type { PodStatusOptions } from './pod/status.ts';
export { healthFailureOf, localVolumesJson, taskFailureOf, taskJson } from './json/task.ts';
export type { TaskJsonOptions } from './json/task.ts';
export { countsOf, taskStats } from './json/stats.ts';
export type { Counts, HealthOf, StatsOptions } from './json/stats.ts';
export { firstReason, offerJson, queueItem } from './json/queue.ts';
export type { QueueOptions, QueueRecord, UnusedOfferRecord } from './json/queue.ts';
export { instanceJson } from './json/instance.ts';
export { appEmbeds, groupEmbeds, parseLabelSelector } from './selectors.ts';
export type { AppEmbed, GroupEmbed, LabelSelector } from './selectors.ts';
