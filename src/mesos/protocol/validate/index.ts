/**
 * Is it right what frameworks and operators send? Pure functions with the reference's words, in the
 * reference's order of checks; undefined when nothing is wrong. What the master knows is an argument.
 */
export * from './checks.ts';
export * from './container.ts';
export { sameExecutor, validateExecutor } from './executor.ts';
export * from './framework.ts';
export * from './group.ts';
export * from './names.ts';
export { compileOfferConstraints } from './offer-constraints.ts';
export type { CompiledConstraints, ConstrainedAgent } from './offer-constraints.ts';
export * from './operations.ts';
export { validateTask } from './task.ts';
export type { LaunchContext } from './task.ts';
export * from './usage.ts';
