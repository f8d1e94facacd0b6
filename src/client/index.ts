/**
 * The client side of the API: typed calls over HTTP or in process, informers, work queues, leases,
 * events. Start with `informer.ts`.
 */
export { keyOf } from './informer.ts';
export type { CreateInformer, Informer, InformerOptions } from './informer.ts';
export type { Again, Reconcile, WorkQueue } from './loop.ts';
export type { EventRecorder } from './recorder.ts';
