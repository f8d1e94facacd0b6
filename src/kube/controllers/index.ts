/**
 * The controllers of Kubernetes: each brings one kind of thing from what is to what should be.
 *
 * Level-triggered loops over shared informers; they keep nothing that is not in the API but what
 * they wrote and have not yet seen back. The list of all is in `controllers.ts`.
 */
export { createControllers } from './controllers.ts';
export type { ControllersOptions } from './controllers.ts';
export type { Runnable } from './context.ts';
export type { NamespacedResources } from './namespace.ts';
export type { AddressRange } from './load-balancer.ts';
