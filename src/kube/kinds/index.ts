/**
 * Every built-in Kubernetes kind as a declaration, and the types of their objects.
 *
 * Types are derived from `facts/api-facts.json`; defaults, validation and columns are written by
 * hand, a folder per API group, a file per kind.
 */
export type * from './types/core-v1.ts';
export type { Deployment, DeploymentSpec, DeploymentStatus, ReplicaSet } from './types/apps-v1.ts';
export { groupFacts, kindFacts, typeTables } from './tables.ts';
export type { GroupFact, KindFact, SubresourceFact } from './tables.ts';
