/**
 * The client side of the API: typed calls over HTTP or in process, informers, work queues, leases,
 * events. Start with `informer.ts`.
 */
export { createFakeApi } from './fake-api.ts';
export type { FakeApi, FakeApiOptions } from './fake-api.ts';
export { deepFreeze } from './freeze.ts';
export { collectionPath, createHttpApi, objectPath } from './http-api.ts';
export type { HttpApi, HttpApiOptions, RawRequest } from './http-api.ts';
export { createInformer, keyOf } from './informer.ts';
export type { CreateInformer, Informer, InformerChange, InformerOptions } from './informer.ts';
export {
  KubeconfigError,
  currentContext,
  loadKubeconfig,
  mergeKubeconfig,
  removeFromKubeconfig,
} from './kubeconfig.ts';
export type { KubeconfigConnection, KubeconfigEntry, LoadKubeconfigOptions } from './kubeconfig.ts';
export { leaseResource, runElected, runNodeLease } from './lease.ts';
export type { ElectionOptions, LeaseObject, NodeLeaseOptions } from './lease.ts';
export { createWorkQueue } from './loop.ts';
export type { Again, Reconcile, WorkQueue, WorkQueueOptions } from './loop.ts';
export { createOwnWrites } from './own-writes.ts';
export type { OwnWrites } from './own-writes.ts';
export { createRecorder, micros, seconds } from './recorder.ts';
export type { ClosableRecorder, EventRecorder, RecorderOptions } from './recorder.ts';
export { labelsInclude, selectorIsEmpty, selectorMatches } from './selector.ts';
export type { LabelSelectorLike, Labels } from './selector.ts';
