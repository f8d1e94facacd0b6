/** The endpoints that Mesos had before its v1 APIs, as routes of the processes on the master's port. */
export { masterRoutes, otherProcesses } from './routes.ts';
export type { LegacyOptions } from './routes.ts';
export { buildFacts, masterCapabilities } from './state.ts';
export type { MasterFacts } from './state.ts';
