import type { KindDeclaration, TypeFact, TypeTables } from '#machinery';
import {
  appDeploymentKind,
  appGroupKind,
  appInstanceKind,
  appKind,
  appPodKind,
  appVersionKind,
} from './marathon-kinds.ts';
import {
  agentKind,
  frameworkKind,
  maintenanceScheduleKind,
  resourceRoleKind,
  taskKind,
} from './mesos.ts';

export const frameworks = frameworkKind.kind;
export const tasks = taskKind.kind;
export const agents = agentKind.kind;
export const resourceRoles = resourceRoleKind.kind;
export const maintenanceSchedules = maintenanceScheduleKind.kind;
export const apps = appKind.kind;
export const appPods = appPodKind.kind;
export const appGroups = appGroupKind.kind;
export const appVersions = appVersionKind.kind;
export const appDeployments = appDeploymentKind.kind;
export const appInstances = appInstanceKind.kind;

const declared = [
  frameworkKind,
  taskKind,
  agentKind,
  resourceRoleKind,
  maintenanceScheduleKind,
  appKind,
  appPodKind,
  appGroupKind,
  appVersionKind,
  appDeploymentKind,
  appInstanceKind,
] as const;

/** Every kind of `mesos.tandem.dev` and `marathon.tandem.dev`. */
export const mesosKinds: readonly KindDeclaration[] = declared.map(({ kind }) => kind);

let byName: ReadonlyMap<string, TypeFact> | undefined;
/** Field tables of the kinds; those of metadata are of `kube/kinds`. */
export const mesosTypeTables: TypeTables = {
  type(name) {
    byName ??= new Map(
      declared.flatMap(({ types }) => types.map((type) => [type.name, type] as const)),
    );
    return byName.get(name);
  },
};
