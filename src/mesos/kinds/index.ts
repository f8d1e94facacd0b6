/**
 * Frameworks, tasks, agents, roles (`mesos.tandem.dev/v1`) and Marathon's apps, groups, deployments,
 * instances (`marathon.tandem.dev/v1`) as declared kinds.
 *
 * Mesos and Marathon messages inside them are free JSON: kept as they came, unknown keys too.
 */
export type * from './types.ts';
export type * from './marathon.ts';
export {
  agents,
  appDeployments,
  appGroups,
  appInstances,
  appPods,
  appVersions,
  apps,
  frameworks,
  maintenanceSchedules,
  mesosKinds,
  mesosTypeTables,
  resourceRoles,
  tasks,
} from './all.ts';
export { describeMesos } from './descriptions.ts';
export { namespaceOf, objectName } from './names.ts';
export { taskInfoOf } from './stored-task.ts';
