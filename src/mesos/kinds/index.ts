/**
 * Frameworks, tasks, agents, roles (`mesos.tandem.dev/v1`) and Marathon's apps, groups, deployments,
 * instances (`marathon.tandem.dev/v1`) as declared kinds.
 */
export type * from './types.ts';
export type * from './marathon.ts';
